"""A small stage for the keyless model: a catalogue, a handful of articles, tools without a database, and a dialogue."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from knowledge.llm.keyless.model import Keyless
from knowledge.llm.keyless.passages import content
from pricing import reading, words
from pricing.calculator import Discount, Name, Product, Rules, Service, Tier, Vat, calculate
from sales.assistant import guard
from sales.assistant.protocol import Entry, Heard, Reply, ToolRequest, ToolResult, TurnContext

CATALOG = Path(__file__).parents[2] / "pricing" / "data" / "catalog.yaml"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _name(value: Any) -> Name:
    return Name(value["ru"], value["en"]) if isinstance(value, dict) else Name(value, value)


def _money(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value)).quantize(Decimal("0.01"))


def load() -> Rules:
    """The demo catalogue as rules."""
    data = yaml.safe_load(CATALOG.read_text(encoding="utf-8"))
    return Rules(
        products=tuple(
            Product(
                row["code"],
                _name(row["name"]),
                _name(row["unit"]),
                tuple(
                    Tier(tier["code"], _name(tier["name"]), tier["up_to"], _money(tier["price_month"]))
                    for tier in row["tiers"]
                ),
            )
            for row in data["products"]
        ),
        services=tuple(
            Service(row["code"], _name(row["name"]), _name(row["unit"]), row["charge"], _money(row["price"]))
            for row in data["services"]
        ),
        discounts=tuple(
            Discount(
                row["code"],
                _name(row["name"]),
                _money(row["percent"]),
                row["when"].get("distinct_products"),
                row["when"].get("billing_period"),
                row["when"].get("startup", False),
            )
            for row in data["discounts"]
        ),
        discount_cap_percent=_money(data["discount_cap_percent"]),
        vat=Vat("none_usn", None, "Без НДС", "НДС не облагается"),
    )


CATALOGUE = load()


def tiers_table(code: str) -> str:
    product = CATALOGUE.product(code)
    rows = [f"| {tier.name.ru} | {tier.up_to or 'любой'} | {words.tier_price(tier)} |" for tier in product.tiers]
    return "\n".join(["| Тариф | Объём | Цена в месяц |", "|---|---|---|", *rows])


@dataclass(frozen=True)
class Article:
    id: str
    title: str
    text: str
    product: str = ""


ARTICLES = (
    Article(
        "manager",
        "Что умеет AI-менеджер по продажам",
        "AI-менеджер по продажам отвечает клиентам в чате на сайте, в Telegram и на Авито в любое время суток.\n\n"
        "Что он умеет:\n\n- отвечает на вопросы по базе знаний;\n- считает стоимость;\n- собирает контакты.",
        "ai_manager",
    ),
    Article(
        "lawyer",
        "Что умеет AI-юрист",
        "AI-юрист проверяет договоры, находит рискованные условия и предлагает правки.",
        "ai_lawyer",
    ),
    Article("prices", "Тарифы AI-менеджера по продажам: цены", tiers_table("ai_manager"), "ai_manager"),
    Article(
        "discounts",
        "Какие есть скидки",
        "Скидки действуют на подписку: пакет из двух продуктов — 10 %, оплата за год — 20 %, стартапам — 25 %.",
    ),
    Article(
        "security",
        "Где хранятся данные",
        "Данные клиентов хранятся в России, переписка шифруется, доступ есть только у сотрудников компании.",
    ),
    Article(
        "crm",
        "Интеграция с CRM",
        "Интеграция с amoCRM и Битрикс24 занимает около недели: заявки и переписка попадают в карточку сделки.",
    ),
)


def search(query: str) -> list[dict[str, Any]]:
    """Articles by how many of the query's words they share; ``share`` is that part."""
    asked = content(query)
    if not asked:
        return []
    hits = []
    for article in ARTICLES:
        shared = len(asked & content(f"{article.title} {article.text}")) / len(asked)
        if shared:
            hits.append(
                {
                    "article": article.id,
                    "title": article.title,
                    "passage": article.title,
                    "text": article.text,
                    "score": shared,
                    "share": shared,
                    "product": article.product,
                }
            )
    return sorted(hits, key=lambda hit: -hit["score"])


