"""What prices, discounts and volumes look like when somebody types them instead of using a placeholder."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from knowledge import figures
from pricing.models import Tier
from pricing.queries import current_rules


@pytest.fixture
def typed(catalogue):
    def found(text: str, **own: list[str]) -> list[figures.Figure]:
        return figures.typed(text, current_rules(), **own)

    return found


@pytest.mark.parametrize(
    ("text", "figure", "placeholder"),
    [
        ("Стоит 34 900 ₽ в месяц", "34 900 ₽", "{{ price:ai_manager.business }}"),
        ("за 14900 рублей", "14900 рублей", "{{ price:ai_manager.start }}"),
        ("**34 900** ₽", "34 900 ₽", "{{ price:ai_manager.business }}"),
        ("34\u00a0900,00 руб.", "34\u00a0900,00 руб.", "{{ price:ai_manager.business }}"),
        ("Обучение 15 тыс. руб.", "15 тыс. руб.", "{{ service:training }}"),
        ("Цена 34900 в месяц", "34900", "{{ price:ai_manager.business }}"),
        ("вышло в 90 ₽", "90 ₽", ""),
        ("старая цена 29 900 р.", "29 900 р.", ""),
        ("1,5 млн ₽", "1,5 млн ₽", ""),
        ("скидка 20 %", "20 %", "{{ discount:annual }}"),
        ("не больше 45 процентов", "45 процентов", "{{ cap }}"),
        ("скидка 7%", "7%", ""),
        ("до 2 000 диалогов", "2 000 диалогов", "{{ limit:ai_manager.business }}"),
        ("до 500 диалога", "500 диалога", "{{ limit:ai_manager.start }}"),
        ("40 документов", "40 документов", ""),
        ("2000 conversations", "2000 conversations", "{{ limit:ai_manager.business }}"),
        ("сто двадцать рублей", "сто двадцать рублей", ""),
        ("скидка десять процентов", "десять процентов", ""),
    ],
)
def test_a_typed_figure_is_seen_with_the_placeholder_that_says_the_same(typed, text, figure, placeholder):
    assert [(each.text, each.placeholder) for each in typed(text)] == [(figure, placeholder)]


@pytest.mark.parametrize(
    "text",
    [
        *("по 152-ФЗ", "из 1С", "Битрикс24", "в 2024 году", "1. Раз\n2. Два", "с 9 до 18", "через 14 дней"),
        *("три документа", "2 документа", "100 %", "0 %", "+7 916 123-45-67", "ИНН 7701234560", "две–три недели"),
        *("{{ price:ai_manager.business }}", "до {{ limit:ai_lawyer.start }} документов", "оба документа"),
    ],
)
def test_what_is_no_price_is_left_in_peace(typed, text):
    assert typed(text) == []


def test_a_figure_of_its_own_is_left_in_peace_however_its_spaces_are(typed):
    text = "Потеряли 180 000 ₽, а потом ещё 20 000 ₽."

    assert [each.text for each in typed(text, own=["180\u00a0000  ₽"])] == ["20 000 ₽"]


def test_lines_are_counted_and_each_wording_is_named_once(typed):
    found = typed("Раз\n\nдва 500 ₽\n{{ tiers:ai_manager }}\nтри 7 % и 500 ₽")

    assert [(each.line, each.text) for each in found] == [(3, "500 ₽"), (5, "7 %")]


def test_the_catalogue_of_this_moment_is_compared(typed):
    Tier.objects.filter(product__code="ai_manager", code="business").update(price_month=Decimal("12345.00"))

    assert [each.placeholder for each in typed("34 900 ₽ или 12 345 ₽")] == ["", "{{ price:ai_manager.business }}"]


def test_without_a_catalogue_amounts_are_seen_still(db):
    assert [each.text for each in figures.typed("34 900 ₽, 500 диалогов", current_rules())] == ["34 900 ₽"]


@pytest.mark.parametrize(
    "text", ["1 234 567 " * 100_000, "сто " * 250_000 + "рублей", "9" * 1_000_000, "5 ₽ " * 250_000]
)
def test_a_nasty_text_takes_no_time(typed, text):
    began = time.perf_counter()

    found = typed(text)

    assert time.perf_counter() - began < 2
    assert len(found) <= figures.MOST
