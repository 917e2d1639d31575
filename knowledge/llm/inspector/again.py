"""Asking again: a turn is run anew in a rehearsal, with another model or other prompts, and nothing of it is sent.

The conversation is copied as it was when the turn began, up to the messages that the turn had read, so nobody who
writes in the real one waits for a lock of ours. What has changed since in articles and prices is as it is now. What the
calls of models have cost is kept like any other, for it is paid for.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from common.fields import readable
from common.promise import State
from knowledge.llm import records, router
from knowledge.llm.chat import Profile
from knowledge.llm.inspector.reading import Inspection, inspect
from knowledge.llm.models import ModelCall
from pricing.rehearsal import adopt
from sales import operations
from sales.assistant import turn as turns
from sales.enums import Mode
from sales.models import Conversation, Lead, Message, Turn
from sales.qualification.models import LeadFact
from sales.rehearsal import rehearsed

#: the latest messages before the answer that are copied: no model and no tool looks further back
MESSAGES_MOST = 100


class CannotAskAgain(Exception):
    """The turn has not read anything yet, or nothing is left of what it read."""


def ask_again(turn: Turn, *, profile: Profile | None, prompt_version: str = "") -> Inspection:
    """Run a turn anew, without sending. Without a profile the model that needs no key answers.

    It takes as long as a turn may: ``MODEL_TURN_SECONDS`` and a little. Raises ``CannotAskAgain``.
    """
    profiles = [] if profile is None else [profile]
    with rehearsed(), router.using(profiles=profiles, prompt_version=prompt_version):
        copy = _as_it_was(turn)
        now = timezone.now()
        operations.owe_answer(copy, now=now)
        Turn.objects.filter(conversation=copy, state=State.DUE).update(due_at=now)
        turns.answer(copy.pk, wait=lambda seconds: None)
        second = Turn.objects.select_related("reply").filter(conversation=copy).order_by("-opened_at")[0]
        found = inspect(second)
        calls = list(ModelCall.objects.filter(turn=second))
    records.carry_over(calls)
    return found


def _as_it_was(turn: Turn) -> Conversation:
    """A copy of the turn's conversation with a lead of its own, as both were when the turn began."""
    talk = Conversation.objects.select_related("lead").get(pk=turn.conversation_id)
    trace = readable(turn, "trace")
    trace = trace if isinstance(trace, dict) else {}
    scene: Mapping[str, Any] = trace.get("scene") or {}
    began = parse_datetime(str(scene.get("now", ""))) or turn.opened_at
    said = Message.objects.filter(conversation=talk, seq__lte=turn.upto_seq)
    messages = list(said.order_by("-seq")[:MESSAGES_MOST])
    if not messages or turn.upto_seq <= turn.after_seq:
        raise CannotAskAgain
    lead = _copied_lead(talk.lead, known=scene.get("contacts"))
    memory = talk.memory or {}
    if scene:
        memory = memory | {"quote": scene.get("quote"), "documents": list(scene.get("documents", ()))}
    copy = Conversation.objects.create(
        lead=lead,
        channel=talk.channel,
        external_id=f"again:{uuid.uuid4().hex}",
        mode=Mode.WAITING if scene.get("waiting") else Mode.ASSISTANT,
        language=str(trace.get("language") or talk.language),
        last_seq=turn.upto_seq,
        created_at=talk.created_at,
        last_message_at=messages[0].created_at,
        memory=memory,
    )
    copies = {message.pk: _copied_message(message, copy) for message in messages}
    Message.objects.bulk_create(reversed(copies.values()))
    if turn.after_seq:
        Turn.objects.create(
            conversation=copy, state=State.KEPT, upto_seq=turn.after_seq, opened_at=talk.created_at, due_at=began
        )
    _copy_facts(talk.lead, to=lead, at=began, messages=copies)
    # a tool takes only quotes of its own conversation
    adopt(of=talk.pk, by=copy.pk, lead=lead.pk, before=began)
    return copy


def _copied_lead(lead: Lead, *, known: list[str] | None) -> Lead:
    """The lead with the contacts that were known; old turns don't say which, so they get those of now."""
    values = {
        name: str(readable(lead, name))
        for name in ("name", "phone", "email", "company")
        if known is None or name in known
    }
    return Lead.objects.create(
        channel=lead.channel, stage=lead.stage, score=lead.score, manager_id=lead.manager_id, **values
    )


def _copied_message(message: Message, conversation: Conversation) -> Message:
    cards = readable(message, "cards")
    return Message(
        conversation=conversation,
        seq=message.seq,
        direction=message.direction,
        author=message.author,
        external_id=message.external_id,
        text=str(readable(message, "text")),
        cards=cards if isinstance(cards, list) else [],
        citations=message.citations,
        created_at=message.created_at,
    )


def _copy_facts(lead: Lead, *, to: Lead, at: datetime, messages: Mapping[uuid.UUID, Message]) -> None:
    held = LeadFact.objects.filter(Q(ended_at=None) | Q(ended_at__gt=at), lead=lead, created_at__lt=at)
    LeadFact.objects.bulk_create(
        LeadFact(
            lead=to,
            message=messages.get(fact.message_id, fact.message),
            kind=fact.kind,
            value=str(readable(fact, "value")),
            quote=str(readable(fact, "quote")),
            noted_by=fact.noted_by,
            created_at=fact.created_at,
        )
        for fact in held.select_related("message")
    )
