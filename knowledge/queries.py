"""Reads: articles with the state of their index."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Case, CharField, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import RawSQL

from common.promise import State
from knowledge.enums import Doubt, IndexState, Status
from knowledge.models import Article, Indexing
from pricing import placeholders


def with_index_state(articles: QuerySet[Article]) -> QuerySet[Any]:
    """The articles with ``index_state`` (an ``IndexState``) and ``index_problem``, in the same query."""
    newest = Indexing.objects.filter(article=OuterRef("pk")).order_by("-version")
    return articles.annotate(
        owed_state=Subquery(newest.values("state")[:1]),
        owed_version=Subquery(newest.values("version")[:1]),
        index_problem=Subquery(newest.values("problem")[:1]),
    ).annotate(
        index_state=Case(
            When(owed_state__in=[State.BROKEN, State.UNCERTAIN], then=Value(IndexState.PROBLEM)),
            When(owed_state__in=[State.DUE, State.TAKEN], then=Value(IndexState.WAITING)),
            When(status=Status.DRAFT, then=Value(IndexState.NOT_SEARCHED)),
            When(owed_state=State.KEPT, owed_version=F("version"), then=Value(IndexState.INDEXED)),
            default=Value(IndexState.WAITING),
            output_field=CharField(),
        )
    )


def with_doubt(articles: QuerySet[Article]) -> QuerySet[Any]:
    """The articles with ``doubt``, the gravest that there is about each (a ``Doubt``), or empty.

    What the catalogue has taken away, and articles that are gone, are looked up now: nobody has to tell the articles.
    """
    return articles.annotate(
        doubt=Case(
            When(~Q(placeholder_codes__contained_by=placeholders.alive()), then=Value(Doubt.PLACEHOLDER)),
            When(_leads_nowhere(), then=Value(Doubt.LINK)),
            When(~Q(typed_figures=[]), then=Value(Doubt.FIGURE)),
            default=Value(""),
            output_field=CharField(),
        )
    )


def _leads_nowhere() -> RawSQL:
    """That one of the articles it links to is gone. An array can't be joined by the ORM."""
    return RawSQL(
        "EXISTS (SELECT 1 FROM unnest(knowledge_article.linked) AS aim(name)"
        " WHERE NOT EXISTS (SELECT 1 FROM knowledge_article AS other WHERE other.external_id = aim.name))",
        (),
        output_field=BooleanField(),
    )


def doubted() -> int:
    """How many published articles have a dead placeholder or link, so that visitors read less than was written."""
    rows = with_doubt(Article.objects.published())
    return rows.filter(doubt__in=[Doubt.PLACEHOLDER, Doubt.LINK]).count()
