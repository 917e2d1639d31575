"""Markdown to HTML that is safe to put into a page, whoever wrote the Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code"),
    *("strong", "em", "s", "a", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "code": {"class"}}
SCHEMES = {"http", "https", "mailto", "tel"}


@cache
def _renderer() -> MarkdownIt:
    # html=False: tags in the source are shown as text
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    markdown.add_render_rule("image", _only_its_words)
    return markdown


def _only_its_words(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    # no pictures: fetching one would carry away whatever its address holds
    return escapeHtml(renderer.renderInlineAsText(tokens[at].children or [], options, env))


def to_html(markdown: str) -> str:
    """HTML of an allow-list of tags, without images; links are http, https, mailto or tel and open apart."""
    html = nh3.clean(
        _renderer().render(markdown),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return html.strip()
