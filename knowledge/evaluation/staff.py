"""Cases of staff: made of a real conversation with one click, read as cases, written as a dataset."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import groupby

from django.db import IntegrityError, transaction
from django.db.models import Prefetch, prefetch_related_objects

from common.promise import State
from knowledge.evaluation.cases import Case, Pattern, ToolWanted, TurnCase, to_json
from knowledge.evaluation.judging import PERSON, Seen, outcomes
from knowledge.evaluation.models import EvaluationCase, EvaluationTurn, Outcome
from knowledge.evaluation.running import COMPANY, seen_of
from sales.assistant.context import masker_of
from sales.enums import Author
from sales.models import Conversation, Lead, Message, Turn, User

#: of a conversation, from its beginning: what comes later is rarely the point
TURNS_MOST = 30
#: how an answer is found and what is noted of it, not what is expected of it
OWN_BUSINESS = {"knowledge__search", "pricing__price_list", "sales__note_facts"}


class NothingSaid(Exception):
    """The customer hasn't written anything, so there is nothing to hold again."""


def add_from(*, conversation_id: uuid.UUID, by: User | None, now: datetime) -> tuple[EvaluationCase, bool]:
    """Make a case of a conversation, once: asked again, the one that is there is returned, and False.

    What the customer wrote is masked; what was answered becomes the expectation, for staff to put right.
    Raises ``NothingSaid``.
    """
    known = EvaluationCase.objects.filter(conversation_id=conversation_id).first()
    if known:
        return known, False
    conversation = Conversation.objects.select_related("lead").get(pk=conversation_id)
    turns = _turns_of(conversation)
    if not turns:
        raise NothingSaid(str(conversation_id))
    try:
        with transaction.atomic():
            case = EvaluationCase.objects.create(conversation=conversation, created_at=now, created_by=by)
            for turn in turns:
                turn.case = case
                turn.save(force_insert=True)
    except IntegrityError:  # two clicks at once: the other one made it
        return EvaluationCase.objects.get(conversation_id=conversation_id), False
    return case, True


def _turns_of(conversation: Conversation) -> list[EvaluationTurn]:
    """The customer's messages by the turn that answered them; what a person answered expects nothing."""
    said = Message.objects.filter(conversation=conversation, author=Author.CUSTOMER).order_by("seq")
    answered = list(
        Turn.objects.filter(conversation=conversation, state=State.KEPT, reply__isnull=False)
        .select_related("reply")
        .prefetch_related("tool_calls")
        .order_by("upto_seq")
    )

    def answer_to(message: Message) -> Turn | None:
        return next((turn for turn in answered if turn.after_seq < message.seq <= turn.upto_seq), None)

    mask = masking(conversation.lead)
    turns = []
    for turn, messages in groupby(said, key=answer_to):
        texts = [mask(message.text).strip() for message in messages]
        if any(texts):
            turns.append(_expected(turn, say="\n\n".join(re.sub(r"\n\s*\n", "\n", text) for text in texts if text)))
    for position, made in enumerate(turns[:TURNS_MOST], 1):
        made.position = position
    return turns[:TURNS_MOST]


def _expected(turn: Turn | None, *, say: str) -> EvaluationTurn:
    made = EvaluationTurn(say=say)
    if turn is None:
        return made
    called = any(call.name == PERSON and not call.failed for call in turn.tool_calls.all())
    seen = seen_of(turn, waiting=called)
    made.outcome = _outcome(seen)
    quote = next(iter(seen.shown("quote")), None)
    if quote and not quote.get("on_request"):
        made.total = quote.get("total")
    used = dict.fromkeys(call.name for call in seen.calls if not call.failed and call.name not in OWN_BUSINESS)
    made.tools = "\n".join(used)
    return made


def _outcome(seen: Seen) -> str:
    came = outcomes(seen)
    best = (Outcome.HANDOVER, Outcome.ASK, Outcome.ANSWER, Outcome.REFUSE)
    return next((each.value for each in best if each.value in came), "")


def masking(lead: Lead) -> Callable[[str], str]:
    """What hides personal data in one conversation, and beside it whom the customer works for."""
    masker = masker_of(lead)
    names = {lead.company.strip(), *re.findall(r"[«\"“]([^»\"”]{3,})[»\"”]", lead.company)} - {""}
    if not names:
        return masker.mask
    longest_first = sorted(map(re.escape, names), key=len, reverse=True)
    company = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)
    return lambda text: company.sub(f"[{COMPANY}_1]", masker.mask(text))


# --- rows as cases ----------------------------------------------------------------------------------------------


def active_cases() -> list[Case]:
    """What ``manage.py evaluate`` runs when no dataset is named, oldest first."""
    return cases_of(EvaluationCase.objects.filter(is_active=True).order_by("created_at"))


def cases_of(rows: Iterable[EvaluationCase]) -> list[Case]:
    """Rows as cases; those without a turn say nothing and are left out."""
    read = list(rows)
    prefetch_related_objects(read, Prefetch("turns", queryset=EvaluationTurn.objects.order_by("position", "id")))
    return [case for case in map(_case, read) if case.turns]


def _case(row: EvaluationCase) -> Case:
    tags = tuple(dict.fromkeys(filter(None, map(str.strip, row.tags.split(",")))))
    return Case(
        id=row.name,
        turns=tuple(_turn(turn) for turn in row.turns.all()),
        tags=("staff", *(tag for tag in tags if tag != "staff")),
        note=row.note,
        source="admin",
    )


def _turn(row: EvaluationTurn) -> TurnCase:
    return TurnCase(
        say=tuple(text.strip() for text in re.split(r"\n\s*\n", row.say.replace("\r", "")) if text.strip()),
        must=tuple(map(Pattern, lines(row.must))),
        must_not=tuple(map(Pattern, lines(row.must_not))),
        tools=tuple(map(ToolWanted, lines(row.tools))),
        total=row.total,
        outcome=(row.outcome,) if row.outcome else (),
    )


def lines(text: str) -> Sequence[str]:
    """The lines of a field that takes one thing a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def as_dataset(cases: Iterable[Case]) -> str:
    """Cases as JSON lines that ``manage.py evaluate`` reads."""
    return "".join(f"{json.dumps(to_json(case), ensure_ascii=False)}\n" for case in cases)
