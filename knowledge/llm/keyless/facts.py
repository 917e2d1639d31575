"""What the catalogue itself answers: prices from, tiers side by side, discounts, services, VAT, what a budget buys.

Pure: sentences from ``Rules``. The figures are those of the tool ``pricing__price_list``, which is called beside, so
that the guard finds each of them proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from knowledge.llm.keyless.passages import content
from knowledge.llm.keyless.wording import Language, inside, listed, say
from pricing import words
from pricing.calculator import Discount, Product, Rules, Tier


def prices_from(products: Iterable[Product], language: Language) -> str:
    """A line per product with what its smallest tier costs."""
    lines = []
    for product in products:
        tier = next((tier for tier in product.tiers if tier.price_month is not None), None)
        if tier is None:
            lines.append(f"- **{product.name.in_language(language)}** – {words.ON_REQUEST[language]}")
            continue
        values = {"product": product.name.in_language(language), "price": words.tier_price(tier, language)}
        size = words.tier_size(product, tier, language)
        lines.append("- " + say("from_line", language, **values, size=size).rstrip(", "))
    return "\n".join(lines)


def tiers_of(product: Product, language: Language) -> str:
    """What a product costs from and to, and a line per tier."""
    priced = [tier for tier in product.tiers if tier.price_month is not None]
    lines = [f"- {_tier_line(product, tier, language)}" for tier in product.tiers]
    if not priced:
        return "\n".join(lines)
    cheapest = min(priced, key=lambda tier: tier.price_month or 0)
    lead = say(
        "depends_on_volume",
        language,
        product=product.name.in_language(language),
        price=words.tier_price(cheapest, language),
        unit=unit_of(product, language),
    )
    return "\n".join([lead, "", *lines])


def tiers_compared(products: Iterable[Product], codes: Sequence[str], language: Language) -> str:
    """The named tiers of each product; all of them where fewer than two were named."""
    blocks = []
    for product in products:
        tiers = [tier for tier in product.tiers if tier.code in codes] if codes else list(product.tiers)
        if not tiers:
            continue
        lines = [f"- {_tier_line(product, tier, language)}" for tier in tiers]
        blocks.append("\n".join([f"**{product.name.in_language(language)}**", "", *lines]))
    return "\n\n".join(blocks)


def _tier_line(product: Product, tier: Tier, language: Language) -> str:
    size = words.tier_size(product, tier, language)
    return f"{tier_name(tier, language)}{', ' if size else ''}{size} – {words.tier_price(tier, language)}"


def tier_name(tier: Tier, language: Language) -> str:
    """«Бизнес»; in English by its code where it has no English name."""
    name = tier.name.in_language(language)
    if language == "ru":
        return f"«{name}»"
    return name if name.isascii() else f"{tier.code.replace('_', ' ').capitalize()} ({name})"


def unit_of(product: Product, language: Language) -> str:
    """What is counted, without «в месяц»: «диалогов»."""
    unit = product.unit.in_language(language)
    for often in ("в месяц", "per month", "a month"):
        unit = unit.removesuffix(often).strip()
    return unit


# --- discounts ---


def discounts(catalogue: Rules, codes: Sequence[str], language: Language) -> str:
    """The named discounts in a sentence each; all of them in a list where none was named."""
    chosen = [discount for discount in catalogue.discounts if discount.code in codes]
    cap = words.percent(catalogue.discount_cap_percent)
    if not catalogue.discounts:
        return say("no_discounts", language)
    if chosen:
        parts = [
            say("discount_of", language, reason=_reason(each, language), percent=words.percent(each.percent))
            for each in chosen
        ]
        together = [say("discounts_capped", language, cap=cap)] if len(chosen) > 1 else []
        return " ".join([_capitalized(", ".join(parts)) + ".", *together])
    lines = [f"- {_reason(each, language)} – {words.percent(each.percent)}" for each in catalogue.discounts]
    return "\n".join([say("discounts_are", language), "", *lines, "", say("discounts_capped", language, cap=cap)])


def discounts_in_short(catalogue: Rules, language: Language) -> str:
    """«за год – 20 %, за два продукта – 10 %»: beside something else."""
    each = [f"{_reason(one, language)} – {words.percent(one.percent)}" for one in catalogue.discounts]
    return listed(each, language)


def _reason(discount: Discount, language: Language) -> str:
    """What a discount is for: «за оплату на год», «за два продукта»."""
    reasons = []
    if discount.distinct_products:
        count = _COUNTS[language].get(discount.distinct_products, words.number(discount.distinct_products))
        reasons.append(say("for_products", language, count=count))
    if discount.billing_period == "year":
        reasons.append(say("for_year", language))
    if discount.billing_period == "month":
        reasons.append(say("for_month", language))
    if discount.startup:
        reasons.append(say("for_startups", language))
    return " и ".join(reasons) if reasons else inside(discount.name.in_language(language))


_COUNTS: dict[Language, dict[int, str]] = {
    "ru": {2: "два продукта", 3: "три продукта", 4: "четыре продукта"},
    "en": {2: "two products", 3: "three products", 4: "four products"},
}


def percent_for_year(catalogue: Rules) -> Decimal | None:
    """The discount that anyone gets who pays for a year."""
    found = (
        discount.percent
        for discount in catalogue.discounts
        if discount.billing_period == "year" and not discount.startup and not discount.distinct_products
    )
    return next(found, None)


# --- the rest ---


def services(catalogue: Rules, language: Language) -> str:
    """Every service with its price."""
    lines = []
    for service in catalogue.services:
        name, unit = service.name.in_language(language), service.unit.in_language(language)
        often = words.PER_MONTH[language] if service.charge == "monthly" else say("charged_once", language)
        if service.charge != "monthly" and not content(unit) <= content(name):
            often = say("charged_by_unit", language, unit=unit)
        lines.append(f"- {name} – {words.money(service.price)} {often}")
    return "\n".join([say("services_are", language), "", *lines]) if lines else ""


def vat(catalogue: Rules, language: Language) -> str:
    """How prices stand to VAT."""
    if catalogue.vat.rate is None:
        return say("vat_none", language)
    return say("vat_included", language, rate=words.percent(catalogue.vat.rate))


def within_budget(products: Iterable[Product], budget: int, language: Language) -> str:
    """Of each product the largest tier that costs no more a month; what to say when there is none."""
    lines = []
    for product in products:
        fitting = [tier for tier in product.tiers if tier.price_month is not None and tier.price_month <= budget]
        if fitting:
            best = max(fitting, key=lambda tier: tier.price_month or 0)
            lines.append(f"- {product.name.in_language(language)} {_tier_line(product, best, language)}")
    if not lines:
        return say("budget_too_small", language) + "\n\n" + prices_from(products, language)
    return "\n".join([say("budget_buys", language), "", *lines])


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
