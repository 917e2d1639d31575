"""How figures, quotes and refusals read to a customer; knows no database.

These are the company's own words in Russian and English, not the interface of the staff.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from pricing.calculator import ZERO, Calculation, DiscountLine, Product, ProductLine, Rules, ServiceLine, Tier, Vat

#: no line may break inside a number
NBSP = "\u00a0"

ON_REQUEST = {"ru": "по запросу", "en": "on request"}
UNLIMITED = {"ru": "без ограничений", "en": "unlimited"}
PER_MONTH = {"ru": "в месяц", "en": "per month"}
ASK_A_MANAGER = {"ru": "уточнит менеджер", "en": "to be confirmed by a manager"}

_MONTHS_OF = {
    "ru": (
        *("января", "февраля", "марта", "апреля", "мая", "июня"),
        *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
_FOR_PERIOD = {"ru": {"month": "за месяц", "year": "за год"}, "en": {"month": "per month", "year": "per year"}}


def number(value: int) -> str:
    """``2000`` as ``2 000``, with no-break spaces."""
    return f"{value:,}".replace(",", NBSP)


def amount(value: Decimal) -> str:
    """``34900`` as ``34 900,00``: what papers print."""
    return f"{value:,.2f}".replace(",", NBSP).replace(".", ",")


def money(value: Decimal) -> str:
    """``34900.00`` as ``34 900 ₽``; kopecks are shown where there are any."""
    text = amount(value)
    return f"{text.removesuffix(',00')}{NBSP}₽"


def percent(value: Decimal) -> str:
    """``20.00`` as ``20 %``."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text.replace('.', ',')}{NBSP}%"


def day(value: date, language: str = "ru") -> str:
    """The day as it is written: ``8 декабря 2026 г.``"""
    month = _MONTHS_OF["en" if language == "en" else "ru"][value.month - 1]
    return f"{value.day} {month} {value.year}" if language == "en" else f"{value.day}{NBSP}{month} {value.year}{NBSP}г."


def tier_words(product: Product, tier: Tier, language: str = "ru") -> str:
    """``тариф «Бизнес» (до 2 000 диалогов в месяц)``."""
    name = tier.name.in_language(language)
    called = f"{name} tier" if language == "en" else f"тариф «{name}»"
    size = tier_size(product, tier, language)
    return f"{called} ({size})" if size else called


def tier_size(product: Product, tier: Tier, language: str = "ru") -> str:
    """``до 2 000 диалогов в месяц``; nothing where any volume fits."""
    if tier.up_to is None:
        return ""
    return f"{'up to' if language == 'en' else 'до'} {number(tier.up_to)} {product.unit.in_language(language)}"


def tier_price(tier: Tier, language: str = "ru") -> str:
    """``34 900 ₽ в месяц`` or ``по запросу``."""
    if tier.price_month is None:
        return ON_REQUEST[language]
    return f"{money(tier.price_month)} {PER_MONTH[language]}"


def vat_words(vat: Vat, vat_amount: Decimal, language: str = "ru") -> str:
    """What stands under a total; the seller's own wording in Russian."""
    if language == "en":
        if vat.rate is None:
            return "VAT is not charged"
        return f"Including VAT ({percent(vat.rate)}): {money(vat_amount)}"
    return vat.total_words.replace("{amount}", amount(vat_amount))


def product_detail(line: ProductLine, language: str = "ru") -> str:
    """The small print of a product's line: its tier and how the amount came about."""
    words = [tier_words(line.product, line.tier, language)]
    if line.tier.price_month is None:
        words.append(ON_REQUEST[language])
    elif line.months > 1:
        words.append(f"{money(line.tier.price_month)} × {line.months} {'months' if language == 'en' else 'мес.'}")
    else:
        words.append(tier_price(line.tier, language))
    return ", ".join(words)


def service_detail(line: ServiceLine, language: str = "ru") -> str:
    """The small print of a service's line: ``4 900 ₽ × 12 мес. × 2 (канал)``."""
    words = money(line.service.price)
    if line.service.charge == "monthly":
        words += f" × {line.months} {'mo.' if language == 'en' else 'мес.'}"
    return f"{words} × {number(line.quantity)} ({line.service.unit.in_language(language)})"


def summary(calculation: Calculation, *, quote_number: str, valid_until: date, language: str = "ru") -> str:
    """The whole quote in sentences, with every figure in it."""
    return " ".join(_sentences(calculation, quote_number, valid_until, language))


