"""When something happens to an article or in a conversation, then the index or the unanswered questions follow."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, post_save, pre_delete
from django.dispatch import receiver
from django.utils import timezone

from common.bell import ring
from knowledge import indexing, tasks
from knowledge.gaps import operations as gaps
from knowledge.gaps.models import GapQuestion
from knowledge.models import Article, Synonyms
from knowledge.search import index
from knowledge.signals import article_changed, release_check_owed
from sales.signals import reply_ready


@receiver(article_changed)
def owe_its_indexing(sender: Any, article: Article, **kwargs: Any) -> None:
    """When an article has a new version, then the index owes it."""
    (owed,) = indexing.owe([article], due_at=timezone.now())
    ring(tasks.index_article, owed.pk)


@receiver(release_check_owed)
def hurry_a_check(sender: Any, check: Any, **kwargs: Any) -> None:
    """When a check before publishing is owed, or goes on, then a worker looks at it."""
    ring(tasks.check_release, check.pk)


@receiver(pre_delete, sender=Article)
def take_out_of_the_index(sender: Any, instance: Article, **kwargs: Any) -> None:
    """When an article is deleted, then its postings go with it: they have no foreign key to follow."""
    index.forget([instance.pk])


@receiver(reply_ready)
def note_unanswered_questions(sender: Any, conversation: Any, message: Any, turn: Any, **kwargs: Any) -> None:
    """When the assistant has replied, then the questions it knew no answer to are owed a place among their like."""
    if turn is not None:
        for question in gaps.note(turn=turn, conversation=conversation, message=message):
            ring(tasks.place_question, question.pk)


@receiver(article_changed)
def follow_what_it_answers(sender: Any, article: Article, **kwargs: Any) -> None:
    """When an article is published or withdrawn, then the questions it was written for are answered, or not."""
    gaps.follow_article(article=article, now=timezone.now())


@receiver(pre_delete, sender=Article)
def open_what_it_answered(sender: Any, instance: Article, **kwargs: Any) -> None:
    """When an article is deleted, then the questions it answered are open again."""
    gaps.forget_article(article=instance, now=timezone.now())


@receiver(post_delete, sender=GapQuestion)
def see_to_its_group(sender: Any, instance: GapQuestion, **kwargs: Any) -> None:
    """When a question goes with its conversation, then its group is known by another, or goes too."""
    if instance.gap_id is not None:
        gaps.forget_question(gap_id=instance.gap_id)


@receiver([post_save, post_delete], sender=Synonyms)
def tell_who_keeps_synonyms(sender: Any, **kwargs: Any) -> None:
    """When synonyms have changed, then every process reads them anew at its next question."""
    index.note_synonyms()
