"""No amount leaves that no tool and no passage produced."""

from __future__ import annotations

import pytest

from sales.assistant import guard
from sales.assistant.protocol import ToolResult

QUOTE = ToolResult(
    "1",
    "pricing__quote",
    "Итого 528 280,00 ₽ за год, скидка 20 %.",
    {"total": "528280.00", "subscription": "657600.00", "discounts": [{"code": "annual", "amount": "118368.00"}]},
)


@pytest.mark.parametrize(
    "draft",
    [
        "Итого 528 280 ₽ за год.",
        "Итого 528 280,00 ₽, из них подписка 657 600 ₽.",
        "Итого 528\u00a0280\u202fруб.",
        "Это 528,28 тыс. ₽ в год.",
        "Скидка 118368 рублей, это 20%.",
        "Вы назвали 1 800 диалогов в месяц.",
        "Сегодня 25.11.2026, 15:30, у вас 3 заявки.",
        "Записал телефон [ТЕЛЕФОН_1].",
        "Без сумм вовсе.",
        "Тариф на 2 000 диалогов подойдёт.",
    ],
)
def test_proven_amount_passes(draft: str) -> None:
    heard = ["Нужно 1800 диалогов в месяц", "или 2 000", "Мой номер [ТЕЛЕФОН_1]"]

    assert guard.inspect(draft, results=[QUOTE], heard=heard).unproven == ()


@pytest.mark.parametrize(
    ("draft", "unproven"),
    [
        ("Итого 528 281 ₽.", "528 281 ₽"),
        ("Отдам за 1 800 ₽.", "1 800 ₽"),  # the customer's own number is no price
        ("Скидка 90 %!", "90 %"),
        ("Скидка 90 процентов", "90 процентов"),
        ("Всего 99 рублей", "99 рублей"),
        ("Всего 5к ₽", "5к ₽"),
        ("Это будет 450 000", "450 000"),
        ("Около 1,5 млн руб.", "1,5 млн руб"),
        ("Всего пять тысяч рублей", "пять тысяч рублей"),
        ("Скидка пятьдесят процентов", "пятьдесят процентов"),
        ("It is 300 RUB", "300 RUB"),
        ("**12 345,67** ₽", "12 345,67"),
    ],
)
def test_unproven_amount_is_named(draft: str, unproven: str) -> None:
    verdict = guard.inspect(draft, results=[QUOTE], heard=["на 1800 диалогов"])

    assert not verdict.passed
    assert unproven in " | ".join(verdict.unproven)


def test_amount_in_words_passes_when_a_tool_said_it_so() -> None:
    said = ToolResult("1", "x", "Скидка — двадцать процентов от подписки.")

    assert guard.inspect("Это двадцать  процентов.", results=[said], heard=[]).passed


def test_guard_reads_long_and_strange_text_without_failing() -> None:
    nasty = "1" * 5000 + " ₽ " + "9" * 30 + "% \u202e١٢٣ ₽ ² ₽ 1.1.1 ₽ " + "тысяч " * 2000

    assert not guard.inspect(nasty, results=[], heard=[]).passed
