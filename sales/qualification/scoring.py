"""The score of a lead: which rules hold, what each gives, and when it is reckoned anew."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from common.fields import readable
from sales.models import Lead
from sales.qualification.enums import Condition, FactKind
from sales.qualification.models import LeadFact, ScoreRule
from sales.signals import lead_changed

#: leads that are scored in one transaction when the rules have changed
BATCH = 200

_NUMBER = re.compile(
    r"(?P<number>\d{1,3}(?:[ \u00a0\u202f\u2009]\d{3})+(?!\d)|\d+)(?P<rest>[.,]\d+)?\s*"
    r"(?P<scale>тыс|млн|миллион|thousand|million|[кk](?!\w))?",
    re.IGNORECASE,
)
_SCALE = {"т": 1000, "к": 1000, "k": 1000, "t": 1000, "м": 1_000_000, "m": 1_000_000}


@dataclass(frozen=True)
class Reason:
    """A rule that holds for a lead, and what it gives."""

    rule: ScoreRule
    points: int


@dataclass(frozen=True)
class Known:
    """What rules look at: a lead and the facts that hold about it, by kind."""

    lead: Lead
    facts: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, lead: Lead, facts: Iterable[LeadFact]) -> Known:
        by_kind: dict[str, tuple[str, ...]] = {}
        for fact in facts:
            by_kind[fact.kind] = (*by_kind.get(fact.kind, ()), str(readable(fact, "value")))
        return cls(lead, by_kind)


def number_in(value: str) -> Decimal | None:
    """The largest number of a fact: «от 10 до 20 тыс. ₽» is 20 000."""
    found = [
        Decimal(re.sub(r"\s", "", match["number"]) + (match["rest"] or "").replace(",", "."))
        * _SCALE.get((match["scale"] or "")[:1].lower(), 1)
        for match in _NUMBER.finditer(value)
    ]
    return max(found, default=None)


def _number_is_reached(rule: ScoreRule, known: Known) -> bool:
    numbers = [number for value in known.facts.get(rule.fact, ()) if (number := number_in(value)) is not None]
    return rule.at_least is not None and max(numbers, default=Decimal(-1)) >= rule.at_least


def _product_is_wanted(rule: ScoreRule, known: Known) -> bool:
    wanted = rule.product.casefold()
    return any(wanted in value.casefold() for value in known.facts.get(FactKind.PRODUCT, ()))


HOLDS: Mapping[str, Callable[[ScoreRule, Known], bool]] = {
    Condition.FACT: lambda rule, known: bool(known.facts.get(rule.fact)),
    Condition.NUMBER: _number_is_reached,
    Condition.PRODUCT: _product_is_wanted,
    Condition.CONTACT: lambda rule, known: bool(readable(known.lead, rule.contact)),
    Condition.STAGE: lambda rule, known: known.lead.stage == rule.stage,
}


def rules_in_force() -> list[ScoreRule]:
    return list(ScoreRule.objects.filter(is_active=True))


def reasons(known: Known, rules: Iterable[ScoreRule]) -> list[Reason]:
    """The rules that hold, in their order."""
    return [Reason(rule, rule.points) for rule in rules if HOLDS[rule.condition](rule, known)]


def total(found: Iterable[Reason]) -> int:
    """The score that reasons add up to."""
    return max(0, min(100, sum(reason.points for reason in found)))


def explained(lead: Lead) -> list[Reason]:
    """Why a lead has the score that it has now."""
    return reasons(Known.of(lead, lead.facts.holding()), rules_in_force())


def score(lead: Lead) -> int:
    """How ready to buy by the rules in force, 0 to 100."""
    return total(explained(lead))


def rules_changed() -> None:
    """Owe every open lead a new score; the worker or the sweep reckons it."""
    Lead.objects.open().update(score_due=True)


def rescore_due() -> int:
    """Reckon the scores that are owed, a batch a transaction; returns how many leads were looked at."""
    count = 0
    while batch := _rescore_some():
        count += batch
    return count


@transaction.atomic
def _rescore_some() -> int:
    leads = list(Lead.objects.select_for_update(of=("self",), skip_locked=True).filter(score_due=True)[:BATCH])
    if not leads:
        return 0
    rules = rules_in_force()  # after the leads are locked: rules that change later owe them again
    facts: dict[uuid.UUID, list[LeadFact]] = {}
    for fact in LeadFact.objects.holding().filter(lead__in=leads):
        facts.setdefault(fact.lead_id, []).append(fact)
    for lead in leads:
        reckoned = total(reasons(Known.of(lead, facts.get(lead.pk, ())), rules))
        if reckoned != lead.score:
            lead.score = reckoned
            Lead.objects.filter(pk=lead.pk).update(score=reckoned)
            lead_changed.send(sender=Lead, lead=lead, created=False)
    Lead.objects.filter(pk__in=[lead.pk for lead in leads]).update(score_due=False)
    return len(leads)
