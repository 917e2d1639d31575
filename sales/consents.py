"""Whether contact data of a lead may be kept, on channels where nobody has agreed to anything before the first word.

The ground knows no channel: an app above that carries some has a ``consents.py`` with ``asking(channel, language) ->
str``, the words that ask for consent there; empty where it was given at the beginning or is not needed.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from common.fields import readable
from common.parts import of_apps
from sales import operations
from sales.models import Consent, Conversation, ToolCall

#: the call whose arguments wait for the customer's word
CONTACT = "sales__save_contact"
FIELDS = ("name", "phone", "email", "company")


def asking(channel: str, *, lead_id: uuid.UUID, language: str = "ru") -> str:
    """The words that ask for consent; empty where contact data may be kept already."""
    words = (module.asking(channel, language) for _app, module in of_apps("consents", without="sales"))
    found = next(filter(None, words), "")
    return "" if not found or Consent.objects.filter(lead=lead_id).exists() else found


def asking_in(conversation_id: uuid.UUID, *, language: str = "ru") -> str:
    """The same of a conversation by its id."""
    conversation = Conversation.objects.only("channel", "lead_id").get(pk=conversation_id)
    return asking(conversation.channel, lead_id=conversation.lead_id, language=language)


@transaction.atomic
def agree(conversation: Conversation, *, consent: operations.ConsentGiven, now: datetime) -> bool:
    """Keep that the customer has agreed, and the contact that was refused before; false where they had agreed."""
    if Consent.objects.filter(lead=conversation.lead_id).exists():
        return False
    operations.record_consent(lead=conversation.lead, channel=conversation.channel, consent=consent, now=now)
    given: dict[str, str] = {}
    calls = ToolCall.objects.filter(turn__conversation=conversation, name=CONTACT, failed=True).order_by("created_at")
    for call in calls:
        arguments, result = readable(call, "arguments"), readable(call, "result")
        if isinstance(arguments, dict) and isinstance(result, dict) and result.get("data", {}).get("wants_consent"):
            given |= {field: str(value) for field, value in arguments.items() if field in FIELDS and value}
    if given:
        operations.save_contact(lead_id=conversation.lead_id, now=now, by="assistant", **given)
    return True
