"""Why an article was found: which words of the question gave how much, in which part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from knowledge.enums import Kind
from knowledge.models import Passage
from knowledge.search.parts import PARTS
from knowledge.search.query import Query, Term, read
from knowledge.search.sparse import Hit, Sparse


@dataclass(frozen=True)
class PartOfScore:
    """What one part gave, and the words it came from, the weightiest first."""

    name: str
    amount: float
    words: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Explained:
    """A hit with the parts of its score. ``question`` is the one of its questions that fitted best, if any did."""

    hit: Hit
    parts: tuple[PartOfScore, ...]
    question: str


@dataclass(frozen=True)
class Trial:
    """A question that staff tried: what was found and why, and the words that were taken for others."""

    hits: tuple[Explained, ...]
    replaced: Mapping[str, str]


def try_out(text: str, *, limit: int = 10) -> Trial:
    """Search as a customer would, and explain each hit."""
    query = read(text)
    hits = Sparse().search_for(query, limit=limit)
    return Trial(tuple(_explained(hit, query) for hit in hits), query.replaced)


def _explained(hit: Hit, query: Query) -> Explained:
    terms = {term.mark: term for term in query.terms}
    amounts: dict[str, dict[str, float]] = {part.name: {} for part in PARTS}
    asked = ""
    questions = Passage.objects.filter(article=hit.article, kind=Kind.QUESTION).order_by("position")
    best_question = max(questions, key=lambda each: _score(each, terms), default=None)
    if best_question is not None and _score(best_question, terms) > 0:
        asked = best_question.text
    for passage in (Passage.objects.get(pk=hit.passage.pk), best_question):
        for mark, factor in zip(passage.marks, passage.factors, strict=True) if passage else ():
            if term := terms.get(mark):
                words = amounts[term.part.name]
                words[term.said] = words.get(term.said, 0.0) + term.weight * factor
    return Explained(
        hit=hit,
        parts=tuple(
            PartOfScore(name, sum(words.values()), tuple(sorted(words.items(), key=lambda each: -each[1])))
            for name, words in amounts.items()
        ),
        question=asked,
    )


def _score(passage: Passage, terms: Mapping[int, Term]) -> float:
    return sum(
        terms[mark].weight * factor
        for mark, factor in zip(passage.marks, passage.factors, strict=True)
        if mark in terms
    )
