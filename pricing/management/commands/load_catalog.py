"""Load products, tiers, services and discounts from a YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from pricing.catalogue_file import BadCatalogue, load


class Command(BaseCommand):
    help = "Load products, tiers, services and discounts. Running it again updates and never doubles."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.yaml", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = load(options["file"])
        except BadCatalogue as problem:
            raise CommandError(
                _("Nothing was loaded. Correct the file and run the command again:\n%(problem)s") % {"problem": problem}
            ) from None
        for kind in sorted({*done.created, *done.changed, *done.same}):
            counts = {"new": done.created[kind], "changed": done.changed[kind], "same": done.same[kind]}
            self.stdout.write(f"{kind}: " + _("%(new)d new, %(changed)d changed, %(same)d as they were") % counts)
        for code in done.switched_off:
            self.stdout.write(_("%(code)s is not in the file: taken off sale") % {"code": code})
