"""Reads: the rules in force, and a quote as others need it. The public face of the app together with operations."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from pricing import snapshot, words
from pricing.calculator import Calculation, Name, Product, Rules, calculate
from pricing.models import CatalogueVersion, Discount, PricingRules, Quote, Service, Tier, VatMode
from pricing.models import Product as ProductRow


class NoVatMode(RuntimeError):
    """No VAT mode is in force, so no price can be named: the default seller has to point to one."""


@dataclass(frozen=True)
class RulesInForce:
    """The rules as they stand now, with their JSON and its digest."""

    rules: Rules
    data: Mapping[str, Any]
    sha256: str


#: the last rules read and the token they were read under; each process has its own
_cached: tuple[uuid.UUID, RulesInForce] | None = None


def current_rules() -> Rules:
    """The rules that the next quote is made by. One small query unless something has changed."""
    return rules_in_force().rules


def catalogue() -> Rules:
    """What is on sale, by code, with Russian and English names: products with tiers and units, services."""
    return current_rules()


def rules_in_force() -> RulesInForce:
    """The rules, read again when the database says that a row has changed; so every process sees a change at once."""
    global _cached
    token = _token()
    cached = _cached
    if cached is not None and cached[0] == token:
        return cached[1]
    rules, token = _read_at_once(token)
    data = snapshot.rules_to_json(rules)
    fresh = RulesInForce(rules, data, snapshot.digest(data))
    if token is not None:
        _cached = token, fresh
    return fresh


def _token() -> uuid.UUID | None:
    return CatalogueVersion.objects.values_list("token", flat=True).first()


def _read_at_once(before: uuid.UUID | None) -> tuple[Rules, uuid.UUID | None]:
    """The rules as they stood at one moment, and the token of that moment.

    They are several tables, so a change that comes between would mix old prices with new discounts: read again.
    """
    while True:
        rules = _read_rules()
        after = _token()
        if after == before:
            return rules, after
        before = after


def _read_rules() -> Rules:
    tiers = Prefetch("tiers", Tier.objects.filter(is_active=True).order_by("position", "id"), to_attr="on_sale")
    products = ProductRow.objects.filter(is_active=True).prefetch_related(tiers)
    settings = PricingRules.objects.first() or PricingRules()
    vat = VatMode.objects.filter(in_force=True).first()
    if vat is None:
        raise NoVatMode("No VAT mode is in force: choose the default seller, or run `manage.py migrate` once.")
    return Rules(
        products=tuple(
            Product(row.code, _name(row.name), _name(row.unit), tuple(tier.as_rule() for tier in row.on_sale))
            for row in products
        ),
        services=tuple(row.as_rule() for row in Service.objects.filter(is_active=True)),
        discounts=tuple(row.as_rule() for row in Discount.objects.filter(is_active=True)),
        discount_cap_percent=Decimal(settings.discount_cap_percent),
        vat=vat.as_rule(),
        valid_days=settings.valid_days,
        currency=settings.currency,
    )


def _name(value: Mapping[str, str]) -> Name:
    return Name(value.get("ru", ""), value.get("en", ""))


def recompute(quote: Quote) -> Calculation:
    """Reckon a quote again from its own request and rules, whatever prices are now."""
    rules = snapshot.rules_from_json(quote.rule_book.rules)
    return calculate(snapshot.request_from_json(quote.inputs), rules)


def digest_of(quote: Quote, calculation: Calculation) -> str:
    """The digest that a quote has if its promises are those of ``calculation``."""
    return snapshot.quote_digest(
        number=quote.number,
        created_at=quote.created_at,
        valid_until=quote.valid_until,
        inputs=quote.inputs,
        rules_sha256=quote.rule_book_id,
        result=snapshot.result_to_json(calculation),
        trace=snapshot.trace_to_json(calculation),
        edition=quote.edition,
    )


def verify(quote: Quote) -> tuple[str, ...]:
    """What of a quote doesn't add up, in words for staff; empty when it is as it was made."""
    found = []
    if snapshot.digest(quote.rule_book.rules) != quote.rule_book_id:
        found.append(_("The rules kept with the quote have been changed."))
    stored = snapshot.quote_digest(
        number=quote.number,
        created_at=quote.created_at,
        valid_until=quote.valid_until,
        inputs=quote.inputs,
        rules_sha256=quote.rule_book_id,
        result=quote.result,
        trace=quote.trace,
        edition=quote.edition,
    )
    if stored != quote.sha256:
        found.append(_("The digest doesn't fit: the quote has been changed since it was made."))
    try:
        calculation = recompute(quote)
    except (ValueError, KeyError, TypeError, ArithmeticError):  # what was changed may not even be readable
        found.append(_("It can't be calculated again from its own rules."))
        return tuple(found)
    if snapshot.result_to_json(calculation) != quote.result or digest_of(quote, calculation) != quote.sha256:
        found.append(_("Calculated again from its own rules it comes to something else."))
    if any(getattr(quote, name) != getattr(calculation, name) for name in COLUMNS):
        found.append(_("The amounts in the list differ from the calculation."))
    return tuple(found)


