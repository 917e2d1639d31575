"""Hold the conversations of a dataset with the assistant as it is now, and judge its answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from knowledge.evaluation import report as reports
from knowledge.evaluation.cases import BrokenDataset, Case, read
from knowledge.evaluation.options import BROKEN, add_variant_options, chosen_variant
from knowledge.evaluation.running import Run, run_all
from knowledge.evaluation.staff import active_cases, as_dataset

JOBS_MOST = 32


class Command(BaseCommand):
    help = (
        "Run conversations against the present knowledge base, prices and model chain, or against others, and judge the"
        " answers. Nothing is left behind. Ends with 1 where too few pass or a case got worse, with 2 where the dataset"
        " is broken."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "dataset",
            metavar="DATASET",
            type=Path,
            nargs="?",
            help="a file of JSON lines, or a folder of them; left out: the cases of staff",
        )
        parser.add_argument("--staff", action="store_true", help="the active cases of the back office")
        parser.add_argument("--report", type=Path, metavar="OUT.json", help="write the whole report there")
        parser.add_argument("--against", type=Path, metavar="EARLIER.json", help="show what changed since that report")
        parser.add_argument(
            "--no-worse", action="store_true", help="with --against: end with 1 where a case got worse since"
        )
        add_variant_options(parser)
        parser.add_argument(
            "--export", type=Path, metavar="OUT.jsonl", help="write the cases there instead of running them"
        )
        parser.add_argument("--threshold", type=_share, default=0.95, help="the share of cases that must pass")
        parser.add_argument("--only", action="append", default=[], metavar="TAG/ID", help="only these; may be repeated")
        parser.add_argument("--jobs", type=_jobs, default=1, help="conversations at a time; helps with models far away")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["no_worse"] and not options["against"]:
            raise CommandError("--no-worse needs --against EARLIER.json.", returncode=BROKEN)
        earlier = _earlier(options["against"]) if options["against"] else None
        cases = _chosen(_cases(options["dataset"], staff=options["staff"]), options["only"])
        if options["export"]:
            _write(options["export"], as_dataset(cases))
            return
        variant = chosen_variant(options)
        if variant.touches_rows and options["jobs"] > 1:
            raise CommandError("Drafts are tried one conversation at a time: leave --jobs out.", returncode=BROKEN)
        each = self._progress if self.stderr.isatty() else lambda run: None
        runs = run_all(cases, jobs=options["jobs"], each=each, variant=variant)
        made = reports.report(runs, threshold=options["threshold"], now=timezone.now(), tried=variant.told)
        for line in reports.summary(made):
            self.stdout.write(line)
        if earlier is not None:
            made["against"] = reports.differences(earlier, made)
            for line in reports.told_differences(made["against"]):
                self.stdout.write(line)
        if options["report"]:
            _write(options["report"], json.dumps(made, ensure_ascii=False, indent=1, default=str) + "\n")
        if not made["good_enough"]:
            raise CommandError("Too few cases passed.", returncode=1)
        if options["no_worse"] and (worse := made["against"]["worse"]):
            raise CommandError(f"Worse than before: {', '.join(worse)}.", returncode=1)

    def _progress(self, run: Run) -> None:
        self.stderr.write("." if run.passed else "✗", ending="")
        self.stderr.flush()


def _cases(dataset: Path | None, *, staff: bool) -> list[Case]:
    if staff and dataset is not None:
        raise CommandError("Name a dataset or --staff, not both.", returncode=BROKEN)
    if dataset is None:
        if not (cases := active_cases()):
            raise CommandError("Staff have no active cases yet: name a dataset.", returncode=BROKEN)
        return cases
    try:
        return read(dataset)
    except BrokenDataset as broken:
        raise CommandError(str(broken), returncode=BROKEN) from None


def _chosen(cases: list[Case], only: list[str]) -> list[Case]:
    chosen = [case for case in cases if not only or case.id in only or {*case.tags} & {*only}]
    if not chosen:
        raise CommandError(f"No case has the id or the tag {', '.join(only)}.", returncode=BROKEN)
    return chosen


def _earlier(path: Path) -> dict[str, Any]:
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise CommandError(f"{path}: {problem}", returncode=BROKEN) from None
    if wrong := reports.unreadable(earlier):
        raise CommandError(f"{path}: {wrong}", returncode=BROKEN)
    return dict(earlier)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise CommandError(f"{path}: {problem.strerror}", returncode=BROKEN) from None


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise ValueError(text)
    return share


def _jobs(text: str) -> int:
    jobs = int(text)
    if not 1 <= jobs <= JOBS_MOST:
        raise ValueError(text)
    return jobs
