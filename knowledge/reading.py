"""An article's text as a reader gets it: with the prices of this moment, and links to where the reader can go."""

from __future__ import annotations

from collections.abc import Callable

from knowledge import links
from pricing import placeholders


def reader(language: str = "ru") -> Callable[[str], str]:
    """Makes texts that belong together readable to a visitor; the catalogue is read once, and only if needed."""
    render = placeholders.renderer(language)
    return lambda text: render(links.shown(text))


def for_visitor(text: str, language: str = "ru") -> str:
    """One text, as a visitor reads it."""
    return reader(language)(text)
