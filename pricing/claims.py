"""Whose an amount is: a sentence that says a price of another product, tier, period or kind is stopped by the guard.

The guard asks ``read`` once for all that tools have shown and ``check`` for each sentence of a draft. Only what is
known is objected to: an amount that no rule and no quote of this conversation has is another's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pricing.sold import PERCENT, Fact, Mention, Sold, mentions
from pricing.sold import read as read_sold
from sales.assistant.guard.denial import denied
from sales.assistant.guard.evidence import unmarked
from sales.assistant.guard.numbers import AMOUNTS_MOST, Amount, amounts, readable
from sales.assistant.guard.verdict import Finding, Kind
from sales.assistant.protocol import ToolResult

_WHY = "this amount belongs to something else ({whose}); look at the result of the tool again and say it of that only"
_WHY_VAT = "this isn't how VAT stands in the rules; say it as the tool's result does"
_WHY_SIZE = "this tier holds another volume ({whose})"

_I = re.IGNORECASE
_MONTH = (
    r"(?:в|за|на)\s+(?:1\s+|один\s+|каждый\s+)?мес(?:яц|\b)|/\s*мес|ежемесячно|помесячно|(?:per|a|each"
    r"|/)\s*month|monthly|/\s*mo\b"
)
_YEAR = (
    r"(?:за|на)\s+12\s+месяцев|"
    r"(?:в|за|на)\s+(?:1\s+|один\s+|весь\s+|целый\s+|первый\s+)?год\b|/\s*год|ежегодно|(?:per|a|each|/)\s*year"
    r"|yearly|annually"
)
_ONCE = r"разов(?:о|ая|ый)\b|единоразово|единовременно|один раз|once|one[- ]time"
_OTHER = (
    r"(?:в|за)\s+(?:1\s+|один\s+|одну\s+)?(?:день|сутки|недел\w|квартал|полгода|час)\b|/\s*(?:день|час)|(?:per"
    r"|a)\s+(?:day|week|hour|quarter)"
    r"|(?:за|на)\s+(?:1\s+|каждый\s+|каждое\s+|каждого\s+|один\s+|одного\s+)?(?:диалог|документ|отч[её]т"
    r"|сообщени[ея]|пользовател[яь]|сотрудник\w?|оператор\w?|менеджера)\b"
    r"|per\s+(?:conversation|document|report|message|user|seat)|навсегда|пожизненно|бессрочно|за вс[её] время"
)
_AFTER = tuple(
    (period, re.compile(rf"[\s*_)\]»,–-]{{0,4}}(?:{words})", _I))
    for period, words in (("month", _MONTH), ("year", _YEAR), ("once", _ONCE), ("other", _OTHER))
)
_SAYS = (
    r"(?:\s*[:–—-]\s*|\s+(?:это|выйдет|выходит|стоит|получается|будет|обойд[её]тся|цена|стоимость|сумма|итого"
    r"|составит|составляет|is|it is|comes to|всего|–)){0,3}\s*(?:[«\"(*]|~|≈)?\s*$"
)
_BEFORE = tuple(
    (period, re.compile(rf"(?:{words}){_SAYS}", _I))
    for period, words in (("month", _MONTH), ("year", _YEAR), ("once", _ONCE))
)
_SUM = re.compile(
    r"\b(?:итог\w*|(?:дв|тр|четыр)\w* продукт\w*|оба|обоих|вместе|всего|за оба|за обоих|за все|за всё|за вс[её]"
    r"|общ\w+|в сумме|комплект\w*|пакет\w*|плюс|набор\w*|total|together|both|all|altogether|bundle|подписк\w+"
    r"|расч[её]т\w*|к оплате"
    r"|заказ\w*|кп|предложени\w+|quote|proposal|subscription|сэконом\w+|эконом\w+|скидк\w+|services|услуг\w*)\b|\+",
    _I,
)
_DISCOUNT_BEFORE = re.compile(
    r"(?<!со )(?<!с )(?<!от )\b(?:скидк[аиуой]{1,2}|эконом\w+|сэконом\w+|выгод[аыу]|дешевле на|saving\w*|you save"
    r"|discount(?: of| is)?)"
    r"(?:\s+(?:за\s+\w+|составит|составляет|вместе|будет|в размере|до|на|–|это|is|of))*\s*[:–—(-]?\s*$",
    _I,
)
_TOTAL_BEFORE = re.compile(
    r"\b(?:итого(?:вая сумма| к оплате)?|к оплате|итоговая (?:сумма|цена|стоимость)|общая (?:сумма|стоимость)"
    r"|grand total|the total(?: is)?|total)"
    r"(?:\s+(?:за\s+\w+|в\s+\w+|составит|составляет|будет|выйдет|is|–))*\s*[:–—-]?\s*$",
    _I,
)
_REDUCED_BEFORE = re.compile(
    r"\b(?:со скидк\w+|с уч[её]том (?:\w+\s+)?скид\w+|после (?:\w+\s+)?скид\w+|with (?:the )?discounts?|discounted"
    r"|after (?:the )?discounts?)"
    r"(?:\s+\d+(?:[.,]\d+)?\s*%)?(?:\s+(?:это|выйдет|составит|будет|цена|стоимость|сумма|за год|за месяц|is|–"
    r"|всего|получится))*\s*[:–—-]?\s*$",
    _I,
)
_FULL_BEFORE = re.compile(
    r"\b(?:без (?:\w+\s+)?скид\w+|до (?:\w+\s+)?скид\w+|полная (?:цена|стоимость)|before (?:the )?discounts?"
    r"|without (?:the )?discounts?)(?:\s+\w+){0,2}\s*[:–—-]?\s*$",
    _I,
)
_REDUCED_AFTER = re.compile(
    r"[^.;,\d]{0,30}\b(?:со скидк|с уч[её]том (?:\w+\s+)?скид|после (?:\w+\s+)?скид|with (?:the )?discount)", _I
)
_SUBSCRIPTION_BEFORE = re.compile(r"подписк\w*(?:\s+\w+){0,3}\s*[:–-]?\s*$", _I)
_TOTAL_WORDS = re.compile(r"итог|всего|вместе|услуг|total", _I)
_YEARLY = re.compile(
    r"\b(?:за|на|в) год\b|\bгодов\w+ (?:цен|подписк|стоимост|тариф|плат[её]ж|сумм)|за 12 мес|\b(?:a|per) year\b"
    r"|\byearly (?:price|fee)",
    _I,
)
_MONTHLY = re.compile(
    r"\bв месяц\b|\bза месяц\b|\bежемесячн\w+|\bмесячн\w+ плат|\bпомесячн\w+|\bper month\b|\bmonthly\b", _I
)
_OF_PERIODS = re.compile(r"скид|оплат|плат[ия]т|выгодн|×|мес\.|discount|paying", _I)
_ALL_OF_IT = re.compile(
    r"\b(?:вместе|оба|обоих|обе|комплект\w*|вс[её]х? (?:три|трёх|два|продукт\w+)|все продукты|both|bundle|together"
    r"|all three)\b",
    _I,
)
_EACH = re.compile(r"\bпо\b|кажд|отдельн|each|отдельно", _I)
_VAT_BEFORE = re.compile(r"\b(?:НДС|VAT)\s*(?:составит|составляет|is)?\s*[:–—-]?\s*$", _I)
_WITH_VAT = re.compile(
    r"\bдобав\w+\s+(?:\w+\s+)?НДС\b|\bНДС\s+(?:ещё\s+)?(?:добав|начисл)\w*|\bначисл\w+\s+НДС\b|"
    r"\b(?:с|включая|в том числе|плюс|и|учитывая|с уч[её]том)\s+(?:\w+\s+)?НДС\b|\+\s*НДС|\bНДС\s+(?:сверху"
    r"|включ\w+|вход\w+|уже|\d+\s*%)|\bincl\w*\s+(?:\w+\s+)?VAT\b|\b(?:plus|with)\s+VAT|\+\s*VAT"
    r"|\bVAT\s+(?:is\s+)?(?:included|on top|extra)",
    _I,
)
_WITHOUT_VAT = re.compile(
    r"\bбез\s+(?:\w+\s+)?НДС\b|\bНДС\s+не\s+(?:облага|взима|начисл)\w*|\bexcl\w*\s+VAT|\bwithout\s+VAT"
    r"|\bVAT\s+is\s+not\s+charged",
    _I,
)
_MAYBE = re.compile(r"\b(?:если|когда|в случае|if|when)\b", _I)
_ABOUT_DISCOUNT = re.compile(r"скид|дешевле|сниж|льгот|эконом|discount|off\b|save", _I)
#: a sentence that goes on about what the one before it named
_GOES_ON = re.compile(
    r"[\s*>•-]*(?:Он|Она|Оно|Его|Её|Это|Стоит|Стоимость|Цена|Тариф|Такой|Самый|It|Its|This|The (?:price|tier)|That)\b"
)
_HEADING = re.compile(r"^\s*(?:#{1,6}\s|\*\*[^*]+\*\*:?\s*$)|:\s*\**\s*$")
_INTRODUCED = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s")


def read(results: Sequence[ToolResult]) -> Sold:
    """What tools have shown of prices, by whose they are."""
    return read_sold([result.data for result in results if not result.failed])


def check(sentence: str, known: Sold, before: Sequence[str]) -> Iterator[Finding]:
    """Amounts of a sentence that are said of the wrong thing."""
    if not known.facts:
        return
    clean = unmarked(sentence)
    if clean.count("|") > 3 and "\n" in clean:
        yield from _table(clean, known, before)
        return
    text = readable(clean)
    found = amounts(clean)
    if not found or len(found) > AMOUNTS_MOST:  # so many are refused anyway
        return
    yield from _said(text, found, known, _context(clean, before, known))
    yield from _vat(text, found, known)
    yield from _sizes(text, found, known)


@dataclass(frozen=True)
class _Named:
    """What is named near an amount."""

    goods: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    discounts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, found: Iterable[Mention]) -> _Named:
        whats = [each.what for each in found]
        return cls(
            frozenset(what for what in whats if what.startswith(("product:", "service:"))),
            frozenset(what[5:] for what in whats if what.startswith("tier:")),
            frozenset(what[9:] for what in whats if what.startswith("discount:")),
        )

    @property
    def products(self) -> frozenset[str]:
        return frozenset(each for each in self.goods if each.startswith("product:"))

    @property
    def anything(self) -> bool:
        return bool(self.goods or self.tiers)


def _said(text: str, found: Sequence[Amount], known: Sold, context: frozenset[str]) -> Iterator[Finding]:
    named = mentions(text, known.rules)
    money = [
        each
        for each in found
        if each.unit == "RUB" or each.priced or (not each.unit and each.value >= 1000 and not each.noun)
    ]
    yield from _of_group(text, money, named, known, context)
    yield from _of_group(text, [each for each in found if each.unit == PERCENT], named, known, context)


def _of_group(
    text: str, group: Sequence[Amount], named: list[Mention], known: Sold, context: frozenset[str]
) -> Iterator[Finding]:
    carried = _Named(goods=context)
    for at, amount in enumerate(group):
        start = group[at - 1].end if at else 0
        end = group[at + 1].start if at + 1 < len(group) else len(text)
        last = at + 1 == len(group)
        own = _Named.of(
            each
            for kinds in _KINDS
            for each in _bound(
                text,
                [each for each in named if start <= each.start and each.end <= amount.start],
                [each for each in named if amount.end <= each.start < end],
                amount,
                last=last,
                kinds=kinds,
            )
        )
        said, own = own, _complete(own, carried)
        carried = own
        not_it = re.search(r"\bне\s+(?:за\s+)?$", text[max(0, amount.start - 8) : amount.start], _I)
        if not_it or denied(text, amount.start, amount.end):
            continue
        facts = [
            fact for fact in known.facts if fact.value == amount.value and (fact.unit == amount.unit or not amount.unit)
        ]
        if not facts:
            continue
        near = text[start : min(end, amount.end + 40)]
        if amount.unit == PERCENT:
            good = _percent_fits(text, near, own, facts)
        else:
            volume = _volume(text, start, amount.start, known)
            good = _money_fits(text, amount, near, own, facts, said=said, volume=volume, limits=_limits(known))
        if not good:
            yield Finding(Kind.ATTRIBUTION, _piece(text, start, amount), _WHY.format(whose=_whose(facts)))


#: what binds by itself: the product may stand before an amount and the tier behind it
_KINDS = (("product:", "service:"), ("tier:",), ("discount:",))
_PARTS_BEFORE = re.compile(r"[,;.\n]|\s(?:и|а|and)\s", _I)
_JOINS = re.compile(r"\b(?:за|у|для|это|на|по|от|стоит|стоят|будет|for|is|on|of|get|gets|buys?)\b|–|\(", _I)
_PARTS_AFTER = re.compile(r"[,;:.\n]|\s(?:и|а|плюс|and|plus)\s|\+", _I)


def _bound(
    text: str, behind: list[Mention], ahead: list[Mention], amount: Amount, *, last: bool, kinds: tuple[str, ...]
) -> list[Mention]:
    """What of one kind an amount is said of: what stands before it, or behind it and not before the next amount."""
    before = [each for each in behind if each.what.startswith(kinds)]
    after = [each for each in ahead if each.what.startswith(kinds)]
    joined_before = bool(before) and not _PARTS_BEFORE.search(text[before[-1].end : amount.start])
    between = text[amount.end : after[0].start] if after else ""
    adjacent = kinds == ("discount:",) and not between.strip()
    joined_after = bool(after) and (adjacent or bool(_JOINS.search(between))) and not _PARTS_AFTER.search(between)
    if joined_before and joined_after:
        return [*before, *after]
    if joined_before or (before and not joined_after):
        return before
    return after if joined_after or (last and after) else []


def _complete(own: _Named, carried: _Named) -> _Named:
    """What isn't said anew holds on: the product of the tiers that follow, both for the sum that follows a price."""
    if not own.anything:
        return _Named(carried.goods, carried.tiers, own.discounts)
    if own.goods:
        return own if own.tiers else _Named(own.goods, carried.tiers if own.products else frozenset(), own.discounts)
    return _Named(carried.goods, own.tiers, own.discounts)


