"""Bring articles into the knowledge base and its index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from knowledge.embedding import keeping
from knowledge.importing import Unreadable, import_articles


class Command(BaseCommand):
    help = "Import Markdown files of a folder, or a JSONL file; ends when all is indexed. Safe to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", metavar="PATH", type=Path, help="a folder with *.md, or a file of JSON lines")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = import_articles(options["path"])
        except Unreadable as problem:
            raise CommandError(str(problem)) from None
        for words in done.problems:
            self.stderr.write(words)
        for words in done.warnings:
            self.stderr.write(_("warning: %s") % words)
        if done.doubtful > len(done.warnings):
            self.stderr.write(_("warning: and %d articles more like that") % (done.doubtful - len(done.warnings)))
        if missing := keeping.keep_all(progress=self._vectors_made):
            # all can be found by their words, and what is left is still owed
            self.stderr.write(_("warning: not all vectors are made, the rest follows by itself: %s") % missing)
        self.stdout.write(
            _("%(found)d found, %(changed)d new or changed, %(bad)d not taken")
            % {"found": done.found, "changed": done.changed, "bad": len(done.problems)}
        )
        if done.problems:
            raise SystemExit(1)

    def _vectors_made(self, made: int, total: int) -> None:
        self.stderr.write(_("vectors: %(made)d of %(total)d") % {"made": made, "total": total})
