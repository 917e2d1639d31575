"""After a test that commits: put the database back as migrations have made it, at a tenth of Django's cost.

Django truncates every table and makes content types and permissions anew: most of a second for each such test, and
what data migrations have stored is gone for all tests that follow. Here tables that hold something are emptied, and
those that held something from the beginning get that back.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test import TransactionTestCase

from common import driver

#: by table, the rows that it has in a new database, as ``COPY`` writes them
_born: dict[str, bytes] = {}
_tables: list[str] = []


def install() -> None:
    """From now on tests that commit are followed by the cheap flush. The database has just been made."""
    _tables[:] = connection.introspection.django_table_names(only_existing=True, include_views=False)
    _born.clear()
    _born.update({name: _rows(name) for name in _filled()})
    TransactionTestCase._fixture_teardown = lambda self: flush()  # type: ignore[method-assign]


def flush() -> None:
    """Make the database as it was in the beginning."""
    filled = _filled()
    changed = [name for name in {*filled, *_born} if name not in _born or _rows(name) != _born[name]]
    if not changed:
        return
    with driver.cursor() as cursor:
        # foreign keys point at rows that go or come back as well, in whatever order
        cursor.execute("SET session_replication_role = replica")
        try:
            for name in changed:
                cursor.execute(f'DELETE FROM "{name}"')
                if name in _born:
                    with cursor.copy(f'COPY "{name}" FROM STDIN') as copy:
                        copy.write(_born[name])
                    _count_on(cursor, name)
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")


def _count_on(cursor: Any, name: str) -> None:
    """Let a table's numbers go on behind the rows that came back: a test may have set its sequence to the beginning."""
    found = cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
        " AND is_identity = 'YES'",
        [name],
    )
    for (column,) in found.fetchall():
        cursor.execute(
            f'SELECT setval(pg_get_serial_sequence(\'"{name}"\', \'{column}\'), max("{column}")) FROM "{name}"'
        )


def _filled() -> list[str]:
    asked = " UNION ALL ".join(f"(SELECT '{name}' FROM \"{name}\" LIMIT 1)" for name in _tables)
    with driver.cursor() as cursor:
        return [row[0] for row in cursor.execute(asked).fetchall()]


def _rows(name: str) -> bytes:
    with driver.cursor() as cursor, cursor.copy(f'COPY (SELECT * FROM "{name}" ORDER BY 1) TO STDOUT') as copy:
        return b"".join(bytes(piece) for piece in copy)


__all__ = ["flush", "install"]
