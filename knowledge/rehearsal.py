"""What a rehearsal uses instead of what is everybody's: the sums of models' days, their breakers, staff's notices."""

from __future__ import annotations

from django.db import connection

#: rows that every turn writes to, with what a rehearsal has to see of them
_COPIED = {
    "knowledge_modelday": "day >= date_trunc('month', now())::date - 1",
    "knowledge_modelbreaker": "true",
}
_EMPTY = ("sales_notice",)


def prepare() -> None:
    """Stand temporary tables before the real ones: their locks would keep real turns waiting until the end.

    So what a rehearsal spends and who failed it is known to itself alone.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        schema = connection.ops.quote_name(cursor.fetchone()[0])
        for table in (*_COPIED, *_EMPTY):
            cursor.execute(f"CREATE TEMPORARY TABLE {table} (LIKE {schema}.{table} INCLUDING ALL) ON COMMIT DROP")
        for table, condition in _COPIED.items():
            cursor.execute(f"INSERT INTO pg_temp.{table} SELECT * FROM {schema}.{table} WHERE {condition}")  # noqa: S608
