"""Why a person is called into a conversation, and what staff need to know before they read it."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext

from common.fields import readable
from common.text import clean
from sales import notices
from sales.enums import HandoverReason, NoticeKind
from sales.hearsay import latest_words
from sales.models import Conversation, Handover, User

#: the longest open question and the longest piece of a message in the summary, in characters
QUESTION_MOST, PIECE_MOST = 500, 200
#: the customer's latest messages in the summary
MESSAGES_MOST = 3


def record(conversation: Conversation, *, reason: HandoverReason, question: str, now: datetime) -> Handover:
    """Note why a person is called, in one row for each time of waiting. The caller has locked the conversation.

    Without a ``question`` it is what the customer wrote last. Called again, the latest reason and question stand.
    """
    latest = latest_words(conversation.pk, most=MESSAGES_MOST)
    question = (clean(question).strip() or (latest[-1] if latest else ""))[:QUESTION_MOST]
    summary = _summary(conversation, latest=latest)
    row = Handover.objects.open().filter(conversation=conversation).first()
    if row is not None:
        row.reason, row.question, row.summary = reason, question, summary
        row.save(update_fields={"reason", "question", "summary"})
        return row
    row = Handover.objects.create(
        conversation=conversation, reason=reason, question=question, summary=summary, created_at=now
    )
    notices.tell(
        NoticeKind.HANDOVER,
        subject=str(row.pk),
        text=f"{conversation}: {row.get_reason_display()}",
        address=reverse("admin:sales_conversation_change", args=[conversation.pk]),
        now=now,
    )
    return row


def close(conversation: Conversation, *, by: User | None, now: datetime) -> None:
    """Somebody of the staff has come, or has said that nobody needs to."""
    row = Handover.objects.open().filter(conversation=conversation).first()
    if row is None:
        return
    row.taken_at, row.taken_by = now, by
    row.save(update_fields={"taken_at", "taken_by"})
    notices.see(notices.about(NoticeKind.HANDOVER, str(row.pk)), by=by, now=now)


def _summary(conversation: Conversation, *, latest: list[str]) -> str:
    """What is known, a line each, made from what is stored and by no model."""
    lead = conversation.lead
    contact = [value for field in ("name", "phone", "email", "company") if (value := readable(lead, field))]
    lines = [gettext("Contact: %s") % ", ".join(contact)] if contact else []
    lines += [f"{fact.get_kind_display()}: {readable(fact, 'value')}" for fact in lead.facts.holding()]
    quote = (readable(conversation, "memory") or {}).get("quote") or {}
    if number := quote.get("number"):
        total = (quote.get("answer") or {}).get("total", "")
        lines.append(gettext("Quote %(number)s, total %(total)s") % {"number": number, "total": total})
    lines += [f"– {text[:PIECE_MOST]}" for text in latest]
    return "\n".join(lines)
