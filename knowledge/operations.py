"""Writes: put articles into the knowledge base, publish and withdraw them. Every change makes the index owe it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from simple_history.utils import bulk_update_with_history

from common import driver
from common.text import clean
from knowledge import figures, indexing, links
from knowledge.enums import Language, Status
from knowledge.models import (
    BODY_MOST,
    EXTERNAL_ID_MOST,
    QUESTION_MOST,
    READ_FROM_TEXT,
    TITLE_MOST,
    Article,
    ArticleQuestion,
)
from knowledge.signals import article_changed
from pricing import placeholders
from pricing.calculator import Rules
from pricing.queries import current_rules
from sales.models import User

#: questions of one article: more is no article but a list
QUESTIONS_MOST = 200
#: characters of one figure of an article's own, and how many there may be
FIGURE_MOST = 100
FIGURES_MOST = 200


class BadArticle(ValueError):
    """An article can't be taken as it is. ``problems``: for each field, in words for staff."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True)
class Draft:
    """An article as somebody hands it in."""

    title: str
    body: str
    questions: tuple[str, ...] = ()
    external_id: str = ""
    product: str = ""
    status: str = Status.PUBLISHED
    language: str = Language.RU
    own_figures: tuple[str, ...] = ()

    def cleaned(self) -> Draft:
        """The same, fit to be stored."""
        questions = (" ".join(clean(each).split()) for each in self.questions)
        own = (" ".join(clean(each).split()) for each in self.own_figures)
        return Draft(
            title=" ".join(clean(self.title).split()),
            body=clean(self.body).strip(),
            questions=tuple(dict.fromkeys(each for each in questions if each)),
            external_id=clean(self.external_id).strip(),
            product=self.product.strip(),
            status=self.status,
            language=self.language,
            own_figures=tuple(dict.fromkeys(each for each in own if each)),
        )


def check(draft: Draft) -> None:
    """Raises ``BadArticle`` with everything that is wrong with a cleaned draft."""
    problems: dict[str, str] = {}
    if not draft.title and not draft.body:
        problems["title"] = _("It has neither a title nor a text.")
    if len(draft.title) > TITLE_MOST:
        problems["title"] = _too_long(draft.title, TITLE_MOST, _("The title"))
    if len(draft.body) > BODY_MOST:
        problems["body"] = _too_long(draft.body, BODY_MOST, _("The text"))
    elif dead := placeholders.problems(f"{draft.title}\n{draft.body}"):
        problems["body"] = " ".join(dead)
    if len(draft.external_id) > EXTERNAL_ID_MOST:
        problems["external_id"] = _too_long(draft.external_id, EXTERNAL_ID_MOST, _("The id"))
    if len(draft.questions) > QUESTIONS_MOST:
        problems["questions"] = _("There are more than %d questions.") % QUESTIONS_MOST
    for question in draft.questions:
        if len(question) > QUESTION_MOST:
            problems["questions"] = _too_long(question, QUESTION_MOST, _("A question"))
    if len(draft.own_figures) > FIGURES_MOST:
        problems["own_figures"] = _("There are more than %d figures.") % FIGURES_MOST
    for figure in draft.own_figures:
        if len(figure) > FIGURE_MOST:
            problems["own_figures"] = _too_long(figure, FIGURE_MOST, _("A figure"))
    if draft.status not in Status.values:
        problems["status"] = _("The status is draft or published.")
    if draft.language not in Language.values:
        problems["language"] = _("The language is ru or en.")
    if problems:
        raise BadArticle(problems)


def link_problems(text: str, *, own_id: str = "") -> list[str]:
    """What is wrong with a text's links, in words for staff. An article may lead to itself."""
    return links.problems(text, known=lambda named: {own_id, *existing(named)})


def existing(external_ids: Iterable[str]) -> set[str]:
    """Which of these articles there are."""
    rows = Article.objects.filter(external_id__in=list(external_ids))
    return set(rows.values_list("external_id", flat=True))


