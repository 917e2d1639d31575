"""The benchmarks' own arithmetic; what they measure is measured by `make bench`."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS, page
from benchmarks.rows import Row, table

ROW = Row(what="a turn", ours=20, bare=10, unit="ms", meaning="From here to there.", floor=3, aim=2)


@pytest.mark.parametrize(
    ("ours", "met"),
    [(20, "aim"), (29, "floor"), (31, "NO")],
)
def test_a_time_may_be_so_many_times_the_bare_one(ours: float, met: str) -> None:
    assert replace(ROW, ours=ours).met == met


@pytest.mark.parametrize(
    ("ours", "met"),
    [(5, "aim"), (3, "floor"), (2, "NO")],
)
def test_a_rate_must_reach_a_share_of_the_bare_one(ours: float, met: str) -> None:
    assert replace(ROW, ours=ours, floor=0.3, aim=0.5, more_is_better=True).met == met


def test_a_figure_above_its_limit_fails_whatever_the_ratio_is() -> None:
    assert replace(ROW, most=15).met == "NO"


def test_a_row_without_bounds_passes_no_judgement() -> None:
    assert replace(ROW, bare=None).met == replace(ROW, floor=None, aim=None).met == ""


def test_the_page_names_what_is_below_its_floor_and_says_what_each_row_means() -> None:
    slow = replace(ROW, what="a slow turn", ours=99)

    text = page({"turn": [ROW, slow]}, loads=[0.1, 0.2], quick=False)

    assert "**Below their floor: a slow turn.**" in text
    assert table([ROW, slow]) in text
    assert "- **a turn.** From here to there." in text


def test_every_benchmark_is_there() -> None:
    root = Path(__file__).resolve().parent.parent
    assert all((root / f"{module.replace('.', '/')}.py").is_file() for module in BENCHMARKS.values())


def test_an_unknown_benchmark_is_refused_by_name() -> None:
    done = subprocess.run([sys.executable, "-m", "benchmarks", "haste"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "no such benchmark: haste" in done.stderr
