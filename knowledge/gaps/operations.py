"""What happens to unanswered questions: they are noted, put into groups, and staff decide about a group.

Locks are taken in one order: the lock of the grouping, the article, the group.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Min, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from common import promise as promises
from common.promise import State
from knowledge import operations as articles
from knowledge.enums import Status
from knowledge.gaps import grouping, heard
from knowledge.gaps.enums import GapState
from knowledge.gaps.likeness import read
from knowledge.gaps.models import Gap, GapQuestion
from knowledge.models import QUESTION_MOST, Article, Indexing
from knowledge.search import search
from sales.enums import Author
from sales.models import Conversation, Message, Turn, User

logger = logging.getLogger(__name__)

#: after a decision the index needs a moment; what was asked within it says nothing about the article
SETTLING = timedelta(minutes=1)
#: examples kept of one group beside its faces; the count goes on
EXAMPLES_MOST = 50
#: examples of a group that is done with are kept so long
DONE_KEPT = timedelta(days=90)
#: a group that is done with and that nobody has asked about for so long goes as a whole
FORGOTTEN_AFTER = timedelta(days=365)


# --- noting ---


def note(*, turn: Turn, conversation: Conversation, message: Message) -> list[GapQuestion]:
    """Keep what a turn left unanswered, and what it answered by an article that once was wanting.

    Called inside the turn's last transaction. A note for staff never costs a customer the reply: what goes wrong here
    is logged and swallowed.
    """
    if message.author != Author.ASSISTANT:
        return []
    try:
        with transaction.atomic():
            rows = _rows(turn, conversation, message)
            for row in rows:
                row.save(force_insert=True)
    except Exception:  # a bug here, or a catalogue nobody can read
        logger.exception("questions of a turn were not noted")
        return []
    return rows


def _rows(turn: Turn, conversation: Conversation, message: Message) -> list[GapQuestion]:
    about = {"turn": turn, "conversation": conversation, "seq": message.seq, "asked_at": message.created_at}
    found = [GapQuestion(text=text, due_at=message.created_at, **about) for text in heard.missed_in(turn, conversation)]
    cited = [str(each.get("article", "")) for each in message.citations]
    if cited and conversation.channel not in heard.NO_CUSTOMERS:
        answering = Article.objects.filter(external_id__in=cited, gaps__isnull=False).distinct()
        if articles_of_gaps := list(answering.only("pk")):
            text = heard.asked_in(turn, conversation)
            found += [
                GapQuestion(text=text, article=article, due_at=message.created_at, **about)
                for article in articles_of_gaps
                if text
            ]
    for position, row in enumerate(found):
        row.position = position
    return found


# --- grouping ---


def keep(question_id: str) -> None:
    """Put one question into its group, unless somebody else does or it is gone."""
    question = GapQuestion.objects.filter(pk=uuid.UUID(question_id)).first()
    if question is not None:
        question.keep(fulfil, now=timezone.now())


def sweep(*, now: datetime) -> int:
    """Put all questions that wait into their groups. Returns how many."""
    return promises.sweep(GapQuestion.objects.all(), fulfil, now=now)


def fulfil(question: GapQuestion) -> None:
    """Find the group of a question, or begin one. Safe to repeat: a question has one group."""
    if question.article_id is None:
        hits = search(question.text, limit=1)
    with transaction.atomic():
        grouping.lock()
        with question.fenced():
            if question.article_id is not None:
                _count_answer(question)
            elif question.gap_id is None:
                _place(question, nearest=hits[0].article if hits else None, share=hits[0].share if hits else 0.0)


def _place(question: GapQuestion, *, nearest: Article | None, share: float) -> None:
    asked = read(question.text)
    near = grouping.like([asked])
    gap = None
    if near and near[0][1] >= grouping.ALIKE:
        gap = Gap.objects.select_for_update(of=("self",)).filter(pk=near[0][0]).first()
    if gap is None:
        gap = Gap(first_asked_at=question.asked_at, last_asked_at=question.asked_at)
    gap.times += 1
    gap.first_asked_at = min(gap.first_asked_at, question.asked_at)
    gap.last_asked_at = max(gap.last_asked_at, question.asked_at)
    gap.channels = sorted({*gap.channels, question.conversation.channel})
    gap.nearest, gap.nearest_share = nearest, share
    if _says_nothing_yet(gap, question):
        gap.state, gap.reopened_at = GapState.OPEN, question.asked_at
    gap.save()
    question.gap = gap
    question.face = _is_new_wording(question, gap)
    question.save(update_fields=["gap", "face"])
    _leave_out_old(gap)


def _says_nothing_yet(gap: Gap, question: GapQuestion) -> bool:
    """Whether the article that should answer by now doesn't: it is published, indexed, and was asked."""
    if gap.state != GapState.ANSWERED or (gap.decided_at and question.asked_at < gap.decided_at + SETTLING):
        return False
    owed = Indexing.objects.filter(article=gap.article_id).exclude(state__in=[State.KEPT, State.DROPPED])
    return not owed.exists()


