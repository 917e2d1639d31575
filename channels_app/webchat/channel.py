"""The web chat under the contract of a channel: browsers fetch what there is, so nothing is ever sent."""

from __future__ import annotations

from datetime import datetime

from channels_app.contract import Capabilities, Outgoing, Piece, Sent
from channels_app.webchat.threads import CHANNEL
from sales.operations import TEXT_MOST


class WebChat:
    """All that is stored is there for the visitor; a reconnecting browser asks for what it hasn't seen."""

    name = CHANNEL
    capabilities = Capabilities(
        text_most=TEXT_MOST,
        markup="markdown",
        buttons=20,
        files=False,
        typing=True,
        looks_back=True,
        pulls=True,
        agreed_before=True,
        tells=frozenset({"read"}),
    )

    def is_on(self) -> bool:
        return True

    def plan(self, message: Outgoing) -> list[Piece]:
        return [Piece(text=message.text, data={"cards": list(message.cards)})]

    def send(self, chat: str, piece: Piece) -> str:
        raise NotImplementedError("browsers fetch")

    def sent_after(self, chat: str, since: datetime) -> list[Sent]:
        return []

    def show_typing(self, chat: str) -> None:
        """The bell tells browsers already."""


def channel() -> WebChat:
    return WebChat()
