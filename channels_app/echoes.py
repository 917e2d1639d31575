"""Whether a message of our side is the echo of a call that hasn't returned yet."""

from __future__ import annotations

from channels_app import registry
from channels_app.contract import Event
from channels_app.deliveries import outgoing
from channels_app.models import Delivery
from sales.models import Conversation


def under_way(conversation: Conversation, event: Event) -> bool:
    """Compared by words: until the call returns nobody knows the vendor's id."""
    channel = registry.by_name(conversation.channel)
    if channel is None:
        return False
    said = " ".join(event.text.split())
    for delivery in Delivery.objects.filter(conversation=conversation, sending_since__isnull=False):
        pieces = channel.plan(outgoing(delivery.message, conversation=conversation))
        place = len(delivery.sent)
        if place < len(pieces) and " ".join(pieces[place].text.split()) == said:
            return True
    return False
