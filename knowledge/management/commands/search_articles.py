"""Search the knowledge base for many questions at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from common.parsers import loads
from common.text import clean
from knowledge.search import search


class Command(BaseCommand):
    help = 'For each line {"id", "text"} print {"id", "results"}: ids of articles, best first, each once.'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queries", required=True, metavar="FILE.jsonl", help="a question a line; - is stdin")
        parser.add_argument("--top", type=int, default=10, help="how many articles at most (default 10)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["top"] <= 1000:
            raise CommandError(_("--top is a number from 1 to 1000."))
        path = options["queries"]
        try:
            file = sys.stdin.buffer if path == "-" else open(path, "rb")  # noqa: SIM115  closed below
        except OSError as problem:
            raise CommandError(_("Can't read %(path)s: %(why)s") % {"path": path, "why": problem.strerror}) from None
        with file:
            bad = sum(not self._answer(*each, top=options["top"]) for each in _lines(file))
        if bad:
            raise SystemExit(1)

    def _answer(self, number: int, line: bytes, *, top: int) -> bool:
        """Print the answer to one line; False where the line is no question, which is named on stderr."""
        try:
            asked = loads(line.decode("utf-8-sig"))
            query_id, text = asked["id"], asked["text"]
            if not isinstance(query_id, str | int) or not isinstance(text, str):
                raise TypeError
        except (ValueError, RecursionError, TypeError, KeyError):
            self.stderr.write(_('Line %d is no {"id", "text"}.') % number)
            return False
        found = [hit.article.external_id for hit in search(clean(text), limit=top)]
        self.stdout.write(json.dumps({"id": query_id, "results": found}, ensure_ascii=False))
        return True


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            yield number, line
