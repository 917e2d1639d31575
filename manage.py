#!/usr/bin/env python
"""Django's command line, with the embedded servers behind it where no others are named."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from common.env import BadEnvironment
from config.embedded import ServerProblem, dotenv, ensure, known

# these never ask the database, so they start at once and start nothing
WITHOUT_DATABASE = {
    "",
    "help",
    "version",
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "makemessages",
    "spectacular",
    "startapp",
}


def main() -> None:
    """Complete the environment, then hand over to Django."""
    words = sys.argv[1:]
    command = next((word for word in words if not word.startswith("-")), "")
    asks_for_help = {"-h", "--help", "--version"} & set(words)
    try:
        dotenv.load(Path(__file__).resolve().parent / ".env", os.environ)
        complete = known if command in WITHOUT_DATABASE or asks_for_help else ensure
        os.environ.update(complete(os.environ))
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import config.settings  # noqa: F401 - a bad value is said in one sentence instead of a traceback
    except (dotenv.BadLine, BadEnvironment, ServerProblem, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(2)

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
