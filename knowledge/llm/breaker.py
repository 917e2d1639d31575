"""The breaker: a model that fails is left alone for a while, by all processes, and asked again by one of them.

Its state is a row of PostgreSQL. Closed, it counts failures in a row. Open, nobody asks. When the time is over, whoever
takes the probe first asks once; the answer closes it, another failure opens it for longer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from common import metrics
from knowledge.llm.chat import Failure, ModelFailed
from knowledge.llm.models import CallOutcome, ModelBreaker
from sales import notices
from sales.enums import NoticeKind

logger = logging.getLogger(__name__)

#: failures in a row that open it
FAILURES_MOST = 3
#: what no second try would change: it opens at once, and for longer
LASTING = frozenset({Failure.KEY, Failure.COUNTRY, Failure.NO_MODEL, Failure.NO_MONEY})
#: what says nothing of the model, only of this conversation
OF_THE_TALK = frozenset({Failure.TOO_LONG, Failure.FILTERED})
#: how long it stays open: the first time, and at most
REST, REST_MOST = timedelta(seconds=10), timedelta(minutes=5)
LASTING_REST, LASTING_REST_MOST = timedelta(minutes=1), timedelta(minutes=30)
#: what a vendor asks us to wait is believed up to this
ASKED_MOST = timedelta(minutes=30)
#: longer than a call may take: a probe whose process died is anybody's again
PROBE = timedelta(seconds=30)

_NOTICES = {
    Failure.NO_MODEL: NoticeKind.MODEL_RETIRED,
    Failure.KEY: NoticeKind.KEY_REFUSED,
    Failure.NO_MONEY: NoticeKind.KEY_REFUSED,
    Failure.COUNTRY: NoticeKind.KEY_REFUSED,
}


def may_ask(slug: str, *, now: datetime) -> bool:
    """Whether to ask this model now. When its rest is over, true for one asker only: it is the probe."""
    row = ModelBreaker.objects.filter(slug=slug).only("open_until").first()
    if row is None or row.open_until is None:
        return True
    if now < row.open_until:
        return False
    free = Q(probing_until=None) | Q(probing_until__lte=now)
    mine = ModelBreaker.objects.filter(free, slug=slug, open_until__lte=now)
    return bool(mine.update(probing_until=now + PROBE))


def answered(slug: str, *, now: datetime) -> None:
    """It has answered: closed, and nothing is held against it."""
    bad = Q(failures__gt=0) | Q(openings__gt=0) | ~Q(open_until=None)
    closed = ModelBreaker.objects.filter(bad, slug=slug).update(
        failures=0, openings=0, open_until=None, probing_until=None, answered_at=now
    )
    if closed:
        metrics.model_breaker_open.labels(profile=slug).set(0)
        logger.info("model answers again", extra={"model": slug})


def failed(slug: str, problem: ModelFailed, *, now: datetime, title: str = "", fault: bool = True) -> None:
    """It has failed. ``fault`` is false where it had no fair chance: so little time that it says nothing."""
    failure = problem.failure
    with transaction.atomic():
        row, _created = ModelBreaker.objects.select_for_update(of=("self",)).get_or_create(slug=slug)
        was_open = row.open_until is not None and now < row.open_until
        row.failure, row.words, row.failed_at = failure.value, problem.words[:500], now
        row.probing_until = None
        if failure not in OF_THE_TALK and fault and not was_open:
            row.failures += 1
            if rest := _rest(row, problem):
                row.openings += 1
                row.open_until = now + rest
        row.save()
        opened = row.open_until is not None and now < row.open_until and not was_open
    if opened:
        metrics.model_breaker_open.labels(profile=slug).set(1)
        seconds = round((row.open_until - now).total_seconds())  # type: ignore[operator]
        logger.warning("model is left alone", extra={"model": slug, "reason": failure.value, "seconds": seconds})
        if failure in LASTING:
            _alarm(slug, problem, now=now, title=title or slug)


def close(slug: str) -> None:
    """Ask it again from now on: staff have changed something."""
    ModelBreaker.objects.filter(slug=slug).update(failures=0, openings=0, open_until=None, probing_until=None)
    metrics.model_breaker_open.labels(profile=slug).set(0)


def states(slugs: Iterable[str]) -> dict[str, ModelBreaker]:
    """What is known of these models, by name."""
    return {row.slug: row for row in ModelBreaker.objects.filter(slug__in=list(slugs))}


def rests(row: ModelBreaker | None, *, now: datetime) -> bool:
    """Whether nobody would ask it now, not even to see how it is."""
    return row is not None and row.open_until is not None and now < row.open_until


def is_down(row: ModelBreaker | None) -> bool:
    """Whether the last that was heard of it was bad enough to leave it alone."""
    return row is not None and row.open_until is not None


def _rest(row: ModelBreaker, problem: ModelFailed) -> timedelta | None:
    """For how long it is left alone now; none: not yet."""
    asked = timedelta(seconds=min(problem.retry_after or 0.0, ASKED_MOST.total_seconds()))
    if problem.failure in LASTING:
        return max(asked, _grown(LASTING_REST, row.openings, LASTING_REST_MOST))
    if asked or row.openings or row.failures >= FAILURES_MOST:
        # what the vendor asks counts, even less than our own: it knows when it is ready
        return max(asked, _grown(REST, row.openings, REST_MOST)) if not asked or row.openings else asked
    return None


def _grown(first: timedelta, openings: int, most: timedelta) -> timedelta:
    return min(most, first * 2 ** min(openings, 16))


def _alarm(slug: str, problem: ModelFailed, *, now: datetime, title: str) -> None:
    """What waiting won't mend: staff are told, and whoever watches logs and metrics."""
    failure = problem.failure
    logger.error("model needs a person", extra={"model": slug, "reason": failure.value})
    metrics.model_alarms_total.labels(profile=slug, outcome=failure.value).inc()
    text = _("%(model)s: %(problem)s. Until it is mended the next in the chain answers. %(words)s") % {
        "model": title,
        "problem": CallOutcome(failure.value).label,
        "words": problem.words,
    }
    notices.tell(_NOTICES[failure], subject=title, text=text, now=now)
