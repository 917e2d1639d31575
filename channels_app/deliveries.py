"""What is owed to customers over a vendor's channel: sent in order, once, and where nobody can know, a person decides.

A crash between sending and noting it leaves ``sending_since`` set. Where the channel can be read back, what it has is
looked at before anything is sent again; where it can't, the delivery is *uncertain*.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from channels_app import registry
from channels_app.contract import Channel, Outgoing, Piece, Unreachable
from channels_app.models import Delivery, Thread
from common import metrics
from common import promise as promises
from common.bell import ring
from common.fields import readable
from common.problems import LastingProblem, TemporaryProblem, UnknownOutcome
from common.promise import State
from sales.enums import Author, Direction, Mode
from sales.models import Conversation, Message

logger = logging.getLogger(__name__)

#: how far two clocks may differ when what the vendor has is compared with what we have sent
CLOCKS = timedelta(seconds=30)
#: how long a vendor may take to show in the chat what it has accepted
SHOWN_AFTER = timedelta(seconds=3)
#: a call that begins later than this after it was noted was held up: others may think by then that it has ended
BEGINS_WITHIN = timedelta(seconds=2)


def owe(message: Message, *, conversation: Conversation, now: datetime) -> Delivery | None:
    """Owe a message to the customer, in the transaction that stores it; None where the channel fetches by itself."""
    channel = registry.by_name(conversation.channel)
    if channel is None or channel.capabilities.pulls:
        return None
    if message.author == Author.OPERATOR:  # a person's word waits for none of the assistant's that can't go out now
        waiting = Delivery.objects.filter(conversation=conversation, message__author=Author.ASSISTANT, state=State.DUE)
        waiting.update(state=State.DROPPED)
    delivery = Delivery.objects.create(
        message=message, conversation=conversation, seq=message.seq, due_at=now, created_at=now
    )
    ring(import_string("channels_app.tasks.deliver"), conversation.pk)
    return delivery


def deliver(conversation_id: uuid.UUID | str) -> int:
    """Send what is owed in a conversation now, in order; returns how many were taken."""
    taken = 0
    while True:
        now = timezone.now()
        owed = Delivery.objects.filter(conversation_id=conversation_id, state__in=[State.DUE, State.TAKEN])
        first = owed.order_by("seq").first()
        if first is None or first.due_at > now or not first.keep(fulfil, now=now):
            return taken
        taken += 1


def sweep(*, now: datetime) -> int:
    """Send what nobody was rung for, and settle what a dead or frozen worker has left.

    Only the first of each conversation is looked at, so that one broken chat with much in it holds up no other.
    """
    earlier = Delivery.objects.filter(
        conversation=models.OuterRef("conversation"), seq__lt=models.OuterRef("seq"), state__in=[State.DUE, State.TAKEN]
    )
    return promises.sweep(Delivery.objects.exclude(models.Exists(earlier)), fulfil, now=now, keep=_keep_and_go_on)


def _keep_and_go_on(delivery: Delivery, fulfil: Callable[[Delivery], None], *, now: datetime) -> bool:
    """Whoever has sent the first sends those behind it too: they were not taken while it was owed."""
    if not delivery.keep(fulfil, now=now):
        return False
    deliver(delivery.conversation_id)
    return True


def fulfil(delivery: Delivery) -> None:
    """Send the pieces that have not arrived yet. Each call stands alone between two short transactions."""
    conversation = Conversation.objects.get(pk=delivery.conversation_id)
    channel = registry.by_name(conversation.channel)
    if channel is None or not channel.is_on():
        raise TemporaryProblem(f"{conversation.channel} is off: its variables are empty")
    pieces = channel.plan(outgoing(delivery.message, conversation=conversation))
    try:
        if delivery.sending_since is not None:  # what goes wrong while it is looked for leaves the doubt as it is
            _settle_doubt(delivery, channel=channel, conversation=conversation, pieces=pieces)
        while len(delivery.sent) < len(pieces):
            if not _begin(delivery):
                return
            _note(delivery, _send(delivery, channel=channel, chat=conversation.external_id, pieces=pieces))
    except Unreachable:
        _unreachable(delivery, conversation)
        return
    except UnknownOutcome as problem:
        if channel.capabilities.looks_back:
            raise TemporaryProblem(str(problem), retry_after=SHOWN_AFTER.total_seconds()) from None
        raise
    with delivery.fenced():
        now = timezone.now()
        Delivery.objects.filter(pk=delivery.pk).update(sent_at=now)
        delivery.sent_at = now
    metrics.deliveries_total.labels(channel=conversation.channel, outcome="sent").inc()


def outgoing(message: Message, *, conversation: Conversation) -> Outgoing:
    """A message as its channel gets it."""
    earlier = Message.objects.filter(
        conversation=conversation, direction=Direction.OUT, seq__lt=message.seq, author=Author.ASSISTANT
    )
    cards = readable(message, "cards")
    return Outgoing(
        seq=message.seq,
        author=message.author,
        text=str(readable(message, "text")),
        cards=cards if isinstance(cards, list) else [],
        first=message.author == Author.ASSISTANT and not earlier.exists(),
        language=conversation.language,
    )


def _begin(delivery: Delivery) -> bool:
    """Note that a call is about to be made; false where it may not be made any more: a person leads now."""
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=delivery.conversation_id)
        with delivery.fenced():
            if delivery.message.author == Author.ASSISTANT and _a_person_has_spoken(delivery, conversation):
                # of a reply that has begun to arrive the rest is left out too: nothing follows a person's word
                state = State.KEPT if delivery.sent else State.DROPPED
                Delivery.objects.filter(pk=delivery.pk).update(state=state, problem="")
                return False
            delivery.sending_since = timezone.now()
            delivery.due_at = delivery.sending_since + delivery.LEASE  # a lease for each call
            fields = {"sending_since": delivery.sending_since, "due_at": delivery.due_at}
            Delivery.objects.filter(pk=delivery.pk).update(**fields)
    return True


def _a_person_has_spoken(delivery: Delivery, conversation: Conversation) -> bool:
    """Whether a person leads, or has said something since: what was meant to come before it isn't said after it."""
    if conversation.mode in {Mode.OPERATOR, Mode.CLOSED}:
        return True
    later = Message.objects.filter(conversation=conversation, author=Author.OPERATOR, seq__gt=delivery.seq)
    return later.exists()


