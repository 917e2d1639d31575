"""Say what customers wrote anew, to other models, prompts, articles or prices, and show what would be answered."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from knowledge.evaluation import replay
from knowledge.evaluation.options import BROKEN, add_variant_options, chosen_variant


class Command(BaseCommand):
    help = (
        "Hold stored conversations again in a rehearsal and compare each answer with the stored one: text, total,"
        " citations, tools. Nothing is left behind; what is printed is masked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=date.fromisoformat, metavar="DATE", help="with a message on or after it")
        parser.add_argument("--conversations", type=int, default=50, metavar="N", help="the newest N, 50 unless told")
        add_variant_options(parser)
        parser.add_argument("--report", type=Path, metavar="OUT.json", help="write all answers there, masked")
        parser.add_argument(
            "--fail-on",
            action="append",
            default=[],
            choices=replay.PARTS,
            help="end with 1 where this part of an answer has changed; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        variant = chosen_variant(options)
        day: date | None = options["since"]
        since = timezone.make_aware(datetime.combine(day, time.min)) if day else None
        conversations = replay.chosen(since=since, most=max(1, options["conversations"]))
        if not conversations:
            raise CommandError("There is no conversation that the assistant has answered in.", returncode=BROKEN)
        made = replay.report(replay.replay(conversations, variant), variant, now=timezone.now())
        for line in replay.told(made):
            self.stdout.write(line)
        if options["report"]:
            options["report"].write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        if wrong := [part for part in options["fail_on"] if made["changed"][part]]:
            raise CommandError(f"Answers have changed: {', '.join(wrong)}.", returncode=1)
