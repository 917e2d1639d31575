"""Text from outside and Markdown: stored as it was said, shown without harm."""

from __future__ import annotations

import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.markdown import to_html
from common.text import clean


class Tags(HTMLParser):
    """The tags of a page as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


@pytest.mark.parametrize(
    "text, cleaned",
    [
        ("hello", "hello"),
        ("a\x00b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("a\r\nb\rc\u2028d\u2029e\x85f", "a\nb\nc\nd\ne\nf"),
        ("a\x07\x1b[31mb\x7f\x9bc", "a[31mbc"),
        ("tab\tand\nnewline", "tab\tand\nnewline"),
        ("и\u0306", "й"),
        ("е\u0308лка", "ёлка"),
        ("👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦"),
        ("\u202eabc\u202c", "\u202eabc\u202c"),
        ("zero\u200bwidth\ufeff", "zero\u200bwidth\ufeff"),
        ("<script>alert(1)</script> {{7*7}} %s", "<script>alert(1)</script> {{7*7}} %s"),
        ("", ""),
    ],
)
def test_text_is_stored_as_it_was_said_where_it_can_be(text, cleaned):
    assert clean(text) == cleaned


@pytest.mark.parametrize("value", [None, 5, True, {"a": 1}, ["a"], b"bytes"])
def test_only_text_is_text(value):
    with pytest.raises(TypeError):
        clean(value)


@given(st.text(alphabet=st.characters(codec=None)))
def test_whatever_comes_can_be_stored_and_cleaning_twice_is_cleaning_once(text):
    cleaned = clean(text)

    cleaned.encode("utf-8")
    assert "\x00" not in cleaned
    assert clean(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)


def test_markdown_of_an_article_is_rendered():
    html = to_html("## Цены\n\n**34 900 ₽** в месяц\n\n- раз\n- два\n\n| a | b |\n|---|---|\n| 1 | 2 |")

    assert "<h2>Цены</h2>" in html
    assert "<strong>34 900 ₽</strong>" in html
    assert html.count("<li>") == 2
    assert "<td>1</td>" in html


def test_links_open_apart_and_tell_nobody_where_from():
    assert to_html("[сайт](https://example.com)") == (
        '<p><a href="https://example.com" target="_blank" rel="noopener noreferrer nofollow">сайт</a></p>'
    )


@pytest.mark.parametrize("address", ["mailto:a@b.ru", "tel:+79161234567", "http://example.com/"])
def test_usual_schemes_are_links(address):
    assert f'href="{address}"' in to_html(f"[x]({address})")


@pytest.mark.parametrize(
    "markdown",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:x)",
        "[x](file:///etc/passwd)",
        '<a href="javascript:alert(1)">x</a>',
        "<svg/onload=alert(1)>",
        "<iframe src=//evil></iframe>",
        "[x]: javascript:alert(1)\n\n[x]",
        "<javascript:alert(1)>",
        '[x](https://a.b "onmouseover=alert(1) x=\\"")',
        "`<script>`\n```html\n<script>alert(1)</script>\n```",
        '```"><script>alert(1)</script>\nx\n```',
    ],
)
def test_nothing_in_markdown_becomes_script(markdown):
    found = Tags(to_html(markdown)).found

    assert {tag for tag, _ in found} <= {"p", "a", "code", "pre"}
    assert {name for _, attributes in found for name in attributes} <= {"href", "title", "target", "rel", "class"}
    assert all(attributes.get("href", "https:").startswith("https:") for _, attributes in found)


def test_a_picture_leaves_its_words_and_not_its_address():
    assert to_html("до ![снимок *экрана*](https://evil.example/?q=secret) после") == "<p>до снимок экрана после</p>"


def test_a_long_article_is_rendered_whole():
    assert to_html("слово **жирное** [x](https://a.b)\n\n" * 3_000).count("<p>") == 3_000