def in_lines(calculation: Calculation, *, quote_number: str, valid_until: date, language: str = "ru") -> str:
    """The same for people who read it in a chat without cards: a line for each thing."""
    return "\n".join(_sentences(calculation, quote_number, valid_until, language))


def _sentences(calculation: Calculation, quote_number: str, valid_until: date, language: str) -> Iterable[str]:
    return (_english if language == "en" else _russian)(calculation, quote_number, valid_until)


def price_list(rules: Rules, language: str = "ru") -> str:
    """Everything on sale with its price, a line each."""
    return "\n".join(_price_lines(rules, language))


def _price_lines(rules: Rules, language: str) -> Iterable[str]:
    for product in rules.products:
        for tier in product.tiers:
            name = product.name.in_language(language)
            yield f"{name}, {tier_words(product, tier, language)}: {tier_price(tier, language)}"
    for service in rules.services:
        often = f" {PER_MONTH[language]}" if service.charge == "monthly" else ""
        yield f"{service.name.in_language(language)}: {money(service.price)}{often}"
    for discount in rules.discounts:
        yield f"{discount.name.in_language(language)}: {percent(discount.percent)}"
    most = "All discounts together, at most" if language == "en" else "Все скидки вместе не больше"
    yield f"{most}: {percent(rules.discount_cap_percent)}"
    vat = "VAT" if language == "en" else "НДС"
    yield vat_words(rules.vat, ZERO, language) if rules.vat.rate is None else f"{vat} {percent(rules.vat.rate)}"


def _russian(quote: Calculation, quote_number: str, valid_until: date) -> Iterable[str]:
    period = _FOR_PERIOD["ru"][quote.billing_period]
    for line in quote.products:
        name = f"{line.product.name.ru}, {tier_words(line.product, line.tier)}"
        if line.tier.price_month is None:
            yield f"{name}: цена по запросу, её назовёт менеджер."
        elif quote.months > 1 and line.amount is not None:
            yield f"{name}: {tier_price(line.tier)}, {money(line.amount)} {period}."
        else:
            yield f"{name}: {tier_price(line.tier)}."
    if quote.subscription:
        yield f"Подписка {period}: {money(quote.subscription)}."
    if quote.discounts:
        yield f"Скидки: {_discounts(quote, 'ru')}; вместе {money(quote.discount_total)}."
    if quote.services:
        parts = "; ".join(f"{_service(line, 'ru')}: {money(line.amount)}" for line in quote.services)
        yield f"Услуги: {parts}. Услуги вместе: {money(quote.services_total)}."
    if quote.on_request and not quote.total:
        yield "Итоговую сумму назовёт менеджер."
    else:
        partly = " без продуктов по запросу" if quote.on_request else ""
        # what is bought once has no period
        spell = f" {period}" if quote.products or _monthly(quote) else ""
        yield f"Итого{partly}{spell}: {money(quote.total)}. {vat_words(quote.vat, quote.vat_amount)}."
    yield f"Расчёт № {quote_number} действует до {day(valid_until)}"


def _english(quote: Calculation, quote_number: str, valid_until: date) -> Iterable[str]:
    period = _FOR_PERIOD["en"][quote.billing_period]
    for line in quote.products:
        name = f"{line.product.name.in_language('en')}, {tier_words(line.product, line.tier, 'en')}"
        if line.tier.price_month is None:
            yield f"{name}: price on request, a manager will name it."
        elif quote.months > 1 and line.amount is not None:
            yield f"{name}: {tier_price(line.tier, 'en')}, {money(line.amount)} {period}."
        else:
            yield f"{name}: {tier_price(line.tier, 'en')}."
    if quote.subscription:
        yield f"Subscription {period}: {money(quote.subscription)}."
    if quote.discounts:
        yield f"Discounts: {_discounts(quote, 'en')}; {money(quote.discount_total)} together."
    if quote.services:
        parts = "; ".join(f"{_service(line, 'en')}: {money(line.amount)}" for line in quote.services)
        yield f"Services: {parts}. Services together: {money(quote.services_total)}."
    if quote.on_request and not quote.total:
        yield "A manager will name the total."
    else:
        partly = " without what is on request" if quote.on_request else ""
        spell = f" {period}" if quote.products or _monthly(quote) else ""
        yield f"Total{partly}{spell}: {money(quote.total)}. {vat_words(quote.vat, quote.vat_amount, 'en')}."
    yield f"Quote {quote_number} is valid until {day(valid_until, 'en')}."