def read_text(article: Article, rules: Rules) -> None:
    """Fill in what follows from an article's title and text; not stored yet."""
    text = f"{article.title}\n{article.body}"
    article.placeholder_codes = placeholders.codes(text)
    article.linked = links.articles(article.body)
    article.typed_figures = [each.text for each in figures.typed(text, rules, own=article.own_figures)]


def _too_long(text: str, most: int, what: str) -> str:
    return _("%(what)s has %(length)d characters; %(most)d at most.") % {
        "what": what,
        "length": len(text),
        "most": most,
    }


@transaction.atomic
def save_article(*, draft: Draft, by: User | None, article: Article | None = None) -> Article:
    """Make an article, or change one. Raises ``BadArticle``, for dead placeholders and links too."""
    draft = draft.cleaned()
    check(draft)
    own_id = draft.external_id or (article.external_id if article else "")
    if dead := link_problems(draft.body, own_id=own_id):
        raise BadArticle({"body": " ".join(dead)})
    if article is None:
        article = Article(external_id=draft.external_id)
    else:
        article = _locked(article)
        if draft.external_id:
            article.external_id = draft.external_id
    _take_over(article, draft)
    article.updated_by = by
    article._history_user = by  # type: ignore[attr-defined]
    article.save()
    if list(article.questions.values_list("text", flat=True)) != list(draft.questions):
        article.questions.all().delete()
        ArticleQuestion.objects.bulk_create(_question_rows(article, draft))
    return note_change(article=article)


@transaction.atomic
def add_questions(*, article: Article, questions: Sequence[str], by: User | None) -> list[str]:
    """Add questions to those an article answers; returns the ones it hadn't got. Raises ``BadArticle``."""
    article = _locked(article)
    known = list(article.questions.values_list("text", flat=True))
    have = {_bare(each) for each in known}
    new: dict[str, str] = {}
    for question in (" ".join(clean(each).split()) for each in questions):
        if question and _bare(question) not in have:
            new.setdefault(_bare(question), question)
    if not new:
        return []
    added = list(new.values())
    check(Draft(article.title, article.body, questions=(*known, *added)))
    ArticleQuestion.objects.bulk_create(
        [ArticleQuestion(article=article, text=text, position=len(known) + at) for at, text in enumerate(added)]
    )
    article.updated_by = by
    article._history_user = by  # type: ignore[attr-defined]
    article._change_reason = _("Questions of customers added: %d") % len(added)  # type: ignore[attr-defined]
    article.save(update_fields=["updated_by", "updated_at"])
    note_change(article=article)
    return added


def _bare(question: str) -> str:
    return question.casefold().rstrip(" ?!.")


@transaction.atomic
def note_change(*, article: Article) -> Article:
    """After an article or its questions were stored: give it a new version if a reader would see a difference.

    What follows from its text is stored here too.
    """
    article = _locked(article)
    before = {name: getattr(article, name) for name in (*READ_FROM_TEXT, "digest", "version")}
    read_text(article, current_rules())
    article.digest = digest_of(article, article.questions.order_by("position", "id").values_list("text", flat=True))
    is_new = article.digest != before["digest"]
    if is_new and before["digest"]:
        article.version += 1
    # none of it is a change by itself: no second row of history
    changes = {name: now for name, was in before.items() if (now := getattr(article, name)) != was}
    if changes:
        Article.objects.filter(pk=article.pk).update(**changes)
    if is_new:
        article_changed.send(sender=Article, article=article)
    return article


@transaction.atomic
def set_status(*, articles: Iterable[Article], status: Status, by: User | None) -> int:
    """Publish or withdraw. Search leaves a withdrawn article out from this moment. Returns how many changed.

    Raises ``BadArticle`` when one to be published has a placeholder that names nothing, or a dead link.
    """
    changed = 0
    for article in articles:
        article = _locked(article)
        if article.status == status:
            continue
        if status == Status.PUBLISHED:
            check_publishable(article)
        article.status, article.updated_by = status, by
        article._history_user = by  # type: ignore[attr-defined]
        article.save(update_fields=["status", "updated_by", "updated_at"])
        note_change(article=article)
        changed += 1
    return changed


