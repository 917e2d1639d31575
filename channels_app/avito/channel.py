"""Avito under the contract of a channel: one plain message for a reply, and chats that can be read back."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from channels_app import consents
from channels_app.avito import account, looks, plain
from channels_app.avito.client import Client, KeysRefused, NoMoney, NoSubscription, Refused
from channels_app.avito.payloads import moment
from channels_app.contract import Capabilities, Outgoing, Piece, Sent, Unreachable
from common.problems import LastingProblem, TemporaryProblem, UnknownOutcome
from sales import notices
from sales.enums import NoticeKind

logger = logging.getLogger(__name__)

NAME = "avito"
#: the vendor's clock and ours may differ, and its times are whole seconds
CLOCKS = timedelta(minutes=5)
#: how long what keys can't do waits before it is tried again
MENDING = 120.0
#: pages of messages that are read at most when we look back
PAGES_MOST = 3


class Avito:
    """Sends by the messenger's API; a doubt is settled by reading the chat."""

    name = NAME
    capabilities = Capabilities(text_most=plain.MOST, markup="plain", looks_back=True, tells=frozenset({"read"}))

    def is_on(self) -> bool:
        return account.is_on()

    def plan(self, message: Outgoing) -> list[Piece]:
        notice = consents.notice(message.language, NAME) if message.first else ""
        text = plain.compose(message.text, cards=message.cards, notice=notice)
        return [Piece(text=text)] if text else []

    def send(self, chat: str, piece: Piece) -> str:
        try:
            sent = account.client().send_text(chat, piece.text)
        except Refused as problem:
            raise understood(problem) from None
        number = sent.get("id")
        if not isinstance(number, str) or not number:
            raise UnknownOutcome("avito send: taken, and the message has no number")
        return number

    def sent_after(self, chat: str, since: datetime) -> list[Sent]:
        client = account.client()
        found = [row for row in _latest(client, chat, since - CLOCKS) if row.by_us]
        return [Sent(row.id, row.text, row.at) for row in reversed(found)]

    def show_typing(self, chat: str) -> None:
        """Avito has no such sign."""

    def read_back(self, chat: str, *, now: datetime) -> None:
        try:
            looks.look(chat, now=now)
        except Refused as problem:
            raise understood(problem) from None


def channel() -> Avito:
    return Avito()


def understood(problem: Refused) -> Exception:
    """What a refusal means for whoever owes the call. Of keys and tariffs staff are told: the work waits for them."""
    if isinstance(problem, KeysRefused):
        tell(_("Avito refuses the keys (AVITO_CLIENT_ID, AVITO_CLIENT_SECRET): take them anew from the cabinet."))
        return TemporaryProblem(str(problem), retry_after=MENDING)
    if isinstance(problem, NoSubscription | NoMoney):
        if problem.status == 403 and _is_blocked(problem.words):
            return Unreachable(str(problem))
        tell(_("Avito gives no access to its messenger: the tariff of the account has to include it."))
        return TemporaryProblem(str(problem), retry_after=MENDING)
    return LastingProblem(str(problem))


def _is_blocked(words: str) -> bool:
    return any(each in words.lower() for each in ("blocked", "blacklist", "black list", "заблокир", "черн"))


def tell(text: str) -> None:
    """Staff learn of it, once a day."""
    logger.error("avito needs a person", extra={"channel": NAME})
    notices.tell(NoticeKind.KEY_REFUSED, subject=NAME, text=text, now=timezone.now())


class _Row:
    def __init__(self, message: dict[str, object], ours: int) -> None:
        self.id = str(message.get("id") or "")
        content = message.get("content")
        self.text = str(content.get("text") or "") if isinstance(content, dict) else ""
        self.at = moment(message.get("created"))
        self.by_us = message.get("direction") == "out" or message.get("author_id") == ours


def _latest(client: Client, chat: str, since: datetime) -> list[_Row]:
    """Messages since then, newest first."""
    found: list[_Row] = []
    for page in range(PAGES_MOST):
        rows = [_Row(each, client.user_id) for each in client.messages(chat, offset=page * 100)]
        found += [row for row in rows if row.at is None or row.at >= since]
        if len(rows) < 100 or (rows[-1].at is not None and rows[-1].at < since):
            break
    return found