@dataclass
class Tools:
    """Answers calls as the real tools do; ``broken`` names those that refuse."""

    broken: Mapping[str, str] = field(default_factory=dict)
    #: numbers of quotes that aren't valid any more
    expired: Set[str] = frozenset()
    calls: list[ToolRequest] = field(default_factory=list)
    quotes: int = 0
    #: what the conversation remembers
    quote: dict[str, Any] | None = None
    documents: set[str] = field(default_factory=set)
    contacts: set[str] = field(default_factory=set)
    waiting: bool = False
    language: str = "ru"

    NAMES = (
        "knowledge__search",
        "pricing__quote",
        "pricing__price_list",
        "sales__save_contact",
        "sales__call_person",
        "billing__prepare_proposal",
    )

    def run(self, call: ToolRequest) -> ToolResult:
        self.calls.append(call)
        if call.name in self.broken:
            return ToolResult(call.id, call.name, self.broken[call.name], {}, failed=True)
        text, data, failed = getattr(self, "_" + call.name.split("__")[1])(**call.arguments)
        return ToolResult(call.id, call.name, text, data, failed)

    def _search(self, query: str) -> tuple[str, dict[str, Any], bool]:
        hits = search(query)
        return "\n".join(hit["text"] for hit in hits), {"hits": hits}, False

    def _quote(self, **data: Any) -> tuple[str, dict[str, Any], bool]:
        try:
            request = reading.read(data, CATALOGUE)
        except reading.BadRequest as refused:
            return "; ".join(error["message"] for error in refused.errors), {}, True
        self.quotes += 1
        number = f"Q-{self.quotes}"
        made = calculate(request, CATALOGUE)
        text = words.summary(made, quote_number=number, valid_until=date(2026, 12, 8), language=self.language)
        answer = {
            "number": number,
            "tiers": {line.product.code: line.tier.code for line in made.products},
            "subscription": str(made.subscription),
            "discounts": [{"code": line.discount.code, "amount": str(line.amount)} for line in made.discounts],
            "services": str(made.services_total),
            "total": str(made.total),
            "vat": {"mode": made.vat.mode, "amount": str(made.vat_amount)},
            "on_request": made.on_request,
            "summary": text,
            "request": data,
        }
        self.quote = {"request": data, "number": number, "answer": answer}
        return text, answer, False

    def _price_list(self) -> tuple[str, dict[str, Any], bool]:
        return words.price_list(CATALOGUE, self.language), {}, False

    def _save_contact(self, **fields: str) -> tuple[str, dict[str, Any], bool]:
        self.contacts |= fields.keys()
        return "Saved.", {"saved": list(fields)}, False

    def _call_person(self, reason: str, question: str = "") -> tuple[str, dict[str, Any], bool]:
        self.waiting = True
        return "A person has been called.", {}, False

    def _prepare_proposal(self, quote_number: str) -> tuple[str, dict[str, Any], bool]:
        if quote_number in self.expired:
            return "The quote isn't valid any more. Make it anew with pricing__quote.", {}, True
        self.documents.add("proposal")
        return "The proposal is being made.", {"document": "d1", "number": "КП-1", "url": "/documents/x/kp.pdf"}, False


@dataclass
class Dialogue:
    """A conversation with the keyless model, turn by turn, held to the guard as the real turn is."""

    tools: Tools = field(default_factory=Tools)
    log: list[Heard] = field(default_factory=list)
    language: str = "ru"
    #: how many of the latest messages the model is shown
    window: int = 40
    offered: tuple[str, ...] = Tools.NAMES
    last_calls: list[ToolRequest] = field(default_factory=list)

    def say(self, *texts: str) -> Reply:
        """The reply to one message, or to a burst of several."""
        self.tools.language = self.language
        for text in texts:
            self.log.append(Heard("customer", text, len(self.log) + 1, pending=True))
        context = TurnContext(
            now=NOW,
            language=self.language,  # type: ignore[arg-type]
            channel="webchat",
            contacts=frozenset(self.tools.contacts),
            quote=self.tools.quote,
            waiting=self.tools.waiting,
            documents=frozenset(self.tools.documents),
        )
        before = len(self.tools.calls)
        reply = self._turn(context)
        self.last_calls = self.tools.calls[before:]
        self.log = [replace(heard, pending=False) for heard in self.log]
        self.log.append(Heard("assistant", reply.text, len(self.log) + 1))
        return reply

    def _turn(self, context: TurnContext) -> Reply:
        entries: list[Entry] = list(self.log[-self.window :])
        model = Keyless(catalogue=lambda: CATALOGUE)
        for _ in range(6):
            reply = model.reply(context=context, log=tuple(entries), tools=dict.fromkeys(self.offered))  # type: ignore[arg-type]
            if not reply.calls:
                results = [entry for entry in entries if isinstance(entry, ToolResult)]
                heard = [entry for entry in entries if isinstance(entry, Heard)]
                verdict = guard.inspect(
                    reply.text,
                    results=results,
                    heard=heard,
                    waiting=context.waiting,
                    documents=context.documents,
                )
                assert verdict.passed, (verdict.unproven, reply.text)
                return reply
            entries += [reply, *(self.tools.run(call) for call in reply.calls)]
        raise AssertionError("The model goes on asking for tools.")

    def called(self, name: str) -> list[Mapping[str, Any]]:
        """The arguments of this turn's calls of a tool."""
        return [call.arguments for call in self.last_calls if call.name == name]
