"""A rehearsal: conversations held for real that leave nothing behind and take nothing from real customers.

All of it happens in one transaction that is taken back at the end, so no other process ever sees a row of it: no
worker answers it, no sweep finds it, nothing is rung for, and whoever looks at leads meets none. What a transaction
doesn't give back, or would keep others from while it lasts (a sequence, a counter's locked row), each app replaces
for this database session in a ``rehearsal.py`` with ``prepare() -> None``; what that makes goes with the
transaction too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from common.parts import of_apps


@contextmanager
def rehearsed() -> Iterator[None]:
    """Whatever is stored in this block is gone after it. Lasts as long as a conversation, not as a set of them."""
    with transaction.atomic():
        try:
            for _app, module in of_apps("rehearsal", without="sales"):
                module.prepare()
            yield
        finally:
            transaction.set_rollback(True)
