"""Numbers without gaps, also when many papers are issued at once and some are rolled back."""

from __future__ import annotations

import threading
import time
from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, connection, models, transaction

from billing import numbering
from billing.enums import Kind
from billing.models import Counter, Seller

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 12, 1)


class RolledBack(Exception):
    pass


def _issue_at_once(seller: Seller, count: int) -> list[int]:
    """Take numbers in ``count`` transactions at the same moment; every fourth is rolled back."""
    taken: list[int] = []
    start = threading.Barrier(count)

    def issue(place: int) -> None:
        start.wait()
        try:
            with transaction.atomic():
                serial = numbering.next_serial(seller=seller, kind=Kind.PROPOSAL, on=DAY)
                time.sleep(0.01)
                if place % 4 == 3:
                    raise RolledBack
            taken.append(serial)
        except (RolledBack, DatabaseError):
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=issue, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(taken)


def test_twenty_at_once_get_numbers_without_gaps(shop: Seller) -> None:
    assert _issue_at_once(shop, 20) == list(range(1, 16))


def test_without_the_lock_numbers_come_twice(shop: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    def unlocked(counters: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return counters

    monkeypatch.setattr(numbering, "locked", unlocked)

    assert _issue_at_once(shop, 20) != list(range(1, 16))


def test_every_seller_kind_and_year_counts_for_itself(shop: Seller) -> None:
    with transaction.atomic():
        serials = [
            numbering.next_serial(seller=shop, kind=kind, on=day)
            for kind, day in [
                (Kind.PROPOSAL, DAY),
                (Kind.INVOICE, DAY),
                (Kind.PROPOSAL, DAY),
                (Kind.PROPOSAL, date(2027, 1, 1)),
            ]
        ]

    assert serials == [1, 1, 2, 1]
    assert Counter.objects.count() == 3


def test_number_is_short_and_names_the_year() -> None:
    assert numbering.number(42, on=DAY) == "2026-0042"
    assert len(numbering.number(10**9, on=DAY)) <= 15