def _monthly(quote: Calculation) -> bool:
    return any(line.service.charge == "monthly" for line in quote.services)


def _discounts(quote: Calculation, language: str) -> str:
    return ", ".join(
        f"{line.discount.name.in_language(language)} ({_share(line, quote, language)}): {money(line.amount)}"
        for line in quote.discounts
    )


def _share(line: DiscountLine, quote: Calculation, language: str) -> str:
    """The discount's percentage, and why its amount isn't that where the cap has cut it."""
    share = percent(line.discount.percent)
    if not line.cut:
        return share
    limit = percent(quote.cap_percent)
    return f"{share}, within {limit} altogether" if language == "en" else f"{share} в пределах общих {limit}"


def _service(line: ServiceLine, language: str) -> str:
    name = line.service.name.in_language(language)
    return name if line.quantity == 1 else f"{name} × {number(line.quantity)}"


def refusal(code: str, facts: Mapping[str, Any], rules: Rules) -> str:
    """What was wrong with a request and what to do about it, in Russian."""
    product: Any = facts.get("product")
    match code:
        case "unknown_product":
            return f"Продукта «{shown(product)}» нет. Выберите из: {_options(rules.products)}."
        case "duplicate_product":
            return f"Продукт «{shown(product)}» назван дважды. Оставьте его один раз."
        case "unknown_service":
            return f"Услуги «{shown(facts['service'])}» нет. Выберите из: {_options(rules.services)}."
        case "unknown_tier":
            return (
                f"У продукта «{product.name.ru}» нет тарифа «{shown(facts['tier'])}». "
                f"Выберите из: {_options(product.tiers)}."
            )
        case "tier_too_small":
            return (
                f"Тариф «{facts['tier'].code}» ({facts['tier'].name.ru}) вмещает до {number(facts['tier'].up_to)} "
                f"{product.unit.ru}, а нужно {number(facts['volume'])}. Наименьший подходящий тариф: "
                f"«{facts['fits'].code}» ({facts['fits'].name.ru})."
            )
        case "no_tier_for_volume":
            return (
                f"Ни один тариф продукта «{product.name.ru}» не вмещает {number(facts['volume'])} {product.unit.ru}. "
                "Уменьшите объём или обратитесь к менеджеру."
            )
        case "tier_or_volume_required":
            return f"Укажите для «{product.name.ru}» тариф (tier) или объём (volume, {product.unit.ru})."
    return _SHAPES[code].format(**facts)


#: refusals that need nothing of the catalogue
_SHAPES = {
    "not_json": "Тело запроса должно быть объектом JSON в кодировке UTF-8.",
    "body_too_large": "Запрос слишком большой: допустимо не больше {most} КиБ.",
    "not_an_object": "Здесь нужен объект JSON: {{…}}.",
    "not_a_list": "Здесь нужен список JSON: […].",
    "not_a_string": "Здесь нужна строка с кодом из каталога.",
    "not_an_integer": "Нужно целое число без кавычек и дробной части, например 3.",
    "not_positive": "Число должно быть больше нуля.",
    "too_large": "Число слишком велико: допустимо не больше {most}.",
    "not_a_boolean": "Нужно true или false без кавычек.",
    "too_many": "Слишком много строк: допустимо не больше {most}.",
    "unknown_field": "Поля «{name}» нет. Допустимы: {known}.",
    "duplicate_field": "Поле «{name}» указано дважды. Оставьте его один раз.",
    "unknown_period": "Период оплаты может быть month (месяц) или year (год).",
    "required": "Это поле обязательно.",
    "products_required": "Укажите список products. Если нужны только услуги, передайте пустой список [].",
    "period_required": "Укажите период оплаты: month (месяц) или year (год).",
    "quantity_required": "Укажите количество: целое число больше нуля.",
    "empty_request": "Запрос пуст. Назовите хотя бы один продукт или одну услугу.",
}


def shown(value: Any) -> str:
    """What a stranger wrote, short and printable, to be repeated to them."""
    text = "".join(character if character.isprintable() else "?" for character in str(value)[:40])
    return text + "…" if len(str(value)) > 40 else text


def _options(rows: Iterable[Any]) -> str:
    return ", ".join(f"{row.code} ({row.name.ru})" for row in rows) or "пока ничего нет"
