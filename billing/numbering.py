"""Numbers of papers: one sequence for each seller, kind and year, from 1, without gaps.

A sequence of PostgreSQL leaves a gap at every rollback and ``max() + 1`` gives a number twice; a counter's row,
locked until the paper is committed, does neither.
"""

from __future__ import annotations

from datetime import date

from django.db import models

from billing.models import Counter, Seller


def next_serial(*, seller: Seller, kind: str, on: date) -> int:
    """The next number; the counter stays locked until the caller's transaction ends."""
    counters = Counter.objects.filter(seller=seller, kind=kind, year=on.year)
    if not counters.exists():
        Counter.objects.bulk_create([Counter(seller=seller, kind=kind, year=on.year)], ignore_conflicts=True)
    counter = locked(counters).get()
    counter.last += 1
    counter.save(update_fields=["last"])
    return counter.last


def locked(counters: models.QuerySet[Counter]) -> models.QuerySet[Counter]:
    return counters.select_for_update()


def number(serial: int, *, on: date) -> str:
    """``2026-0042``: short, typed on any keyboard, unique over the years."""
    return f"{on.year}-{serial:04d}"
