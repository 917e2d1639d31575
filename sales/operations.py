"""What can be done to leads and conversations: one verb, one transaction, one fact.

Lock order everywhere: conversation, then turn, then the rest.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils.module_loading import import_string

from common import metrics
from common.bell import ring
from common.blind_index import normalize_phone
from common.promise import State
from common.text import clean
from sales import handovers, notices
from sales.enums import MOVES, Author, Direction, HandoverReason, Mode, NoticeKind, Stage
from sales.models import Consent, Conversation, Lead, Message, Turn, User
from sales.qualification.scoring import score
from sales.signals import lead_changed, message_stored, mode_changed, reply_ready

#: the longest text a customer or an operator may send, in characters
TEXT_MOST = 4000
#: how the external id of a system message begins that ends a talk: what stands before it is over for a model
CLOSING = "closed:"
CLOSED = {"ru": "Диалог завершён.", "en": "This conversation is closed."}


class ConversationClosed(Exception):
    """Nothing can be said in it any more."""


class MoveNotAllowed(Exception):
    """The lead can't go from its stage to the one asked for."""


@dataclass(frozen=True)
class ConsentGiven:
    """An agreement as it was given: ``text`` is the whole wording, ``address`` the network address it came from."""

    version: str
    text: str
    address: str = ""
    user_agent: str = ""


@dataclass(frozen=True)
class Received:
    """A stored message; ``created`` is False when it had been stored before."""

    message: Message
    created: bool


@transaction.atomic
def open_conversation(
    *,
    channel: str,
    external_id: str,
    now: datetime,
    name: str = "",
    consent: ConsentGiven | None = None,
    lead: Lead | None = None,
) -> Conversation:
    """Find the conversation with this person over this channel, or begin it with a new lead, or the ``lead`` given."""
    known = Conversation.objects.filter(channel=channel, external_id=external_id).first()
    if known:
        return known
    made = lead is None
    if lead is None:
        lead = Lead.objects.create(name=clean(name)[:200], channel=channel, created_at=now)
    try:
        with transaction.atomic():
            conversation = Conversation.objects.create(
                lead=lead, channel=channel, external_id=external_id, created_at=now
            )
    except IntegrityError:  # two first messages at once: the other one made it
        if made:
            lead.delete()
        return Conversation.objects.get(channel=channel, external_id=external_id)
    if consent:
        record_consent(lead=lead, channel=channel, consent=consent, now=now)
    lead_changed.send(sender=Lead, lead=lead, created=made)
    return conversation


def record_consent(*, lead: Lead, channel: str, consent: ConsentGiven, now: datetime) -> Consent:
    """Keep the proof that a person agreed: version and digest of the text, time, address."""
    return Consent.objects.create(
        lead=lead,
        version=consent.version,
        text_sha256=hashlib.sha256(consent.text.encode()).hexdigest(),
        given_at=now,
        address=consent.address,
        user_agent=clean(consent.user_agent)[:300],
        channel=channel,
    )


def receive(*, conversation_id: uuid.UUID, external_id: str, text: str, now: datetime) -> Received:
    """Store what a customer wrote, once per ``external_id``, and owe an answer.

    Raises ``ConversationClosed``, and ``Conversation.DoesNotExist`` for an unknown one.
    """
    try:
        return Received(_store(conversation_id, external_id=external_id, text=text, now=now), created=True)
    except IntegrityError:  # the number we took went back with the transaction
        known = Message.objects.get(conversation_id=conversation_id, direction=Direction.IN, external_id=external_id)
        return Received(known, created=False)


@transaction.atomic
def _store(conversation_id: uuid.UUID, *, external_id: str, text: str, now: datetime) -> Message:
    conversation = _take_number(conversation_id, now=now)
    if conversation.mode == Mode.CLOSED:
        raise ConversationClosed(str(conversation_id))
    message = _add(
        conversation,
        now=now,
        direction=Direction.IN,
        author=Author.CUSTOMER,
        external_id=external_id,
        text=clean(text)[:TEXT_MOST],
    )
    if conversation.mode != Mode.OPERATOR and owe_answer(conversation, now=now):
        ring(import_string("sales.tasks.answer"), conversation.pk)
    return message


def append(conversation: Conversation, *, now: datetime, **fields: Any) -> Message:
    """Add a message to a conversation whose row the caller has locked."""
    conversation.last_seq = _take_number(conversation.pk, now=now).last_seq
    conversation.last_message_at = now
    return _add(conversation, now=now, **fields)


#: what is read of a conversation while its number is taken, in the order of its columns
_KNOWN = ("id", "lead_id", "channel", "mode", "last_seq", "last_message_at")


