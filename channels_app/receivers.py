"""When something happens in a conversation, whoever carries it is told. The list of everything automatic here."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from channels_app import consents, deliveries, registry, typists
from channels_app.webchat import bell, hub
from channels_app.webchat.bell import Piece
from channels_app.webchat.threads import CHANNEL
from sales import consents as sales_consents
from sales.enums import Author
from sales.signals import message_stored, mode_changed, reply_growing, reply_ready, turn_ended, turn_started


@receiver(message_stored)
def message_to_the_web_chat(sender: Any, conversation: Any, message: Any, **kwargs: Any) -> None:
    """When a message is stored, of whichever author, then the visitor's browsers look."""
    if conversation.channel == CHANNEL:
        transaction.on_commit(partial(hub.announce, conversation.pk, seq=message.seq), robust=True)


@receiver(message_stored)
def consent_of_a_customer(sender: Any, conversation: Any, message: Any, **kwargs: Any) -> None:
    """When a customer agrees where we have asked, then that is kept before anybody reads the message."""
    if message.author != Author.CUSTOMER or not consents.asking(conversation.channel, "ru"):
        return
    if consents.agreed(conversation, message.text):
        sales_consents.agree(conversation, consent=consents.given(), now=message.created_at)


@receiver(mode_changed)
def mode_to_the_web_chat(sender: Any, conversation: Any, **kwargs: Any) -> None:
    """When someone else leads, then the visitor's browsers look."""
    if conversation.channel == CHANNEL:
        transaction.on_commit(partial(hub.announce, conversation.pk), robust=True)


@receiver(turn_started)
def typing_to_the_web_chat(sender: Any, conversation_id: Any, turn: Any, **kwargs: Any) -> None:
    """When the assistant begins to answer, then the visitor's browsers show it."""
    if turn.conversation.channel == CHANNEL:
        transaction.on_commit(partial(hub.announce, conversation_id, typing=True), robust=True)


@receiver(turn_started)
def typing_to_a_vendor(sender: Any, conversation_id: Any, turn: Any, **kwargs: Any) -> None:
    """When the assistant begins to answer, then the customer of a vendor that can show it sees it."""
    channel = registry.by_name(turn.conversation.channel)
    if channel and channel.capabilities.typing and not channel.capabilities.pulls and channel.is_on():
        typists.begin(channel, chat=turn.conversation.external_id, turn_id=turn.pk)


@receiver(turn_ended)
def end_of_typing(sender: Any, turn: Any, **kwargs: Any) -> None:
    """When the assistant has answered, or could not, then the customer sees nobody typing any more."""
    typists.end(turn.pk)


@receiver(reply_growing)
def words_to_the_web_chat(
    sender: Any, conversation_id: Any, channel: str, turn: str, at: int, text: str, **kwargs: Any
) -> None:
    """When an answer grows, then the visitor's browsers read along."""
    if channel == CHANNEL:
        bell.tell(Piece(conversation_id.hex, turn, at, text))


@receiver(reply_ready)
def reply_to_a_vendor(sender: Any, conversation: Any, message: Any, **kwargs: Any) -> None:
    """When somebody of ours has answered, then the customer is owed it over a channel that has to be sent to."""
    deliveries.owe(message, conversation=conversation, now=timezone.now())
