"""Rules, requests and quotes as JSON that can be kept, compared and read back; knows no Django.

Amounts are strings, so that no reader makes a float of them. The digest of a quote covers everything that was
promised: its number, dates, request, rules, result and trace.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pricing.calculator import (
    EDITION,
    Calculation,
    Discount,
    Name,
    Product,
    ProductWanted,
    QuoteRequest,
    Rules,
    Service,
    ServiceWanted,
    Tier,
    Vat,
)


def canonical(value: Any) -> str:
    """The one spelling of a JSON value: keys sorted, no spaces, letters as they are."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def digest(value: Any) -> str:
    """SHA-256 of the canonical spelling, in hex."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def rules_to_json(rules: Rules) -> dict[str, Any]:
    """The rules as plain JSON."""
    return _plain(asdict(rules))


def rules_from_json(data: Mapping[str, Any]) -> Rules:
    """The rules back from ``rules_to_json``."""
    return Rules(
        products=tuple(
            Product(
                code=product["code"],
                name=Name(**product["name"]),
                unit=Name(**product["unit"]),
                tiers=tuple(
                    Tier(tier["code"], Name(**tier["name"]), tier["up_to"], _decimal(tier["price_month"]))
                    for tier in product["tiers"]
                ),
            )
            for product in data["products"]
        ),
        services=tuple(
            Service(
                code=service["code"],
                name=Name(**service["name"]),
                unit=Name(**service["unit"]),
                charge=service["charge"],
                price=Decimal(service["price"]),
            )
            for service in data["services"]
        ),
        discounts=tuple(
            Discount(**{**each, "name": Name(**each["name"]), "percent": Decimal(each["percent"])})
            for each in data["discounts"]
        ),
        discount_cap_percent=Decimal(data["discount_cap_percent"]),
        vat=Vat(**{**data["vat"], "rate": _decimal(data["vat"]["rate"])}),
        valid_days=data["valid_days"],
        currency=data["currency"],
    )


def request_to_json(request: QuoteRequest) -> dict[str, Any]:
    """The request in the form of the API, without what wasn't said."""
    return {
        "products": [
            {name: value for name, value in asdict(wanted).items() if value is not None} for wanted in request.products
        ],
        "services": [asdict(wanted) for wanted in request.services],
        "billing_period": request.billing_period,
        "startup": request.startup,
    }


def request_from_json(data: Mapping[str, Any]) -> QuoteRequest:
    """The request back from ``request_to_json``."""
    return QuoteRequest(
        products=tuple(ProductWanted(**wanted) for wanted in data["products"]),
        services=tuple(ServiceWanted(**wanted) for wanted in data["services"]),
        billing_period=data["billing_period"],
        startup=data["startup"],
    )


def result_to_json(calculation: Calculation) -> dict[str, Any]:
    """What a quote promises, by codes and amounts; names and prices are in the rules it was made by."""
    return _plain(
        {
            "products": [
                {
                    "product": line.product.code,
                    "tier": line.tier.code,
                    "price_month": line.tier.price_month,
                    "months": line.months,
                    "amount": line.amount,
                }
                for line in calculation.products
            ],
            "services": [
                {
                    "service": line.service.code,
                    "price": line.service.price,
                    "months": line.months,
                    "quantity": line.quantity,
                    "amount": line.amount,
                }
                for line in calculation.services
            ],
            "discounts": [{"code": line.discount.code, "amount": line.amount} for line in calculation.discounts],
            "billing_period": calculation.billing_period,
            "subscription": calculation.subscription,
            "discount_total": calculation.discount_total,
            "services_total": calculation.services_total,
            "total": calculation.total,
            "vat": {"mode": calculation.vat.mode, "rate": calculation.vat.rate, "amount": calculation.vat_amount},
            "on_request": calculation.on_request,
            "currency": calculation.currency,
        }
    )


def trace_to_json(calculation: Calculation) -> list[dict[str, Any]]:
    """What each rule did, in order."""
    return [{"rule": step.rule, **step.facts} for step in calculation.trace]


def quote_digest(
    *,
    number: str,
    created_at: datetime,
    valid_until: date,
    inputs: Mapping[str, Any],
    rules_sha256: str,
    result: Mapping[str, Any],
    trace: list[dict[str, Any]],
    edition: int = EDITION,
) -> str:
    """The digest of a quote: of everything that was promised, in the canonical spelling."""
    return digest(
        {
            "edition": edition,
            "number": number,
            "created_at": created_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "valid_until": valid_until.isoformat(),
            "inputs": inputs,
            "rules": rules_sha256,
            "result": result,
            "trace": trace,
        }
    )


def _plain(value: Any) -> Any:
    """Decimals as strings, tuples as lists, all the way down."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
