"""An article's text as a reader gets it: with the prices of this moment, and links to where the reader can go."""

from __future__ import annotations

import re
from collections.abc import Callable

from knowledge import links
from pricing import placeholders

#: what would end a marker or part its ids
_UNFIT = re.compile(r"[\s%#,;\[\]【】<>]")


def reader(language: str = "ru") -> Callable[[str], str]:
    """Makes texts that belong together readable to a visitor; the catalogue is read once, and only if needed."""
    render = placeholders.renderer(language)
    return lambda text: render(links.shown(text))


def for_visitor(text: str, language: str = "ru") -> str:
    """One text, as a visitor reads it."""
    return reader(language)(text)


def label(external_id: str) -> str:
    """An article's id as a marker ``[#id]`` can hold it: whoever cites the article writes it so."""
    return _UNFIT.sub(
        lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace")), external_id
    )
