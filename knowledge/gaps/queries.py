"""Reads: what a group asks, which articles might answer it, and whether the search finds that by now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from common.fields import readable
from common.masking import WRITTEN_MARK
from knowledge.gaps import grouping
from knowledge.gaps.enums import GapState
from knowledge.gaps.heard import is_sure
from knowledge.gaps.models import Gap, GapQuestion
from knowledge.models import QUESTION_MOST, Article
from knowledge.search import search

#: wordings that are tried, and suggested as questions of an article
WORDINGS_MOST = 10
#: wordings that articles are looked for with
_SEARCHED_WITH = 3
SUGGESTIONS_MOST = 5


def open_count() -> int:
    """How many groups wait for somebody to decide."""
    return Gap.objects.filter(state=GapState.OPEN).count()


def with_faces(gaps: QuerySet[Gap]) -> QuerySet[Gap]:
    """The groups with their different wordings as ``faces``, in one query more."""
    faces = GapQuestion.objects.filter(face=True).order_by("asked_at")
    return gaps.prefetch_related(Prefetch("questions", queryset=faces, to_attr="faces"))


def name_of(gap: Any) -> str:
    """The question that says best what a group asks."""
    best = grouping.best_of(gap.faces)
    return str(readable(best, "text")) if best is not None else "—"


def wordings(gap: Any) -> list[str]:
    """The group's different wordings, the best first."""
    texts = [name_of(gap), *(str(readable(each, "text")) for each in gap.faces)]
    return list(dict.fromkeys(texts))[:WORDINGS_MOST]


def fit_for_article(texts: Iterable[str]) -> list[str]:
    """Those that may stand in an article: without marks in place of personal data."""
    return [text[:QUESTION_MOST] for text in texts if not WRITTEN_MARK.search(text)]


@dataclass(frozen=True)
class Suggestion:
    """An article that may answer; ``share`` of the possible score in per cent."""

    article: Article
    share: int
    sure: bool


def suggestions(texts: Sequence[str]) -> list[Suggestion]:
    """The articles that the search holds nearest to these wordings, the surest first."""
    found: dict[int, tuple[float, Article]] = {}
    for text in texts[:_SEARCHED_WITH]:
        for hit in search(text, limit=SUGGESTIONS_MOST):
            if hit.share > found.get(hit.article.pk, (0.0, hit.article))[0]:
                found[hit.article.pk] = (hit.share, hit.article)
    best = sorted(found.values(), key=lambda each: -each[0])[:SUGGESTIONS_MOST]
    return [Suggestion(article, round(share * 100), is_sure(share)) for share, article in best]


def articles_named(text: str, *, limit: int = 20) -> list[Article]:
    """Articles, drafts too, with all these words in their titles."""
    wanted = Q()
    for each in text.split()[:10]:
        wanted &= Q(title__icontains=each)
    return list(Article.objects.filter(wanted).defer("body")[:limit])


@dataclass(frozen=True)
class Trial:
    """What the search finds for a wording at this moment."""

    text: str
    article: Article | None
    share: int
    sure: bool
    #: the article is the one that was meant to answer
    meant: bool


def try_now(gap: Gap, texts: Sequence[str]) -> list[Trial]:
    """Ask the search again with each wording."""
    trials = []
    for text in texts:
        hits = search(text, limit=1)
        if hits:
            article, share = hits[0].article, hits[0].share
            meant = article.pk == gap.article_id
            trials.append(Trial(text, article, round(share * 100), is_sure(share), meant))
        else:
            trials.append(Trial(text, None, 0, sure=False, meant=False))
    return trials
