"""Why an article was found: which words of the question gave how much, in which part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.enums import Kind
from knowledge.models import Passage
from knowledge.search.parts import PARTS
from knowledge.search.query import Query, read
from knowledge.search.sparse import Amounts, Hit, Scored, hits_of


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
    """A question that staff tried: what was found and why, the words that were taken for others, and the synonyms."""

    hits: tuple[Explained, ...]
    replaced: Mapping[str, str]
    meant: Mapping[str, Sequence[str]]


def try_out(text: str, *, limit: int = 10) -> Trial:
    """Search as a customer would, and explain each hit."""
    query = read(text)
    all_amounts = Amounts.read(query)
    scored = all_amounts.summed()
    hits = hits_of(query, scored, limit=limit)
    return Trial(tuple(_explained(hit, query, all_amounts, scored) for hit in hits), query.replaced, query.meant)


def _explained(hit: Hit, query: Query, all_amounts: Amounts, scored: Scored) -> Explained:
    amounts: dict[str, dict[str, float]] = {part.name: {} for part in PARTS}
    asked = ""
    questions = list(Passage.objects.filter(article=hit.article, kind=Kind.QUESTION).order_by("position").only("text"))
    worth = scored.of([each.pk for each in questions])
    most, best_question = max(zip(worth, questions, strict=True), key=lambda each: each[0], default=(0.0, None))
    if best_question is not None and most > 0:
        asked = best_question.text
    for passage in (hit.passage, best_question):
        for place, amount in all_amounts.of_passage(passage.pk) if passage else ():
            term = query.terms[place]
            words = amounts[term.part.name]
            words[term.said] = words.get(term.said, 0.0) + amount
    return Explained(
        hit=hit,
        parts=tuple(
            PartOfScore(name, sum(words.values()), tuple(sorted(words.items(), key=lambda each: -each[1])))
            for name, words in amounts.items()
        ),
        question=asked,
    )
