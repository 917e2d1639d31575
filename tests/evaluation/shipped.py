"""The cases that come with the product, run against the demo data that comes with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from knowledge.evaluation.cases import Case, read
from knowledge.evaluation.report import report, summary
from knowledge.evaluation.running import run_all

THRESHOLD = 0.95
ROOT = Path(settings.BASE_DIR)
#: two halves of about the same length: test files run side by side
PRICED = frozenset({"prices", "numbers", "periods", "services", "corrections", "compare", "limits", "manners", "noisy"})


def shipped() -> list[Case]:
    return read(ROOT / "knowledge" / "data" / "evaluation")


def load_demo() -> None:
    call_command("load_catalog", str(ROOT / "pricing" / "data" / "catalog.yaml"), verbosity=0)
    call_command("load_demo_seller", verbosity=0)
    call_command("import_articles", str(ROOT / "knowledge" / "data" / "articles"), verbosity=0)


def run(cases: list[Case]) -> dict[str, Any]:
    """Run them and print what failed, for the log of the tests."""
    load_demo()
    made = report(run_all(cases), threshold=THRESHOLD, now=timezone.now())
    print("\n".join(summary(made)))
    return made
