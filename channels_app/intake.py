"""What happens in a vendor's chat becomes our messages: once, in order, from whichever road it came.

A webhook and a poller hand the same events in; the message's uniqueness in its conversation makes one of the two.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from channels_app.contract import By, Event, Kind
from channels_app.echoes import under_way
from channels_app.models import Delivery, Thread
from common.text import clean
from sales import operations
from sales.enums import Direction
from sales.models import Conversation, Message

logger = logging.getLogger(__name__)

#: what a customer reads when something came that the assistant can't read
SHOWN_AS = {
    Kind.IMAGE: "[изображение]",
    Kind.VOICE: "[голосовое сообщение]",
    Kind.FILE: "[файл]",
    Kind.PLACE: "[место на карте]",
    Kind.UNKNOWN: "[сообщение, которое здесь не показать]",
}
#: the longest id of a chat or of a message, with room for what we put before and behind it
ID_MOST = 150
#: what asks nothing of us
_SILENT = frozenset({Kind.SYSTEM, Kind.READ})


@dataclass(frozen=True)
class Taken:
    """What became of an event: the conversation it belongs to, and whether it was new."""

    conversation: Conversation | None
    new: bool


def take_all(channel: str, events: Iterable[Event], *, now: datetime) -> list[Taken]:
    """Take events in the order in which they are given."""
    return [take(channel, event, now=now) for event in events]


def take(channel: str, event: Event, *, now: datetime) -> Taken:
    """Store what an event tells, once. Raises nothing for what it doesn't know; the vendor must not hear of that."""
    if not _may_be(event):
        logger.warning("an event with an id that can't be", extra={"channel": channel})
        return Taken(None, new=False)
    if event.by == By.VENDOR or event.kind in _SILENT:
        return Taken(known(channel, event.chat), new=False)
    if event.kind in {Kind.BLOCKED, Kind.UNBLOCKED}:
        return _reach(channel, event, now=now)
    if event.by == By.OUR_SIDE:
        return _from_our_side(channel, event, now=now)
    conversation = opened(channel, event, now=now)
    if event.kind == Kind.DELETED:
        return Taken(conversation, new=False)  # what was said was heard; the page says that it was taken back
    text = event.text or SHOWN_AS.get(event.kind, "")
    if event.kind in SHOWN_AS and event.text:
        text = f"{SHOWN_AS[event.kind]} {event.text}"
    if not clean(text).strip():
        return Taken(conversation, new=False)
    name = external_id(event)
    receive = partial(operations.receive, conversation_id=conversation.pk, external_id=name, text=text, now=now)
    try:
        received = receive()
    except operations.ConversationClosed:
        if Message.objects.filter(conversation=conversation, direction=Direction.IN, external_id=name).exists():
            return Taken(conversation, new=False)  # the vendor repeats itself
        # a vendor's chat goes on for ever, and whoever writes there again can't know that we had closed it
        operations.reopen(conversation_id=conversation.pk, now=now)
        received = receive()
    return Taken(conversation, new=received.created)


def _may_be(event: Event) -> bool:
    """Whether its ids can be kept: a stranger's may be anything."""
    return all(0 < len(each) <= ID_MOST and clean(each) == each for each in (event.chat, event.id))


def external_id(event: Event) -> str:
    """What a message is unique by. An edit is another message: what it says now has to be answered, each time anew."""
    if event.kind != Kind.EDITED:
        return event.id
    said = hashlib.sha256(event.text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{event.kind}:{event.id}:{said}"


def known(channel: str, chat: str) -> Conversation | None:
    """The conversation of a chat, if anything was ever said there."""
    return Conversation.objects.filter(channel=channel, external_id=chat).first()


def opened(channel: str, event: Event, *, now: datetime) -> Conversation:
    """The conversation of a chat, begun with a lead at the first event, and reachable since the customer writes."""
    conversation = operations.open_conversation(channel=channel, external_id=event.chat, name=event.name, now=now)
    thread, _made = Thread.objects.get_or_create(conversation=conversation, defaults={"created_at": now})
    if thread.unreachable_since is not None:
        Thread.objects.filter(pk=thread.pk).update(unreachable_since=None)
    return conversation


def remember(conversation: Conversation, data: Mapping[str, Any]) -> None:
    """Keep what the channel tells of a chat, beside what it has told before."""
    with transaction.atomic():
        thread = Thread.objects.select_for_update(of=("self",)).get(conversation=conversation)
        thread.data = {**(thread.data or {}), **data}
        thread.save(update_fields={"data"})


def _reach(channel: str, event: Event, *, now: datetime) -> Taken:
    conversation = known(channel, event.chat)
    if conversation is not None:
        since = now if event.kind == Kind.BLOCKED else None
        Thread.objects.filter(conversation=conversation).update(unreachable_since=since)
    return Taken(conversation, new=False)


def _from_our_side(channel: str, event: Event, *, now: datetime) -> Taken:
    """A message of our side: an echo of what we have sent, or a colleague's word in the vendor's own app."""
    if event.kind not in {Kind.TEXT, *SHOWN_AS}:
        return Taken(known(channel, event.chat), new=False)
    conversation = opened(channel, event, now=now)
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation.pk)
        if _is_ours(conversation, event):
            return Taken(conversation, new=False)
        operations.reopen(conversation_id=conversation.pk, now=now)
        try:
            with transaction.atomic():
                operations.heard_from_colleague(
                    conversation_id=conversation.pk,
                    external_id=event.id,
                    text=event.text or SHOWN_AS.get(event.kind, ""),
                    now=now,
                )
        except IntegrityError:
            return Taken(conversation, new=False)
    return Taken(conversation, new=True)


def _is_ours(conversation: Conversation, event: Event) -> bool:
    """Whether we have sent it: by its words while the call is under way, or known by its id.

    In this order: a call that ends between the two looks has noted its id before the second.
    """
    if under_way(conversation, event):
        return True
    if Delivery.objects.filter(conversation=conversation, sent__contains=[event.id]).exists():
        return True
    return Message.objects.filter(conversation=conversation, direction=Direction.OUT, external_id=event.id).exists()
