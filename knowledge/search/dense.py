"""Search by meaning: the question's vector beside the passages' vectors, in pgvector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from knowledge.embedding import asking, registry
from knowledge.embedding.models import Embedder
from knowledge.embedding.protocol import Vector, literal
from knowledge.models import Yardstick

#: up to so many passages every vector is looked at: exact, and quicker than it takes to say
EXACT_UPTO = 10_000
#: of those, the passages whose articles are compared
EXACT_BEST = 400
#: above, the index walks among so many candidates; its default of 40 loses every seventh neighbour
EF_SEARCH = 100
#: articles given back, for the other half to be added
ARTICLES = 200

_DISTANCE = "e.vector <#> %(vector)s::halfvec"
#: all passages of the articles that have a near one, and of those that the other half has found. The order by the
#: index is what makes the index the plan; the slot stands there in figures, because the index is partial
_NEAREST = """
    WITH walked AS MATERIALIZED (
        SELECT e.digest FROM knowledge_embedding e WHERE e.slot = {slot}
        ORDER BY {distance} LIMIT {most}
    ), articles AS MATERIALIZED (
        SELECT DISTINCT p.article_id FROM walked JOIN knowledge_passage p ON p.digest = walked.digest
        UNION SELECT unnest(%(articles)s::bigint[])
    )
    SELECT p.article_id, p.kind, p.id, -(e.vector <#> %(vector)s::halfvec) AS likeness
    FROM articles JOIN knowledge_passage p ON p.article_id = articles.article_id
    JOIN knowledge_embedding e ON e.embedder_id = %(embedder)s AND e.digest = p.digest
"""
_BY_ARTICLE = """
WITH near AS MATERIALIZED ({near})
SELECT article_id, max(likeness) FILTER (WHERE kind = 'body'),
       (array_agg(id ORDER BY likeness DESC, id) FILTER (WHERE kind = 'body'))[1],
       max(likeness) FILTER (WHERE kind = 'question')
FROM near GROUP BY article_id
ORDER BY (article_id = ANY(%(articles)s)) DESC, max(likeness) DESC, article_id LIMIT %(limit)s
"""
#: what the less alike of an article's best text and best question adds to the other
BESIDE = 0.3


@dataclass(frozen=True, slots=True)
class Near:
    """How alike an article is to the question: by its nearest text, that text's passage, by its nearest question.

    Cosines; none where the article has no such passage, or its vector isn't made yet.
    """

    article: int
    body: float | None
    passage: int | None
    question: float | None

    @property
    def likeness(self) -> float:
        """The better of text and question, and a little of the other: who fits in both fits better."""
        known = [each for each in (self.body, self.question) if each is not None]
        return (max(known) + BESIDE * min(known)) / (1 + BESIDE)


def serving() -> Embedder | None:
    """The embedder whose vectors answer questions, if there is one and its vendor is on."""
    if not registry.configured():
        return None
    embedder = Embedder.objects.filter(serves=True).first()
    return embedder if embedder is not None and registry.by_name(embedder.name) is not None else None


def question_vector(text: str, embedder: Embedder, *, names: Sequence[str] = ()) -> Vector | None:
    """The vector to search with, or none when the embedder doesn't answer at once."""
    return asking.vector_of(text, embedder, names=names) if text.strip() else None


def near(vector: Vector, embedder: Embedder, *, articles: Sequence[int] = (), limit: int = ARTICLES) -> list[Near]:
    """The articles nearest to a vector, nearest first, and before them the given ``articles`` that have vectors."""
    values = {
        "vector": literal(vector),
        "embedder": embedder.pk,
        "articles": list(articles),
        "limit": limit + len(articles),
    }
    if passages() <= EXACT_UPTO:
        # an order that no index has: every vector is looked at
        every = _NEAREST.format(slot=int(embedder.slot), most=EXACT_BEST, distance=f"({_DISTANCE}) + 0")
        return _found(_BY_ARTICLE.format(near=every), values)
    walked = _NEAREST.format(slot=int(embedder.slot), most=EF_SEARCH, distance=_DISTANCE)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL hnsw.ef_search = {EF_SEARCH}")
        return _found(_BY_ARTICLE.format(near=walked), values)


def passages() -> int:
    """How many passages there are, from the sums that the index keeps."""
    return sum(sum(row) for row in Yardstick.objects.values_list("bodies", "questions"))


def _found(statement: str, values: dict[str, Any]) -> list[Near]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [Near(*row) for row in cursor.fetchall()]