def _money_fits(
    text: str,
    amount: Amount,
    near: str,
    own: _Named,
    facts: list[Fact],
    *,
    said: _Named,
    volume: tuple[str, Decimal] | None,
    limits: Mapping[str, int | None],
) -> bool:
    # a sum of several things isn't said of what only an earlier amount was said of
    fitting = [fact for fact in facts if _of_the_same(fact, said if fact.together else own, near)]
    here = _clause(text, amount, ",;.:(\n")
    if _ALL_OF_IT.search(here) and not _EACH.search(here) and len(said.goods) != 1:
        fitting = [fact for fact in fitting if fact.role not in {"price", "line"}]
    fitting = [fact for fact in fitting if _holds(fact, volume, limits)]
    period = _period(text, amount)
    if period:
        fitting = [fact for fact in fitting if fact.period == period or not fact.period or _by_unit(fact, period)]
    lead = text[max(0, amount.start - 70) : amount.start]
    after = text[amount.end : amount.end + 60]
    fitting = [fact for fact in fitting if _role_fits(fact, lead, text, facts, after=after)]
    return bool(fitting)


def _limits(known: Sold) -> dict[str, int | None]:
    return {
        f"{product.code}.{tier.code}": tier.up_to
        for rules in known.rules
        for product in rules.products
        for tier in product.tiers
    }


