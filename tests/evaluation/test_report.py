"""The report of a run, and what it says has changed since an earlier one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from knowledge.evaluation.cases import Case, TurnCase
from knowledge.evaluation.judging import Seen, Verdict
from knowledge.evaluation.report import differences, report, summary, told_differences, unreadable
from knowledge.evaluation.running import Judged, Run

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def ran(name: str, *, met: bool = True, text: str = "ответ", seconds: float = 0.01, tags: tuple[str, ...] = ()) -> Run:
    turn = TurnCase(("вопрос",))
    verdicts = (Verdict("reply", "an answer", True), Verdict("total", "10.00", met, "20.00"))
    judged = Judged(turn, Seen(text=text, model="keyless", seconds=seconds), verdicts)
    return Run(Case(name, (turn,), tags, source="x.jsonl, line 1"), (judged,))


def made(*runs: Run, threshold: float = 0.95) -> dict[str, Any]:
    return report(runs, threshold=threshold, now=NOW)


def test_rates_are_told_overall_by_tag_and_by_expectation() -> None:
    found = made(ran("a", tags=("prices",)), ran("b", met=False, tags=("prices", "words")), ran("c"))

    assert found["cases"] == {"run": 3, "passed": 2, "rate": 0.6667}
    assert found["by_tag"] == {
        "prices": {"run": 2, "passed": 1, "rate": 0.5},
        "words": {"run": 1, "passed": 0, "rate": 0.0},
    }
    assert found["by_expectation"]["total"] == {"run": 3, "passed": 2, "rate": 0.6667}
    assert found["models"] == {"keyless": 3}
    assert found["good_enough"] is False
    assert made(ran("a"))["good_enough"] is True


def test_a_failure_says_what_was_said_replied_and_missed() -> None:
    (failure,) = made(ran("b", met=False, tags=("prices",)))["failures"]

    assert (failure["case"], failure["turn"], failure["said"], failure["replied"]) == ("b", 1, ["вопрос"], "ответ")
    assert failure["missed"] == [{"kind": "total", "wanted": "10.00", "found": "20.00"}]


def test_times_are_told_as_the_half_and_as_nearly_all() -> None:
    runs = [ran(str(number), seconds=number / 100) for number in range(1, 101)]

    assert made(*runs)["seconds"] == {"p50": 0.51, "p95": 0.96}


def test_differences_name_what_fails_passes_changes_and_slows_down() -> None:
    before = made(ran("falls"), ran("rises", met=False), ran("speaks", text="раз"), ran("slows"), ran("goes"))
    after = made(
        ran("falls", met=False), ran("rises"), ran("speaks", text="два"), ran("slows", seconds=0.9), ran("comes")
    )

    found = differences(before, after)

    assert found["newly_failing"] == ["falls"]
    assert found["newly_passing"] == ["rises"]
    assert found["changed_replies"] == [{"case": "speaks", "turn": 1, "before": "раз", "after": "два"}]
    assert found["slower"] == [{"case": "slows", "turn": 1, "before": 0.01, "after": 0.9}]
    assert (found["new_cases"], found["gone_cases"]) == (["comes"], ["goes"])
    assert "    newly failing: falls" in list(told_differences(found))


def test_a_new_day_and_a_new_number_are_no_change() -> None:
    before = made(ran("a", text="Расчёт № Q-2026-900000001 действует до 8\u00a0декабря 2026\u00a0г."))
    after = made(ran("a", text="Расчёт № Q-2027-900000002 действует до 12\u00a0января 2027\u00a0г."))

    assert differences(before, after)["changed_replies"] == []


def test_summary_ends_with_the_result() -> None:
    lines = list(summary(made(ran("a", tags=("prices",)), ran("b", met=False))))

    assert lines[0] == "✗ b, turn 1 (x.jsonl, line 1)"
    assert "    missed:  total: 10.00; got: 20.00" in lines
    assert lines[-1] == "1 of 2 cases passed: 50.0 %, NOT ENOUGH for 95.0 %"


def test_what_is_no_report_is_told_from_one() -> None:
    assert unreadable(made(ran("a"))) == ""
    assert unreadable([]) and unreadable({"runs": {}}) and unreadable({**made(ran("a")), "format": 99})
