"""A channel that exists only in tests: it keeps what arrives, and fails in every way that a vendor can."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from channels_app.contract import Capabilities, Outgoing, Piece, Sent, Unreachable
from common.problems import LastingProblem, TemporaryProblem, UnknownOutcome


@dataclass
class Post:
    """``trouble`` names what the next sends meet, in order; after them all is well.

    ``cut``: accepted, and the answer lost. ``lost``: not accepted, and nobody can tell. ``busy``, ``refused``,
    ``blocked``: as the vendor says.
    """

    name = "post"
    capabilities = Capabilities(text_most=100, markup="plain", looks_back=True)
    on: bool = True
    trouble: list[str] = field(default_factory=list)
    #: what has arrived, by chat
    chats: dict[str, list[Sent]] = field(default_factory=dict)
    calls: int = 0
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def blind(self) -> Post:
        self.capabilities = replace(self.capabilities, looks_back=False)
        return self

    def is_on(self) -> bool:
        return self.on

    def plan(self, message: Outgoing) -> list[Piece]:
        words = message.text.split("|")
        return [Piece(text=each.strip()) for each in words]

    def send(self, chat: str, piece: Piece) -> str:
        self.calls += 1
        trouble = self.trouble.pop(0) if self.trouble else ""
        if trouble == "busy":
            raise TemporaryProblem("too many", retry_after=7)
        if trouble == "refused":
            raise LastingProblem("no such chat")
        if trouble == "blocked":
            raise Unreachable("blocked")
        if trouble == "lost":
            raise UnknownOutcome("no answer came")
        sent = Sent(f"p{next(self._numbers)}", piece.text, timezone.now())
        self.chats.setdefault(chat, []).append(sent)
        if trouble == "cut":
            raise UnknownOutcome("no answer came")
        return sent.id

    def sent_after(self, chat: str, since: datetime) -> list[Sent]:
        return [each for each in self.chats.get(chat, []) if each.at is None or each.at >= since]

    def show_typing(self, chat: str) -> None:
        pass


class Office:
    """Where ``settings.CHANNELS`` may point in a test."""

    post: Post | None = None


def channel() -> Post:
    assert Office.post is not None
    return Office.post
