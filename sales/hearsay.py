"""What a customer wrote lately, and whether they gave a phone or an e-mail: a model may not make one up."""

from __future__ import annotations

import re
import uuid

from common.blind_index import normalize_email, normalize_phone
from common.fields import readable
from common.masking import find_personal
from sales.enums import Author
from sales.models import Conversation, Message

#: so many messages of the customer are looked through, the latest ones
MESSAGES_MOST = 200
#: digits of a number within its country; what stands before them is left out by half of those who write it
NATIONAL = 10


def heard(conversation_id: uuid.UUID, *, phone: str = "", email: str = "") -> tuple[bool, bool]:
    """Whether the customer wrote this phone, and this address, or left it before; what isn't given counts as heard."""
    lead = Conversation.objects.select_related("lead").get(pk=conversation_id).lead
    number, address = normalize_phone(phone), normalize_email(email)
    phone_known = not phone or number == lead.phone
    email_known = not email or address == normalize_email(lead.email)
    if phone_known and email_known:
        return True, True
    texts = latest_words(conversation_id, most=MESSAGES_MOST)
    found = {(each.kind, each.key) for text in texts for each in find_personal(text)}
    # a number may be spread over several messages, with words between
    digits = re.sub(r"\D", "", "".join(texts))
    return (
        phone_known or ("ТЕЛЕФОН", number) in found or re.sub(r"\D", "", number)[-NATIONAL:] in digits,
        email_known
        or ("ПОЧТА", address) in found
        or any(email.strip().casefold() in text.casefold() for text in texts),
    )


def latest_of_customer(conversation_id: uuid.UUID, *, most: int) -> list[Message]:
    """The latest messages of the customer, newest first."""
    found = Message.objects.filter(conversation_id=conversation_id, author=Author.CUSTOMER)
    return list(found.order_by("-seq")[:most])


def latest_words(conversation_id: uuid.UUID, *, most: int) -> list[str]:
    """What the customer wrote last, oldest first."""
    return [str(readable(each, "text")) for each in reversed(latest_of_customer(conversation_id, most=most))]
