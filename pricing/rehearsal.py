"""What a rehearsal uses instead of what is everybody's: its own numbers of quotes, its own copy of kept rules."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import connection

from pricing.models import Quote, RuleBook

#: far above any number that a quote really gets
FROM = 900_000_001


def prepare() -> None:
    """Stand temporary objects before the real ones: PostgreSQL looks among a session's own first.

    A sequence isn't rolled back, so rehearsed quotes would leave gaps in the real numbers; and a row of rules that
    isn't committed yet would make a real quote by the same rules wait for the end of the rehearsal.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY SEQUENCE pricing_quote_number START {FROM}")
        cursor.execute("CREATE TEMPORARY TABLE pricing_rulebook (LIKE pricing_rulebook INCLUDING ALL) ON COMMIT DROP")


def adopt(*, of: uuid.UUID, by: uuid.UUID, lead: uuid.UUID, before: datetime) -> None:
    """Let the rehearsed conversation ``by`` have the quotes that were made in ``of`` before then, with their rules.

    Within a rehearsal only. Nobody else writes to a quote that is made, so nobody waits for these rows.
    """
    quotes = Quote.objects.filter(conversation=of, created_at__lt=before)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        real = f"{connection.ops.quote_name(cursor.fetchone()[0])}.{RuleBook._meta.db_table}"
        cursor.execute(
            f"INSERT INTO pg_temp.pricing_rulebook SELECT * FROM {real} WHERE sha256 = ANY(%s) ON CONFLICT DO NOTHING",  # noqa: S608
            [list(quotes.values_list("rule_book", flat=True))],
        )
    quotes.update(conversation=by, lead=lead)
