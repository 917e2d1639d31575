"""Which products a message names, and how much of each: tiers by name, volumes by their unit or by nearness."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from knowledge.llm.keyless import lexicon, morphology
from knowledge.llm.keyless.message import Clause, Message, compares_periods, units_of
from knowledge.llm.keyless.morphology import wordset
from knowledge.llm.keyless.numbers import Number
from knowledge.llm.keyless.phrasebook import Match
from pricing.calculator import Rules


@dataclass(frozen=True)
class Mention:
    """A product that the customer wants priced, with what was said of its size."""

    product: str
    tier: str | None = None
    volume: int | None = None


@dataclass(frozen=True)
class Sizes:
    """What a message wants priced; ``tier`` and ``volume`` are sizes that belong to no product in it."""

    products: tuple[Mention, ...] = ()
    tier: str | None = None
    volume: int | None = None
    #: every such volume in order, where there are several: «300 и 60»
    volumes: tuple[int, ...] = ()
    bad_volume: bool = False


#: what is counted by the day or the week, times this is what it is in a month
DAYS, WEEKS = Fraction(30), Fraction(52, 12)
_PER = {
    **dict.fromkeys(("день", "сутки", "day"), DAYS),
    **dict.fromkeys(("неделя", "week"), WEEKS),
    **dict.fromkeys(("месяц", "month"), Fraction(1)),
    **dict.fromkeys(("год", "year"), Fraction(1, 12)),
}
_MONEY = wordset("рубль руб р rub ₽ процент percent")
_TIME = wordset("день неделя минута секунда сутки лето час раз")
#: nouns that may follow a bare volume without being what is counted: «500 в месяц»
_NOT_COUNTED = wordset("месяц год штука шт тариф ai crm")
_ROUGHLY = wordset("штука шт примерно около порядка будет быть где-то приблизительно до где то")
_NOT_VOLUME_AFTER = wordset("бюджет рубль год номер дом квартира инн пункт вопрос")


def products_in(message: Message) -> list[Match]:
    """Where products are named. A bare «менеджер» is one only in the company of prices or other products."""
    named = [match for match in message.all("product") if not _is_counted(message, match)]
    taken = {place for match in named for place in range(match.first, match.last + 1)}
    heads = [head for head in message.all("head") if head.first not in taken]
    for head in heads:
        if _is_counted(message, head):
            continue
        if message.lemma(head.first) == "менеджер" and not _manager_is_product(message, head, [*named, *heads]):
            continue
        named.append(head)
    if not named and not message.means("identity") and not message.means("person"):
        named = list(message.all("hint"))[:1]
    return sorted(named, key=lambda match: match.first)


def _is_counted(message: Message, match: Match) -> bool:
    """«10 менеджеров» and «3 юриста» are people; «менеджер 1800, юрист 120» are products."""
    if message.lemma(match.first) == "ai" or not any(number.last == match.first - 1 for number in message.numbers):
        return False
    return not message.after_comma(match.first) and "nomn" not in morphology.grammar(message.raw(match.first))


def _manager_is_product(message: Message, head: Match, others: Iterable[Match]) -> bool:
    if message.means("person"):
        return False
    if any(other.name != head.name for other in others) or message.all("tier"):
        return True
    if any(unit.name == head.name for unit in message.all("unit")) or message.is_out(head):
        return True
    if message.raw(head.first - 1) in {"нужен", "нужно", "надо"}:
        return True
    if any(number.first == head.last + 1 for number in message.numbers):
        return True
    alone = len(message.words) == 1
    return alone or bool(message.clause_of(head.first).intents & {"price", "only", "know", "add", "want"})


def strangers_in(message: Message) -> Iterator[tuple[int, str]]:
    """«AI-бухгалтер»: a profession after «AI» that nothing in the catalogue is called by; place and name."""
    known = {
        place
        for kind in ("product", "head", "service")
        for match in message.all(kind)
        for place in range(match.first, match.last + 1)
    }
    yield from trades_in(message)
    for place, word in enumerate(message.words[:-1]):
        follower = message.words[place + 1]
        if word.lemma != "ai" or {place, place + 1} & known or follower.kind != "word":
            continue
        if follower.raw.isascii():
            if follower.raw in lexicon.ENGLISH_PROFESSIONS and follower.sentence == word.sentence:
                yield place, f"AI {follower.raw.capitalize()}"
            continue
        if follower.sentence != word.sentence or "," in follower.before:
            continue
        noun = {"NOUN", "anim"} <= morphology.grammar(follower.raw)
        if noun and message.lemma(place + 1) not in lexicon.NOT_A_PROFESSION:
            yield place, f"AI-{message.lemma(place + 1)}"


def trades_in(message: Message) -> Iterator[tuple[int, str]]:
    """«А логист есть?», «есть бухгалтер?»: a trade that is asked for as if it were a product."""
    words = [place for place, word in enumerate(message.words) if message.lemma(place) not in lexicon.FILLERS | {"ai"}]
    if len(words) != 1 or not message.asks or "быть" not in message.lemmas:
        return
    place = words[0]
    taken = any(
        match.first <= place <= match.last for kind in ("product", "head", "hint") for match in message.all(kind)
    )
    said = morphology.grammar(message.raw(place))
    if not morphology.is_known(message.raw(place)):
        return  # «вайбер есть?»: of a word it doesn't know the dictionary only guesses
    if {"NOUN", "anim", "sing"} <= said and not taken and message.lemma(place) not in lexicon.NOT_A_PROFESSION:
        yield place, f"AI-{message.lemma(place)}"


def strange_tiers_in(message: Message) -> Iterator[str]:
    """«Тариф премиум»: a name after «тариф» that no tier has."""
    known = {
        place
        for kind in ("tier", "product", "head", "service", "unit", "period")
        for match in message.all(kind)
        for place in range(match.first, match.last + 1)
    }
    for place, word in enumerate(message.words[:-1]):
        follower = message.words[place + 1]
        if message.lemma(place) not in {"тариф", "пакет", "tariff", "plan"} or {place, place + 1} & known:
            continue
        if not message.together(place, place + 1) or "," in follower.before or follower.kind != "word":
            continue
        said = morphology.grammar(follower.raw)
        noun = "NOUN" in said and (bool({"nomn", "accs", "Name"} & said) or not morphology.is_known(follower.raw))
        names = noun or {"ADJF", "nomn"} <= said or follower.raw.isascii()
        if names and message.lemma(place + 1) not in lexicon.FILLERS | lexicon.VAGUE | _NO_TIER and word.kind == "word":
            yield message.text[follower.start : follower.end]


_NO_TIER = wordset(
    "выгодный подходящий оптимальный лучший хороший цена стоимость вариант нужный новый другой один следующий большой"
    " маленький бесплатный платный дорогой дешевый какой такой этот or for is are with продукт отчет документ диалог"
)


def sizes_in(message: Message, products: Sequence[Match]) -> Sizes:
    """Give each product its size."""
    named = [match for match in products if not message.is_out(match)]
    found: dict[str, dict[str, int | str]] = {}
    loose: dict[str, int | str] = {}
    several: list[int] = []
    volumes, bad = _volumes(message)
    for place, volume, by_unit in volumes:
        owner = by_unit or _nearest(message, place, named, found, "volume")
        if owner is None:
            several.append(volume)
        (loose if owner is None else found.setdefault(owner, {}))["volume"] = volume
    for place, tier in _tiers(message):
        for owner in _owners_of_tier(message, place, named, found):
            if owner is None:
                loose["tier"] = tier
            elif (code := tier_of(message.catalogue, owner, tier)) is not None:
                found.setdefault(owner, {})["tier"] = code
    order = dict.fromkeys(match.name for match in named if match.name in found or _is_wanted(message, match))
    codes = [*order, *(code for code in found if code not in order and message.catalogue.product(code) is not None)]
    wanted = tuple(_mention(code, found.get(code, {})) for code in codes)
    rest = _mention("", loose)
    return Sizes(wanted, rest.tier, rest.volume, tuple(several), bad)


def _mention(code: str, size: Mapping[str, int | str]) -> Mention:
    tier, volume = size.get("tier"), size.get("volume")
    return Mention(code, str(tier) if tier else None, int(volume) if volume else None)


def tier_of(catalogue: Rules, product_code: str, tier: str) -> str | None:
    """The code of a tier named by its code or by its place; None when the product has none such."""
    product = catalogue.product(product_code)
    if product is None or not product.tiers:
        return None
    priced = [each for each in product.tiers if each.price_month is not None] or list(product.tiers)
    if tier == "cheapest":
        return priced[0].code
    if tier == "largest":
        return priced[-1].code
    return tier if product.tier(tier) is not None else None


def _is_wanted(message: Message, match: Match) -> bool:
    """Whether a product that was named without a size is to be priced, or only spoken of."""
    if match.kind == "hint":
        return False
    clause = message.clause_of(match.first)
    if clause.only_asks:
        return False
    return "price" in clause.intents or not clause.intents & {"complaint", "person", "paper", "privacy", "attack"}


# --- volumes ---


def _volumes(message: Message) -> tuple[list[tuple[int, int, str | None]], bool]:
    """(place, volume a month, product by the unit's name), and whether a volume was zero or less."""
    units = units_of(message)
    found: list[tuple[int, int, str | None]] = []
    bad = False
    for number in message.numbers:
        if message.is_spent(number):
            continue
        kind, product, end = _what_number(message, number, units)
        if kind == "other":
            continue
        if number.negative or number.value <= 0:
            bad = True
            continue
        found.append((number.first, _per_month(message, number, end), product))
    return found, bad


def _what_number(message: Message, number: Number, units: Mapping[int, str]) -> tuple[str, str | None, int]:
    """What a number counts: a ``unit`` of a product, ``bare`` or something ``other``; and the last word it takes."""
    after = number.last + 1
    behind = message.text[message.words[number.last].end :]
    if behind.lstrip()[:1] in {"%", "₽", "$", "€"} or behind[:1].isalpha():
        return "other", None, after  # «1С», «24h»
    if message.raw(number.first - 1) == "не":
        return "other", None, after  # «не 500, а 800»
    named = [match for kind in ("product", "head") for match in message.all(kind)]
    if any(match.first == after and _is_counted(message, match) for match in named):
        return "other", None, after
    products = {place for match in named for place in range(match.first, match.last + 1)}
    for place in range(after, min(after + 3, len(message.words))):
        if not message.together(number.last, place) or message.after_comma(place) or place in products:
            break
        if place in units:
            return "unit", units[place], place
        lemma, grammar = message.lemma(place), morphology.grammar(message.raw(place))
        if lemma in _MONEY | _TIME or ("NOUN" in grammar and lemma not in _NOT_COUNTED):
            return "other", None, place
        if not {"ADJF", "PRTF"} & grammar:
            break
    if (message.lemma(after) in {"месяц", "год"} and not message.after_comma(after)) or _is_time(message, number):
        return "other", None, after
    before = number.first - 1
    while message.lemma(before) in _ROUGHLY and message.together(before - 1, before):
        before -= 1
    if before in units and message.together(before, number.first) and not message.after_comma(number.first):
        return "unit", units[before], number.last  # «диалогов 1800», «документов: 120»
    if message.lemma(before) in _NOT_VOLUME_AFTER or number.weak:
        return "other", None, after
    if not products and _is_aside(message.clause_of(number.first)):
        return "other", None, after
    return "bare", None, number.last


def _is_time(message: Message, number: Number) -> bool:
    """«15:30» and «25.11»: two numbers with a mark between."""
    beside = [place for place in (number.first, number.last + 1) if 0 < place < len(message.words)]
    return any(
        message.words[place].before in {":", "/"}
        and message.words[place - 1].kind == message.words[place].kind == "number"
        for place in beside
    )


def _is_aside(clause: Clause) -> bool:
    """Whether a number in a clause without products is by the way: «работаете с 9 до 18?»."""
    asides = {"know", "person", "complaint", "paper", "identity", "smalltalk", "privacy", "attack", "attack_price"}
    if clause.intents & asides:
        return True
    return clause.asks and not clause.intents & {"price", "what_if", "want"}


def _per_month(message: Message, number: Number, end: int) -> int:
    """The volume of a month where that of a day, a week or a year was said."""
    for place in range(end + 1, min(end + 3, len(message.words))):
        raw, unit = message.raw(place), message.lemma(place + 1)
        if raw in {"ежедневно", "daily"}:
            return int(number.whole * DAYS)
        if raw in {"в", "за", "per", "a", "каждый", "каждую"} and unit in _PER:
            if (raw == "за" and unit == "год") or message.lemma(place - 1) == "раз":
                break  # «1 800 диалогов за год» and «150 договоров, раз в год» are how they pay
            message.spend(place, place + 1)
            return ceil(number.whole * _PER[unit])
    return number.whole


# --- tiers ---


def _tiers(message: Message) -> list[tuple[int, str]]:
    """Where tiers are named; in «не старт, а бизнес» only the second, in a question about tiers none."""
    found: dict[int, str] = {}
    for match in message.all("tier"):
        clause = message.clause_of(match.first)
        periods = compares_periods(message, clause)
        if ("compare" in clause.intents and not periods) or "included" in clause.intents or message.is_out(match):
            continue
        if clause.only_asks and not periods and not _is_what_if(message, clause):
            continue
        found.setdefault(match.first, match.name)
    return list(found.items())


def _is_what_if(message: Message, clause: Clause) -> bool:
    return message.lemma(clause.first) in {"а", "если", "тогда"} and "know" not in clause.intents


def _owners_of_tier(
    message: Message, place: int, named: Sequence[Match], found: Mapping[str, Mapping[str, int | str]]
) -> list[str | None]:
    if message.means("everything") and named:
        return [match.name for match in named]
    return [_nearest(message, place, named, found, "tier")]


def _nearest(
    message: Message, place: int, products: Sequence[Match], found: Mapping[str, Mapping[str, int | str]], what: str
) -> str | None:
    """The product a size belongs to: of those without one the nearest; its own side of a comma counts most."""
    free = [match for match in products if what not in found.get(match.name, {})]
    return min(free, key=lambda match: _far(message, place, match)).name if free else None


def _far(message: Message, place: int, match: Match) -> tuple[int, int, int]:
    low, high = sorted((place, match.first if match.first > place else match.last))
    walls = sum(
        message.raw(at) in {"и", "а", "плюс", "and"}
        or any(mark in message.words[at].before for mark in ",+;")
        or not message.together(at - 1, at)
        for at in range(low + 1, high + 1)
    )
    return walls, high - low, int(match.first > place)
