"""Prices in articles: ``{{ price:ai_manager.business }}`` shows what the catalogue says at the moment of reading.

======================================  ======================================
``{{ price:PRODUCT.TIER }}``            34 900 ₽ в месяц, or «по запросу»
``{{ limit:PRODUCT.TIER }}``            2 000
``{{ service:SERVICE }}``               49 000 ₽
``{{ discount:DISCOUNT }}``             20 %
``{{ tiers:PRODUCT }}``                 a table of the product's tiers
``{{ cap }}``                           45 %
======================================  ======================================

Nothing else in braces is ours: it is text and stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from django.utils.translation import gettext as _

from pricing import words
from pricing.calculator import Product, Rules, Tier
from pricing.queries import current_rules

_OURS = re.compile(
    r"\{\{[ \t]*"
    r"(?:(?P<kind>price|limit|service|discount|tiers):(?P<code>[a-z0-9_]+(?:\.[a-z0-9_]+)?)|(?P<cap>cap))"
    r"[ \t]*\}\}"
)

_HEADER = {"ru": ("Тариф", "Объём", "Цена в месяц"), "en": ("Tier", "Volume", "Price per month")}


def render(text: str, language: str = "ru") -> str:
    """The text with prices in it. A placeholder that names nothing says that a manager will tell."""
    return renderer(language)(text)


def renderer(language: str = "ru") -> Callable[[str], str]:
    """``render`` for texts that belong together: the catalogue is read once, and only if one of them needs it."""
    language = "en" if language == "en" else "ru"
    rules = cache(current_rules)

    def render_one(text: str) -> str:
        return _OURS.sub(lambda found: _value(found, rules(), language) or words.ASK_A_MANAGER[language], text)

    return render_one


def problems(text: str) -> list[str]:
    """What of the text's placeholders names nothing on sale, in words for staff; empty when all is well."""
    dead = []
    rules: Rules | None = None
    for found in _OURS.finditer(text):
        rules = rules or current_rules()
        if _value(found, rules, "ru") is None:
            dead.append(_("%(placeholder)s names nothing in the catalogue.") % {"placeholder": found.group()})
    return list(dict.fromkeys(dead))


def blank(text: str) -> str:
    """The text with nothing in the placeholders' place: what a search engine should read."""
    return _OURS.sub(" ", text)


def codes(text: str) -> list[str]:
    """What the text's placeholders name, each once, in order: ``price:ai_manager.business``, ``cap``."""
    return list(dict.fromkeys(_spelt(found) for found in _OURS.finditer(text)))


def alive() -> list[str]:
    """What placeholders may name at this moment, spelt as ``codes`` does."""
    rules = current_rules()
    tiers = [f"{product.code}.{tier.code}" for product in rules.products for tier in product.tiers]
    return [
        "cap",
        *(f"{kind}:{code}" for kind in ("price", "limit") for code in tiers),
        *(f"tiers:{product.code}" for product in rules.products),
        *(f"service:{service.code}" for service in rules.services),
        *(f"discount:{discount.code}" for discount in rules.discounts),
    ]


def _spelt(found: re.Match[str]) -> str:
    return "cap" if found["cap"] else f"{found['kind']}:{found['code']}"


def _value(found: re.Match[str], rules: Rules, language: str) -> str | None:
    if found["cap"]:
        return words.percent(rules.discount_cap_percent)
    return _KINDS[found["kind"]](rules, found["code"], language)


def _price(rules: Rules, code: str, language: str) -> str | None:
    tier = _tier(rules, code)
    return words.tier_price(tier, language) if tier else None


def _limit(rules: Rules, code: str, language: str) -> str | None:
    tier = _tier(rules, code)
    return _size(tier, language) if tier else None


def _service(rules: Rules, code: str, language: str) -> str | None:
    service = rules.service(code)
    if service is None:
        return None
    price = words.money(service.price)
    return f"{price} {words.PER_MONTH[language]}" if service.charge == "monthly" else price


def _discount(rules: Rules, code: str, language: str) -> str | None:
    discount = rules.discount(code)
    return words.percent(discount.percent) if discount else None


def _tiers(rules: Rules, code: str, language: str) -> str | None:
    product = rules.product(code)
    return "\n".join(_table(product, language)) if product else None


def _table(product: Product, language: str) -> Iterator[str]:
    name, volume, price = _HEADER[language]
    yield f"| {name} | {volume}, {_cell(product.unit.in_language(language))} | {price} |"
    yield "|---|---:|---:|"
    for tier in product.tiers:
        cost = words.ON_REQUEST[language] if tier.price_month is None else words.money(tier.price_month)
        size = _size(tier, language)
        if tier.up_to is not None:
            size = f"{'up to' if language == 'en' else 'до'} {size}"
        yield f"| {_cell(tier.name.in_language(language))} | {size} | {cost} |"


def _size(tier: Tier, language: str) -> str:
    if tier.up_to is not None:
        return words.number(tier.up_to)
    return (words.ON_REQUEST if tier.price_month is None else words.UNLIMITED)[language]


def _tier(rules: Rules, code: str) -> Tier | None:
    product_code, _dot, tier_code = code.partition(".")
    product = rules.product(product_code)
    return product.tier(tier_code) if product else None


def _cell(text: str) -> str:
    """A name may hold what would end a cell."""
    return text.replace("|", r"\|")


_KINDS: dict[str, Callable[[Rules, str, str], str | None]] = {
    "price": _price,
    "limit": _limit,
    "service": _service,
    "discount": _discount,
    "tiers": _tiers,
}
