"""Prices in articles come from the catalogue; whatever else stands in braces is text."""

from __future__ import annotations

from typing import Any

import pytest

from pricing.models import Tier
from pricing.placeholders import codes, problems, render

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


@pytest.mark.parametrize(
    ("placeholder", "ru", "en"),
    [
        ("{{ price:ai_manager.business }}", "34 900 ₽_в_месяц", "34 900 ₽_per_month"),
        ("{{price:ai_manager.business}}", "34 900 ₽_в_месяц", "34 900 ₽_per_month"),
        ("{{ price:ai_manager.enterprise }}", "по_запросу", "on_request"),
        ("{{ limit:ai_manager.business }}", "2 000", "2 000"),
        ("{{ limit:ai_manager.enterprise }}", "по_запросу", "on_request"),
        ("{{ service:onboarding }}", "49 000 ₽", "49 000 ₽"),
        ("{{ service:extra_channel }}", "4 900 ₽_в_месяц", "4 900 ₽_per_month"),
        ("{{ discount:annual }}", "20 %", "20 %"),
        ("{{ cap }}", "45 %", "45 %"),
    ],
)
def test_a_placeholder_shows_what_the_catalogue_says(placeholder: str, ru: str, en: str) -> None:
    def spaced(text: str) -> str:
        return text.replace(" ", "\u00a0").replace("_", " ")

    assert render(f"Это {placeholder}.") == f"Это {spaced(ru)}."
    assert render(f"It is {placeholder}.", "en") == f"It is {spaced(en)}."


def test_tiers_are_shown_as_a_table() -> None:
    assert render("{{ tiers:ai_lawyer }}").replace("\u00a0", " ").splitlines() == [
        "| Тариф | Объём, документов в месяц | Цена в месяц |",
        "|---|---:|---:|",
        "| Старт | до 50 | 19 900 ₽ |",
        "| Бизнес | до 200 | 44 900 ₽ |",
        "| Про | до 600 | 89 900 ₽ |",
        "| Enterprise | по запросу | по запросу |",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{{ name }}",
        "{{ user.name }} {% if x %}",
        "{{ price }}",
        "{{ price: ai_manager.business }}",
        "{{ prices:ai_manager.business }}",
        "{ price:ai_manager.business }",
        "{{ cap:x }}",
        "{{ CAP }}",
        "{{ price:ai_manager.business",
        "function() {{ return {a: {b: 1}}; }}",
        "{{\n cap \n}}",
        "",
    ],
)
def test_other_braces_are_text(text: str) -> None:
    assert render(text) == text
    assert problems(text) == []
    assert codes(text) == []


@pytest.mark.parametrize(
    "dead",
    [
        "{{ price:ai_manager.nope }}",
        "{{ price:ai_manager }}",
        "{{ price:nope.start }}",
        "{{ limit:nope.start }}",
        "{{ service:nope }}",
        "{{ discount:nope }}",
        "{{ tiers:nope }}",
        "{{ tiers:ai_manager.start }}",
    ],
)
def test_a_dead_placeholder_is_named_to_staff_and_never_shown_to_customers(dead: str) -> None:
    assert len(problems(f"{dead} и {{{{ cap }}}} и {dead}")) == 1
    assert dead in problems(dead)[0]
    assert render(dead) == "уточнит менеджер"


def test_a_changed_price_is_shown_at_once() -> None:
    text = "{{ price:ai_manager.start }}"
    assert render(text) == "14\u00a0900\u00a0₽ в месяц"

    Tier.objects.filter(product__code="ai_manager", code="start").update(price_month="15900.50")

    assert render(text) == "15\u00a0900,50\u00a0₽ в месяц"


def test_codes_name_what_a_text_leans_on_once_each() -> None:
    text = "{{ cap }} {{ price:ai_manager.start }} {{price:ai_manager.start}} {{ tiers:ai_lawyer }} {{ x }}"

    assert codes(text) == ["cap", "price:ai_manager.start", "tiers:ai_lawyer"]


def test_a_text_without_placeholders_asks_the_database_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert render("Просто текст {{ name }}") == "Просто текст {{ name }}"
        assert problems("Просто текст") == []
