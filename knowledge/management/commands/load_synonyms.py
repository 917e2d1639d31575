"""Load synonyms from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.translation import gettext as _

from knowledge.models import Synonyms


class Command(BaseCommand):
    help = "Add groups of synonyms, one a line, parted by commas; # begins a remark. Those that are there stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.txt")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"]
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as problem:
            raise CommandError(_("Can't read %(path)s: %(why)s") % {"path": path, "why": problem}) from None
        added = bad = 0
        with transaction.atomic():
            there = set(Synonyms.objects.values_list("words", flat=True))
            for number, line in enumerate(lines, 1):
                if not line.strip() or line.startswith("#"):
                    continue
                group = Synonyms(words=line.strip())
                try:
                    group.full_clean()
                except ValidationError as problem:
                    bad += 1
                    self.stderr.write(_("line %d") % number + ": " + " ".join(problem.messages))
                    continue
                if group.words not in there:
                    group.save()
                    added += 1
        self.stdout.write(_("synonyms: %d groups added") % added)
        if bad:
            raise SystemExit(1)
