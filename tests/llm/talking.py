"""A customer writes, and the turn is taken as a worker would take it."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from prometheus_client import REGISTRY

from common.promise import State
from knowledge.llm.models import ModelCall
from sales import operations
from sales.assistant import turn as turns
from sales.models import Conversation, Message, Turn


@dataclass
class Talk:
    conversation: Conversation

    def say(self, *texts: str) -> Said:
        """Write, and have it answered at once."""
        for text in texts:
            operations.receive(
                conversation_id=self.conversation.pk, external_id=uuid.uuid4().hex, text=text, now=timezone.now()
            )
        Turn.objects.filter(conversation=self.conversation, state=State.DUE).update(due_at=timezone.now())
        started = time.monotonic()
        turns.answer(self.conversation.pk, wait=lambda seconds: None)
        turn = Turn.objects.filter(conversation=self.conversation).order_by("-opened_at").first()
        assert turn is not None
        return Said(turn, time.monotonic() - started)


@dataclass
class Said:
    """One turn and what has become of it."""

    turn: Turn
    seconds: float

    @property
    def text(self) -> str:
        replies = list(Message.objects.filter(turn=self.turn, direction="out"))
        assert len(replies) == 1, "one turn has one reply"
        return replies[0].text

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Which models were asked, and what came of it."""
        return list(ModelCall.objects.filter(turn=self.turn).order_by("id").values_list("slug", "outcome"))

    @property
    def tools(self) -> list[str]:
        return list(self.turn.tool_calls.order_by("position").values_list("name", flat=True))

    @property
    def steps(self) -> list[dict[str, Any]]:
        return list(self.turn.trace["steps"])


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0
