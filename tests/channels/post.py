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

    ``cut``: accepted, and the answer lost. ``lost``: not accepted, and nobody can tell; so with ``broken``, a 5xx.
    ``unreached``: nobody was there. ``busy`` (with a wait), ``busy_for_a_while`` (without), ``refused``, ``revoked``,
    ``blocked``: as the vendor says.
    """

    name = "post"
    capabilities = Capabilities(text_most=100, markup="plain", looks_back=True)
    on: bool = True
    trouble: list[str] = field(default_factory=list)
    #: what the next looks back meet
    looks: list[str] = field(default_factory=list)
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
        most = self.capabilities.text_most
        parts = [part.strip() for part in message.text.split("|")]
        return [Piece(text=part[at : at + most]) for part in parts for at in range(0, len(part), most)]

    def send(self, chat: str, piece: Piece) -> str:
        self.calls += 1
        trouble = self.trouble.pop(0) if self.trouble else ""
        if trouble == "busy":
            raise TemporaryProblem("too many", retry_after=7)
        if trouble in {"busy_for_a_while", "unreached"}:
            raise TemporaryProblem("too many" if trouble == "busy_for_a_while" else "nobody is there")
        if trouble in {"refused", "revoked"}:
            raise LastingProblem("no such chat" if trouble == "refused" else "no such token")
        if trouble == "blocked":
            raise Unreachable("blocked")
        if trouble in {"lost", "broken"}:
            raise UnknownOutcome("no answer came")
        sent = Sent(f"p{next(self._numbers)}", piece.text, timezone.now())
        self.chats.setdefault(chat, []).append(sent)
        if trouble == "cut":
            raise UnknownOutcome("no answer came")
        return sent.id

    def sent_after(self, chat: str, since: datetime) -> list[Sent]:
        if self.looks and (trouble := self.looks.pop(0)):
            raise TemporaryProblem("too many") if trouble == "busy" else UnknownOutcome("no answer came")
        return [each for each in self.chats.get(chat, []) if each.at is None or each.at >= since]

    def show_typing(self, chat: str) -> None:
        pass


class Office:
    """Where ``settings.CHANNELS`` may point in a test."""

    post: Post | None = None


def channel() -> Post:
    assert Office.post is not None
    return Office.post
