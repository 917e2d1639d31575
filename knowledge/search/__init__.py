"""Search: a question in, articles out, best first."""

from __future__ import annotations

from knowledge.search.fused import Fused
from knowledge.search.sparse import Hit, Searcher

__all__ = ["UNSURE", "Hit", "Searcher", "search"]

#: below this share of the possible score it is more likely than not that nothing here answers the question
UNSURE = 0.34

#: by words, and by meaning too where there is an embedder
_searcher: Searcher = Fused()


def search(text: str, *, limit: int = 10) -> list[Hit]:
    """The articles that answer ``text`` best, each once with its best passage, best first; at most ``limit``."""
    return _searcher.search(text, limit=limit)