def _volume(text: str, start: int, end: int, known: Sold) -> tuple[str, Decimal] | None:
    """The volume that an amount is said to be for: «1 800 диалогов – 14 900 ₽», by the product whose unit it is."""
    part = text[start:end]
    if re.search(r"\bне\b|\bмал|\bбольше\b|\bсвыше\b|\bот\b|\bnot\b|\bover\b", part, _I):
        return None
    units = {
        word.split()[0][:5].lower(): f"product:{product.code}"
        for rules in known.rules
        for product in rules.products
        for word in (product.unit.ru, product.unit.en)
        if word
    }
    found = [each for each in amounts(part) if not each.unit and each.noun[:5] in units]
    return (units[found[-1].noun[:5]], found[-1].value) if found else None


def _holds(fact: Fact, volume: tuple[str, Decimal] | None, limits: Mapping[str, int | None]) -> bool:
    """Whether the tier whose price it is holds that volume."""
    if volume is None or not fact.tier or volume[0] not in fact.goods:
        return True
    most = limits.get(fact.tier)
    return most is None or volume[1] <= most


def _by_unit(fact: Fact, period: str) -> bool:
    """«4 500 ₽ за час», «4 900 ₽ за канал»: a service may be counted by anything; bought monthly it is due monthly."""
    return period == "other" and fact.role == "price" and any(each.startswith("service:") for each in fact.goods)


