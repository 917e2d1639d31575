"""Search by words: the question's vector times the passages' vectors, summed in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db import connection

from knowledge.enums import Kind, Status
from knowledge.models import Article, Passage
from knowledge.search.query import Query, read

#: Passages by score, then for each article its best text and its best question, added up. The inner sum is nearly all
#: the work and reads the covering index only; of its passages the first thousand can still matter. Articles that were
#: withdrawn are left out here and at once; their postings go when the index is written.
SCORES = """
WITH scored AS (
    SELECT posting.passage, sum(asked.weight * posting.factor) AS score
    FROM unnest(%(marks)s::bigint[], %(weights)s::real[]) AS asked(mark, weight)
    JOIN knowledge_posting AS posting ON posting.mark = asked.mark
    GROUP BY posting.passage ORDER BY score DESC LIMIT 1000
), best AS (
    SELECT DISTINCT ON (p.article_id, p.kind) p.article_id, p.kind, p.id AS passage, scored.score
    FROM scored JOIN knowledge_passage AS p ON p.id = scored.passage
    ORDER BY p.article_id, p.kind, scored.score DESC, p.id
), articles AS (
    SELECT article_id, sum(score) AS score,
           max(score) FILTER (WHERE kind = 'body') AS body, max(passage) FILTER (WHERE kind = 'body') AS body_passage,
           max(score) FILTER (WHERE kind = 'question') AS question
    FROM best GROUP BY article_id ORDER BY score DESC, article_id LIMIT %(limit)s + 50
)
SELECT articles.article_id, articles.score, articles.body, articles.body_passage, articles.question
FROM articles JOIN knowledge_article AS a ON a.id = articles.article_id AND a.status = 'published'
ORDER BY articles.score DESC, articles.article_id LIMIT %(limit)s
"""


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
        return _hits(scores(query, limit=limit), query)


def scores(query: Query, *, limit: int) -> list[Any]:
    """Rows of article, score, score of its text, the text's passage, score of its question; best first."""
    if not query.terms or limit < 1:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            SCORES,
            {
                "marks": [term.mark for term in query.terms],
                "weights": [term.weight for term in query.terms],
                "limit": limit,
            },
        )
        return cursor.fetchall()


def _hits(rows: Sequence[Any], query: Query) -> list[Hit]:
    readable = Passage.objects.select_related("article").defer("marks", "factors", "article__body")
    passages = readable.in_bulk([row[3] for row in rows if row[3] is not None])
    found = {passage.article_id: passage for passage in passages.values()}
    by_question_alone = [row[0] for row in rows if row[3] is None]
    if by_question_alone:
        # what there is to read is its first passage
        for passage in readable.filter(article__in=by_question_alone, kind=Kind.BODY, position=0):
            found[passage.article_id] = passage
    hits = []
    for article_id, score, body, _passage, question in rows:
        if article_id not in found or found[article_id].article.status != Status.PUBLISHED:
            continue  # it went away between the two looks
        passage = found[article_id]
        hits.append(
            Hit(
                article=passage.article,
                passage=passage,
                score=float(score),
                share=min(1.0, float(score) / query.possible) if query.possible else 0.0,
                parts={"text": float(body or 0), "question": float(question or 0)},
            )
        )
    return hits
