"""Refuse a database that a newer version of the product has migrated; a program that says so in a sentence."""

from __future__ import annotations

import os
import re
import sys


def newer_migrations(applied: set[tuple[str, str]], known: set[tuple[str, str]]) -> list[str]:
    """Return the applied migrations that come after the last one we know of their app, as `app.name`, sorted.

    An applied one that we merely don't have (it was squashed away) is no sign of a newer version.
    """
    last: dict[str, int] = {}
    for app, name in known:
        last[app] = max(last.get(app, 0), _number(name))
    return sorted(f"{app}.{name}" for app, name in applied - known if app in last and _number(name) > last[app])


def main() -> int:
    """Compare the database with the code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.db import OperationalError, connection
    from django.db.migrations.loader import MigrationLoader

    django.setup()
    try:
        loader = MigrationLoader(connection)
    except OperationalError as problem:
        print(f"PostgreSQL can't be reached: {str(problem).strip().splitlines()[0]}", file=sys.stderr)
        return 2
    newer = newer_migrations(set(loader.applied_migrations), set(loader.disk_migrations))
    if newer:
        print(
            f"The database was written by a newer version of this program (it has {newer[0]}, which this one doesn't "
            "know): start that version, or restore a backup from before it.",
            file=sys.stderr,
        )
        return 2
    return 0


def _number(name: str) -> int:
    match = re.match(r"\d+", name)
    return int(match[0]) if match else 0


if __name__ == "__main__":
    sys.exit(main())
