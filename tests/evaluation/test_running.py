"""The command holds real conversations, judges them, ends as it should, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from billing.models import Counter, Document
from knowledge.evaluation.running import CHANNEL
from pricing.models import Quote, RuleBook
from pricing.operations import make_quote
from sales.assistant.protocol import Reply
from sales.models import Conversation, Lead, Message, ToolCall, Turn
from sales.rehearsal import rehearsed
from sales.signals import lead_changed, message_stored, reply_ready
from tests import fakes
from tests.evaluation.conftest import ROOT

GOOD: dict[str, Any] = {
    "id": "good",
    "tags": ["prices"],
    "turns": [
        {"say": ["здравствуйте", "AI-менеджер на 1800 диалогов", "за год"], "total": "335040.00", "outcome": "answer"},
        {"say": "пришлите кп", "cards": ["document"], "tools": [{"name": "billing__prepare_proposal"}]},
        {"say": "Ольга, +7 916 123-45-67", "tools": [{"name": "sales__save_contact", "arguments": {"name": "Ольга"}}]},
        {"say": "позовите человека", "outcome": "handover"},
    ],
}


def bad(**expected: Any) -> dict[str, Any]:
    return {"id": "bad", "tags": ["bad"], "turns": [{"say": "AI-менеджер на 1800 диалогов за год", **expected}]}


def rows() -> dict[str, int]:
    kept = (Lead, Conversation, Message, Turn, ToolCall, Quote, RuleBook, Document, Counter)
    return {model.__name__: model.objects.count() for model in kept}


def next_quote_number() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value, is_called FROM pricing_quote_number")
        last, called = cursor.fetchone()
    return int(last) + called


def test_conversations_are_held_to_their_end(shop: None, evaluate: Callable[..., Any]) -> None:
    ended = evaluate(GOOD)

    assert (ended.code, ended.problem) == (0, "")
    assert ended.report["cases"] == {"run": 1, "passed": 1, "rate": 1.0}
    assert ended.report["turns"] == 4
    assert ended.report["runs"]["good"]["totals"] == ["335040.00", None, None, None]


@pytest.mark.parametrize(
    ("expected", "kind"),
    [
        ({"total": "335040.01"}, "total"),
        ({"tools": [{"name": "sales__call_person"}]}, "tools"),
        ({"must_not": ["335 040"]}, "must_not"),
        ({"must": ["десять рублей"]}, "must"),
        ({"outcome": "refuse"}, "outcome"),
    ],
)
def test_a_case_that_must_fail_fails(
    shop: None, evaluate: Callable[..., Any], expected: dict[str, Any], kind: str
) -> None:
    ended = evaluate(bad(**expected))

    assert ended.code == 1
    assert [missed["kind"] for missed in ended.report["failures"][0]["missed"]] == [kind]


def test_nothing_is_left_behind(shop: None, evaluate: Callable[..., Any]) -> None:
    before, number = rows(), next_quote_number()

    evaluate(GOOD)

    assert rows() == before
    assert next_quote_number() == number


def test_a_quote_made_outside_of_a_rehearsal_does_leave_something(shop: None, now: Any) -> None:
    before, number = rows(), next_quote_number()
    wanted = {"products": [{"product": "ai_lawyer", "tier": "start"}], "billing_period": "month"}

    with rehearsed():
        make_quote(data=wanted, now=now)
    assert (rows(), next_quote_number()) == (before, number)

    make_quote(data=wanted, now=now)
    assert (rows()["Quote"], next_quote_number()) == (before["Quote"] + 1, number + 1)


@pytest.mark.django_db(transaction=True)
def test_nobody_else_sees_a_rehearsed_conversation_or_waits_for_it(evaluate: Callable[..., Any], now: Any) -> None:
    """With commits for real: from another session while a conversation is held, and after it."""
    call_command("load_catalog", str(ROOT / "pricing" / "data" / "catalog.yaml"), verbosity=0)
    call_command("load_demo_seller", verbosity=0)
    seen: list[tuple[int, int]] = []
    rung: list[str] = []
    other = connection.copy()
    other.inc_thread_sharing()

    def look(sender: Any, message: Any, **kwargs: Any) -> None:
        transaction.on_commit(lambda: rung.append(str(message.pk)))
        with other.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
            cursor.execute("SELECT count(*) FROM sales_conversation")
            (conversations,) = cursor.fetchone()
            cursor.execute("UPDATE billing_counter SET last = last")  # would wait for a counter that is locked
            cursor.execute("SELECT count(*) FROM sales_turn")
            seen.append((conversations, cursor.fetchone()[0]))

    message_stored.connect(look)
    try:
        ended = evaluate(GOOD, jobs=2)
    finally:
        message_stored.disconnect(look)
        other.close()

    assert (ended.code, ended.problem) == (0, "")
    assert len(seen) == 10
    assert set(seen) == {(0, 0)}
    assert rung == []
    assert rows()["Lead"] == 0


def test_staff_and_channels_hear_of_it_only_inside_the_transaction(shop: None, evaluate: Callable[..., Any]) -> None:
    channels: list[str] = []

    def note(sender: Any, **kwargs: Any) -> None:
        about = kwargs.get("conversation") or kwargs["lead"]
        channels.append(about.channel)

    for signal in (lead_changed, message_stored, reply_ready):
        signal.connect(note)
    try:
        evaluate(GOOD)
    finally:
        for signal in (lead_changed, message_stored, reply_ready):
            signal.disconnect(note)

    assert set(channels) == {CHANNEL}


def test_a_problem_of_the_program_is_a_failed_case_and_not_the_end(
    shop: None, evaluate: Callable[..., Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fakes.ScriptedModel(RuntimeError("broken"))
    monkeypatch.setattr(fakes, "scripted_model", model, raising=False)
    settings.ASSISTANT_MODEL = "tests.fakes.scripted_model"

    ended = evaluate(bad(), {"id": "next", "turns": [{"say": "привет"}]})

    assert ended.code == 1
    assert [failure["missed"][0]["found"] for failure in ended.report["failures"]] == ["RuntimeError", "RuntimeError"]
    assert rows()["Conversation"] == 0


def test_any_model_of_the_chain_is_judged(
    shop: None, evaluate: Callable[..., Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fakes, "scripted_model", fakes.ScriptedModel(Reply(text="Не знаю.")), raising=False)
    settings.ASSISTANT_MODEL = "tests.fakes.scripted_model"

    ended = evaluate(bad(outcome="refuse"))

    assert ended.code == 0
    assert ended.report["models"] == {"scripted": 1}


def test_below_the_threshold_it_ends_with_1(shop: None, evaluate: Callable[..., Any]) -> None:
    wrong = bad(total="1.00")

    assert evaluate(GOOD, wrong).code == 1
    assert evaluate(GOOD, wrong, threshold=0.5).code == 0
    assert evaluate(GOOD, wrong, only=["prices"]).code == 0
    assert evaluate(GOOD, wrong, only=["bad"]).report["cases"]["run"] == 1


def test_a_broken_dataset_ends_with_2_and_runs_nothing(shop: None, evaluate: Callable[..., Any]) -> None:
    ended = evaluate(GOOD, {"id": "x", "turns": [{"say": "привет", "total": "сто"}]})

    assert ended.code == 2
    assert ended.problem.startswith("cases.jsonl, line 2, turns[0].total: 'сто' is no amount")
    assert (ended.out, ended.report) == ("", {})
    assert evaluate(GOOD, only=["nowhere"]).code == 2
    assert evaluate(Path("/nowhere.jsonl")).code == 2
    assert evaluate().code == 2


def test_against_an_earlier_run_the_differences_are_shown(
    shop: None, evaluate: Callable[..., Any], tmp_path: Path
) -> None:
    earlier = tmp_path / "earlier.json"
    earlier.write_text(json.dumps(evaluate(bad(total="1.00")).report), encoding="utf-8")

    ended = evaluate(bad(total="335040.00"), against=earlier)

    assert ended.report["against"]["newly_passing"] == ["bad"]
    assert "newly passing: bad" in ended.out
    earlier.write_text("{}")
    assert evaluate(GOOD, against=earlier).code == 2
    assert evaluate(GOOD, against=tmp_path / "none.json").code == 2
