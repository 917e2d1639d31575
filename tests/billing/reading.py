"""Reading a PDF back, and holding it against what it has to say."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from pypdf import PdfReader

from billing.models import Document
from pricing.queries import card

RULES = yaml.safe_load((Path(__file__).parent / "required.yaml").read_text(encoding="utf-8"))
MONTHS = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
]


def text_of(pdf: bytes) -> str:
    """The words of all pages on one line; every kind of space is a plain one."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def money(text: str) -> str:
    """``1 234 567,89``, written here anew so that a mistake of the product doesn't prove itself."""
    whole, _, kopecks = f"{Decimal(text):.2f}".partition(".")
    groups = []
    while whole:
        groups.append(whole[-3:])
        whole = whole[:-3]
    return " ".join(reversed(groups)) + f",{kopecks}"


def day(value: Any) -> str:
    return f"{value.day} {MONTHS[value.month - 1]} {value.year} г."


def missing(document: Document) -> list[str]:
    """The rules that the document's PDF breaks, by name."""
    text = text_of(document.pdf.content)
    seller, quote = document.seller, card(document.quote)
    manager = seller.managers.get()
    values: dict[str, Any] = {
        "number": document.number,
        "date": day(document.issued_on),
        "valid_until": day(document.valid_until),
        "total": money(quote["total"]),
        "vat.rate": quote["vat"]["rate"],
        "vat.amount": money(quote["vat"]["amount"]),
        "lead.name": document.lead.name,
        "lead.company": document.lead.company,
        **{f"seller.{field.name}": getattr(seller, field.name) for field in seller._meta.concrete_fields},
        **{f"manager.{name}": getattr(manager, name) for name in ("name", "phone", "email")},
    }
    rows = {
        "priced": [each for each in quote["lines"] if each["amount"] is not None],
        "on_request": [each for each in quote["lines"] if each["amount"] is None],
        "discounts": quote["discounts"],
    }
    holds = {
        "organisation": seller.is_organisation,
        "sole_trader": not seller.is_organisation,
        "named": bool(document.lead.name or document.lead.company),
        "without_vat": quote["vat"]["rate"] is None,
        "with_vat": quote["vat"]["rate"] is not None,
    }
    broken = []
    for rule in RULES[document.kind]:
        if not holds.get(rule.get("when", ""), True):
            continue
        for row in rows[rule["each"]] if "each" in rule else [{}]:
            about = values | {f"line.{name}": row[name] for name in row}
            if row.get("amount"):
                about["line.amount"] = money(row["amount"])
            if "must" in rule and not re.search(_filled(rule["must"], about), text):
                broken.append(f"{rule['id']} {row.get('code', '')}".strip())
            if "must_not" in rule and re.search(_filled(rule["must_not"], about), text):
                broken.append(rule["id"])
    return broken


def _filled(pattern: str, values: Mapping[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        return r"\s+".join(map(re.escape, str(values[match[1]]).split()))

    return re.sub(r"\{([a-z_.]+)\}", value, pattern)