def _take_number(conversation_id: uuid.UUID, *, now: datetime) -> Conversation:
    """Lock the conversation and give its next number out, in one statement: every message comes by here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sales_conversation SET last_seq = last_seq + 1, last_message_at = %s WHERE id = %s"
            " RETURNING id, lead_id, channel, mode, last_seq, last_message_at",
            [now, conversation_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise Conversation.DoesNotExist(str(conversation_id))
    return Conversation.from_db("default", _KNOWN, row)


def _add(conversation: Conversation, *, now: datetime, **fields: Any) -> Message:
    message = Message(conversation=conversation, seq=conversation.last_seq, created_at=now, **fields)
    message.save(force_insert=True)
    metrics.messages_total.labels(channel=conversation.channel, author=message.author).inc()
    message_stored.send(sender=Message, conversation=conversation, message=message)
    return message


def owe_answer(conversation: Conversation, *, now: datetime) -> bool:
    """See that an answer is owed to a conversation whose row is locked; returns whether a turn was made.

    A turn nobody has begun waits for a customer who is still writing: ``GATHER_QUIET`` after the last message, but
    never longer than ``GATHER_MOST`` after the first. One that is being done is left alone: it looks for what came
    meanwhile when it ends.
    """
    turn = Turn(conversation=conversation, opened_at=now, due_at=now + settings.GATHER_QUIET)
    trace = Turn._meta.get_field("trace")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sales_turn (id, conversation_id, state, due_at, attempts, problem, after_seq, upto_seq,"
            " opened_at, model, trace) VALUES (%s, %s, 'due', %s, 0, '', 0, 0, %s, '', %s)"
            " ON CONFLICT (conversation_id) WHERE state IN ('due', 'taken') DO UPDATE SET due_at = CASE"
            " WHEN sales_turn.state = 'due' AND sales_turn.attempts = 0"
            " THEN least(sales_turn.opened_at + %s, excluded.due_at) ELSE sales_turn.due_at END RETURNING id = %s",
            [turn.pk, conversation.pk, turn.due_at, now, trace.seal({}, turn.pk), settings.GATHER_MOST, turn.pk],  # type: ignore[union-attr, list-item]
        )
        return bool(cursor.fetchone()[0])


def answered_upto(conversation: Conversation) -> int:
    """The number of the last message that a closed turn has read; 0 where there is none."""
    last = (
        Turn.objects.filter(conversation=conversation)
        .exclude(state__in=[State.DUE, State.TAKEN])
        .order_by("-upto_seq")
        .values_list("upto_seq", flat=True)
        .first()
    )
    return last or 0


@transaction.atomic
def save_contact(
    *, lead_id: uuid.UUID, now: datetime, by: str, name: str = "", phone: str = "", email: str = "", company: str = ""
) -> list[str]:
    """Keep what a person told about themselves; returns the fields that changed.

    A phone is stored in international form where it is one; empty values leave what is known.
    """
    lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead_id)
    wanted = {
        "name": clean(name).strip()[:200],
        "phone": normalize_phone(phone) or clean(phone).strip()[:40],
        "email": clean(email).strip()[:254],
        "company": clean(company).strip()[:200],
    }
    changed = [field for field, value in wanted.items() if value and value != getattr(lead, field)]
    if not changed:
        return []
    for field in changed:
        setattr(lead, field, wanted[field])
    fields = {*changed, "score"}
    if lead.stage == Stage.NEW and (lead.phone or lead.email):
        lead.stage = Stage.QUALIFIED
        fields.add("stage")
        notices.tell(
            NoticeKind.CONTACT,
            subject=str(lead.pk),
            text=str(lead),
            now=now,
            address=reverse("admin:sales_lead_change", args=[lead.pk]),
        )
    lead.score = score(lead)
    lead.save(update_fields=fields)
    lead_changed.send(sender=Lead, lead=lead, created=False)
    return changed


@transaction.atomic
def move_lead(*, lead_id: uuid.UUID, to: Stage, by: str) -> Lead:
    """Move a lead along its stages. Raises ``MoveNotAllowed``; a lead that is there already stays."""
    lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead_id)
    if lead.stage == to:
        return lead
    if to not in MOVES[Stage(lead.stage)]:
        raise MoveNotAllowed(f"{lead.stage} -> {to}")
    lead.stage = to
    lead.score = score(lead)
    lead.save(update_fields={"stage", "score"})
    lead_changed.send(sender=Lead, lead=lead, created=False)
    return lead


@transaction.atomic
def call_person(
    *, conversation_id: uuid.UUID, now: datetime, reason: HandoverReason, question: str = ""
) -> Conversation:
    """Ask the staff to come, and say why. The assistant helps on until somebody does.

    Without a ``question`` the one left open is what the customer wrote last.
    """
    conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
    if conversation.mode in {Mode.ASSISTANT, Mode.WAITING}:
        handovers.record(conversation, reason=reason, question=question, now=now)
    if conversation.mode == Mode.ASSISTANT:
        _lead_by(conversation, Mode.WAITING, now=now, waiting_since=now)
    return conversation


@transaction.atomic
def take_over(*, conversation_id: uuid.UUID, by: User | None, now: datetime) -> Conversation:
    """An operator leads from now on; an answer still on its way is thrown away.

    ``by`` is None for a colleague who writes in the vendor's own app, where nobody says who it is.
    """
    conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
    if conversation.mode == Mode.CLOSED:
        raise ConversationClosed(str(conversation_id))
    Turn.objects.filter(conversation=conversation, state=State.DUE).update(
        state=State.DROPPED, upto_seq=conversation.last_seq
    )
    handovers.close(conversation, by=by, now=now)
    _lead_by(conversation, Mode.OPERATOR, now=now, operator=by, waiting_since=None)
    return conversation


@transaction.atomic
def give_back(*, conversation_id: uuid.UUID, by: User | None, now: datetime) -> Conversation:
    """The assistant leads again; it answers what the operator has left unanswered. ``by`` is None for the clock."""
    conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
    if conversation.mode not in {Mode.OPERATOR, Mode.WAITING}:
        return conversation
    handovers.close(conversation, by=by, now=now)
    _lead_by(conversation, Mode.ASSISTANT, now=now, operator=None, waiting_since=None)
    last = Message.objects.filter(conversation=conversation).order_by("-seq").first()
    if last and last.author == Author.CUSTOMER and owe_answer(conversation, now=now):
        ring(import_string("sales.tasks.answer"), conversation.pk)
    return conversation


@transaction.atomic
def close(*, conversation_id: uuid.UUID, by: User, now: datetime) -> Conversation:
    """End the talk: nobody answers here, and a model that is asked later doesn't read what stands before."""
    conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
    if conversation.mode == Mode.CLOSED:
        return conversation
    Turn.objects.filter(conversation=conversation, state=State.DUE).update(
        state=State.DROPPED, upto_seq=conversation.last_seq
    )
    handovers.close(conversation, by=by, now=now)
    append(
        conversation,
        now=now,
        direction=Direction.OUT,
        author=Author.SYSTEM,
        operator=by,
        external_id=f"{CLOSING}{conversation.last_seq + 1}",
        text=CLOSED["en" if conversation.language == "en" else "ru"],
    )
    _lead_by(conversation, Mode.CLOSED, now=now, operator=by, waiting_since=None)
    return conversation


