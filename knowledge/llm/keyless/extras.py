"""The rest of what a quote is made of: services with quantities, the billing period, whether they are a startup."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from knowledge.llm.keyless import lexicon, morphology
from knowledge.llm.keyless.message import Clause, Message, units_of
from knowledge.llm.keyless.numbers import Number
from knowledge.llm.keyless.phrasebook import Match
from knowledge.llm.keyless.sizes import DAYS, WEEKS

Period = Literal["month", "year"]


@dataclass
class Services:
    """Wanted services with quantities (None: nobody said how many), those taken out, and all that were named."""

    wanted: dict[str, int | None] = field(default_factory=dict)
    none: bool = False
    dropped: set[str] = field(default_factory=set)
    counted: dict[str, int] = field(default_factory=dict)
    topics: dict[str, None] = field(default_factory=dict)


def services_in(message: Message) -> Services:
    services = Services()
    for match in message.all("service"):
        services.topics[match.name] = None
        if message.is_out(match):
            services.dropped.add(match.name)
            continue
        quantity = _quantity(message, match)
        if quantity is not None and quantity <= 0:
            services.none = True
            continue
        if quantity is None and not _is_ordered(message, match, message.clause_of(match.first)):
            continue
        if services.wanted.get(match.name) is None:
            services.wanted[match.name] = quantity
    if services.none:
        services.wanted = {code: count for code, count in services.wanted.items() if count}
    named = {place for match in message.all("service") for place in range(match.first, match.last + 1)}
    for number in message.numbers:
        if number.last + 1 in named or message.after_comma(number.last + 1):
            continue
        code = _by_unit(message, message.lemma(number.last + 1))
        if (
            code is not None
            and not message.is_spent(number)
            and message.clause_of(number.first).intents.isdisjoint({"know"})
        ):
            services.counted[code] = number.whole
            message.spend(*range(number.first, number.last + 2))
    return services


def _by_unit(message: Message, word: str) -> str | None:
    """The service that is counted in this unit, if it is the only one."""
    codes = [
        service.code
        for service in message.catalogue.services
        if word and word == morphology.lemma(morphology.spell(service.unit.ru))
    ]
    return codes[0] if len(codes) == 1 else None


def _is_ordered(message: Message, match: Match, clause: Clause) -> bool:
    """Whether a service without a quantity is to be priced: «с внедрением», but not «как проходит внедрение?»."""
    if clause.only_asks or clause.intents & {"complaint", "paper", "privacy", "discount", "compare"}:
        return False
    if clause.intents & {"price", "add", "proposal", "only", "want"}:
        return True
    return message.raw(match.first - 1) in {"с", "со", "плюс", "with", "и"} or not clause.asks


def _quantity(message: Message, match: Match) -> int | None:
    """«три занятия», «обучение, 3 занятия», «обучение x3», «2 доп. канала»."""
    for number in message.numbers:
        if message.is_spent(number) or number.negative:
            continue
        inside = match.first <= number.first and number.last <= match.last
        if inside or (number.last == match.first - 1 and not message.after_comma(match.first)):
            message.spend(*range(number.first, number.last + 1))
            return number.whole
        if number.first in {match.last + 1, match.last + 2} and _counts_before(message, match, number):
            message.spend(*range(number.first, number.last + 1))
            return number.whole
    return None


def _counts_before(message: Message, match: Match, number: Number) -> bool:
    """Whether a number behind a service counts it: by the service's unit, or as the last word."""
    if not message.together(match.last, number.first):
        return False
    after = number.last + 1
    if message.lemma(after) in _unit_words(message, match.name):
        message.spend(after)
        return True
    between = message.raw(match.last + 1) if number.first == match.last + 2 else ""
    ends = not message.together(number.last, after) or message.after_comma(after)
    return between in {"", "x", "х", "на", "количество"} and (
        ends or message.lemma(after) in {"штука", "шт", "и", "раз"}
    )


def _unit_words(message: Message, code: str) -> set[str]:
    service = message.catalogue.service(code)
    if service is None:
        return set()
    words = {morphology.lemma(morphology.spell(word)) for word in f"{service.unit.ru} {service.unit.en}".split()}
    words |= {"раз", "штука", "шт"}
    return words | {"сессия", "урок", "sessions"} if code == "training" else words