def _is_new_wording(question: GapQuestion, gap: Gap) -> bool:
    faces = list(GapQuestion.objects.filter(gap=gap, face=True).exclude(pk=question.pk)[: grouping.FACES_MOST])
    if len(faces) >= grouping.FACES_MOST:
        return False
    words = {each.stem for each in read(question.text).words}
    return all(words != {each.stem for each in grouping.read_question(face).words} for face in faces)


def _count_answer(question: GapQuestion) -> None:
    """An article has answered: if the question is like one that it was wanting for, the group counts it."""
    groups = Gap.objects.filter(article=question.article_id)
    near = grouping.like(map(read, heard.parts_of(question.text)), among=list(groups.values_list("pk", flat=True)))
    gap = Gap.objects.select_for_update(of=("self",)).filter(pk=near[0][0]).first() if near else None
    if gap is None or near[0][1] < grouping.ALIKE:
        question.delete()  # it was asked about something else
        return
    gap.answered_times += 1
    gap.last_answered_at = max(filter(None, [gap.last_answered_at, question.asked_at]))
    gap.save(update_fields=["answered_times", "last_answered_at"])
    question.gap = gap
    question.save(update_fields=["gap"])
    _leave_out_old(gap)


def _leave_out_old(gap: Gap) -> None:
    """Of a group with many examples only the newest are kept, and its faces."""
    if GapQuestion.objects.filter(gap=gap).count() > EXAMPLES_MOST + grouping.FACES_MOST:
        examples = GapQuestion.objects.filter(gap=gap, face=False)
        newest = examples.order_by("-asked_at").values_list("pk", flat=True)[:EXAMPLES_MOST]
        examples.exclude(pk__in=list(newest)).delete()


# --- what staff decide ---


@transaction.atomic
def make_draft(*, gap_id: uuid.UUID, questions: Sequence[str], by: User, now: datetime) -> Article:
    """Begin an article from a group: the first question is its title, all are its questions. Raises ``BadArticle``."""
    gap = _locked(gap_id)
    texts = _fit(questions)
    if not texts:
        raise articles.BadArticle({"questions": _("Choose at least one question.")})
    title = texts[0][:1].upper() + texts[0][1:]
    article = articles.save_article(
        draft=articles.Draft(title=title, body="", questions=tuple(texts), status=Status.DRAFT), by=by
    )
    _decide(gap, GapState.DRAFTED, article=article, by=by, now=now)
    return article


@transaction.atomic
def answer_with(*, gap_id: uuid.UUID, article: Article, questions: Sequence[str], by: User, now: datetime) -> list[str]:
    """Say that an article answers a group, and add the questions to it; returns those that it hadn't got.

    The index follows. Raises ``BadArticle``.
    """
    added = articles.add_questions(article=article, questions=_fit(questions), by=by)
    article.refresh_from_db(fields=["status"])
    state = GapState.ANSWERED if article.status == Status.PUBLISHED else GapState.DRAFTED
    _decide(_locked(gap_id), state, article=article, by=by, now=now)
    return added


