"""What a paper says, as plain JSON taken at the moment of issue. Amounts are strings with two decimals.

Nothing is looked up again when the PDF is made, so a paper can't change after it was issued.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

from billing.models import Manager, Seller
from common.text import clean
from pricing.calculator import ZERO, Calculation, ProductLine, Rules, ServiceLine
from pricing.models import Quote
from pricing.words import number, percent, tier_size, vat_words
from sales.models import Lead

#: marks that turn the direction of writing or take no room: in print they could only mislead
_UNSEEN = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def proposal(
    *,
    number: str,
    issued_on: date,
    seller: Seller,
    manager: Manager,
    lead: Lead,
    quote: Quote,
    calculation: Calculation,
) -> dict[str, Any]:
    """Everything a commercial proposal says."""
    return {
        "number": number,
        "issued_on": issued_on.isoformat(),
        "valid_until": quote.valid_until.isoformat(),
        "seller": _seller(seller),
        "manager": {name: getattr(manager, name) for name in ("name", "position", "phone", "email")},
        "buyer": {"name": printable(lead.name), "company": printable(lead.company)},
        "quote": quote.number,
        "billing_period": calculation.billing_period,
        "months": calculation.months,
        "lines": [
            *(_product(line) for line in calculation.products),
            *(_service(line) for line in calculation.services),
        ],
        "discounts": [
            {
                "code": line.discount.code,
                "name": line.discount.name.ru,
                "percent": format(line.discount.percent, "f"),
                "amount": _text(line.amount),
            }
            for line in calculation.discounts
        ],
        "subscription": _text(calculation.subscription),
        "discount_total": _text(calculation.discount_total),
        "services": _text(calculation.services_total),
        "total": _text(calculation.total),
        "on_request": calculation.on_request,
        "vat": {
            "mode": calculation.vat.mode,
            "rate": None if calculation.vat.rate is None else format(calculation.vat.rate, "f"),
            "amount": _text(calculation.vat_amount),
            "words": vat_words(calculation.vat, calculation.vat_amount),
            "ground": calculation.vat.ground,
        },
    }


def price_list(*, seller: Seller, rules: Rules) -> dict[str, Any]:
    """Everything a price list says, but its number and day: by this it is known whether anything has changed."""
    return {
        "seller": _seller(seller),
        "products": [
            {
                "name": product.name.ru,
                "tiers": [
                    {
                        "name": tier.name.ru,
                        "size": tier_size(product, tier) or "без ограничения объёма",
                        "price": None if tier.price_month is None else _text(tier.price_month),
                    }
                    for tier in product.tiers
                ],
            }
            for product in rules.products
        ],
        "services": [
            {
                "name": service.name.ru,
                "unit": service.unit.ru,
                "monthly": service.charge == "monthly",
                "price": _text(service.price),
            }
            for service in rules.services
        ],
        "discounts": [
            {"name": discount.name.ru, "percent": format(discount.percent, "f")} for discount in rules.discounts
        ],
        "discount_cap": format(rules.discount_cap_percent, "f"),
        "vat": vat_words(rules.vat, ZERO)
        if rules.vat.rate is None
        else f"Цены включают НДС {percent(rules.vat.rate)}.",
        "ground": rules.vat.ground,
    }


def printable(text: str) -> str:
    """One line of what a customer typed, without marks that are not seen."""
    return " ".join(_UNSEEN.sub("", clean(text)).split())


def _seller(seller: Seller) -> dict[str, Any]:
    same = [
        "name",
        "full_name",
        "inn",
        "kpp",
        "ogrn",
        "address",
        "phone",
        "email",
        "site",
        "bank",
        "bic",
        "account",
        "corr_account",
        "signatory",
        "signatory_position",
        "signatory_basis",
    ]
    return {
        **{name: getattr(seller, name) for name in same},
        "is_organisation": seller.is_organisation,
        "payment_terms": _lines(seller.payment_terms),
        "included": _lines(seller.included),
    }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _product(line: ProductLine) -> dict[str, Any]:
    tier, product = line.tier, line.product
    size = "без ограничения объёма" if tier.up_to is None else f"до {number(tier.up_to)} {product.unit.ru}"
    return {
        "kind": "product",
        "name": product.name.ru,
        "note": f"тариф «{tier.name.ru}», {size}",
        "quantity": 1,
        "unit": "подписка",
        "months": line.months,
        "price": None if tier.price_month is None else _text(tier.price_month),
        "amount": None if line.amount is None else _text(line.amount),
    }


def _service(line: ServiceLine) -> dict[str, Any]:
    service = line.service
    return {
        "kind": "service",
        "name": service.name.ru,
        "note": "",
        "quantity": line.quantity,
        "unit": service.unit.ru,
        "months": line.months if service.charge == "monthly" else 0,
        "price": _text(service.price),
        "amount": _text(line.amount),
    }


def _text(amount: Decimal) -> str:
    return format(amount, ".2f")
