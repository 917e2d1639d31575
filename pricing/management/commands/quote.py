"""Price many requests at once: the API's answers, a line for a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from pricing.api import respond


class Command(BaseCommand):
    help = "Answer each line of a JSONL file as POST /api/v1/pricing/quotes would, errors included."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--requests", required=True, metavar="FILE.jsonl", help="a request a line; - is stdin")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["requests"]
        if path == "-":
            self._answer(sys.stdin.buffer)
            return
        try:
            with open(path, "rb") as file:
                self._answer(file)
        except OSError as problem:
            raise CommandError(_("Can't read %(path)s: %(why)s") % {"path": path, "why": problem.strerror}) from None

    def _answer(self, file: BinaryIO) -> None:
        for line in _lines(file):
            _status, answer = respond(line)
            self.stdout.write(json.dumps(answer, ensure_ascii=False))


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines without their ends. Empty ones count, so that answer N is for line N; only those at the end don't."""
    empty = 0
    for line in file:
        line = line.strip()
        if not line:
            empty += 1
            continue
        yield from [b""] * empty
        empty = 0
        yield line