@transaction.atomic
def reopen(*, conversation_id: uuid.UUID, now: datetime) -> Conversation:
    """Somebody has written where all was said: the assistant leads again. One that isn't closed stays as it is."""
    conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
    if conversation.mode == Mode.CLOSED:
        _lead_by(conversation, Mode.ASSISTANT, now=now, operator=None, waiting_since=None)
    return conversation


@transaction.atomic
def send_as_operator(
    *, conversation_id: uuid.UUID, text: str, by: User, now: datetime, external_id: str | None = None
) -> Message:
    """Say something to the customer as a person; it takes the conversation over."""
    conversation = take_over(conversation_id=conversation_id, by=by, now=now)
    conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation.pk)
    message = append(
        conversation,
        now=now,
        direction=Direction.OUT,
        author=Author.OPERATOR,
        operator=by,
        external_id=external_id,
        text=clean(text)[:TEXT_MOST],
    )
    reply_ready.send(sender=Message, conversation=conversation, message=message, turn=None)
    return message


@transaction.atomic
def heard_from_colleague(*, conversation_id: uuid.UUID, external_id: str, text: str, now: datetime) -> Message:
    """Store what a colleague wrote in the vendor's own app; it takes the conversation over, as a word of ours does.

    Raises ``IntegrityError`` when it is stored already.
    """
    conversation = take_over(conversation_id=conversation_id, by=None, now=now)
    return append(
        conversation,
        now=now,
        direction=Direction.OUT,
        author=Author.OPERATOR,
        external_id=external_id,
        text=clean(text)[:TEXT_MOST],
    )


@transaction.atomic
def ask_about(*, conversation_id: uuid.UUID, item: str) -> None:
    """Keep what the customer asks about, in the words of the channel it came by: an offer with its price and link."""
    conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
    memory = conversation.memory or {}
    item = clean(item).strip()[:500]
    if item and memory.get("item") != item:
        conversation.memory = {**memory, "item": item}
        conversation.save(update_fields={"memory"})


def _lead_by(conversation: Conversation, mode: Mode, *, now: datetime, **fields: Any) -> None:
    if conversation.mode == mode and all(getattr(conversation, name) == value for name, value in fields.items()):
        return
    fields = {"mode": mode, "led_since": now, **fields}
    for name, value in fields.items():
        setattr(conversation, name, value)
    conversation.save(update_fields=set(fields))
    mode_changed.send(sender=Conversation, conversation=conversation)
