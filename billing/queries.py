"""Reads of documents that others need. The public face of the app together with operations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from billing import links
from billing.enums import Kind
from billing.models import Document
from pricing.words import NBSP, amount, day

#: what papers are called by those who get them
TITLES: dict[str, str] = {Kind.PRICE_LIST: "Прайс-лист", Kind.PROPOSAL: "Коммерческое предложение"}


def title(document: Document) -> str:
    """``Коммерческое предложение № 2026-0042``."""
    return f"{TITLES[document.kind]} №{NBSP}{document.number}"


def file_name(document: Document) -> str:
    """What the file is called when it is saved."""
    return f"{TITLES[document.kind]} № {document.number} от {document.issued_on:%d.%m.%Y}.pdf"


def summary(document: Document) -> str:
    """The document in a sentence or two for its receiver; ends in a full stop."""
    words = f"{title(document)} от {day(document.issued_on)}"
    if document.total:
        words += f" на сумму {amount(document.total)}{NBSP}₽"
    words = words if words.endswith(".") else f"{words}."
    return f"{words} Действительно до {day(document.valid_until)}" if document.valid_until else words


def card(document: Document, *, now: datetime) -> dict[str, Any]:
    """The document as a card of a message. The link waits for a PDF that isn't there yet."""
    return {
        "kind": "document",
        "text": summary(document),
        "document": str(document.pk),
        "title": title(document),
        "number": document.number,
        "url": links.address(document, now=now),
        "media_type": "application/pdf",
        "size": document.size,
    }
