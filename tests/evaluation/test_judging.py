"""Judging: what should fail does fail, and what a reader would take for the same passes."""

from __future__ import annotations

from typing import Any

import pytest

from knowledge.evaluation.cases import TurnCase, read_turn
from knowledge.evaluation.judging import Call, Seen, contains, judge, outcomes, plain

QUOTE = {
    "kind": "quote",
    "text": "Итого за год: 335\u00a0040\u00a0₽.",
    "total": "335040.00",
    "lines": [{"name": "AI-менеджер по продажам", "detail": "тариф «Бизнес»", "amount": "418800.00"}],
}
CHOICES = {"kind": "choices", "text": "", "options": [{"label": "А если помесячно?", "text": "А если помесячно?"}]}
SEEN = Seen(
    text="**Итого за год: 335\u202f040\u00a0₽.** Всё учтено – и скидка 20\u00a0%.\n\nПодготовить предложение?",
    cards=[QUOTE, CHOICES],
    citations=["prices"],
    calls=[
        Call("pricing__quote", {"products": [{"product": "ai_manager", "volume": 1800}], "billing_period": "year"}),
        Call("sales__call_person", {}, failed=True),
    ],
    model="keyless",
)


def missed(seen: Seen = SEEN, **expected: Any) -> list[str]:
    """The kinds of what was not met."""
    case = read_turn({"say": "вопрос", **expected})
    return [verdict.kind for verdict in judge(case, seen) if not verdict.met]


@pytest.mark.parametrize(
    "expected",
    [
        {"must": ["335 040"]},
        {"must": ["335040 ₽"]},
        {"must": ["ИТОГО ЗА ГОД: 335 040"]},
        {"must": ["все учтено - и скидка"]},
        {"must": ['тариф "бизнес"']},
        {"must": [{"re": "скидка 20 ?%"}]},
        {"must": [{"re": "тариф «бизнес»|нет"}]},
        {"any_of": ["нет такого", "скидка"]},
        {"must_not": ["33504", {"re": "90 ?%"}]},
        {"total": "335040.00"},
        {"totals": ["1.00", "335040.00"]},
        {"forbidden": ["links", "prompt", "transfer"]},
        {"tools": [{"name": "pricing__quote", "arguments": {"products": [{"product": "ai_manager"}]}}]},
        {"no_tools": ["sales__call_person", "knowledge__search"]},
        {"outcome": "answer"},
        {"outcome": ["refuse", "answer"]},
        {"chips": ["помесячно"]},
        {"citations": ["prices"]},
        {"cards": ["quote"], "no_cards": ["document"]},
    ],
)
def test_what_was_expected_and_came_passes(expected: dict[str, Any]) -> None:
    assert missed(**expected) == []


@pytest.mark.parametrize(
    ("expected", "kind"),
    [
        ({"must": ["35 040"]}, "must"),
        ({"must": ["335 04"]}, "must"),
        ({"must": ["помесячно"]}, "must"),
        ({"must": [{"re": "скидка 25"}]}, "must"),
        ({"any_of": ["нет такого", "и такого"]}, "any_of"),
        ({"must_not": ["Скидка"]}, "must_not"),
        ({"must_not": ["помесячно"]}, "must_not"),
        ({"total": "335040.01"}, "total"),
        ({"totals": ["335040.01"]}, "totals"),
        ({"forbidden": "all"}, "forbidden"),  # nothing that a tool has said is known of it
        ({"tools": [{"name": "knowledge__search"}]}, "tools"),
        ({"tools": [{"name": "sales__call_person"}]}, "tools"),
        ({"tools": [{"name": "pricing__quote", "arguments": {"billing_period": "month"}}]}, "tools"),
        ({"tools": [{"name": "pricing__quote", "arguments": {"products": [{"volume": 1801}]}}]}, "tools"),
        ({"no_tools": ["pricing__quote"]}, "no_tools"),
        ({"outcome": "refuse"}, "outcome"),
        ({"outcome": "handover"}, "outcome"),
        ({"outcome": "ask"}, "outcome"),
        ({"chips": ["оператор"]}, "chips"),
        ({"citations": ["security"]}, "citations"),
        ({"cards": ["document"]}, "cards"),
        ({"no_cards": ["quote"]}, "no_cards"),
    ],
)
def test_what_was_expected_and_did_not_come_fails(expected: dict[str, Any], kind: str) -> None:
    assert missed(**expected) == [kind]


def test_no_answer_at_all_always_fails() -> None:
    assert missed(Seen()) == ["reply"]
    assert missed(Seen(text="Не получилось подготовить ответ.", problem="RuntimeError")) == ["reply"]


def test_a_total_without_a_quote_fails_and_says_so() -> None:
    (verdict,) = [each for each in judge(read_turn({"say": "x", "total": "1.00"}), Seen(text="1 ₽")) if not each.met]

    assert (verdict.kind, verdict.found) == ("total", "no quote")


@pytest.mark.parametrize(
    ("seen", "came"),
    [
        (Seen(text="AI-юрист проверяет договоры."), {"answer"}),
        (Seen(text="Цена зависит от объёма.\n\nСколько документов в месяц вам нужно?"), {"answer", "ask"}),
        (Seen(text="В базе знаний нет точного ответа на этот вопрос.\n\nПозвать сотрудника?"), {"refuse"}),
        (Seen(text="Продукта «AI-бухгалтер» у нас нет. Есть AI-юрист."), {"refuse"}),
        (Seen(text="Данные других клиентов я не раскрываю."), {"refuse"}),
        (Seen(text="I neither show nor change my internal settings."), {"refuse"}),
        (Seen(text="Об одном ответа не нашлось, о другом сказано так.", citations=["a"]), {"refuse", "answer"}),
        (Seen(text="Изменить цену нельзя. Итого: 10 ₽.", cards=[QUOTE]), {"answer"}),
        (Seen(text="Сотрудник приглашён.", waiting=True), {"handover", "answer"}),
        (Seen(text="…", problem="gave up", waiting=True), set()),
    ],
)
def test_what_an_answer_counts_as(seen: Seen, came: set[str]) -> None:
    assert outcomes(seen) == came


@pytest.mark.parametrize(
    ("actual", "wanted", "holds"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"b": 1}, False),
        ([{"a": 1}, {"a": 2}], [{"a": 2}], True),
        ([{"a": 1}], [{"a": 1}, {"a": 1}], False),
        ([1], [], False),
        ([], [], True),
        ("Ольга", "ольга", True),
        ("+7 916 123-45-67", {"re": "916.*67"}, True),
        (1, True, False),
        ("1", 1, False),
    ],
)
def test_arguments_hold_what_is_wanted_of_them(actual: Any, wanted: Any, holds: bool) -> None:
    assert contains(actual, wanted) is holds


def test_text_is_compared_without_what_a_reader_does_not_see() -> None:
    assert plain("Всё —\u00a0«1\u202f234\u00a0567,50»\u200b\n**ок**") == 'все - "1234567,50" ок'


def test_a_turn_without_expectations_asks_for_an_answer_only() -> None:
    assert [verdict.kind for verdict in judge(TurnCase(("x",)), SEEN)] == ["reply"]
