"""Search: a question in, articles out, best first."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.search.fused import Fused
from knowledge.search.sparse import Hit, Searcher

__all__ = ["UNSURE", "Hit", "Searcher", "search"]

#: below this share of the possible score it is more likely than not that nothing here answers the question
UNSURE = 0.325


def search(text: str, *, limit: int = 10, names: Sequence[str] = ()) -> list[Hit]:
    """The articles that answer ``text`` best, each once with its best passage, best first; at most ``limit``.

    By words, and by meaning too where there is an embedder. ``names`` are the customer's: no embedder hears them.
    """
    searcher: Searcher = Fused(names)
    return searcher.search(text, limit=limit)
