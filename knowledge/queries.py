"""Reads: articles with the state of their index."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, CharField, F, OuterRef, QuerySet, Subquery, Value, When

from common.promise import State
from knowledge.enums import IndexState, Status
from knowledge.models import Article, Indexing


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