def _of_the_same(fact: Fact, own: _Named, near: str) -> bool:
    if fact.role == "discount" and fact.discount and own.discounts and fact.discount not in own.discounts:
        return False
    if fact.together:
        if own.goods and not own.goods >= fact.goods and not _SUM.search(near):
            return False
        return not own.goods or bool(own.goods & fact.goods)
    if own.goods and fact.goods and not own.goods & fact.goods:
        return False
    if own.tiers and fact.tier:
        products = {each.partition(":")[2] for each in own.products}
        tiers = {each for each in own.tiers if not products or each.partition(".")[0] in products} or own.tiers
        return fact.tier in tiers
    return not (own.tiers and not own.goods and all(each.startswith("service:") for each in fact.goods) and fact.goods)


def _role_fits(fact: Fact, lead: str, near: str, facts: list[Fact], *, after: str) -> bool:
    if _DISCOUNT_BEFORE.search(lead):
        return fact.role == "discount"
    if _VAT_BEFORE.search(lead):
        return fact.role == "vat"
    if _REDUCED_BEFORE.search(lead):
        return not fact.reduced and (
            fact.role != "price" or fact.period != "month" or any(each.role == "total" for each in facts)
        )
    if _REDUCED_AFTER.match(after):
        return not fact.reduced and fact.role != "price"
    if _SUBSCRIPTION_BEFORE.search(lead) and fact.role == "total" and not _TOTAL_WORDS.search(lead):
        return not any(each.startswith("service:") for each in fact.goods)
    if _FULL_BEFORE.search(lead):
        return not fact.discounted
    if (
        _TOTAL_BEFORE.search(lead)
        and fact.reduced
        and not re.search(r"подписк|до скид|без скид|subscription", near, _I)
    ):
        return False
    if fact.role == "discount":
        return bool(
            re.search(r"скид|эконом|выгод|дешевл|сниж|минус|minus|discount|sav|off|less|cheap|разниц", near, _I)
        )
    return True