def _send(delivery: Delivery, *, channel: Channel, chat: str, pieces: list[Piece]) -> str:
    """Make the call that was noted; what has surely not arrived leaves no doubt."""
    try:
        since = delivery.sending_since
        if since is None or timezone.now() > since + BEGINS_WITHIN:
            raise TemporaryProblem("held up before the call: not sent")
        return channel.send(chat, pieces[len(delivery.sent)])
    except (TemporaryProblem, LastingProblem):
        _clear(delivery)
        raise


def _note(delivery: Delivery, sent_id: str) -> None:
    """Keep what the vendor calls it; from here on there is no doubt about this piece."""
    with delivery.fenced():
        delivery.sent = [*delivery.sent, sent_id]
        delivery.sending_since = None
        Delivery.objects.filter(pk=delivery.pk).update(sent=delivery.sent, sending_since=None)


def _clear(delivery: Delivery) -> None:
    delivery.sending_since = None
    Delivery.objects.filter(pk=delivery.pk, state=State.TAKEN, attempts=delivery.attempts).update(sending_since=None)


def _settle_doubt(delivery: Delivery, *, channel: Channel, conversation: Conversation, pieces: list[Piece]) -> None:
    """Find out whether the call that nobody noted the end of has arrived."""
    since = delivery.sending_since
    assert since is not None
    if not channel.capabilities.looks_back:
        raise UnknownOutcome("nobody can know whether it has arrived: the call was cut")
    # with the database's sessions every lock is gone, though the call may go on: then it has all its time
    looks_from = since + (delivery.LEASE if _database_began_after(since) else SHOWN_AFTER)
    if (wait := (looks_from - timezone.now()).total_seconds()) > 0:
        raise TemporaryProblem("the chat may not show yet what it has", retry_after=wait)
    sent = Delivery.objects.filter(conversation=conversation).values_list("sent", flat=True)
    known = {each for some in sent for each in some}
    wanted = _bare(pieces[len(delivery.sent)].text)
    for found in channel.sent_after(conversation.external_id, since - CLOCKS):
        if found.id not in known and _bare(found.text) == wanted:
            _note(delivery, found.id)
            return
    _clear(delivery)


def _database_began_after(moment: datetime) -> bool:
    """Whether all sessions were cut since then: by a restart, or by the crash of one, after which it starts anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(backend_start), pg_postmaster_start_time()) > %s FROM pg_stat_activity"
            " WHERE backend_type = 'checkpointer'",
            [moment],
        )
        return bool(cursor.fetchone()[0])


def _bare(text: str) -> str:
    return " ".join(text.split())


def _unreachable(delivery: Delivery, conversation: Conversation) -> None:
    """The customer has left: nothing is owed there any more, and nobody is alarmed."""
    now = timezone.now()
    Thread.objects.filter(conversation=conversation, unreachable_since=None).update(unreachable_since=now)
    with delivery.fenced():
        Delivery.objects.filter(pk=delivery.pk).update(state=State.DROPPED, sending_since=None)
    others = Delivery.objects.filter(conversation=conversation, state=State.DUE)
    others.update(state=State.DROPPED)
    metrics.deliveries_total.labels(channel=conversation.channel, outcome="unreachable").inc()


def decide(delivery: Delivery, *, arrived: bool, now: datetime) -> None:
    """A person has looked: an uncertain or failed delivery has arrived, or is to be sent again."""
    with transaction.atomic():
        row = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
        if row.state not in {State.UNCERTAIN, State.BROKEN}:
            return
        fields: dict[str, Any]
        if arrived:
            fields = {"state": State.KEPT, "sending_since": None, "problem": "", "sent_at": row.sent_at or now}
        else:
            fields = {"state": State.DUE, "due_at": now, "attempts": 0, "sending_since": None, "problem": ""}
        Delivery.objects.filter(pk=row.pk).update(**fields)
        if not arrived:
            ring(import_string("channels_app.tasks.deliver"), row.conversation_id)


def owed_to(conversation: Conversation) -> models.QuerySet[Delivery]:
    """What has not arrived there yet, or nobody knows."""
    return Delivery.objects.filter(conversation=conversation).exclude(state__in=[State.KEPT, State.DROPPED])
