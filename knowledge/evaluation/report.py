"""What a run came to: the report as JSON, the summary for people, the differences from an earlier report. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from knowledge.evaluation.running import Judged, Run

FORMAT = 1
#: a turn counts as slower when it took twice as long and this many seconds more
SLOWER_BY = 0.25
#: of a reply, in the summary
SHOWN = 300


def report(
    runs: Sequence[Run], *, threshold: float, now: datetime, tried: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The whole of a run, as it is written to a file. ``tried`` says what was run instead of what is in force."""
    turns = [turn for run in runs for turn in run.turns]
    passed = sum(run.passed for run in runs)
    by_tag: dict[str, list[bool]] = {}
    for run in runs:
        for tag in run.case.tags:
            by_tag.setdefault(tag, []).append(run.passed)
    by_kind: dict[str, list[bool]] = {}
    for turn in turns:
        for verdict in turn.verdicts:
            by_kind.setdefault(verdict.kind, []).append(verdict.met)
    rate = passed / len(runs)
    return {
        "format": FORMAT,
        "made_at": now.isoformat(timespec="seconds"),
        "tried": dict(tried or {}),
        "models": dict(Counter(turn.seen.model or "none" for turn in turns)),
        "threshold": threshold,
        "good_enough": rate >= threshold,
        "cases": _rate([run.passed for run in runs]),
        "turns": len(turns),
        "seconds": {"p50": percentile(turns, 50), "p95": percentile(turns, 95)},
        "by_tag": {tag: _rate(found) for tag, found in sorted(by_tag.items())},
        "by_expectation": {kind: _rate(found) for kind, found in sorted(by_kind.items())},
        "failures": [_failure(run, number, turn) for run in runs for number, turn in _failed(run)],
        "runs": {run.case.id: _run(run) for run in runs},
    }


