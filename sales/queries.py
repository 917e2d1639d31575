"""Reads that others need of leads and conversations."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils.html import linebreaks

from common.fields import readable
from common.markdown import to_html
from sales.models import Message


def messages_after(conversation_id: uuid.UUID, seq: int, *, limit: int = 500) -> list[Message]:
    """The messages numbered above ``seq``, oldest first, at most ``limit``."""
    return list(Message.objects.filter(conversation_id=conversation_id, seq__gt=seq).order_by("seq")[:limit])


def as_wire(message: Message) -> dict[str, Any]:
    """A message as the web chat and the staff API show it; ``html`` is safe to insert."""
    # one value that can't be decrypted must not hide the rest of a conversation
    text, cards = readable(message, "text"), readable(message, "cards")
    return {
        "seq": message.seq,
        "author": message.author,
        "text": text,
        # what a customer typed is text, whatever it looks like
        "html": linebreaks(text, autoescape=True) if message.author == "customer" else to_html(text),
        "cards": cards if isinstance(cards, list) else [],
        # which version of an article it was is for staff
        "citations": [{"article": each["article"], "title": each["title"]} for each in message.citations],
        "created_at": message.created_at.isoformat(),
    }