@transaction.atomic
def ignore(*, gap_id: uuid.UUID, by: User, now: datetime) -> None:
    """Leave a group aside: like questions still join it, and nobody is reminded."""
    _decide(_locked(gap_id), GapState.IGNORED, article=None, by=by, now=now)


@transaction.atomic
def reopen(*, gap_id: uuid.UUID, by: User, now: datetime) -> None:
    """Take a decision back."""
    _decide(_locked(gap_id), GapState.OPEN, article=None, by=by, now=now)


@transaction.atomic
def merge(*, gap_ids: Sequence[uuid.UUID], by: User) -> Gap:
    """Make one group of several that ask for the same in different words: of the most asked one."""
    grouping.lock()
    groups = list(Gap.objects.select_for_update(of=("self",)).filter(pk__in=gap_ids).order_by("pk"))
    # what is decided stays decided
    first = max(groups, key=lambda each: (each.article_id is not None, each.times))
    others = [each.pk for each in groups if each.pk != first.pk]
    sums = Gap.objects.filter(pk__in=gap_ids).aggregate(
        times=Sum("times"), first=Min("first_asked_at"), last=Max("last_asked_at")
    )
    first.times, first.first_asked_at, first.last_asked_at = sums["times"], sums["first"], sums["last"]
    first.channels = sorted({channel for each in groups for channel in each.channels})
    first.save(update_fields=["times", "first_asked_at", "last_asked_at", "channels"])
    GapQuestion.objects.filter(gap__in=others).update(gap=first)
    Gap.objects.filter(pk__in=others).delete()
    return first


def _decide(gap: Gap, state: GapState, *, article: Article | None, by: User, now: datetime) -> None:
    gap.state, gap.article, gap.decided_at, gap.decided_by = state, article, now, by
    gap.reopened_at, gap.answered_times, gap.last_answered_at = None, 0, None
    gap.save()


def _locked(gap_id: uuid.UUID) -> Gap:
    return Gap.objects.select_for_update(of=("self",)).get(pk=gap_id)


def _fit(questions: Iterable[str]) -> list[str]:
    texts = (" ".join(each.split())[:QUESTION_MOST] for each in questions)
    return list(dict.fromkeys(each for each in texts if each))


# --- what follows by itself ---


def follow_article(*, article: Article, now: datetime) -> None:
    """When a draft is published, its group is answered; when it is withdrawn, it is a draft again."""
    before, after = GapState.DRAFTED, GapState.ANSWERED
    if article.status != Status.PUBLISHED:
        before, after = after, before
    Gap.objects.filter(article=article, state=before).update(state=after, decided_at=now)


def forget_article(*, article: Article, now: datetime) -> None:
    """An article is deleted: what it answered is open again."""
    done = [GapState.DRAFTED, GapState.ANSWERED]
    Gap.objects.filter(article=article, state__in=done).update(state=GapState.OPEN, reopened_at=now)


def forget_question(*, gap_id: uuid.UUID) -> None:
    """A question went with its conversation: another wording becomes a face, and an empty group goes too."""
    rest = GapQuestion.objects.filter(gap=gap_id)
    if not rest.exists():
        Gap.objects.filter(pk=gap_id).delete()
    elif not rest.filter(face=True).exists():
        asked = rest.filter(article=None).values_list("pk", flat=True)[: grouping.FACES_MOST]
        if not GapQuestion.objects.filter(pk__in=list(asked)).update(face=True):
            rest.update(face=True)


def tidy(*, now: datetime) -> int:
    """Delete what is no longer needed of groups that are done with; returns how many rows went."""
    done = [GapState.ANSWERED, GapState.IGNORED]
    old = GapQuestion.objects.filter(gap__state__in=done, face=False, asked_at__lt=now - DONE_KEPT)
    gone = old.delete()[0]
    long_ago = now - FORGOTTEN_AFTER
    silent = Q(last_answered_at=None) | Q(last_answered_at__lt=long_ago)
    return gone + Gap.objects.filter(silent, state__in=done, last_asked_at__lt=long_ago).delete()[0]