def check_publishable(article: Article) -> None:
    """Raises ``BadArticle`` where a placeholder names nothing or a link is dead."""
    dead = placeholders.problems(f"{article.title}\n{article.body}")
    dead += link_problems(article.body, own_id=article.external_id)
    if dead:
        raise BadArticle({"body": f"{article}: {' '.join(dead)}"})


@transaction.atomic
def put_many(*, drafts: Sequence[Draft], by: User | None, now: datetime) -> list[int]:
    """Store cleaned and checked drafts by their external ids; the ids of the articles that are new or changed.

    The index owes them from a little later on: the import that calls this writes it itself, and only if it dies the
    sweep does. Of drafts with the same id the last one counts.
    """
    given = {draft.external_id: draft for draft in drafts}
    rows = Article.objects.select_for_update(of=("self",), no_key=True).filter(external_id__in=list(given))
    known = {article.external_id: article for article in rows.order_by("pk")}
    new, changed = [], []
    rules = current_rules()
    for external_id, draft in given.items():
        digest = _digest(
            *(draft.title, draft.body, draft.product, draft.status, draft.language, draft.questions),
            *draft.own_figures,
        )
        article = known.get(external_id)
        if article is None:
            article = Article(external_id=external_id)
            new.append(article)
        elif article.digest == digest:
            continue
        else:
            article.version += 1
            changed.append(article)
        _take_over(article, draft)
        read_text(article, rules)
        article.digest, article.updated_by, article.updated_at = digest, by, now
    driver.copy(new)
    driver.copy(_born(new, by=by, now=now))
    if changed:
        fields = [*_TAKEN, *READ_FROM_TEXT, "version", "digest", "updated_by", "updated_at"]
        bulk_update_with_history(changed, Article, fields, batch_size=500, default_user=by, default_date=now)
        ArticleQuestion.objects.filter(article__in=changed).delete()
    articles = [*new, *changed]
    driver.copy([row for article in articles for row in _question_rows(article, given[article.external_id])])
    indexing.owe(articles, due_at=now + indexing.IMPORT_LEASE)
    return [article.pk for article in articles]


def _born(articles: Iterable[Article], *, by: User | None, now: datetime) -> list[Any]:
    """The first rows of articles' histories, not stored yet."""
    history = Article.history.model
    same = {"history_date": now, "history_user": by, "history_change_reason": "", "history_type": "+"}
    names = [field.attname for field in history.tracked_fields]
    return [history(**same, **{name: getattr(article, name) for name in names}) for article in articles]


def digest_of(article: Article, questions: Iterable[str]) -> str:
    """What of an article a reader or the search would see, in short."""
    return _digest(
        *(article.title, article.body, article.product, article.status, article.language, tuple(questions)),
        *article.own_figures,
    )


def _digest(*seen: Any) -> str:
    return hashlib.sha256(json.dumps(seen, ensure_ascii=False).encode()).hexdigest()


_TAKEN = ("title", "body", "product", "status", "language", "own_figures")


def _take_over(article: Article, draft: Draft) -> None:
    for name in _TAKEN[:-1]:
        setattr(article, name, str(getattr(draft, name)))
    article.own_figures = list(draft.own_figures)


def _question_rows(article: Article, draft: Draft) -> list[ArticleQuestion]:
    return [ArticleQuestion(article=article, text=text, position=at) for at, text in enumerate(draft.questions)]


def _locked(article: Article) -> Article:
    # no key: the index may go on referring to the row meanwhile
    return Article.objects.select_for_update(of=("self",), no_key=True).get(pk=article.pk)