#: what of a calculation is also a column of its quote
COLUMNS = ("subscription", "discount_total", "services_total", "total", "vat_amount", "on_request")


def answer(quote: Quote) -> dict[str, Any]:
    """The quote as the API, the command and the assistant give it; amounts are strings with two decimals."""
    return answer_of(recompute(quote), quote)


def answer_of(calculation: Calculation, quote: Quote) -> dict[str, Any]:
    """As ``answer``, from a calculation already at hand."""
    return {
        "number": quote.number,
        "tiers": {line.product.code: line.tier.code for line in calculation.products},
        "subscription": _text(calculation.subscription),
        "discounts": [{"code": line.discount.code, "amount": _text(line.amount)} for line in calculation.discounts],
        "services": _text(calculation.services_total),
        "total": _text(calculation.total),
        "vat": {"mode": calculation.vat.mode, "amount": _text(calculation.vat_amount)},
        "on_request": calculation.on_request,
        "summary": words.summary(calculation, quote_number=quote.number, valid_until=quote.valid_until),
    }


def card(quote: Quote, language: str = "ru") -> dict[str, Any]:
    """The quote as a card of a message; lines minus discounts come to the total."""
    return card_of(recompute(quote), quote, language)


def card_of(calculation: Calculation, quote: Quote, language: str = "ru") -> dict[str, Any]:
    """The same for a quote that has just been reckoned."""
    text = words.in_lines(calculation, quote_number=quote.number, valid_until=quote.valid_until, language=language)
    lines = [
        {
            "code": line.product.code,
            "name": line.product.name.in_language(language),
            "detail": words.product_detail(line, language),
            "amount": None if line.amount is None else _text(line.amount),
        }
        for line in calculation.products
    ]
    lines += [
        {
            "code": line.service.code,
            "name": line.service.name.in_language(language),
            "detail": words.service_detail(line, language),
            "amount": _text(line.amount),
        }
        for line in calculation.services
    ]
    vat = calculation.vat
    return {
        "kind": "quote",
        "text": text,
        "number": quote.number,
        "currency": calculation.currency,
        "lines": lines,
        "subscription": _text(calculation.subscription),
        "discounts": [
            {
                "code": line.discount.code,
                "name": line.discount.name.in_language(language),
                "amount": _text(line.amount),
            }
            for line in calculation.discounts
        ],
        "services": _text(calculation.services_total),
        "total": _text(calculation.total),
        "vat": {
            "mode": vat.mode,
            "rate": None if vat.rate is None else words.percent(vat.rate).removesuffix(f"{words.NBSP}%"),
            "amount": _text(calculation.vat_amount),
            "words": words.vat_words(vat, calculation.vat_amount, language),
        },
        "billing_period": calculation.billing_period,
        "valid_until": quote.valid_until.isoformat(),
        "on_request": calculation.on_request,
    }


def _text(amount: Decimal) -> str:
    return format(amount, ".2f")
