"""Links in articles: which are sound, and what of them a visitor sees."""

from __future__ import annotations

import time

import pytest

from common.markdown import to_html
from knowledge import links

KNOWN = {"discounts", "deep/bare", "с пробелом"}


def problems(text: str) -> list[str]:
    return links.problems(text, known=KNOWN.intersection)


@pytest.mark.parametrize(
    "text",
    [
        "[скидки](article:discounts)",
        "[скидки](article:deep/bare 'подсказка')",
        "[скидки](<article:discounts>)",
        "[скидки](article:%D1%81%20%D0%BF%D1%80%D0%BE%D0%B1%D0%B5%D0%BB%D0%BE%D0%BC)",
        "[сеть\nкофеен](article:discounts)",
        '[сайт](https://example.com/a_(b)?x=1#y "подсказка")',
        "[сайт](https://пример.рф/страница)",
        "[почта](mailto:sales@example.com?subject=x) и [телефон](tel:+79161234567)",
        "<https://example.com>",
        "`[код](нет)` и\n```\n[код](нет)\n```\n",
        "![картинка](нет)",
        "Обычные [скобки] и (скобки), массив[0]",
        "[Клиент]: здравствуйте",
        "Цена {{ price:ai_manager.business }} [в месяц]",
    ],
)
def test_a_sound_link_is_no_problem(text):
    assert problems(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "[скидки](article:no_such)",
        "[скидки](article:)",
        "[](article:discounts)",
        "[сайт](www.example.com)",
        "[сайт](example.com:8000/x)",
        "[сайт](/prices)",
        "[сайт](prices.md)",
        "[сайт](#якорь)",
        "[сайт]()",
        "[сайт](http//example.com)",
        "[сайт](https://)",
        "[сайт](https://exa mple.com)",
        "[сайт](javascript:alert(1))",
        "[сайт](JavaScript:alert(1))",
        "[сайт](data:text/html,x)",
        "[сайт](ftp://example.com/x)",
        "[сайт](file:///etc/passwd)",
        "[почта](mailto:sales)",
        "[телефон](tel:позвоните)",
        "<ftp://example.com>",
        "[сайт]: ftp://example.com",
    ],
)
def test_a_broken_dead_or_unsafe_link_is_named_with_its_line(text):
    (problem,) = problems(f"Раз.\n\n{text}\n")

    assert "3" in problem


def test_each_link_is_told_of_once():
    assert len(problems("[a](x) [a](x)\n[b](y)")) == 2


def test_articles_are_found_in_order_each_once():
    assert links.articles("[a](article:x) [b](https://example.com) [c](article:y#z) [d](article:x)") == ["x", "y#z"]


def test_a_visitor_sees_the_words_of_a_link_to_an_article_and_follows_the_others():
    text = "См. [скидки](article:discounts), **[пакет](article:no_such)** и [сайт](https://example.com)."

    html = to_html(links.shown(text))

    assert links.shown(text) == "См. скидки, **пакет** и [сайт](https://example.com)."
    assert html.count("<a ") == 1 and "article:" not in html


@pytest.mark.parametrize(
    "text", ["[" * 500_000, "[a](" * 200_000, "[a](article:" * 100_000, "`" * 500_000, "<a:" * 200_000]
)
def test_a_nasty_text_takes_no_time(text):
    began = time.perf_counter()

    problems(text)
    links.shown(text)

    assert time.perf_counter() - began < 3