def _period(text: str, amount: Amount) -> str:
    after = text[amount.end : amount.end + 40]
    for period, pattern in _AFTER:
        if pattern.match(after):
            return period
    lead = text[max(0, amount.start - 60) : amount.start]
    found = next((period for period, pattern in _BEFORE if pattern.search(lead)), "")
    return found or _period_of_clause(text, amount)


def _clause(text: str, amount: Amount, marks: str) -> str:
    """What stands around an amount between these marks."""
    begin = max(text.rfind(mark, 0, amount.start) for mark in marks) + 1
    ends = [at for mark in marks if (at := text.find(mark, amount.end)) >= 0]
    return text[begin : min(ends, default=len(text))]


def _period_of_clause(text: str, amount: Amount) -> str:
    """«За год AI-менеджер стоит …», «… – это ежемесячный платёж»: of one period alone, and not of ways to pay."""
    clause = _clause(text, amount, ",;.:(\n")
    if _OF_PERIODS.search(clause):
        return ""
    year, month = bool(_YEARLY.search(clause)), bool(_MONTHLY.search(clause))
    return "" if year == month else "year" if year else "month"


def _percent_fits(text: str, near: str, own: _Named, facts: list[Fact]) -> bool:
    if not own.discounts or not (_ABOUT_DISCOUNT.search(text) or len(text) < 120):
        return not _on_service(near, own)
    return any(fact.discount in own.discounts for fact in facts) and not _on_service(near, own)


def _on_service(near: str, own: _Named) -> bool:
    """Discounts are taken off subscriptions: «скидка 20 % на внедрение» is another's."""
    services = [each for each in own.goods if each.startswith("service:")] or _SERVICES.findall(near)
    return (
        bool(services)
        and not own.products
        and bool(re.search(r"скид\w+[^.;]*\bна\b|\bна\b[^.;]*скид|discount\w* on|off\b", near, _I))
        and not re.search(r"подписк|\bне\b|нет", near, _I)
    )


_SERVICES = re.compile(r"\bна (?:все |любые |наши )?услуг\w*|\bon services\b", _I)


def _piece(text: str, start: int, amount: Amount) -> str:
    return " ".join(text[max(start, amount.start - 60) : amount.end].split())


def _whose(facts: list[Fact]) -> str:
    words = {
        " ".join(
            filter(
                None, [fact.role, *sorted(fact.goods), fact.tier, fact.discount, fact.period and f"per {fact.period}"]
            )
        )
        for fact in facts
    }
    return "; ".join(sorted(words)[:3])


def _context(sentence: str, before: Sequence[str], known: Sold) -> frozenset[str]:
    """The product that a heading or the sentence before has named, for a sentence that goes on about it."""
    if not before:
        return frozenset()
    if _GOES_ON.match(sentence):
        named = _Named.of(mentions(unmarked(before[-1]), known.rules)).goods
        if len(named) == 1:
            return named
    for earlier in reversed(before[-12:]):
        if _HEADING.search(earlier):
            named = _Named.of(mentions(unmarked(earlier), known.rules)).goods
            return named if len(named) == 1 else frozenset()
        if not _INTRODUCED.match(earlier):
            break
    return frozenset()


