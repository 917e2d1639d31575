"""Finding a quote in what somebody wrote: word for word, whatever keyboard and line breaks made of it."""

from __future__ import annotations

import re

#: the longest quote that is kept, in characters
QUOTE_MOST = 500
#: what models put around a quote and don't mean
_AROUND = " \t\r\n\"'«»“”„‚‘’…"
_SAME = (
    ("еёЕЁ", "[её]"),
    ("\"'«»“”„‚‘’`", "[\"'«»“”„‚‘’`]"),
    ("-\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "[-\u2010-\u2015\u2212]"),
)


def exact_words(quote: str, text: str) -> str:
    """The words of ``text`` that ``quote`` repeats, as they stand there; empty where it doesn't."""
    wanted = quote.strip(_AROUND)
    if not re.search(r"\w", wanted) or len(wanted) > QUOTE_MOST:
        return ""
    # whole words only: «50» is no quote of «500»
    before = r"(?<!\w)" if re.match(r"\w", wanted) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", wanted) else ""
    pattern = r"\s+".join("".join(map(_any_of_the_same, word)) for word in wanted.split())
    found = re.search(f"{before}{pattern}{after}", text, re.IGNORECASE)
    return found[0] if found else ""


def _any_of_the_same(character: str) -> str:
    return next((pattern for characters, pattern in _SAME if character in characters), re.escape(character))
