"""What the sweep does for the knowledge base, without Celery or Valkey."""

from datetime import date, datetime

from knowledge import indexing
from knowledge.embedding import keeping
from knowledge.gaps import operations as gaps
from knowledge.llm import records
from knowledge.releases import trying

_tidied_on: date | None = None


def sweep(*, now: datetime) -> int:
    _tidy_once_a_day(now)
    done = indexing.sweep(now=now) + gaps.sweep(now=now) + keeping.sweep(now=now)
    return done + trying.sweep(now=now)  # last: a round of it takes seconds


def _tidy_once_a_day(now: datetime) -> None:
    """Each process that sweeps does it on the first look at a new day: twice a day does no harm."""
    global _tidied_on
    if _tidied_on != now.date():
        gaps.tidy(now=now)
        records.tidy(now=now)
        trying.tidy(now=now)
        _tidied_on = now.date()
