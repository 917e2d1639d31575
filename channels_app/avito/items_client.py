"""The parts of Avito's API about listings, statistics and promotion, over the client of an account.

https://developers.avito.ru/api-catalog/item: the list may be asked 25 times a minute, spendings once a minute,
statistics by day for 200 listings at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from channels_app.avito.client import Client, Refused
from common.problems import LastingProblem, TemporaryProblem, UnknownOutcome
from common.text import clean
from common.vendor_http import BrokenAnswer

#: of the list a page must be below a hundred
PAGE = 99
STATS_MOST = 200
#: how many days back statistics reach
DEPTH = 270
STATUSES = "active,removed,old,blocked,rejected"
#: the vendor's numbers for "nothing was bought", https://developers.avito.ru/api-catalog/item#operation/applyVas;
#: 1000 is a fault of its own, of which we don't take its word
SURELY_NOT = frozenset(range(1001, 1012))


class NotBought(LastingProblem):
    """The vendor refuses and has bought nothing; ``code`` is its number."""

    def __init__(self, code: int, words: str = "") -> None:
        self.code = code
        super().__init__(f"avito vas: {code} {words}".strip())


@dataclass(frozen=True)
class Listing:
    """A row of the vendor's list."""

    id: int
    title: str
    price: Decimal | None
    url: str
    status: str
    category_id: int | None
    category: str


@dataclass(frozen=True)
class Counts:
    """What the vendor counted for a listing on a day."""

    item: int
    day: date
    views: int
    contacts: int
    favourites: int


@dataclass(frozen=True)
class Vas:
    """A service on offer for a listing, in roubles."""

    slug: str
    price: Decimal
    price_before: Decimal


@dataclass(frozen=True)
class Offer:
    """What can be bought for a listing."""

    item: int
    services: tuple[Vas, ...]
    #: ``{"id", "title", "description"}``
    stickers: tuple[dict[str, Any], ...]


def listings(client: Client, *, page: int) -> list[Listing]:
    """A page of the account's listings, from 1; the last has fewer than ``PAGE``."""
    found = client.request(
        "GET",
        "/core/v1/items",
        operation="items",
        params={"per_page": PAGE, "page": page, "status": STATUSES},
    )
    rows = _list(found, "resources", "items")
    return [each for row in rows if (each := _listing(row)) is not None]


def daily(client: Client, items: Sequence[int], *, since: date, until: date) -> list[Counts]:
    """The counts of at most 200 listings, a row for each day that has any."""
    assert len(items) <= STATS_MOST
    found = client.request(
        "POST",
        f"/stats/v1/accounts/{client.user_id}/items",
        operation="stats",
        json={
            "dateFrom": since.isoformat(),
            "dateTo": until.isoformat(),
            "itemIds": list(items),
            "fields": ["uniqViews", "uniqContacts", "uniqFavorites"],
            "periodGrouping": "day",
        },
    )
    rows = _list(found.get("result") if isinstance(found, dict) else None, "items", "stats")
    return [each for row in rows for each in _counts(row)]


def spendings(client: Client, *, day: date) -> dict[int, Decimal]:
    """What each listing cost on a day, in roubles: the thousand that cost most. Once a minute."""
    found = client.request(
        "POST",
        f"/stats/v2/accounts/{client.user_id}/items",
        operation="spendings",
        json={
            "dateFrom": day.isoformat(),
            "dateTo": day.isoformat(),
            "grouping": "item",
            "limit": 1000,
            "offset": 0,
            "metrics": ["views", "allSpending"],
            "sort": {"key": "allSpending", "order": "desc"},
        },
        tries=1,
    )
    rows = _list(found.get("result") if isinstance(found, dict) else None, "groupings", "spendings")
    spent: dict[int, Decimal] = {}
    for row in rows:
        number = _int(row.get("id"))
        for metric in row.get("metrics") or []:
            if number and isinstance(metric, dict) and metric.get("slug") == "allSpending":
                kopecks = _decimal(metric.get("value"))
                if kopecks is not None and kopecks >= 0:
                    spent[number] = (kopecks / 100).quantize(Decimal("0.01"))
    return spent


def info(client: Client, item: int) -> dict[str, Any]:
    """``status``, ``url``, ``start_time``, ``finish_time``, ``vas`` of a listing."""
    found = client.request("GET", f"/core/v1/accounts/{client.user_id}/items/{item}/", operation="item")
    return found if isinstance(found, dict) else {}


def services_of(told: Mapping[str, Any]) -> dict[str, str]:
    """The services that a listing has: name → when it ends, as the vendor writes it."""
    rows = told.get("vas")
    return {
        str(row["vas_id"])[:40]: str(row.get("finish_time") or "")[:40]
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and row.get("vas_id")
    }


