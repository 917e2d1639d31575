"""From a snapshot to HTML: how the figures and days of a paper are written. Reads nothing but the document."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.template.loader import render_to_string

from billing.enums import Kind
from billing.models import Document
from pricing.words import NBSP, amount, day, percent
from pricing.words import number as grouped

_PERIODS = {"month": "месяц", "year": f"год (12{NBSP}месяцев)"}
_FOR = {"month": f"за{NBSP}месяц", "year": f"за{NBSP}год"}


def html_of(document: Document) -> str:
    """The whole paper as HTML with its styles inside; everything from outside is escaped."""
    return render_to_string(
        f"billing/{document.kind}/v{document.edition}.html", CONTEXTS[document.kind](document.snapshot)
    )


def context_of(said: dict[str, Any]) -> dict[str, Any]:
    """What the template of a proposal shows, written out; ``said`` is the snapshot."""
    buyer = [part for part in (said["buyer"]["company"], said["buyer"]["name"]) if part]
    return {
        **said,
        "issued_on_iso": said["issued_on"],
        "issued_on": _day(said["issued_on"]),
        "valid_until": _day(said["valid_until"]),
        "buyer": buyer,
        "period": _PERIODS[said["billing_period"]],
        "for_period": _FOR[said["billing_period"]],
        "lines": [{**line, "position": position} | _line(line) for position, line in enumerate(said["lines"], start=1)],
        "discounts": [
            {"name": each["name"], "percent": percent(Decimal(each["percent"])), "amount": _money(each["amount"])}
            for each in said["discounts"]
        ],
        "has_services": Decimal(said["services"]) > 0,
        "subscription": _money(said["subscription"]),
        "services": _money(said["services"]),
        "total": _money(said["total"]),
    }


def context_of_price_list(said: dict[str, Any]) -> dict[str, Any]:
    """What the template of a price list shows, written out."""
    return {
        **said,
        "issued_on_iso": said["issued_on"],
        "issued_on": _day(said["issued_on"]),
        "products": [
            {
                **product,
                "tiers": [
                    {**tier, "price": None if tier["price"] is None else _money(tier["price"])}
                    for tier in product["tiers"]
                ],
            }
            for product in said["products"]
        ],
        "services": [{**service, "price": _money(service["price"])} for service in said["services"]],
        "discounts": [{**each, "percent": percent(Decimal(each["percent"]))} for each in said["discounts"]],
        "discount_cap": percent(Decimal(said["discount_cap"])),
    }


#: by the kind of a paper: what its template shows
CONTEXTS = {Kind.PRICE_LIST.value: context_of_price_list, Kind.PROPOSAL.value: context_of}


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "quantity": grouped(line["quantity"]),
        "span": f"{line['months']}{NBSP}мес." if line["months"] else "разово",
        "price": None if line["price"] is None else _money(line["price"]),
        "amount": None if line["amount"] is None else _money(line["amount"]),
    }


def _money(text: str) -> str:
    return amount(Decimal(text))


def _day(text: str) -> str:
    return day(date.fromisoformat(text))