def percentile(turns: Sequence[Judged], percent: int) -> float:
    """Seconds within which so many percent of the turns were answered."""
    seconds = sorted(turn.seen.seconds for turn in turns)
    return round(seconds[min(len(seconds) - 1, len(seconds) * percent // 100)], 3)


def _rate(found: Sequence[bool]) -> dict[str, Any]:
    return {"run": len(found), "passed": sum(found), "rate": round(sum(found) / len(found), 4)}


def _failed(run: Run) -> Iterator[tuple[int, Judged]]:
    return ((number, turn) for number, turn in enumerate(run.turns, 1) if turn.missed)


def _failure(run: Run, number: int, turn: Judged) -> dict[str, Any]:
    said = [list(each.case.say) for each in run.turns[:number]]
    return {
        "case": run.case.id,
        "tags": list(run.case.tags),
        "source": run.case.source,
        "turn": number,
        "said": said[-1],
        "said_before": said[:-1],
        "replied": turn.seen.text,
        "cards": [card for card in turn.seen.cards if card.get("kind") != "choices"],
        "chips": turn.seen.chips,
        "tools": [{"name": each.name, "arguments": each.arguments, "refused": each.failed} for each in turn.seen.calls],
        "missed": [{"kind": each.kind, "wanted": each.wanted, "found": each.found} for each in turn.missed],
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "passed": run.passed,
        "replies": [turn.seen.text for turn in run.turns],
        "totals": [turn.seen.total for turn in run.turns],
        "seconds": [round(turn.seen.seconds, 3) for turn in run.turns],
    }


# --- against an earlier run -------------------------------------------------------------------------------------

#: what differs from day to day though nothing has changed: dates and numbers of papers
PASSING = re.compile(
    r"\b\d{1,2}[\s\u00a0][а-яёa-z]+[\s\u00a0]\d{4}\b|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}\.\d{1,2}\.\d{4}\b"
    r"|\bQ-\d{4}-\d+|\b20\d\d-\d{4,}\b",
    re.IGNORECASE,
)


def unreadable(earlier: Any) -> str:
    """What is wrong with a file that should be an earlier report; empty where it is one."""
    if not isinstance(earlier, dict) or "runs" not in earlier or "cases" not in earlier:
        return "this is no report of an evaluation"
    if earlier.get("format") != FORMAT:
        return f"it was written in format {earlier.get('format')}, this program reads {FORMAT}"
    return ""


def differences(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What has changed between two reports, case by case."""
    before, after = earlier["runs"], now["runs"]
    both = [case for case in after if case in before]
    changed, slower, totals = [], [], []
    for case in both:
        for number, (was, comes) in enumerate(zip(before[case]["totals"], after[case]["totals"], strict=False), 1):
            if was != comes:
                totals.append({"case": case, "turn": number, "before": was, "after": comes})
        for number, (old, new) in enumerate(zip(before[case]["replies"], after[case]["replies"], strict=False), 1):
            if PASSING.sub("…", old) != PASSING.sub("…", new):
                changed.append({"case": case, "turn": number, "before": old, "after": new})
        for number, (was, takes) in enumerate(zip(before[case]["seconds"], after[case]["seconds"], strict=False), 1):
            if takes > 2 * was and takes - was > SLOWER_BY:
                slower.append({"case": case, "turn": number, "before": was, "after": takes})
    failing = [case for case in both if before[case]["passed"] and not after[case]["passed"]]
    return {
        "newly_failing": failing,
        "newly_passing": [case for case in both if after[case]["passed"] and not before[case]["passed"]],
        "new_cases": [case for case in after if case not in before],
        "gone_cases": [case for case in before if case not in after],
        "changed_totals": totals,
        # what holds a release up: a case that passed before, or a customer who would be told another total
        "worse": list(dict.fromkeys([*failing, *(each["case"] for each in totals)])),
        "changed_replies": changed,
        "slower": slower,
        "rate": {"before": earlier["cases"]["rate"], "after": now["cases"]["rate"]},
        "p95": {"before": earlier["seconds"]["p95"], "after": now["seconds"]["p95"]},
    }


# --- for people -------------------------------------------------------------------------------------------------


def summary(made: Mapping[str, Any]) -> Iterator[str]:
    """The report in lines: the failures first, the result last, where a terminal shows it."""
    for failure in made["failures"]:
        yield from _told(failure)
    yield from _table("by tag", made["by_tag"])
    yield from _table("by expectation", made["by_expectation"])
    models = ", ".join(f"{name} {turns}" for name, turns in made["models"].items())
    seconds = made["seconds"]
    yield f"{made['turns']} turns ({models}), p50 {seconds['p50'] * 1000:.0f} ms, p95 {seconds['p95'] * 1000:.0f} ms"
    cases = made["cases"]
    verdict = "enough" if made["good_enough"] else "NOT ENOUGH"
    yield (
        f"{cases['passed']} of {cases['run']} cases passed: {_percent(cases['rate'])},"
        f" {verdict} for {_percent(made['threshold'])}"
    )


def _told(failure: Mapping[str, Any]) -> Iterator[str]:
    yield f"✗ {failure['case']}, turn {failure['turn']} ({failure['source']})"
    for said in failure["said_before"]:
        yield f"    before:  {_short(' / '.join(said))}"
    yield f"    said:    {_short(' / '.join(failure['said']))}"
    yield f"    replied: {_short(failure['replied'])}"
    for missed in failure["missed"]:
        found = f"; got: {_short(missed['found'])}" if missed["found"] else ""
        yield f"    missed:  {missed['kind']}: {missed['wanted']}{found}"
    yield ""


def _table(title: str, rates: Mapping[str, Any]) -> Iterable[str]:
    if not rates:
        return
    yield title
    width = max(map(len, rates))
    for name, rate in rates.items():
        yield f"    {name:<{width}}  {rate['passed']:>4} of {rate['run']:>4}  {_percent(rate['rate']):>7}"
    yield ""


def told_differences(found: Mapping[str, Any]) -> Iterator[str]:
    """The differences in lines."""
    yield f"against the earlier run: {_percent(found['rate']['before'])} → {_percent(found['rate']['after'])}"
    yield f"    p95 {found['p95']['before'] * 1000:.0f} ms → {found['p95']['after'] * 1000:.0f} ms"
    for name in ("newly_failing", "newly_passing", "new_cases", "gone_cases"):
        if found[name]:
            yield f"    {name.replace('_', ' ')}: {', '.join(found[name])}"
    for each in found["changed_totals"]:
        yield f"    total changed: {each['case']}, turn {each['turn']}: {each['before']} → {each['after']}"
    for each in found["changed_replies"]:
        yield f"    reply changed: {each['case']}, turn {each['turn']}"
        yield f"        - {_short(each['before'])}"
        yield f"        + {_short(each['after'])}"
    for each in found["slower"]:
        yield f"    slower: {each['case']}, turn {each['turn']}: {each['before']} s → {each['after']} s"
    yield ""


def _percent(rate: float) -> str:
    return f"{rate * 100:.1f} %"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"
