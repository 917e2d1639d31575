"""An answer that needs no model, stored in the transaction that stores what it answers.

A channel's command, the press of a button: what it wants is known, so a tool is asked directly. Message, tool calls,
reply and the closed turn stand or fall together, so it happens once however often the vendor repeats it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.module_loading import import_string

from common.bell import ring
from common.promise import State
from common.text import clean
from sales.assistant.journal import Journal
from sales.assistant.protocol import ToolRequest, ToolResult
from sales.assistant.tools import TOOLS, ToolContext
from sales.enums import Author, Direction, Mode
from sales.models import Conversation, Message, Turn
from sales.operations import (
    TEXT_MOST,
    ConversationClosed,
    Received,
    answered_upto,
    append,
    owe_answer,
    receive,
)
from sales.signals import reply_ready


@dataclass
class Desk:
    """What an answer at once is made from: the conversation, locked, and its tools."""

    conversation: Conversation
    journal: Journal
    context: ToolContext

    def use(self, name: str, **arguments: Any) -> ToolResult:
        """Ask a tool. A refusal, or a tool that isn't there, is a result that has ``failed``."""
        return self.journal.run(ToolRequest(id=name, name=name, arguments=arguments), context=self.context)


@dataclass(frozen=True)
class Said:
    """What is answered. Cards and notices of the tools that were asked come beside it by themselves.

    ``text`` may be empty where nothing has to be said. With a ``name`` it is said once in a conversation.
    """

    text: str
    cards: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    name: str = ""


def answer_at_once(
    *,
    conversation_id: uuid.UUID,
    external_id: str,
    text: str,
    reply: Callable[[Desk], Said | None],
    now: datetime,
) -> Received:
    """Store what the customer said, and what ``reply`` answers; None from it leaves the answer to the assistant.

    So does an answer that is being made: it reads this too. While a person leads, nothing is answered.
    Raises ``ConversationClosed``.
    """
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
        if conversation.mode == Mode.CLOSED:
            raise ConversationClosed(str(conversation_id))
        known = Message.objects.filter(
            conversation=conversation, direction=Direction.IN, external_id=external_id
        ).first()
        if known is not None:
            return Received(known, created=False)
        being_made = Turn.objects.filter(conversation=conversation, state__in=[State.DUE, State.TAKEN]).exists()
        if conversation.mode == Mode.OPERATOR or being_made:
            return receive(conversation_id=conversation_id, external_id=external_id, text=text, now=now)
        message = append(
            conversation,
            now=now,
            direction=Direction.IN,
            author=Author.CUSTOMER,
            external_id=external_id,
            text=clean(text)[:TEXT_MOST],
        )
        if not _answered(conversation, message, reply=reply, now=now) and owe_answer(conversation, now=now):
            ring(import_string("sales.tasks.answer"), conversation.pk)
        return Received(message, created=True)


class _LeftToTheAssistant(Exception):
    """Whatever was done is taken back."""


def _answered(
    conversation: Conversation, message: Message, *, reply: Callable[[Desk], Said | None], now: datetime
) -> bool:
    try:
        with transaction.atomic():
            _answer(conversation, message, reply=reply, now=now)
    except _LeftToTheAssistant:
        return False
    return True


def _answer(
    conversation: Conversation, message: Message, *, reply: Callable[[Desk], Said | None], now: datetime
) -> None:
    turn = Turn.objects.create(
        conversation=conversation,
        state=State.TAKEN,
        attempts=1,
        after_seq=answered_upto(conversation),
        upto_seq=message.seq,
        opened_at=now,
        due_at=now + Turn.LEASE,
    )
    journal = Journal(turn=turn, tools=TOOLS)
    context = ToolContext(
        conversation_id=conversation.pk,
        lead_id=conversation.lead_id,
        turn_id=turn.pk,
        now=now,
        language="en" if conversation.language == "en" else "ru",
        model="at_once",
    )
    said = reply(Desk(conversation, journal, context))
    if said is None:
        raise _LeftToTheAssistant
    answer = _stored(conversation, turn=turn, said=said, journal=journal, now=now)
    turn.state, turn.reply, turn.model, turn.answered_at = State.KEPT, answer, "at_once", now
    turn.trace = {"steps": journal.steps, "unanswered": []}
    turn.save(update_fields={"state", "reply", "model", "answered_at", "trace"})
    if answer is not None:
        reply_ready.send(sender=Message, conversation=conversation, message=answer, turn=turn)


def _stored(conversation: Conversation, *, turn: Turn, said: Said, journal: Journal, now: datetime) -> Message | None:
    external_id = f"said:{said.name}" if said.name else f"turn:{turn.pk}"
    if said.name and Message.objects.filter(conversation=conversation, external_id=external_id).exists():
        return None
    notices = [notice for notice in dict.fromkeys(journal.notices) if notice not in said.text]
    text = "\n\n".join(filter(None, [said.text, *notices]))
    cards = [*journal.cards, *said.cards]
    if not text and not cards:
        return None
    return append(
        conversation,
        now=now,
        direction=Direction.OUT,
        author=Author.ASSISTANT,
        external_id=external_id,
        text=text,
        cards=cards,
    )
