"""Both halves of search together: by words and by meaning. Without vectors the words stand alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.embedding.models import Embedder
from knowledge.embedding.protocol import Vector
from knowledge.enums import Kind
from knowledge.search import dense
from knowledge.search.dense import Near
from knowledge.search.query import Query, read
from knowledge.search.sparse import SPARE, ArticleScore, Hit, Sparse, articles, published, published_first, score

#: what likeness counts beside words. On the labelled set of ``benchmarks/data/retrieval`` all between 0.45 and 0.7 is
#: equally good; the middle trusts neither half more
WEIGHT = 0.5
#: articles that each half hands over; of the other half's an exact score is looked up, none is taken for nothing
CANDIDATES = 200
#: what likeness alone is worth where the question is whether anything here answers at all: with half of it the same
#: ``UNSURE`` lets the same few foreign questions pass as without vectors, and keeps more of those that have an answer
SURE_BY_LIKENESS = 0.5


@dataclass(frozen=True, slots=True)
class _Both:
    """An article in both halves, each from 0 to 1."""

    article: int
    words: float
    likeness: float
    text: float
    question: float
    passage: int | None
    near: Near | None

    @property
    def score(self) -> float:
        return (1 - WEIGHT) * self.words + WEIGHT * self.likeness


class Fused:
    """The searcher that adds what words say and what vectors say. Scores are added, never ranks.

    ``names`` are hidden from the embedder, as all personal data that shows by its form.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names = names
        self._sparse = Sparse()

    def search(self, text: str, *, limit: int) -> list[Hit]:
        embedder = dense.serving()
        vector = dense.question_vector(text, embedder, names=self._names) if embedder is not None else None
        query = read(text)
        if embedder is None or vector is None:
            return self._sparse.search_for(query, limit=limit)
        return fused(query, vector, embedder, limit=limit)


def fused(query: Query, vector: Vector, embedder: Embedder, *, limit: int) -> list[Hit]:
    """The best by both halves, best first."""
    if limit < 1:
        return []
    by_words = articles(score(query), limit=max(CANDIDATES, limit))
    found = [each.article for each in by_words]
    by_meaning = dense.near(vector, embedder, articles=found, limit=max(CANDIDATES, limit))
    both = _together(by_words, by_meaning, embedder, query.possible)
    both.sort(key=lambda each: (-each.score, each.article))
    return published_first(both[: limit + SPARE], _hits, limit=limit)


def _together(
    by_words: Sequence[ArticleScore], by_meaning: Sequence[Near], embedder: Embedder, possible: float
) -> list[_Both]:
    """All articles of either half, each half's score as a part of what is possible there."""
    words = {each.article: each for each in by_words}
    near = {each.article: each for each in by_meaning}
    found = []
    for article in dict.fromkeys([*words, *near]):
        mine = words.get(article, ArticleScore(article, 0.0, 0.0, None, 0.0))
        share = mine.score / possible if possible else 0.0
        found.append(
            _Both(
                article=article,
                words=share,
                likeness=_likeness(near.get(article), embedder, otherwise=share),
                text=mine.text,
                question=mine.question,
                passage=mine.passage,
                near=near.get(article),
            )
        )
    return found


def _likeness(near: Near | None, embedder: Embedder, *, otherwise: float) -> float:
    """How far from what strangers have in common on the way to being the same.

    An article without vectors, just written, is judged by its words alone.
    """
    if near is None:
        return otherwise
    return max(0.0, (near.likeness - embedder.strange) / (1 - embedder.strange))


def _hits(both: Sequence[_Both]) -> list[Hit]:
    chosen = {each.article: _passage(each) for each in both}
    found = published(pk__in=[pk for pk in chosen.values() if pk is not None])
    bare = [article for article in chosen if article not in found]
    if bare:
        # found by a question alone: what there is to read is its first passage
        found |= published(article__in=bare, kind=Kind.BODY, position=0)
    return [
        Hit(
            article=passage.article,
            passage=passage,
            score=each.score,
            share=_sure(each),
            parts={"text": each.text, "question": each.question, "likeness": each.near.likeness if each.near else 0.0},
        )
        for each in both
        if (passage := found.get(each.article)) is not None
    ]


def _passage(each: _Both) -> int | None:
    """The passage to read: of the half that speaks more for the article."""
    by_meaning = each.near.passage if each.near else None
    if not each.text or (by_meaning is not None and each.likeness > each.words):
        return by_meaning or each.passage
    return each.passage


def _sure(each: _Both) -> float:
    return min(1.0, max(each.words, SURE_BY_LIKENESS * each.likeness))
