"""Proposals as PDF beside bare WeasyPrint of the same HTML in the same run: time of a document, peak memory.

``python -m benchmarks.pdf`` prints a table in Markdown. ``--quick`` for a first look. Bare and ours in turns, medians:
the bare part is a warm process with nothing but WeasyPrint; ours is the whole promise, from the row that is due to
the encrypted file in the database, and the renderer alone, pipe and process included.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.rows import Row, table

BARE = """
import sys, time, weasyprint
html = open(sys.argv[1], encoding="utf-8").read()
weasyprint.HTML(string=html).write_pdf()
print("ready", flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    weasyprint.HTML(string=html).write_pdf()
    print(time.perf_counter() - started, flush=True)
"""

STORY: dict[str, Any] = {
    "products": [{"product": "ai_manager", "volume": 1800}, {"product": "ai_lawyer", "tier": "start"}],
    "services": [{"service": "onboarding", "quantity": 1}, {"service": "extra_channel", "quantity": 2}],
    "billing_period": "year",
    "startup": True,
}
#: two pages: every product and every service
LONG: dict[str, Any] = {
    **STORY,
    "products": [{"product": code, "tier": "pro"} for code in ("ai_manager", "ai_lawyer", "ai_analyst")],
    "services": [
        {"service": code, "quantity": 2}
        for code in (
            "onboarding",
            "crm_integration",
            "knowledge_upload",
            "training",
            "custom_dev",
            "extra_channel",
            "priority_support",
        )
    ],
}


def shop() -> Any:
    """A database with the demo catalogue and seller; returns a conversation."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.utils import timezone

    from pricing.catalogue_file import load
    from sales.operations import open_conversation, save_contact

    call_command("migrate", verbosity=0)
    load(Path(settings.BASE_DIR) / "pricing" / "data" / "catalog.yaml")
    call_command("load_demo_seller", stdout=sys.stderr)
    talk = open_conversation(channel="bench", external_id="1", now=timezone.now())
    save_contact(lead_id=talk.lead_id, now=timezone.now(), by="bench", name="Иван Щукин", company="ООО «Ромашка»")
    return talk


def issue(talk: Any, request: dict[str, Any]) -> Any:
    from django.utils import timezone

    from billing.operations import prepare_proposal
    from pricing.operations import make_quote

    quote = make_quote(data=request, now=timezone.now(), conversation_id=talk.pk)
    return prepare_proposal(quote_number=quote.number, conversation_id=talk.pk, now=timezone.now())


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak(pid: int) -> float:
    """The most memory the process has held at once, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise LookupError(pid)


def measure(talk: Any, request: dict[str, Any], *, rounds: int, folder: Path) -> dict[str, float]:
    """Medians in seconds, peaks in MiB."""
    from django.utils import timezone

    from billing.operations import make_pdf
    from billing.rendering import papers
    from billing.rendering.renderer import FONTS, Renderer, renderer

    first = issue(talk, request)
    html = papers.html_of(first)
    page = folder / "page.html"
    page.write_text(html, encoding="utf-8")
    alone = Renderer()
    alone.render(html)
    first.keep(make_pdf, now=timezone.now())
    bare = subprocess.Popen(
        [sys.executable, "-c", BARE, str(page)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # the same fonts, or the two would not lay out the same page
        env={"PATH": os.environ["PATH"], "FONTCONFIG_FILE": str(FONTS / "fonts.conf")},
        text=True,
    )
    assert bare.stdin and bare.stdout
    bare.stdout.readline()
    times: dict[str, list[float]] = {"bare": [], "renderer": [], "promise": []}
    for _ in range(rounds):
        bare.stdin.write("\n")
        bare.stdin.flush()
        times["bare"].append(float(bare.stdout.readline()))
        times["renderer"].append(timed(lambda: alone.render(html)))
        document = issue(talk, request)
        times["promise"].append(timed(lambda: document.keep(make_pdf, now=timezone.now())))  # noqa: B023
        assert document.state == "kept", document.problem
    found = {name: statistics.median(each) for name, each in times.items()}
    child = renderer().pid
    assert child is not None
    found |= {"bare peak": peak(bare.pid), "our peak": peak(child)}
    bare.stdin.close()
    bare.wait()
    alone.close()
    return found


def rows_of(name: str, got: dict[str, float]) -> list[Row]:
    ms = {way: got[way] * 1000 for way in ("bare", "renderer", "promise")}
    return [
        Row(
            what=f"PDF: proposal of {name}, the whole promise",
            ours=ms["promise"],
            bare=ms["bare"],
            unit="ms",
            floor=1.3,
            aim=1.1,
            meaning="From the row that is due to the encrypted file in the database; beside it a warm process that has"
            " nothing but WeasyPrint and gets the same HTML and fonts.",
        ),
        Row(
            what=f"PDF: proposal of {name}, our renderer alone",
            ours=ms["renderer"],
            bare=ms["bare"],
            unit="ms",
            meaning="The renderer's own process with its limits, pipe included, without template and database.",
        ),
        Row(
            what=f"PDF: peak memory, {name}",
            ours=got["our peak"],
            bare=got["bare peak"],
            unit="MiB",
            floor=1.5,
            aim=1.2,
            meaning="The most memory the renderer's process has held at once; beside it the bare process.",
        ),
    ]


def run(*, quick: bool) -> list[Row]:
    """Start the servers, load the demo data, measure."""
    from benchmarks.websocket import servers

    rows: list[Row] = []
    with servers():
        talk = shop()
        folder = Path(os.environ["STATE_DIR"])
        folder.mkdir(parents=True, exist_ok=True)
        for name, request in (("one page", STORY), ("two pages", LONG)):
            rows += rows_of(name, measure(talk, request, rounds=7 if quick else 31, folder=folder))
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    print(table(run(quick=options.parse_args().quick)))


if __name__ == "__main__":
    main()
