"""What a text or a quote names of the catalogue, as data: whose each amount is. Pure: knows no database.

A tool that shows prices gives ``of_texts`` or ``of_quote`` beside its words (``data["sold"]``), so that a claim about
an amount can be held against it; the price list is such data itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from pricing import placeholders, snapshot
from pricing.calculator import Calculation, Product, Rules

MONEY, PERCENT = "RUB", "%"


@dataclass(frozen=True)
class Fact:
    """An amount and whose it is. ``goods`` are ``product:…`` and ``service:…``; ``tier`` is ``product.tier``.

    ``role`` is price, line, subscription, discount, services, total or vat; of a percentage: discount or cap.
    ``period`` is month, year, once, or empty where it has none. ``reduced`` is set on what discounts are taken off yet.
    """

    value: Decimal
    unit: str
    role: str
    goods: frozenset[str] = frozenset()
    tier: str = ""
    discount: str = ""
    period: str = ""
    reduced: bool = False
    #: the total that discounts have left
    discounted: bool = False

    @property
    def together(self) -> bool:
        """Whether it is the sum of several things."""
        return self.role in {"subscription", "discount", "services", "total", "vat"} and len(self.goods) > 1


@dataclass(frozen=True)
class Sold:
    """All that is known: facts, and the rules whose names they go by."""

    facts: tuple[Fact, ...] = ()
    rules: tuple[Rules, ...] = ()

    @property
    def vat_charged(self) -> bool | None:
        """Whether the seller charges VAT; None where nobody has said."""
        return self.rules[0].vat.rate is not None if self.rules else None


def of_texts(texts: Iterable[str], rules: Rules) -> dict[str, Any]:
    """What of the catalogue the placeholders of these texts show, as JSON; empty where they show nothing."""
    codes = {code for text in texts for code in placeholders.codes(text)}
    if not codes:
        return {}
    return {"rules": snapshot.rules_to_json(_named(rules, codes))}


def _named(rules: Rules, codes: set[str]) -> Rules:
    """The rules with nothing in them but what is named."""

    def tiers(product: Product) -> Product:
        whole = f"tiers:{product.code}" in codes
        kept = (
            tier
            for tier in product.tiers
            if whole or {f"price:{product.code}.{tier.code}", f"limit:{product.code}.{tier.code}"} & codes
        )
        return replace(product, tiers=tuple(kept))

    products = (tiers(product) for product in rules.products)
    return replace(
        rules,
        products=tuple(product for product in products if product.tiers),
        services=tuple(each for each in rules.services if f"service:{each.code}" in codes),
        discounts=tuple(each for each in rules.discounts if f"discount:{each.code}" in codes),
        discount_cap_percent=rules.discount_cap_percent if "cap" in codes else Decimal(0),
    )


def of_quote(calculation: Calculation) -> dict[str, Any]:
    """What a quote has reckoned, by codes, with the names of what is in it."""
    rules = Rules(
        products=tuple(replace(line.product, tiers=(line.tier,)) for line in calculation.products),
        services=tuple(line.service for line in calculation.services),
        discounts=tuple(line.discount for line in calculation.discounts),
        discount_cap_percent=Decimal(0),
        vat=calculation.vat,
    )
    return {"rules": snapshot.rules_to_json(rules), "result": snapshot.result_to_json(calculation)}


def read(datas: Sequence[Mapping[str, Any]]) -> Sold:
    """The facts of what tools gave back; what is no such data is passed over."""
    facts: dict[Fact, None] = {}
    rules: list[Rules] = []
    for data in datas:
        sold = data.get("sold")
        if not isinstance(sold, Mapping):
            sold = {"rules": data} if "products" in data and "discount_cap_percent" in data else {}
        if not sold.get("rules"):
            continue
        known = _rules(snapshot.canonical(sold["rules"]))
        rules.append(known)
        facts |= dict.fromkeys(_of_rules(known))
        if isinstance(sold.get("result"), Mapping):
            facts |= dict.fromkeys(_of_result(sold["result"]))
    return Sold(tuple(facts), tuple(rules))


@lru_cache(maxsize=64)
def _rules(text: str) -> Rules:
    import json  # only here

    return snapshot.rules_from_json(json.loads(text))


def _of_rules(rules: Rules) -> Iterator[Fact]:
    for product in rules.products:
        for tier in product.tiers:
            if tier.price_month is not None:
                yield Fact(
                    tier.price_month.normalize(),
                    MONEY,
                    "price",
                    frozenset({f"product:{product.code}"}),
                    f"{product.code}.{tier.code}",
                    period="month",
                )
    for service in rules.services:
        often = "month" if service.charge == "monthly" else "once"
        yield Fact(service.price.normalize(), MONEY, "price", frozenset({f"service:{service.code}"}), period=often)
    for discount in rules.discounts:
        yield Fact(discount.percent.normalize(), PERCENT, "discount", discount=discount.code)
    if rules.discount_cap_percent:
        yield Fact(rules.discount_cap_percent.normalize(), PERCENT, "cap", discount="cap")


def _of_result(result: Mapping[str, Any]) -> Iterator[Fact]:
    try:
        yield from _sums(result)
    except (KeyError, TypeError, InvalidOperation):
        return  # a quote that an older edition has kept: its prices are in the rules beside it


def _sums(result: Mapping[str, Any]) -> Iterator[Fact]:
    period = str(result["billing_period"])
    products = frozenset(f"product:{line['product']}" for line in result["products"])
    services = frozenset(f"service:{line['service']}" for line in result["services"])
    reduced = Decimal(result["discount_total"]) > 0
    only = result["products"][0] if len(result["products"]) == 1 else None
    tier = f"{only['product']}.{only['tier']}" if only else ""
    for line in result["products"]:
        if line["amount"] is not None:
            own = f"{line['product']}.{line['tier']}"
            goods = frozenset({f"product:{line['product']}"})
            yield Fact(_money(line["amount"]), MONEY, "line", goods, own, period=period, reduced=reduced)
    for line in result["services"]:
        goods = frozenset({f"service:{line['service']}"})
        yield Fact(_money(line["amount"]), MONEY, "line", goods, period=period if line["months"] > 1 else "")
    yield Fact(_money(result["subscription"]), MONEY, "subscription", products, tier, period=period, reduced=reduced)
    for line in result["discounts"]:
        yield Fact(_money(line["amount"]), MONEY, "discount", products, tier, str(line["code"]), period)
    if reduced:
        yield Fact(_money(result["discount_total"]), MONEY, "discount", products, tier, "", period)
    if services:
        yield Fact(_money(result["services_total"]), MONEY, "services", services)
    spell = period if products else ""
    yield Fact(_money(result["total"]), MONEY, "total", products | services, tier, period=spell, discounted=reduced)
    yield Fact(_money(result["vat"]["amount"]), MONEY, "vat", products | services)


def _money(text: str) -> Decimal:
    return Decimal(text).normalize()


# --- the names by which customers and models speak of it ---


@dataclass(frozen=True)
class Mention:
    """A place in a text that names something: ``product:…``, ``service:…``, ``tier:…`` or ``discount:…``."""

    start: int
    end: int
    what: str


_ADJECTIVE = re.compile(r"(?:ый|ий|ой|ая|яя|ое|ее|ые)$", re.IGNORECASE)
#: a person is called so too
_PEOPLE = re.compile(r"менедж|manage|ассист|assist|операт|operat|консул", re.IGNORECASE)
#: what is named only to say that it isn't meant
_NOT_MEANT = re.compile(
    r"(?:\bвместо|\bа не|\bне|\bчем|\bкроме|\bв отличие от|\bбез|\binstead of|\bnot|\bthan"
    r"|\bwithout)\s+(?:тариф\w*\s+|the\s+)?[«\"“]?$",
    re.IGNORECASE,
)
_NUMBER = r"(?<![\d ])(\d{1,3}(?: \d{3})+|\d+)"


def mentions(text: str, rules: Sequence[Rules]) -> list[Mention]:
    """What a text names of these rules, in order; the longest name where several begin in one place."""
    found: list[Mention] = []
    for pattern, what in _names(tuple(rules)):
        for match in pattern.finditer(text):
            if not _NOT_MEANT.search(text[max(0, match.start() - 40) : match.start()]):
                found.append(Mention(match.start(), match.end(), what))
    return sorted(found, key=lambda each: (each.start, -each.end))


@lru_cache(maxsize=64)
def _names(rules: tuple[Rules, ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    patterns: dict[tuple[str, str], None] = {}
    for known in rules:
        for product in known.products:
            for name in (product.name.ru, product.name.en):
                if name:
                    patterns[_product(name), f"product:{product.code}"] = None
            for tier in product.tiers:
                for name in {tier.name.ru, tier.name.en, tier.code.title()} - {""}:
                    patterns[_tier(name), f"tier:{product.code}.{tier.code}"] = None
                if tier.up_to is not None:
                    patterns[_size(tier.up_to, product), f"tier:{product.code}.{tier.code}"] = None
        for service in known.services:
            for name in (service.name.ru, service.name.en):
                if name:
                    patterns[_service(name), f"service:{service.code}"] = None
        for discount in known.discounts:
            patterns[_reason(discount), f"discount:{discount.code}"] = None
    patterns[_CAP, "discount:cap"] = None
    return tuple((re.compile(pattern), what) for pattern, what in patterns if pattern)


_CAP = (
    r"(?i)\b(?:максим\w+|не (?:больше|более)|не превы\w+|вместе|в сумме|суммарн\w+|предел\w*|at most"
    r"|cap(?:ped)?|altogether|in total|maximum)\b"
)


def _stem(word: str) -> str:
    word = re.escape(_ADJECTIVE.sub("", word)) if _ADJECTIVE.search(word) else re.escape(word[: max(4, len(word) - 2)])
    return word + r"\w{0,6}"


def _product(name: str) -> str:
    """«AI-менеджер по продажам» as «ИИ-менеджера», «AI-менеджером», and where no person is called so, without «AI»."""
    words = re.findall(r"[^\W\d_]+", name)
    if len(words) > 1 and words[0].lower() in {"ai", "ии"}:
        stem = _stem(words[1])
        prefix = r"(?:\b(?:ai|ии|аи)[\s–-]*)"
        return rf"(?i){prefix}{stem}" if _PEOPLE.search(words[1]) else rf"(?i){prefix}?\b{stem}"
    return r"(?i)\b" + r"\s+".join(_stem(word) for word in words[:2])


def _tier(name: str) -> str:
    """In quotation marks, behind «тариф», or with a capital letter in the middle of a sentence."""
    stem = re.escape(name) + (r"(?:\w{1,3})?" if len(name) > 4 else "")
    loose = rf"|(?<=[\w,:–-] ){re.escape(name)}\b(?! [а-яё]+ (?:цен|стоимост|тариф))" if len(name) > 3 else ""
    return (
        rf"[«\"“]{stem}[»\"”]|\b[Тт]ариф\w{{0,3}}\s+[«\"“]?{stem}|\b{stem}[»\"”]?\s+(?:tier|plan)\b"
        rf"|(?:^|[|\n•:,–-]\s*){stem}\s*(?=[|–:(-])|\(\s*{stem}\s*\){loose}"
    )


def _size(up_to: int, product: Product) -> str:
    """«до 2 000 диалогов»: a tier by what it holds."""
    units = "|".join(
        dict.fromkeys(re.escape(word[:5]) for word in (product.unit.ru.split()[:1] + product.unit.en.split()[:1]))
    )
    digits = f"{up_to:,}".replace(",", " ?")
    return rf"(?i)\b(?:до|up to)\s+{digits}\s+(?:{units})\w*" if units else ""


def _service(name: str) -> str:
    words = re.findall(r"[^\W\d_]+", name)
    if name.isascii() or _ADJECTIVE.search(words[0]):
        return r"(?i)\b" + r"[\s-]+".join(_stem(word) for word in words[:2])
    return rf"(?i)\b{_stem(words[0])}"


_COUNTS = {2: r"дв[ау]х?|двумя|2|two", 3: r"тр[иё]х?|трех|тремя|3|three", 4: r"четыр\w+|4|four"}


def _reason(discount: Any) -> str:
    if discount.distinct_products:
        number = _COUNTS.get(discount.distinct_products, str(discount.distinct_products))
        return (
            rf"(?i)\b(?:{number})(?:[- ]\w+){{0,1}}[- ](?:продукт|product)\w*|\bпакет\w*"
            rf"|\b(?:{number})\s+(?:вместе|и (?:больше|более)|or more)\b|\bза (?:{number})\b(?!\s+\w*(?:месяц|год"
            rf"|дн|недел|час|%|тыс))"
            rf"|\b(?:{number})(?=\s*[–:-]?\s*\d+(?:[.,]\d+)?\s*%)"
        )
    if discount.billing_period == "year":
        return r"(?i)\b(?:год(?!\w*вщ)\w*|annual\w*|year\w*)"
    if discount.billing_period == "month":
        return r"(?i)\b(?:помесячн\w+|ежемесячн\w+|monthly)"
    if discount.startup:
        return r"(?i)\b(?:стартап\w*|start-?ups?)\b"
    return r"(?i)\b" + r"\s+".join(_stem(word) for word in re.findall(r"[^\W\d_]+", discount.name.ru)[:2])
