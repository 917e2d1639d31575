"""No conversation stays without an owner: an operator who is silent while the customer waits gives it back."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Subquery

from sales import operations
from sales.enums import Author, Direction, Mode
from sales.models import Conversation, Message
from sales.signals import reply_ready

#: conversations looked at in one sweep
LIMIT = 100
BACK = {
    "ru": "Сотрудник отошёл, пока отвечает ИИ-помощник. Если нужен человек, напишите «Позовите сотрудника».",
    "en": "The colleague is away; for now the AI assistant answers. If you need a person, write “call a person”.",
}


def sweep(*, now: datetime) -> int:
    """Give back what has waited too long; returns how many."""
    if not settings.OPERATOR_SILENCE:
        return 0
    last = Message.objects.filter(conversation=OuterRef("pk")).order_by("-seq").values("author")[:1]
    found = Conversation.objects.filter(mode=Mode.OPERATOR, led_since__lt=now - settings.OPERATOR_SILENCE)
    waiting = found.annotate(last_author=Subquery(last)).filter(last_author=Author.CUSTOMER)
    rows = waiting.order_by("last_message_at").values_list("pk", flat=True)[:LIMIT]
    return sum(give_back(pk, now=now) for pk in rows)


@transaction.atomic
def give_back(conversation_id: uuid.UUID, *, now: datetime) -> bool:
    """Give one back, if by now the operator has neither answered nor left; the customer is told, and answered."""
    # read under the lock: an operator may be answering this very moment
    conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
    said = Message.objects.filter(conversation=conversation)
    answered = said.filter(author=Author.OPERATOR).order_by("-seq").values_list("seq", flat=True).first()
    asked = said.filter(author=Author.CUSTOMER, seq__gt=answered or 0).order_by("seq").first()
    led_since = conversation.led_since or conversation.created_at
    if conversation.mode != Mode.OPERATOR or asked is None:
        return False
    if max(asked.created_at, led_since) > now - settings.OPERATOR_SILENCE:
        return False
    operations.give_back(conversation_id=conversation.pk, by=None, now=now)
    conversation.refresh_from_db()
    message = operations.append(
        conversation,
        now=now,
        direction=Direction.OUT,
        author=Author.SYSTEM,
        text=BACK["en" if conversation.language == "en" else "ru"],
    )
    reply_ready.send(sender=Message, conversation=conversation, message=message, turn=None)
    return True
