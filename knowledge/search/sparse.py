"""Search by words: the lists of the question's marks come from PostgreSQL, and are weighed and added up here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from common import driver
from knowledge.enums import Kind, Status
from knowledge.models import Article, Passage
from knowledge.search.parts import TITLE_SHARE
from knowledge.search.postings import COUNT_AT, COUNT_MOST, LENGTH_MOST, LIGHT, OFFSET_AT, POSTING, SPAN
from knowledge.search.query import Query, Term, read

LISTS = "SELECT mark, range, postings FROM knowledge_postinglist WHERE mark = ANY(%s::int[])"

#: all passages of the articles that the best passages belong to
BELONGING = """
SELECT p.id, p.article_id, p.kind, p.position
FROM (SELECT DISTINCT article_id FROM knowledge_passage WHERE id = ANY(%s::int[])) AS best
JOIN knowledge_passage AS p USING (article_id)
"""
#: passages, by score, whose articles are looked at: more than there may be hits, since articles have several passages
#: and a good text and a good question together beat a better one alone
BEST = 150
#: hits looked for beyond the limit, since some may have been withdrawn; their postings go when the index is written
SPARE = 20

T = TypeVar("T")


@dataclass(frozen=True)
class Hit:
    """An article that was found, with the passage that answers best.

    ``score`` compares hits of one question only. ``share`` (0 to 1) is the part of the possible score, and compares
    questions: below about ``UNSURE`` it is likely that nothing here answers. ``parts`` says where the score is from.
    """

    article: Article
    passage: Passage
    score: float
    share: float
    parts: dict[str, float] = field(default_factory=dict)


class Searcher(Protocol):
    """Whoever finds articles for a question. Scores of several are added, never ranks: that is measurably better."""

    def search(self, text: str, *, limit: int) -> list[Hit]:
        """The best articles, each once, best first; at most ``limit``."""
        ...


class Sparse:
    """The searcher by words; needs no model and no network."""

    def search(self, text: str, *, limit: int) -> list[Hit]:
        return self.search_for(read(text), limit=limit)

    def search_for(self, query: Query, *, limit: int) -> list[Hit]:
        """The same for a question that has been read already."""
        return hits_of(query, score(query), limit=limit)


@dataclass(frozen=True, slots=True)
class Scored:
    """Each passage that has something of the question, with its score; ids go up."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float64]

    def of(self, passages: Sequence[int]) -> list[float]:
        """The scores of these passages; 0.0 where nothing of the question is in one."""
        if not len(self.ids):
            return [0.0] * len(passages)
        wanted = np.asarray(passages, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        return np.where(self.ids[places] == wanted, self.scores[places], 0.0).tolist()  # type: ignore[no-any-return]

    def best(self, number: int) -> list[int]:
        """The ids with the highest scores, in no order."""
        if len(self.ids) > number:
            return self.ids[np.argpartition(self.scores, -number)[-number:]].tolist()  # type: ignore[no-any-return]
        return self.ids.tolist()  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class ArticleScore:
    """What an article is worth to a question: its best text and its best question, added up, and what to read."""

    article: int
    score: float
    text: float
    passage: int | None
    question: float


def score(query: Query) -> Scored:
    """The sums over the postings of the question's marks."""
    return Amounts.read(query).summed()


@dataclass(frozen=True, slots=True)
class Amounts:
    """What each posting adds. ``terms`` (places in the query), ``ranges`` and ``lengths`` are by list, the rest by
    posting: where in its range the passage is, and how much it gets."""

    terms: NDArray[np.int64]
    ranges: NDArray[np.int64]
    lengths: NDArray[np.int64]
    offsets: NDArray[np.int64]
    values: NDArray[np.float32]

    @classmethod
    def read(cls, query: Query) -> Amounts:
        places = {term.mark: place for place, term in enumerate(query.terms)}
        rows = _lists(list(places)) if places else []
        lengths = np.array([len(data) // POSTING.itemsize for _mark, _range, data in rows], dtype=np.int64)
        terms = np.array([places[mark] for mark, _range, _data in rows], dtype=np.int64)
        ranges = np.array([each for _mark, each, _data in rows], dtype=np.int64)
        postings = np.frombuffer(b"".join(data for _mark, _range, data in rows), dtype=POSTING)
        constants = np.array([_constants(term, query) for term in query.terms] or [(0, 0, 0)], dtype=np.float32)
        weight, flat, slope = (np.repeat(each[terms], lengths) for each in constants.T)
        count = (postings >> COUNT_AT & COUNT_MOST).astype(np.float32)
        values = weight * count / (count + flat + slope * (postings & LENGTH_MOST).astype(np.float32))
        values[(postings & LIGHT) != 0] *= TITLE_SHARE
        return cls(terms, ranges, lengths, (postings >> OFFSET_AT).astype(np.int64), values)

    def summed(self) -> Scored:
        """What each passage gets altogether."""
        # ids are sparse where much was changed: sums are kept for the ranges that are there, not from zero on
        ranges, place = np.unique(self.ranges, return_inverse=True)
        sums = np.bincount(
            np.repeat(place * SPAN, self.lengths) + self.offsets, self.values, minlength=len(ranges) * SPAN
        )
        there = np.flatnonzero(sums)
        return Scored(ranges[there // SPAN] * SPAN + there % SPAN, sums[there].astype(np.float64))

    def of_passage(self, passage: int) -> list[tuple[int, float]]:
        """What a passage gets: from which terms (places in the query), how much."""
        mine = np.repeat(self.ranges * SPAN, self.lengths) + self.offsets == passage
        terms = np.repeat(self.terms, self.lengths)[mine]
        return list(zip(terms.tolist(), self.values[mine].tolist(), strict=True))


def _constants(term: Term, query: Query) -> tuple[float, float, float]:
    """BM25 of a term is ``weight * count / (count + flat + slope * length)``: its three constants."""
    part, average = term.part, query.averages[term.part.kind]
    usual = (average.runs if part.marks == "run" else average.words) or 1.0
    return term.weight * (part.k1 + 1), part.k1 * (1 - part.b), part.k1 * part.b / usual


def _lists(marks: list[int]) -> list[tuple[int, int, bytes]]:
    with driver.cursor() as cursor:
        return cursor.execute(LISTS, [marks], binary=True).fetchall()


def hits_of(query: Query, scored: Scored, *, limit: int) -> list[Hit]:
    """The best published articles for a question whose postings are added up already; at most ``limit``."""
    if limit < 1:
        return []
    found = articles(scored, limit=limit + SPARE)
    return published_first(found, partial(_hits, query=query), limit=limit)


def published_first(found: Sequence[T], hits: Callable[[Sequence[T]], list[Hit]], *, limit: int) -> list[Hit]:
    """The first ``limit`` of what was found; the spare ones are only read where some before them were withdrawn."""
    made = hits(found[:limit])
    if len(made) < min(limit, len(found)):
        made += hits(found[limit:])
    return made[:limit]


def articles(scored: Scored, *, limit: int) -> list[ArticleScore]:
    """The best articles, best first."""
    best = scored.best(max(BEST, 5 * limit))
    if not best:
        return []
    with connection.cursor() as cursor:
        cursor.execute(BELONGING, [best])
        rows = cursor.fetchall()
    found: dict[int, dict[str, tuple[float, int]]] = {}
    first: dict[int, int] = {}
    for value, (passage, article, kind, position) in zip(scored.of([row[0] for row in rows]), rows, strict=True):
        if kind == Kind.BODY and position == 0:
            first[article] = passage
        mine = found.setdefault(article, {})
        # the best of its kind, and of equals the earliest
        if value and (kind not in mine or (value, -passage) > (mine[kind][0], -mine[kind][1])):
            mine[kind] = value, passage
    worth = []
    for article, mine in found.items():
        # found by a question alone: what there is to read is its first passage
        text, passage = mine.get(Kind.BODY, (0.0, first.get(article)))
        question, _passage = mine.get(Kind.QUESTION, (0.0, None))
        worth.append(ArticleScore(article, text + question, text, passage, question))
    return sorted(worth, key=lambda each: (-each.score, each.article))[:limit]


def _hits(found_articles: Sequence[ArticleScore], query: Query) -> list[Hit]:
    passages = published(pk__in=[each.passage for each in found_articles if each.passage is not None])
    return [
        Hit(
            article=passage.article,
            passage=passage,
            score=each.score,
            share=min(1.0, each.score / query.possible) if query.possible else 0.0,
            parts={"text": each.text, "question": each.question},
        )
        for each in found_articles
        if (passage := passages.get(each.article)) is not None
    ]


def published(**wanted: Any) -> dict[int, Passage]:
    """The passages that are ``wanted``, by article; of what was withdrawn there are none, whatever the index holds."""
    rows = Passage.objects.select_related("article").defer("marks", "article__body")
    return {passage.article_id: passage for passage in rows.filter(article__status=Status.PUBLISHED, **wanted)}
