"""A look at a chat: what is new is read through the API and stored. Webhooks and polling both end here.

What a webhook says is never taken: this is the vendor's own word, under our token.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from channels_app import intake
from channels_app.avito import account
from channels_app.avito.client import OFFSET_MOST, PAGE, Client
from channels_app.avito.payloads import customer_of, event_of, item_of, moment
from channels_app.contract import By
from channels_app.models import Delivery, Thread
from common.problems import LastingProblem, TemporaryProblem
from sales import operations
from sales.enums import Mode
from sales.models import Conversation

logger = logging.getLogger(__name__)

NAME = "avito"
#: read again of what was read before: messages of one second may come in two goes
OVERLAP = timedelta(minutes=10)
#: of a chat that we have never seen, how much before its newest message belongs to the talk
BEFORE_FIRST = timedelta(hours=24)


def look(chat: str, *, now: datetime) -> None:
    """Store what has happened since the last look, oldest first. Safe to repeat; one at a time in each chat."""
    client = account.client()
    thread = Thread.objects.filter(conversation__channel=NAME, conversation__external_id=chat).first()
    known = (thread.data or {}) if thread else {}
    rows = since_last(client, chat, looked_at=thread.looked_at if thread else None)
    if not rows:
        return
    told = known if known.get("customer") is not None else about(client, chat)
    events = [
        event
        for row in rows
        if (event := event_of(chat, row, ours=client.user_id, name=str(told.get("customer") or ""))) is not None
    ]
    conversation = intake.known(NAME, chat)
    if conversation is None and any(event.by == By.CUSTOMER for event in events):
        first = next(event for event in events if event.by == By.CUSTOMER)
        conversation = intake.opened(NAME, first, now=now)
    if conversation is not None and told.get("item"):  # before the first message is stored: the answer begins with it
        operations.ask_about(conversation_id=conversation.pk, item=str(told["item"].get("words") or ""))
    taken = intake.take_all(NAME, events, now=now)
    conversation = next((each.conversation for each in taken if each.conversation is not None), conversation)
    if conversation is None:
        return
    _note_read(conversation, rows)
    _remember(conversation, told, rows)
    if any(each.new and event.by == By.CUSTOMER for each, event in zip(taken, events, strict=True)):
        mark_read(client, chat, conversation=conversation)


def since_last(client: Client, chat: str, *, looked_at: datetime | None) -> list[dict[str, Any]]:
    """The messages since the last look, oldest first, by the vendor's own times."""
    rows: list[dict[str, Any]] = []
    upto: datetime | None = looked_at - OVERLAP if looked_at else None
    for offset in range(0, OFFSET_MOST + 1, PAGE):
        page = client.messages(chat, offset=offset)
        rows += page
        times = [at for row in page if (at := moment(row.get("created"))) is not None]
        if upto is None and times:
            upto = max(times) - BEFORE_FIRST
        if len(page) < PAGE or (times and upto is not None and min(times) < upto):
            break
    new = [row for row in rows if upto is None or (at := moment(row.get("created"))) is None or at >= upto]
    # newest first as the vendor gives them; sorting by its whole seconds keeps that order within a second
    new.reverse()
    seen: dict[str, dict[str, Any]] = {}
    for row in sorted(new, key=lambda each: _seconds(each.get("created"))):
        seen.setdefault(str(row.get("id")), row)  # a message that came while we turned the page is on two
    return list(seen.values())


def _seconds(created: object) -> float:
    return float(created) if isinstance(created, int | float) and not isinstance(created, bool) else 0.0


def about(client: Client, chat: str) -> dict[str, Any]:
    """Who writes and about which listing; nothing where the vendor can't say it now: an answer doesn't wait for it."""
    try:
        found = client.chat(chat)
    except (TemporaryProblem, LastingProblem):
        return {}
    told: dict[str, Any] = {"customer": customer_of(found, ours=client.user_id)}
    if (item := item_of(found)) is not None:
        told["item"] = {"id": item.id, "title": item.title, "price": item.price, "url": item.url, "words": item.words}
    return told


def _remember(conversation: Conversation, told: Mapping[str, Any], rows: list[dict[str, Any]]) -> None:
    """How far we have read. Last of all: what fails before is read again."""
    newest = rows[-1]
    intake.remember(conversation, {**told, "last": str(newest.get("id") or "")})
    times = [at for row in rows if (at := moment(row.get("created"))) is not None]
    if times:
        Thread.objects.filter(conversation=conversation).update(looked_at=max(times))


def _note_read(conversation: Conversation, rows: list[dict[str, Any]]) -> None:
    """Which of ours the customer has read, as far as the vendor says it."""
    read = [str(row.get("id")) for row in rows if row.get("direction") == "out" and row.get("read")]
    if read:
        owed = Delivery.objects.filter(conversation=conversation, read_at=None, sent__overlap=read)
        owed.update(read_at=timezone.now())


def mark_read(client: Client, chat: str, *, conversation: Conversation) -> None:
    """Mark the chat as read while the assistant leads; a colleague wants to see in the app what is unread."""
    mode = Conversation.objects.filter(pk=conversation.pk).values_list("mode", flat=True).first()
    if mode not in {Mode.ASSISTANT, Mode.WAITING}:
        return
    try:
        client.read(chat)
    except (TemporaryProblem, LastingProblem) as problem:  # a nicety: polling does it again
        logger.warning("chat not marked as read", extra={"channel": NAME, "problem": type(problem).__name__})
