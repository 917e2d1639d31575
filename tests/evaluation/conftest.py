"""Prices and a seller, and a short way to run the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

ROOT = Path(settings.BASE_DIR)


@pytest.fixture
def shop(db: Any) -> None:
    """The demo catalogue and the demo seller, without articles."""
    call_command("load_catalog", str(ROOT / "pricing" / "data" / "catalog.yaml"), verbosity=0)
    call_command("load_demo_seller", verbosity=0)


@dataclass(frozen=True)
class Ended:
    """How the command ended, what it printed, and the report it wrote."""

    code: int
    out: str
    problem: str
    report: dict[str, Any]


@pytest.fixture
def evaluate(tmp_path: Path) -> Callable[..., Ended]:
    """Run the command on cases, given as objects or as a path."""

    def run(*cases: Any, **options: Any) -> Ended:
        dataset: list[str] = []
        if cases and isinstance(cases[0], str | Path):
            dataset = [str(cases[0])]
        elif cases:
            path = tmp_path / "cases.jsonl"
            path.write_text("\n".join(json.dumps(case, ensure_ascii=False) for case in cases), encoding="utf-8")
            dataset = [str(path)]
        out, written = StringIO(), tmp_path / "report.json"
        code, problem = 0, ""
        try:
            call_command("evaluate", *dataset, report=written, stdout=out, stderr=StringIO(), **options)
        except CommandError as ended:
            code, problem = ended.returncode, str(ended)
        found = json.loads(written.read_text(encoding="utf-8")) if written.exists() else {}
        written.unlink(missing_ok=True)
        return Ended(code, out.getvalue(), problem, found)

    return run
