"""When something happens to an article, then the index owes it something."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils import timezone

from common.bell import ring
from knowledge import indexing, tasks
from knowledge.models import Article
from knowledge.search import index
from knowledge.signals import article_changed


@receiver(article_changed)
def owe_its_indexing(sender: Any, article: Article, **kwargs: Any) -> None:
    """When an article has a new version, then the index owes it."""
    (owed,) = indexing.owe([article], due_at=timezone.now())
    ring(tasks.index_article, owed.pk)


@receiver(pre_delete, sender=Article)
def take_out_of_the_index(sender: Any, instance: Article, **kwargs: Any) -> None:
    """When an article is deleted, then its postings go with it: they have no foreign key to follow."""
    index.forget([instance.pk])
