"""Facts about a lead: noted from what the customer wrote, put right and withdrawn by staff."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from common.fields import readable
from common.text import clean
from sales.hearsay import latest_of_customer
from sales.models import Lead, Message, User
from sales.qualification import scoring
from sales.qualification.enums import ADDED_UP, FactKind
from sales.qualification.models import STAFF, LeadFact
from sales.qualification.quoting import exact_words
from sales.signals import lead_changed

#: the longest fact, in characters
VALUE_MOST = 200
#: facts that may hold about one lead at a time
FACTS_MOST = 60
#: the customer's latest messages in which a quote is looked for; a model is shown fewer
MESSAGES_MOST = 60


class FactEnded(Exception):
    """It was withdrawn or replaced before."""


@dataclass(frozen=True)
class Told:
    """A fact as somebody understood it; ``quote`` should be the customer's exact words."""

    kind: FactKind
    value: str
    quote: str


@dataclass(frozen=True)
class Noted:
    """What became of facts that were told: those that hold now, and the kinds of those without a quote."""

    facts: tuple[LeadFact, ...]
    unquoted: tuple[FactKind, ...]


@transaction.atomic
def note(*, conversation_id: uuid.UUID, lead_id: uuid.UUID, told: Sequence[Told], by: str, now: datetime) -> Noted:
    """Keep the facts whose quotes stand in a message of this conversation's customer. ``by`` is who understood them.

    What is known already, was withdrawn by staff, or is older than what holds now is passed over silently.
    """
    lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead_id)
    messages = latest_of_customer(conversation_id, most=MESSAGES_MOST)
    known = list(LeadFact.objects.filter(lead=lead).select_related("message"))
    noted: list[LeadFact] = []
    unquoted: list[FactKind] = []
    for each in told:
        value = _plain(each.value)
        message, words = _quoted(each.quote, messages)
        if message is None or not value:
            unquoted.append(each.kind)
            continue
        if any(_same(fact, each.kind, value) and (fact.ended_at is None or fact.message == message) for fact in known):
            continue  # said again, or put right since by staff or by the customer
        old = [fact for fact in known if fact.ended_at is None and _gives_way(fact, each.kind, value)]
        if any(_is_later(fact, message) for fact in old) or _count(known) >= FACTS_MOST:
            continue
        fact = LeadFact.objects.create(
            lead=lead, message=message, kind=each.kind, value=value, quote=words, noted_by=by[:60], created_at=now
        )
        for gone in old:
            _end(gone, now=now, replaced_by=fact)
        known.append(fact)
        noted.append(fact)
    if noted:
        _rescore(lead)
    return Noted(tuple(noted), tuple(dict.fromkeys(unquoted)))


@transaction.atomic
def put_right(*, fact_id: uuid.UUID, value: str, by: User, now: datetime) -> LeadFact:
    """Say a fact as it is; it quotes the same words. Raises ``FactEnded``."""
    fact = _held(fact_id)
    value = _plain(value)
    if value == fact.value or not value:
        return fact
    right = LeadFact.objects.create(
        lead=fact.lead,
        message=fact.message,
        kind=fact.kind,
        value=value,
        quote=fact.quote,
        noted_by=STAFF,
        member=by,
        created_at=now,
    )
    _end(fact, now=now, replaced_by=right)
    _rescore(fact.lead)
    return right


@transaction.atomic
def withdraw(*, fact_id: uuid.UUID, by: User, now: datetime) -> None:
    """Take a fact back: it was never so. It isn't noted from the same message again. Raises ``FactEnded``."""
    fact = _held(fact_id)
    _end(fact, now=now, withdrawn_by=by)
    _rescore(fact.lead)


def in_short(facts: Iterable[LeadFact]) -> list[str]:
    """Facts as a model is told of them, oldest first: ``budget: 50 000 ₽``. Not masked."""
    return [f"{fact.kind}: {readable(fact, 'value')}" for fact in sorted(facts, key=lambda each: each.created_at)]


def _held(fact_id: uuid.UUID) -> LeadFact:
    lead_id = LeadFact.objects.values_list("lead_id", flat=True).get(pk=fact_id)
    lead = Lead.objects.select_for_update(of=("self",)).get(pk=lead_id)
    fact = LeadFact.objects.select_related("message").get(pk=fact_id)
    fact.lead = lead
    if fact.ended_at is not None:
        raise FactEnded(str(fact_id))
    return fact


def _end(
    fact: LeadFact, *, now: datetime, replaced_by: LeadFact | None = None, withdrawn_by: User | None = None
) -> None:
    fact.ended_at, fact.replaced_by, fact.withdrawn_by = now, replaced_by, withdrawn_by
    LeadFact.objects.filter(pk=fact.pk).update(ended_at=now, replaced_by=replaced_by, withdrawn_by=withdrawn_by)


def _rescore(lead: Lead) -> None:
    lead.score = scoring.score(lead)
    lead.save(update_fields={"score"})
    lead_changed.send(sender=Lead, lead=lead, created=False)


def _quoted(quote: str, messages: Iterable[Message]) -> tuple[Message | None, str]:
    """The latest message that has these words, and the words as they stand there."""
    for message in messages:
        if words := exact_words(clean(quote), str(readable(message, "text"))):
            return message, words
    return None, ""


def _plain(value: str) -> str:
    return " ".join(clean(value).split())[:VALUE_MOST]


def _same(fact: LeadFact, kind: FactKind, value: str) -> bool:
    return fact.kind == kind and str(readable(fact, "value")).casefold() == value.casefold()


def _gives_way(fact: LeadFact, kind: FactKind, value: str) -> bool:
    """Whether a fact speaks of the same thing: of volumes those that count the same, so of two products two stay."""
    if fact.kind != kind or kind in ADDED_UP:
        return False
    old, new = _counted(str(readable(fact, "value"))), _counted(value)
    return kind != FactKind.VOLUME or not old or not new or old == new


def _counted(value: str) -> str:
    return " ".join(re.sub(r"[\d.,+~–—-]+", " ", value.casefold()).split())


def _is_later(fact: LeadFact, message: Message) -> bool:
    """Whether a fact is news beside that message; what staff have put right stands until the customer says more."""
    said_at = fact.message.created_at
    return said_at > message.created_at or (fact.noted_by == STAFF and said_at == message.created_at)


def _count(facts: Iterable[LeadFact]) -> int:
    return sum(fact.ended_at is None for fact in facts)
