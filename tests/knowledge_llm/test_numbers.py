"""Numbers as customers write them."""

from __future__ import annotations

import pytest

from knowledge.llm.keyless import morphology, numbers


def found(text: str) -> list[int]:
    return [number.whole for number in numbers.find(morphology.cut(text).words)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1800", [1800]),
        ("1 800", [1800]),
        ("1\u00a0800", [1800]),
        ("1.800", [1800]),
        ("12 345 678", [12345678]),
        ("2к", [2000]),
        ("2,5к", [2500]),
        ("3 тыс.", [3000]),
        ("1,5 тыс", [1500]),
        ("2 тысячи", [2000]),
        ("полторы тысячи", [1500]),
        ("две с половиной тыщи", [2500]),
        ("сто двадцать", [120]),
        ("сто", [100]),
        ("двадцать пять", [25]),
        ("тысяча", [1000]),
        ("тысяча двести", [1200]),
        ("две тысячи двести пятьдесят", [2250]),
        ("пять тысяч", [5000]),
        ("пара тысяч", [2000]),
        ("пара сотен", [200]),
        ("полсотни", [50]),
        ("миллион", [1_000_000]),
        ("1,5 миллиона", [1_500_000]),
        ("от 500 до 600", [600]),
        ("500-600", [600]),
        ("500 – 600", [600]),
        ("1-2 тысячи", [2000]),
        ("пять или шесть", [6]),
        ("больше 6000", [6001]),
        ("два три", [2, 3]),
        ("500, 120 и 30", [500, 120, 30]),
        ("битрикс24", []),
        ("нет чисел", []),
        ("9" * 400, [numbers.MOST]),
    ],
)
def test_number_is_read(text: str, expected: list[int]) -> None:
    assert found(text) == expected


def test_sign_is_seen_in_front_of_a_number_and_not_between_two_words() -> None:
    below = numbers.find(morphology.cut("-5 диалогов").words)[0]
    after_a_dash = numbers.find(morphology.cut("AI-менеджер - 500").words)[0]

    assert (below.negative, after_a_dash.negative) == (True, False)
