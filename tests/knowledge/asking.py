"""Customers who ask, and a language model that says nothing of what it didn't know."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from common.promise import State
from knowledge.gaps import operations as gaps
from knowledge.gaps.models import Gap
from sales import operations
from sales.assistant import turn as turns
from sales.assistant.protocol import Entry, Heard, Reply, ToolRequest, ToolResult, TurnContext
from sales.models import Conversation, Message, Turn


class Searcher:
    """Searches once for all that was asked and cites what it finds, as a model of a vendor would."""

    name = "searcher"

    def reply(self, *, context: TurnContext, log: Sequence[Entry], tools: Mapping[str, Any], hear: Any = None) -> Reply:
        if not any(isinstance(entry, ToolResult) for entry in log):
            query = " ".join(entry.text for entry in log if isinstance(entry, Heard) and entry.pending)
            return Reply(calls=(ToolRequest("1", "knowledge__search", {"query": query}),))
        return Reply(text="Вот что удалось узнать.")


def searcher() -> Searcher:
    return Searcher()


def someone(channel: str = "webchat", name: str = "") -> Conversation:
    """A new customer."""
    return operations.open_conversation(channel=channel, external_id=uuid.uuid4().hex, now=timezone.now(), name=name)


def ask(*texts: str, by: Conversation | None = None, grouped: bool = True) -> Message:
    """The assistant's reply to a burst of messages; what it left unanswered is put into groups, as the sweep does."""
    talk = by or someone()
    for text in texts:
        operations.receive(conversation_id=talk.pk, external_id=uuid.uuid4().hex, text=text, now=timezone.now())
    Turn.objects.filter(conversation=talk, state=State.DUE).update(due_at=timezone.now())
    turns.answer(talk.pk, wait=lambda seconds: None)
    if grouped:
        gaps.sweep(now=timezone.now())
    return Message.objects.filter(conversation=talk, author="assistant").latest("seq")


def texts_of(gap: Gap) -> list[str]:
    return sorted(question.text for question in gap.questions.all())
