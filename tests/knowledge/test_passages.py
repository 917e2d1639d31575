"""How a body falls into passages."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.passages import LONGEST, Piece, cut


def test_a_body_is_cut_along_its_headings_and_remembers_those_above():
    body = "Вступление.\n\n# Цены\n\n## Юрист\nДорого.\n\n## Аналитик\nДёшево.\n\n# Сроки\nНеделя."

    assert cut(body) == [
        Piece("", "Вступление."),
        Piece("Цены › Юрист", "Дорого."),
        Piece("Цены › Аналитик", "Дёшево."),
        Piece("Сроки", "Неделя."),
    ]


def test_what_looks_like_a_heading_in_code_is_text():
    assert cut("# Пример\n```\n# это комментарий\n```") == [Piece("Пример", "```\n# это комментарий\n```")]


def test_a_heading_with_nothing_below_it_is_still_said():
    assert cut("# Есть ли доставка\n# Да") == [Piece("Есть ли доставка", "Есть ли доставка"), Piece("Да", "Да")]


@pytest.mark.parametrize(
    "body",
    [
        "Абзац из нескольких слов подряд. " * 10 + "\n\n" + "Другой абзац. " * 200,
        "Предложение за предложением без единого абзаца. " * 300,
        "слово " * 3000,
        "я" * 10_000,
    ],
    ids=["paragraphs", "sentences", "words", "one word"],
)
def test_a_long_text_without_headings_is_cut_and_nothing_of_it_is_lost(body):
    pieces = cut(body)

    assert len(pieces) > 1
    assert max(len(piece.text) for piece in pieces) <= LONGEST
    assert "".join("".join(piece.text for piece in pieces).split()) == "".join(body.split())


def test_a_cut_never_goes_through_a_placeholder():
    mark = "{{ price:ai_manager.business }}"
    for lead in range(1960, 2005):
        pieces = cut("я" * 5 + " " + "ю" * (lead - 6) + " " + mark + " конец" * 50)

        assert sum(mark in piece.text for piece in pieces) == 1


@pytest.mark.parametrize(
    "body", ["# a" + " " * 1_000_000 + "b", "#" * 1_000_000, "a\n" * 500_000, "`" * 1_000_000, "**[(" * 250_000]
)
def test_a_megabyte_of_nonsense_is_cut_in_no_time(body):
    started = perf_counter()

    cut(body)

    assert perf_counter() - started < 10


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="аб#`\n .{}|*", max_size=300))
def test_any_text_is_cut_and_its_letters_stay(text):
    letters = [letter for letter in text if letter in "аб"]

    cut_letters = [letter for piece in cut(text) for letter in piece.heading + piece.text if letter in "аб"]

    assert len(cut_letters) >= len(letters)
