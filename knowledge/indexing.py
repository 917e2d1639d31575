"""What the index owes the articles, and how it is kept: one by one in the background, or many at once in an import."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils import timezone

from common import promise as promises
from common.promise import State
from knowledge.embedding import keeping
from knowledge.models import Article, Indexing
from knowledge.search import index

#: how long an import may be at work before the sweep thinks that it died and does the rest
IMPORT_LEASE = timedelta(minutes=3)
#: articles written in one transaction of an import
AT_ONCE = 5000
#: from so many on it pays to let PostgreSQL tidy up behind us
MANY = 200


def owe(articles: Iterable[Article], *, due_at: datetime) -> list[Indexing]:
    """The index owes these articles their present version, from ``due_at`` on."""
    return Indexing.objects.bulk_create(
        [Indexing(article_id=each.pk, version=each.version, due_at=due_at) for each in articles],
        update_conflicts=True,
        unique_fields=["article", "version"],
        update_fields=["state", "due_at", "attempts", "problem"],
        batch_size=1000,
    )


def keep(indexing_id: int) -> None:
    """Fulfil one promise, unless somebody else does or it is gone."""
    promise = Indexing.objects.filter(pk=indexing_id).first()
    if promise is not None:
        promise.keep(fulfil, now=timezone.now())


def sweep(*, now: datetime) -> int:
    """Fulfil all that is due. Returns how many."""
    return promises.sweep(Indexing.objects.all(), fulfil, now=now)


def fulfil(promise: Indexing) -> None:
    """Write the article's index. Safe to repeat: what is already so is left alone."""
    with transaction.atomic():
        # before any row: whoever writes the index may owe other articles something
        index.lock()
        with promise.fenced():
            index.write([promise.article_id])
            keeping.owe()
            _forget_older([promise.article_id])


def _forget_older(article_ids: Sequence[int]) -> None:
    # the index now has the newest version, so nothing is owed for those before
    Indexing.objects.filter(article__in=article_ids, version__lt=models.F("article__version")).delete()


def index_all_owed(article_ids: Sequence[int], *, now: datetime) -> int:
    """Index these articles and whatever else is owed, many at once; returns how many articles were written.

    Each transaction leaves a whole index. What an interruption leaves undone stays owed, and the sweep does it.
    """
    wanted = set(article_ids) | set(_open())
    for some in _in_groups(sorted(wanted), AT_ONCE):
        with transaction.atomic():
            index.lock()
            # versions are read before the texts: what is written in between is still owed
            kept = Indexing.objects.filter(article__in=some, version__lte=models.F("article__version"))
            kept_ids = list(kept.values_list("pk", flat=True))
            index.write(some)
            Indexing.objects.filter(pk__in=kept_ids).update(state=State.KEPT, problem="")
            keeping.owe()
            _forget_older(some)
    if len(wanted) >= MANY:
        index.tidy()
    return len(wanted)


def _open() -> Iterator[int]:
    rows = Indexing.objects.exclude(state__in=[State.KEPT, State.DROPPED])
    return rows.values_list("article_id", flat=True).iterator()


def _in_groups(ids: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])
