"""Bring the database up to date and load what a first start begins with: a program of `make run`, in one process.

Its answers go to stdout, its log to stderr. Exit status 2 and a last line of stderr in plain words: a person has to
put something right first.
"""

from __future__ import annotations

import io
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


def main(steps: str) -> int:
    """Check, migrate, load."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.management import call_command
    from django.core.management.base import CommandError
    from django.db import OperationalError, connection
    from django.db.migrations.loader import MigrationLoader

    print(f"[5/{steps}] bringing the database up to date …", flush=True)
    django.setup()
    try:
        loader = MigrationLoader(connection)
    except OperationalError as problem:
        return _refuse(f"PostgreSQL can't be reached: {str(problem).strip().splitlines()[0]}")
    newer = newer_migrations(set(loader.applied_migrations), set(loader.disk_migrations))
    if newer:
        return _refuse(
            f"The database was written by a newer version of this program (it has {newer[0]}, which this one doesn't "
            "know): start that version, or restore a backup from before it."
        )
    if set(loader.disk_migrations) - set(loader.applied_migrations):
        call_command("migrate", interactive=False, verbosity=0)
    print(f"[6/{steps}] demo catalogue, knowledge base and first account …", flush=True)
    try:
        # its answer, the first password, goes to our stdout; what it says of its progress too
        call_command("first_start", stderr=_Progress())
    except CommandError as problem:
        return _refuse(str(problem))
    return 0


class _Progress(io.TextIOBase):
    """Shows each line at once, set in under the step it belongs to."""

    def write(self, text: str) -> int:
        for line in text.splitlines():
            if line.strip():
                print(f"      {line.strip()}", flush=True)
        return len(text)


def _refuse(words: str) -> int:
    print(words, file=sys.stderr)
    return 2


def _number(name: str) -> int:
    match = re.match(r"\d+", name)
    return int(match[0]) if match else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
