"""A shop that can issue papers: the demo catalogue, the made-up seller, a conversation with a named lead."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from billing.models import Document, Seller
from billing.operations import make_pdf, prepare_proposal
from pricing.catalogue_file import load
from pricing.models import Quote
from pricing.operations import make_quote

STORY: dict[str, Any] = {
    "products": [{"product": "ai_manager", "volume": 1800}, {"product": "ai_lawyer", "tier": "start"}],
    "services": [{"service": "onboarding", "quantity": 1}, {"service": "extra_channel", "quantity": 2}],
    "billing_period": "year",
    "startup": True,
}


@pytest.fixture
def shop(db: Any) -> Seller:
    """The demo catalogue in the database and the made-up seller as the default."""
    load(Path(settings.BASE_DIR) / "pricing" / "data" / "catalog.yaml")
    call_command("load_demo_seller")
    return Seller.objects.get(is_default=True)


@pytest.fixture
def talk(shop: Seller) -> Any:
    """A conversation whose lead has told a name and a company."""
    from sales.operations import open_conversation, save_contact

    talk = open_conversation(channel="webchat", external_id=uuid.uuid4().hex, now=timezone.now())
    save_contact(
        lead_id=talk.lead_id, now=timezone.now(), by="assistant", name="Иван Щукин", company="ООО «Ромашка и №1»"
    )
    talk.refresh_from_db()
    return talk


@pytest.fixture
def quoted(talk: Any) -> Callable[..., Quote]:
    """A quote in the conversation; by default the one of the story."""

    def make(**changes: Any) -> Quote:
        return make_quote(data={**STORY, **changes}, now=timezone.now(), conversation_id=talk.pk)

    return make


@pytest.fixture
def issued(talk: Any, quoted: Callable[..., Quote]) -> Callable[..., Document]:
    """An issued proposal without its PDF."""

    def issue(**changes: Any) -> Document:
        quote = quoted(**changes)
        return prepare_proposal(quote_number=quote.number, conversation_id=talk.pk, now=timezone.now())

    return issue


@pytest.fixture
def printed(issued: Callable[..., Document]) -> Callable[..., Document]:
    """A proposal with its PDF, made by the same road as a worker's."""

    def print_it(**changes: Any) -> Document:
        document = issued(**changes)
        assert document.keep(make_pdf, now=timezone.now())
        document.refresh_from_db()
        return document

    return print_it
