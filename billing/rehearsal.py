"""What a rehearsal uses instead of what is everybody's: counters of papers that nobody else waits for."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from billing.enums import Kind
from billing.models import Counter, Seller

#: far above any number that a paper really gets
FROM = 900_000_000


def prepare() -> None:
    """Stand a temporary table before the real one: its locks would keep real papers from being issued meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE billing_counter (LIKE billing_counter INCLUDING ALL) ON COMMIT DROP")
    year = timezone.localdate().year
    sellers = Seller.objects.filter(is_default=True)
    Counter.objects.bulk_create(
        Counter(seller=seller, kind=kind, year=year, last=FROM) for seller in sellers for kind in Kind.values
    )
