"""What the ground offers to the assistant: keep contact data, call a person."""

from __future__ import annotations

from typing import Literal

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from common.blind_index import normalize_phone
from sales import consents, operations
from sales.assistant.phrases import CALLED
from sales.assistant.tools import ToolContext, ToolFailed, ToolOutput, tool
from sales.duty.hours import later
from sales.enums import HandoverReason, Mode
from sales.hearsay import heard
from sales.qualification.tools import note_facts  # noqa: F401  offered beside what stands here

#: what a model may say; that no model could answer is known to others only
Reason = Literal[
    "asked_for_person",
    "angry",
    "loop",
    "out_of_scope",
    "needs_approval",
    "payment_or_legal",
    "no_grounded_answer",
]


@tool
def save_contact(
    *, context: ToolContext, name: str = "", phone: str = "", email: str = "", company: str = ""
) -> ToolOutput:
    """Keep what the customer has told about themselves: name, phone, e-mail, company.

    As soon as it is said, and only what was said, each once; nobody else's. Where a mark such as [ТЕЛЕФОН_N] stands in
    place of a value, give the mark as it stands: the real value is kept.
    """
    if phone and not normalize_phone(phone):
        raise ToolFailed("The phone number is not complete. Ask for it with its city or operator code.")
    if email and not _is_email(email.strip()):
        raise ToolFailed("The e-mail address is not complete. Ask for it again.")
    phone_heard, email_heard = heard(context.conversation_id, phone=phone, email=email)
    if not (phone_heard and email_heard):
        what = " and ".join(name for name, is_so in (("phone", phone_heard), ("e-mail", email_heard)) if not is_so)
        raise ToolFailed(f"Not kept: the customer has written no such {what}. Give it as they wrote it, or ask for it.")
    if (name or phone or email or company) and (
        asking := consents.asking_in(context.conversation_id, language=context.language)
    ):
        raise ToolFailed(
            "Not kept: the customer hasn't agreed yet to the processing of personal data. They are asked below your"
            " words, so don't ask yourself; what you gave is kept as soon as they agree. Go on helping.",
            notice=asking,
            data={"wants_consent": True},
        )
    operations.save_contact(
        lead_id=context.lead_id, now=context.now, by="assistant", name=name, phone=phone, email=email, company=company
    )
    given = {"name": name, "phone": phone, "email": email, "company": company}
    saved = [field for field, value in given.items() if value]
    if not saved:
        raise ToolFailed("Nothing was given to keep.")
    return ToolOutput(text=f"Saved: {', '.join(saved)}.", data={"saved": saved})


@tool
def call_person(*, context: ToolContext, reason: Reason, question: str = "") -> ToolOutput:
    """Call a person of the staff into this conversation.

    Use it when the customer asks for one, is angry, has asked the same a third time, wants what needs an approval
    (a discount, a term), asks of a payment or of law, or asks what neither articles nor tools answer. ``question`` is
    what the person should answer, in the customer's words.
    """
    conversation = operations.call_person(
        conversation_id=context.conversation_id, now=context.now, reason=HandoverReason(reason), question=question
    )
    if conversation.mode != Mode.WAITING:
        raise ToolFailed("A person leads this conversation already.")
    if conversation.waiting_since != context.now:
        return ToolOutput(text="A person had been called before and hasn't come yet. Go on helping until then.")
    return ToolOutput(
        text="A person has been called and will answer here; the customer is told so below your words, so don't say"
        " it yourself. Go on helping until then.",
        data={"reason": reason},
        notice="\n\n".join(filter(None, [CALLED[context.language], later(context.now, language=context.language)])),
    )


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
