"""Hand-written stand-ins that many tests share. Each has the public shape of the real thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sales.assistant.protocol import Entry, Reply, TurnContext


class ScriptedModel:
    """A model that says what it was told to, in order, and remembers what it was shown."""

    name = "scripted"

    def __init__(self, *replies: Reply | Exception) -> None:
        self.replies = list(replies)
        self.heard: list[tuple[Entry, ...]] = []
        self.contexts: list[TurnContext] = []

    def __call__(self) -> ScriptedModel:
        return self

    def reply(self, *, context: TurnContext, log: Sequence[Entry], tools: Mapping[str, Any], hear: Any = None) -> Reply:
        self.heard.append(tuple(log))
        self.contexts.append(context)
        answer = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Scripted:
    """Where ``settings.ASSISTANT_MODEL`` may point in a test: ``tests.fakes.Scripted.model``."""

    model: Any = None
