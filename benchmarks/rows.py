"""What a benchmark has to say: rows with a figure of ours, the bare one beside it, and how far apart they may be."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measure. Ratios are ours by bare; ``floor`` and ``aim`` bound the ratio, or are None where nothing is asked.

    ``unit`` stands behind both figures. ``more_is_better`` turns the bounds round. ``meaning`` says in plain words what
    is measured and what the bare part is.
    """

    what: str
    ours: float
    bare: float | None
    unit: str
    meaning: str
    floor: float | None = None
    aim: float | None = None
    more_is_better: bool = False
    #: the most that ours may be, in its unit, whatever the bare part is
    most: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.bare if self.bare else None

    @property
    def met(self) -> str:
        """``aim``, ``floor``, ``NO``, or nothing where no bound was set."""
        if self.most is not None and self.ours > self.most:
            return "NO"
        if self.ratio is None or self.floor is None:
            return ""
        for bound, word in ((self.aim, "aim"), (self.floor, "floor")):
            if bound is not None and (self.ratio >= bound if self.more_is_better else self.ratio <= bound):
                return word
        return "NO"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def table(rows: Iterable[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| what | ours | bare | ratio | floor | aim | met |", "|---|---:|---:|---:|---:|---:|---|"]
    for row in rows:
        floor = _bound(row.floor) + (f", {_figure(row.most, row.unit)}" if row.most is not None else "")
        cells = [row.what, _figure(row.ours, row.unit), _figure(row.bare, row.unit), _bound(row.ratio)]
        lines.append(f"| {' | '.join([*cells, floor, _bound(row.aim), row.met])} |")
    return "\n".join(lines)


def command(about: str | None, *, run: Callable[..., list[Row]], profile: Callable[[], None]) -> None:
    """What a benchmark does when it is run by itself: its rows as a table, or where the time goes."""
    options = argparse.ArgumentParser(description=about)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--profile", action="store_true")
    given = options.parse_args()
    if given.profile:
        profile()
        return
    rows = run(quick=given.quick)
    print(table(rows))
    for row in rows:
        print(f"\n- {row.what}: {row.meaning}")


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.{0 if value >= 100 else 1 if value >= 1 else 2}f} {unit}"


def _bound(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}×" if value < 0.1 else f"{value:.2f}×"
