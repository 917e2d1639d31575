"""Evidence for the guard's tests without a database: the demo catalogue, the demo articles, real quotes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pricing import placeholders, reading, snapshot, sold, words
from pricing.calculator import calculate
from sales.assistant.protocol import Heard, ToolResult
from tests.knowledge_llm.stage import CATALOGUE

ARTICLES = Path(__file__).parents[2] / "knowledge" / "data" / "articles"

#: quotes by a short name: products with tiers, period, services, whether a startup
QUOTES: dict[str, tuple[dict[str, str], str, dict[str, int], bool]] = {
    "manager-month": ({"ai_manager": "business"}, "month", {}, False),
    "manager-year": ({"ai_manager": "business"}, "year", {}, False),
    "start-month": ({"ai_manager": "start"}, "month", {}, False),
    "lawyer-month": ({"ai_lawyer": "start"}, "month", {}, False),
    "lawyer-year": ({"ai_lawyer": "business"}, "year", {}, True),
    "pair-month": ({"ai_manager": "start", "ai_lawyer": "start"}, "month", {}, False),
    "pair-year": ({"ai_manager": "business", "ai_lawyer": "start"}, "year", {"onboarding": 1}, False),
    "three-year": (
        {"ai_manager": "pro", "ai_lawyer": "business", "ai_analyst": "start"},
        "year",
        {"crm_integration": 1, "extra_channel": 2},
        True,
    ),
    "analyst-month": ({"ai_analyst": "business"}, "month", {"training": 2}, False),
    "services": ({}, "month", {"onboarding": 1, "crm_integration": 1}, False),
}


@cache
def quote(name: str, language: str = "ru") -> ToolResult:
    """What the tool says of one of the quotes."""
    products, period, services, startup = QUOTES[name]
    request = {
        "products": [{"product": product, "tier": tier} for product, tier in products.items()],
        "services": [{"service": service, "quantity": quantity} for service, quantity in services.items()],
        "billing_period": period,
        "startup": startup,
    }
    made = calculate(reading.read(request, CATALOGUE), CATALOGUE)
    number = f"Q-{1200 + list(QUOTES).index(name)}"
    text = words.summary(made, quote_number=number, valid_until=date(2026, 12, 8), language=language)
    data = {
        "number": number,
        "subscription": f"{made.subscription:.2f}",
        "discounts": [{"code": line.discount.code, "amount": f"{line.amount:.2f}"} for line in made.discounts],
        "services": f"{made.services_total:.2f}",
        "total": f"{made.total:.2f}",
        "vat": {"mode": made.vat.mode, "amount": f"{made.vat_amount:.2f}"},
        "summary": text,
        "request": request,
        "sold": sold.of_quote(made),
    }
    return ToolResult(f"quote-{name}", "pricing__quote", text, data)


@cache
def price_list(language: str = "ru") -> ToolResult:
    data = snapshot.rules_to_json(CATALOGUE)
    return ToolResult("list", "pricing__price_list", words.price_list(CATALOGUE, language), data)


@cache
def article(name: str) -> tuple[str, str, str]:
    """Title, the text as it is written, and as a reader sees it."""
    head, body = (ARTICLES / f"{name}.md").read_text(encoding="utf-8").removeprefix("---\n").split("\n---\n", 1)
    title = str(yaml.safe_load(head)["title"])
    shown = placeholders._OURS.sub(
        lambda found: placeholders._value(found, CATALOGUE, "ru") or "уточнит менеджер", body
    )
    return title, body, shown


def search(*names: str) -> ToolResult:
    """What a search says that has found these articles."""
    hits = []
    for name in names:
        title, _raw, shown = article(name)
        hits.append(
            {"article": name, "title": title, "passage": "", "text": shown.strip(), "score": 0.9, "share": 0.83}
        )
    raw = [article(name)[1] for name in names]
    text = "\n\n".join(f"[#{hit['article']}] {hit['title']}\n{hit['text']}" for hit in hits)
    return ToolResult("search", "knowledge__search", text, {"hits": hits, "sold": sold.of_texts(raw, CATALOGUE)})


def proposal(number: str = "КП-2026-0042", total: str = "335040.00") -> ToolResult:
    data: dict[str, Any] = {"document": "d1", "kind": "proposal", "number": number, "total": total}
    return ToolResult("proposal", "billing__prepare_proposal", f"Готово. Коммерческое предложение № {number}", data)


def called() -> ToolResult:
    return ToolResult(
        "person", "sales__call_person", "A person has been called and will answer here.", {"reason": "asked"}
    )


def saved(*fields: str) -> ToolResult:
    return ToolResult("contact", "sales__save_contact", f"Saved: {', '.join(fields)}.", {"saved": list(fields)})


def messages(*texts: str, author: str = "customer") -> Iterable[Heard]:
    return [Heard(author, text, at + 1) for at, text in enumerate(texts)]  # type: ignore[arg-type]
