"""A knowledge base to fill: the demo catalogue, and a short way to put articles in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from knowledge import indexing
from knowledge.models import Article
from knowledge.operations import Draft, save_article
from tests.standins.fixtures import vendor

__all__ = ["vendor"]  # an embedder to search with

ARTICLES = Path(settings.BASE_DIR) / "knowledge" / "data" / "articles"


@pytest.fixture
def catalogue(db: Any) -> None:
    call_command("load_catalog", str(Path(settings.BASE_DIR) / "pricing" / "data" / "catalog.yaml"), verbosity=0)


@pytest.fixture
def write(db: Any) -> Callable[..., Article]:
    """Write an article and let the index follow, as the sweep would."""

    def written(name: str, title: str = "", body: str = "", **fields: Any) -> Article:
        known = Article.objects.filter(external_id=name).first()
        draft = Draft(title=title, body=body, external_id=name, **fields)
        article = save_article(draft=draft, by=None, article=known)
        while indexing.sweep(now=timezone.now()):  # an article may make others be scaled anew
            pass
        return article

    return written


@pytest.fixture
def demo(catalogue: None) -> None:
    """The articles that come with the product."""
    call_command("import_articles", str(ARTICLES), verbosity=0)
