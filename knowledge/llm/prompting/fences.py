"""Fences around what others have written, so that a model takes it for data and never for instructions.

Only we write tags: in all that comes from outside, whatever could be read as the beginning of one gets another bracket.
"""

from __future__ import annotations

import re

#: a bracket that could open or close a tag: before a letter, however much that can't be seen stands between
_OPENING = re.compile(r"[<\uFF1C](?=[\s/\\\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*[^\W\d_])")


def harmless(text: str) -> str:
    """The text without anything that reads like a tag; «<15 минут» stays."""
    return _OPENING.sub("‹", text)


def fenced(tag: str, text: str) -> str:
    """Somebody's text inside a tag of ours."""
    return f"<{tag}>\n{harmless(text).strip()}\n</{tag}>"
