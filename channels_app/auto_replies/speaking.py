"""Rules of staff are followed: a rule speaks once in a conversation, and never after a person has answered.

The sweep looks for conversations; whether a rule may speak is decided again in the transaction that stores what it
says, under the conversation's lock: a person who comes at the same moment is either before, and it is silent, or after.
"""

from __future__ import annotations

import uuid
from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from channels_app import deliveries
from channels_app.auto_replies.models import AutoReply, AutoReplySent, Situation
from channels_app.models import Thread
from sales import operations
from sales.enums import Author, Direction, Mode
from sales.models import Conversation, Message

#: how old a customer's message may be that a rule speaks to: later it would only puzzle
FRESH = timedelta(minutes=15)
#: how long a silence that is over its hours may wait for the rule's time of day
LATE = timedelta(hours=72)
#: conversations of a rule in one go
GO = 200
_LED_BY_US = (Mode.ASSISTANT, Mode.WAITING)


def sweep(*, now: datetime) -> int:
    """Let every active rule speak where its situation is; returns how many times any did."""
    spoken = 0
    for rule in AutoReply.objects.filter(is_active=True, active_since__lte=now):
        if rule.situation != Situation.OUT_OF_HOURS and not in_time(rule, now):
            continue
        for conversation_id in _candidates(rule, now=now):
            spoken += speak(rule_id=rule.pk, conversation_id=conversation_id, now=now)
    return spoken


def in_time(rule: AutoReply, at: datetime) -> bool:
    """Whether a moment lies in the rule's days and hours; hours over midnight belong to the day they begin on."""
    local = timezone.localtime(at)
    clock, begins, ends = local.time(), rule.from_time, rule.until_time
    if begins < ends or ends == time(0, 0):
        return local.weekday() in rule.weekdays and begins <= clock and (ends == time(0, 0) or clock < ends)
    if clock >= begins:
        return local.weekday() in rule.weekdays
    return clock < ends and (local.weekday() - 1) % 7 in rule.weekdays


def _candidates(rule: AutoReply, *, now: datetime) -> list[uuid.UUID]:
    """Where the rule may be about to speak. Those where it mustn't are left out here, so that they take nobody's place;
    ``speak`` decides.
    """
    assert rule.active_since is not None
    of_this = Message.objects.filter(conversation=OuterRef("pk")).order_by("-seq")
    found = Conversation.objects.filter(
        ~Exists(AutoReplySent.objects.filter(rule=rule, conversation=OuterRef("pk"))),
        ~Exists(of_this.filter(author=Author.OPERATOR)),
        ~Exists(Thread.objects.filter(conversation=OuterRef("pk"), unreachable_since__isnull=False)),
        mode__in=_LED_BY_US,
    ).order_by("last_message_at")
    if rule.channel:
        found = found.filter(channel=rule.channel)
    if rule.situation == Situation.SILENCE:
        hours = timedelta(hours=rule.silence_hours or 1)
        since = max(rule.active_since, now - LATE) - hours
        last = of_this.exclude(author=Author.SYSTEM)
        silent = found.filter(last_message_at__gte=since, last_message_at__lte=now - hours)
        silent = silent.annotate(last_author=Subquery(last.values("author")[:1]))
        silent = silent.annotate(last_rule=Subquery(last.values("auto_reply__rule")[:1]))
        return list(silent.filter(last_author=Author.ASSISTANT, last_rule=None).values_list("pk", flat=True)[:GO])
    since = max(rule.active_since, now - FRESH)
    by_customer = of_this.filter(author=Author.CUSTOMER)
    wrote = found.filter(last_message_at__gte=since)
    wrote = wrote.annotate(wrote_at=Subquery(by_customer.values("created_at")[:1])).filter(wrote_at__gte=since)
    if rule.situation == Situation.FIRST_CONTACT:
        wrote = wrote.filter(~Exists(by_customer.filter(created_at__lt=since)))
        return list(wrote.values_list("pk", flat=True)[:GO])
    rows = wrote.values_list("pk", "wrote_at")
    return [number for number, at in rows.iterator() if not in_time(rule, at)][:GO]


@transaction.atomic
def speak(*, rule_id: int, conversation_id: uuid.UUID, now: datetime) -> bool:
    """Say what the rule says, unless it mustn't; returns whether it did."""
    conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
    rule = AutoReply.objects.filter(pk=rule_id, is_active=True).first()
    if rule is None or not may_speak(rule, conversation, now=now):
        return False
    message = operations.append(
        conversation,
        now=now,
        direction=Direction.OUT,
        author=Author.ASSISTANT,
        external_id=f"auto:{rule.pk}",  # the second guard against a repeat
        text=rule.text,
    )
    AutoReplySent.objects.create(rule=rule, conversation=conversation, message=message, sent_at=now)
    deliveries.owe(message, conversation=conversation, now=now)
    return True


def may_speak(rule: AutoReply, conversation: Conversation, *, now: datetime) -> bool:
    """Whether the situation is there now, in a conversation whose row is locked."""
    if conversation.mode not in _LED_BY_US or (rule.channel and conversation.channel != rule.channel):
        return False
    if AutoReplySent.objects.filter(rule=rule, conversation=conversation).exists():
        return False
    messages = Message.objects.filter(conversation=conversation)
    if messages.filter(author=Author.OPERATOR).exists():
        return False
    if Thread.objects.filter(conversation=conversation, unreachable_since__isnull=False).exists():
        return False
    if rule.situation == Situation.SILENCE:
        return _is_silent(rule, messages, now=now)
    since = max(rule.active_since or now, now - FRESH)
    wrote = messages.filter(author=Author.CUSTOMER).order_by("-seq").first()
    if wrote is None or wrote.created_at < since:
        return False
    if rule.situation == Situation.OUT_OF_HOURS:
        return not in_time(rule, wrote.created_at)
    first = messages.filter(author=Author.CUSTOMER).order_by("seq").first()
    return first is not None and first.created_at >= since and in_time(rule, now)


def _is_silent(rule: AutoReply, messages: QuerySet[Message], *, now: datetime) -> bool:
    """We spoke last, and the customer, who has written before, has said nothing for so many hours."""
    hours = timedelta(hours=rule.silence_hours or 1)
    last = messages.filter(~Q(author=Author.SYSTEM)).order_by("-seq").first()
    if last is None or last.author != Author.ASSISTANT or not in_time(rule, now):
        return False
    if AutoReplySent.objects.filter(message=last).exists():
        return False  # one reminder isn't followed by another
    since = max(rule.active_since or now, now - LATE) - hours
    return since <= last.created_at <= now - hours and messages.filter(author=Author.CUSTOMER).exists()
