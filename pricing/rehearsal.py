"""What a rehearsal uses instead of what is everybody's: its own numbers of quotes, its own copy of kept rules."""

from __future__ import annotations

from django.db import connection

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