# --- the billing period ---


def period_in(message: Message) -> tuple[Period | None, bool]:
    """The period that was named last, and whether one was named that isn't sold."""
    period: Period | None = None
    unsold = False
    for match in message.all("period"):
        clause = message.clause_of(match.first)
        if clause.intents & {"discount", "compare"} and "price" not in clause.intents:
            continue
        if match.name == "unsold":
            unsold = True
        elif any(match.first < number.first <= match.last and number.whole > 12 for number in message.numbers):
            continue  # «сколько на 25 отчётов в месяц»
        elif not (_counts_units(message, match) or message.is_out(match)):
            period = "year" if match.name == "year" else "month"
            message.spend(*range(match.first, match.last + 1))
    for number in message.numbers:
        unit, before = message.lemma(number.last + 1), message.raw(number.first - 1)
        if unit in {"месяц", "год", "month", "months", "years"} and before in {"на", "за", "for"}:
            unsold = unsold or not _is_sold(number, unit)
            message.spend(*range(number.first, number.last + 1))
    return period or _short_period(message), unsold


def _short_period(message: Message) -> Period | None:
    """«Год» as the whole answer, or as one of several keywords."""
    if message.means("compare"):
        return None
    said = [lemma for lemma in message.lemmas if lemma not in lexicon.FILLERS]
    if said in (["год"], ["year"]):
        return "year"
    if any(_stands_alone(message, place) for place, word in enumerate(message.words) if word.raw == "год"):
        return "year"
    return "month" if said in (["месяц"], ["month"]) else None


def _stands_alone(message: Message, place: int) -> bool:
    """«менеджер, бизнес, год»: a keyword of its own, not «этот год» or «в год»."""
    before, after = message.raw(place - 1), message.raw(place + 1)
    governed = {"PREP", "ADJF", "NUMR", "PRTF", "NPRO"} & morphology.grammar(before) if before else set()
    return (
        bool(before)
        and not governed
        and (not before.isdigit() or message.after_comma(place))
        and after not in {"назад", "спустя", "работы", "гарантии"}
        and morphology.lemma(after) not in {"убрать", "исключить", "отменить"}
    )


def _is_sold(number: Number, unit: str) -> bool:
    return number.value in ({1, 12} if unit in {"месяц", "month", "months"} else {1})


def _counts_units(message: Message, match: Match) -> bool:
    """«1 800 диалогов в месяц» and «100 в год» say how much, not how to pay."""
    if message.raw(match.first) not in {"в", "per", "a"}:
        return False
    before = match.first - 1
    return before in units_of(message) or any(number.last == before for number in message.numbers)


def pace_in(message: Message) -> Fraction | None:
    """By what a volume said before is to be multiplied: «в день» as the whole message."""
    said = [lemma for lemma in message.lemmas if lemma not in _BESIDE_PACE]
    if message.numbers or len(said) != 1:
        return None
    return _PACES.get(said[0])


_BESIDE_PACE = frozenset({"это", "в", "за", "ну", "каждый", "не", "месяц", "а", "per", "a"})
_PACES = {
    **dict.fromkeys(("день", "сутки", "ежедневно", "day", "daily"), DAYS),
    **dict.fromkeys(("неделя", "еженедельно", "week", "weekly"), WEEKS),
}


# --- startup ---


def startup_in(message: Message) -> bool | None:
    """What they say of themselves; «скидки для стартапов» says nothing."""
    said: bool | None = None
    for match in message.all("startup"):
        clause = message.clause_of(match.first)
        near = {
            message.raw(match.first - step) for step in (1, 2, 3) if message.together(match.first - step, match.first)
        }
        claims = bool(near & {"мы", "я", "наш", "наша", "нас", "являемся", "как", "we", "our"})
        asked = clause.intents & {"discount", "know", "compare"} and "price" not in clause.intents
        if "plur" in morphology.grammar(message.raw(match.first)) or (asked and not claims):
            continue
        said = not near & {"не", "без", "not"}
    return said
