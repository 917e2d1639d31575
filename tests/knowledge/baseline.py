"""The plain method that search is measured against: BM25 over dictionary forms, in memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import pymorphy3

from knowledge.words import split

_morphology = pymorphy3.MorphAnalyzer()
_forms: dict[str, str] = {}


def lemmas(text: str) -> list[str]:
    for word in split(text):
        if word not in _forms:
            _forms[word] = _morphology.parse(word)[0].normal_form
    return [_forms[word] for word in split(text)]


class PlainBm25:
    """BM25 with its usual constants over whole entries."""

    def __init__(self, entries: dict[str, str], k1: float = 1.2, b: float = 0.75) -> None:
        self.k1, self.b = k1, b
        self.counts = {name: Counter(lemmas(text)) for name, text in entries.items()}
        self.average = sum(sum(each.values()) for each in self.counts.values()) / len(entries)
        self.seen = Counter(word for each in self.counts.values() for word in each)

    def search(self, text: str, limit: int = 10) -> list[str]:
        scores: dict[str, float] = {}
        for name, counts in self.counts.items():
            scale = self.k1 * (1 - self.b + self.b * sum(counts.values()) / self.average)
            score = sum(
                self._rarity(word) * counts[word] * (self.k1 + 1) / (counts[word] + scale)
                for word in set(lemmas(text))
                if word in counts
            )
            if score:
                scores[name] = score
        return sorted(scores, key=lambda name: (-scores[name], name))[:limit]

    def _rarity(self, word: str) -> float:
        return math.log(1 + (len(self.counts) - self.seen[word] + 0.5) / (self.seen[word] + 0.5))


def ndcg(found: Sequence[str], right: Iterable[str]) -> float:
    """Normalised discounted gain of the first ten, where each right one counts the same."""
    right = set(right)
    gain = sum(1 / math.log2(place + 2) for place, name in enumerate(found[:10]) if name in right)
    return gain / sum(1 / math.log2(place + 2) for place in range(min(10, len(right))))
