"""A reply on Avito is one plain message that is never too long and never loses its notice or its document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app.avito import plain

QUOTE = {"kind": "quote", "text": "Расчёт Q-1: 30 000 ₽ в месяц"}
DOCUMENT = {"kind": "document", "title": "Предложение 7", "url": "/documents/token/kp.pdf", "text": "Готово"}
CHOICES = {"kind": "choices", "text": "А · Б", "options": [{"label": "А", "text": "Сколько стоит?"}]}


def test_marks_of_markdown_are_gone_and_addresses_stay():
    text = "## Тарифы\n\n**Старт** – 10\n- раз\n- [сайт](https://a.example/x)\n\n1. первый\n2. второй\n\n`код`"

    assert plain.plain(text) == (
        "Тарифы\n\nСтарт – 10\n\n– раз\n– сайт (https://a.example/x)\n\n1. первый\n2. второй\n\nкод"
    )


def test_a_table_has_a_line_for_each_row():
    assert plain.plain("| А | Б |\n|---|---|\n| 1 | 2 |") == "А | Б\n1 | 2"


def test_cards_and_the_notice_stand_in_the_message():
    said = plain.compose("Считаю.", cards=[QUOTE, DOCUMENT, CHOICES], notice="О данных: https://a.example")

    assert said == (
        "Считаю.\n\nРасчёт Q-1: 30 000 ₽ в месяц\n\nМожно спросить: Сколько стоит?\n\n"
        "Предложение 7: http://127.0.0.1:8000/documents/token/kp.pdf\n\nО данных: https://a.example"
    )


def test_what_the_reply_says_already_isnt_said_again():
    assert plain.compose("Итог: Расчёт Q-1: 30 000 ₽ в месяц.", cards=[QUOTE]).count("Q-1") == 1


def test_too_long_a_reply_is_cut_at_a_sentence_and_keeps_notice_and_document():
    said = plain.compose("Первое предложение. " * 80, cards=[DOCUMENT, CHOICES], notice="О данных")

    assert plain.length(said) <= plain.MOST
    assert said.endswith("kp.pdf\n\nО данных")
    assert "предложение.\n\nПредложение 7:" in said
    assert "Можно спросить" not in said


@given(st.text(max_size=3000), st.booleans())
def test_no_text_makes_it_too_long(text: str, first: bool):
    said = plain.compose(text, cards=[QUOTE, DOCUMENT], notice="О данных: https://a.example" if first else "")

    assert plain.length(said) <= plain.MOST
    assert "kp.pdf" in said


@pytest.mark.parametrize("text", ["👨‍👩‍👧‍👦" * 800, "а" * 5000, "é" * 2000])
def test_what_has_no_words_is_cut_too(text: str):
    assert plain.length(plain.compose(text)) <= plain.MOST