def _table(text: str, known: Sold, before: Sequence[str]) -> Iterator[Finding]:
    """Cells, each of what its row and its column name."""
    rows = [line.strip().strip("|").split("|") for line in text.split("\n") if "|" in line]
    if len(rows) < 2:
        return
    heads = [_Named.of(mentions(f"| {cell.strip()} |", known.rules)) for cell in rows[0]]
    head_words = [cell.lower() for cell in rows[0]]
    context = _context(text, before, known)
    lines = text.split("\n")
    above = "\n".join(line for line in lines if "|" not in line)
    if not context and above:
        context = _Named.of(mentions(above, known.rules)).products
    for row in rows[1:]:
        label = _Named.of(each for cell in row for each in mentions(f"| {cell.strip()} |", known.rules))
        for column, cell in enumerate(row):
            head = heads[column] if column < len(heads) else _Named()
            goods = (label.goods | head.goods) or heads[0].goods or context
            own = _Named(goods, label.tiers | head.tiers, label.discounts | head.discounts)
            clean = f"{cell.strip()}"
            for amount in amounts(clean):
                if amount.unit not in {"RUB", PERCENT} and amount.value < 1000:
                    continue
                facts = [
                    fact
                    for fact in known.facts
                    if fact.value == amount.value and (fact.unit == amount.unit or not amount.unit)
                ]
                if not facts or amount.noun:
                    continue
                heading = head_words[column] if column < len(head_words) else ""
                if amount.unit == PERCENT:
                    good = not own.discounts or any(fact.discount in own.discounts for fact in facts)
                else:
                    good = any(_cell_fits(fact, own, f"{cell} {heading}") for fact in facts)
                if not good:
                    yield Finding(
                        Kind.ATTRIBUTION, " | ".join(each.strip() for each in row), _WHY.format(whose=_whose(facts))
                    )


def _cell_fits(fact: Fact, own: _Named, near: str) -> bool:
    if not _of_the_same(fact, own, near):
        return False
    if not fact.period or fact.period == "once":
        return True
    months, years = re.search(r"мес|month", near, _I), re.search(r"\bгод|\bгод\w*|year|annual", near, _I)
    if bool(months) == bool(years):
        return True
    return fact.period == ("month" if months else "year")


def _vat(text: str, found: Sequence[Amount], known: Sold) -> Iterator[Finding]:
    if known.vat_charged is None or not any(each.money or each.priced for each in found) or _MAYBE.search(text):
        return
    for match in (_WITHOUT_VAT if known.vat_charged else _WITH_VAT).finditer(text):
        if not denied(text, *match.span()) and not re.search(
            r"\bбез\s+(?:\w+\s+)?$|\bне\s+$", text[: match.start()], _I
        ):
            yield Finding(Kind.ATTRIBUTION, match[0], _WHY_VAT)


def _sizes(text: str, found: Sequence[Amount], known: Sold) -> Iterator[Finding]:
    """«„Старт“ – до 5 000 диалогов»: a tier holds what the rules say."""
    limits = {
        f"{product.code}.{tier.code}": tier.up_to
        for rules in known.rules
        for product in rules.products
        for tier in product.tiers
    }
    units = {
        word[:5].lower()
        for rules in known.rules
        for product in rules.products
        for word in (product.unit.ru, product.unit.en)
        if word
    }
    for amount in found:
        if (
            amount.unit
            or amount.noun[:5] not in units
            or not re.search(r"\b(?:до|up to|вмеща\w+|включ\w+|рассчитан\w* на)\s+$", text[: amount.start], _I)
        ):
            continue
        named = [each for each in mentions(text, known.rules) if each.end <= amount.start]
        products = {each.what[8:] for each in named if each.what.startswith("product:")}
        last = max((each.start for each in named if each.what.startswith("tier:")), default=-1)
        tiers = {each.what[5:] for each in named if each.what.startswith("tier:") and each.start == last}
        tiers = {each for each in tiers if not products or each.partition(".")[0] in products}
        if re.search(r"\bне\b|\bмал\w*\b|\bnot\b|;", text[max(last, 0) : amount.start], _I):
            continue
        sizes = {limits[each] for each in tiers if each in limits}
        if sizes and amount.value not in sizes and None not in sizes:
            yield Finding(
                Kind.ATTRIBUTION,
                f"до {amount.piece} {amount.noun}",
                _WHY_SIZE.format(whose=", ".join(sorted(map(str, sizes)))),
            )
