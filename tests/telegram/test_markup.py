"""Our Markdown in Telegram: whatever it is, the HTML is well formed, below the limit, and says every word."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels_app.telegram import markup
from tests.standins.telegram_api import parsed

PIECES = ["**", "*", "_", "`", "```\n", "~~", "[", "](https://ex.ru/?a=1&b=2)", "\n", "\n\n", "- ", "1. ", "> ", "# "]
PIECES += [
    "<b>",
    "</i>",
    "&amp;",
    "&",
    "<",
    "|a|b|\n|-|-|\n|1|2|\n",
    "слово",
    " ",
    "😀",
    "👨‍👩‍👧",
    "30 000,50 ₽",
    "\\",
    "![",
]
MARKDOWN = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=60).map("".join)


@settings(max_examples=400, deadline=None)
@given(MARKDOWN, st.integers(20, 120))
def test_whatever_it_is_the_html_is_whole_and_short_enough(markdown, most):
    for part in markup.parts(markdown, most=most):
        problem, text = parsed(part.html)
        assert problem == "", part.html
        assert text.strip() == part.text.strip()
        assert markup.length(part.text) <= most
        assert part.text.strip()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("абв😀", min_size=1, max_size=40), min_size=1, max_size=60), st.integers(30, 100))
def test_a_cut_loses_no_word(words, most):
    said = " ".join(words)

    parts = markup.parts(f"**{said}**", most=most)

    assert "".join(part.text for part in parts).replace(" ", "") == said.replace(" ", "")


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("**а _б_**", "<b>а <i>б</i></b>"),
        ("`a < b`", "<code>a &lt; b</code>"),
        ("# Цены\nот 5", "<b>Цены</b>\n\nот 5"),
        ("- раз\n- два", "• раз\n• два"),
        ("2. раз\n3. два", "2. раз\n3. два"),
        ("[сайт](https://ex.ru/?a=1&b=2)", '<a href="https://ex.ru/?a=1&amp;b=2">сайт</a>'),
        ("[сайт](javascript:alert(1))", "[сайт](javascript:alert(1))"),
        ("<script>&nbsp;", "&lt;script&gt;\xa0"),
        ("![фото](https://ex.ru/a.png)", "фото"),
    ],
)
def test_how_it_looks(markdown, html):
    assert [part.html for part in markup.parts(markdown, most=4096)] == [html.strip()]


def test_length_is_counted_as_telegram_counts():
    assert markup.length("а😀") == 3
    assert [markup.length(part.text) for part in markup.parts("😀" * 5000, most=4096)] == [4096, 4096, 1808]