def offers(client: Client, items: Iterable[int]) -> dict[int, Offer]:
    """What can be bought for these listings and for how much."""
    found = client.request(
        "POST",
        f"/core/v1/accounts/{client.user_id}/vas/prices",
        operation="vas_prices",
        json={"itemIds": list(items)},
    )
    if not isinstance(found, list):  # the vendor sends errors with 200 here
        error = found.get("error") if isinstance(found, dict) else None
        words = error.get("message") if isinstance(error, dict) else ""
        raise Refused("vas_prices", status=200, words=str(words or "an answer of another shape")[:200])
    return {offer.item: offer for row in found if isinstance(row, dict) and (offer := _offer(row)) is not None}


def buy(client: Client, item: int, *, slugs: Sequence[str], stickers: Sequence[int] = ()) -> dict[str, int]:
    """Spend money, in one try: service → the vendor's number of the operation.

    Raises ``NotBought`` where the vendor surely refuses, ``TemporaryProblem`` where it wasn't reached or was too busy,
    and ``UnknownOutcome`` for all else: the vendor says itself that such an error may have bought.
    """
    body: dict[str, Any] = {"slugs": list(slugs)} | ({"stickers": list(stickers)} if stickers else {})
    try:
        found = client.request(
            "PUT", f"/core/v2/items/{item}/vas/", operation="vas_buy", json=body, repeatable=False, tries=1
        )
    except BrokenAnswer as problem:
        code = _int(problem.answer.error().get("code"))
        if code in SURELY_NOT:
            raise NotBought(code) from None
        raise UnknownOutcome(str(problem)) from None
    except Refused as problem:
        code = _int(problem.code)
        if code in SURELY_NOT:
            raise NotBought(code, problem.words) from None
        if problem.status in {401, 402, 403, 404}:  # it was never asked to buy
            raise NotBought(problem.status, problem.words) from None
        raise UnknownOutcome(str(problem)) from None
    bought = {
        str(slug): _int(each.get("operationId"))
        for slug, each in (found.items() if isinstance(found, dict) else ())
        if isinstance(each, dict) and _int(each.get("operationId"))
    }
    if not bought:
        raise UnknownOutcome("avito vas_buy: an answer of another shape")
    return bought


# --- rows of the vendor -----------------------------------------------------------------------------------------


def _listing(row: Mapping[str, Any]) -> Listing | None:
    number = _int(row.get("id"))
    if not number:
        return None
    category = row.get("category")
    category = category if isinstance(category, dict) else {}
    url = row.get("url")
    return Listing(
        id=number,
        title=clean(str(row.get("title") or ""))[:300],
        price=_decimal(row.get("price")),
        url=url[:500] if isinstance(url, str) and url.startswith(("https://", "http://")) else "",
        status=clean(str(row.get("status") or ""))[:20],
        category_id=_int(category.get("id")) or None,
        category=clean(str(category.get("name") or ""))[:200],
    )


def _counts(row: Mapping[str, Any]) -> list[Counts]:
    number, rows = _int(row.get("itemId")), row.get("stats")
    found = []
    for each in rows if number and isinstance(rows, list) else []:
        if isinstance(each, dict) and (day := _day(each.get("date"))) is not None:
            told = [
                min(max(_int(each.get(name)), 0), 2**31 - 1) for name in ("uniqViews", "uniqContacts", "uniqFavorites")
            ]
            found.append(Counts(number, day, *told))
    return found


def _offer(row: Mapping[str, Any]) -> Offer | None:
    number = _int(row.get("itemId"))
    if not number:
        return None
    services = []
    for each in row.get("vas") or []:
        price = _decimal(each.get("price")) if isinstance(each, dict) else None
        if price is not None and price >= 0 and each.get("slug"):
            services.append(Vas(str(each["slug"])[:40], price, _decimal(each.get("priceOld")) or price))
    stickers = [
        {
            "id": _int(each.get("id")),
            "title": str(each.get("title") or ""),
            "description": str(each.get("description") or ""),
        }
        for each in row.get("stickers") or []
        if isinstance(each, dict)
    ]
    return Offer(number, tuple(services), tuple(stickers))


def _list(found: Any, name: str, operation: str) -> list[dict[str, Any]]:
    rows = found.get(name) if isinstance(found, dict) else None
    if not isinstance(rows, list):
        raise TemporaryProblem(f"avito {operation}: an answer of another shape")
    return [row for row in rows if isinstance(row, dict)]


def _int(value: Any) -> int:
    """A whole number that a column can hold; 0 for all else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and abs(value) < 2**62 else 0


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < 10**11 else None


def _day(value: Any) -> date | None:
    try:
        return datetime.fromisoformat(value).date() if isinstance(value, str) else None
    except ValueError:
        return None
