"""Listings, statistics and promotion of the stand-in for Avito.

with AvitoAPI() as avito:
    shop = Listings(avito)
    shop.add(3000000001, "ИИ-менеджер", price=30000)
    shop.counts[3000000001, "2026-02-01"] = (10, 2, 1)   # views, contacts, favourites
    shop.spent[3000000001, "2026-02-01"] = 12300           # kopecks
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.standins.avito_api import Asked, AvitoAPI

SERVICES = {"highlight": 100, "xl": 150, "x5_7": 900}


class Listings:
    """What the account has; each purchase that went through stands in ``bought``."""

    def __init__(self, avito: AvitoAPI) -> None:
        self.avito = avito
        self.counts: dict[tuple[int, str], tuple[int, int, int]] = {}
        self.spent: dict[tuple[int, str], int] = {}
        self.prices = dict(SERVICES)
        self.vas: dict[int, list[dict[str, Any]]] = {}
        self.bought: list[tuple[int, list[str]]] = []
        #: what the next purchase is answered instead: a status and a body
        self.refusal: tuple[int, Any] | None = None
        account = "accounts/{user_id}"
        for method, path, operation, answer in (
            ("POST", f"/stats/v1/{account}/items", "stats", self._stats),
            ("POST", f"/stats/v2/{account}/items", "spendings", self._spendings),
            ("GET", f"/core/v1/{account}/items/{{item_id}}/", "item", self._item),
            ("POST", f"/core/v1/{account}/vas/prices", "vas_prices", self._prices),
            ("PUT", "/core/v2/items/{item_id}/vas/", "vas_buy", self._buy),
        ):
            avito.route(method, path, operation, answer)

    def add(self, number: int, title: str = "ИИ-менеджер", *, price: int | None = 30000, status: str = "active") -> Any:
        row = {
            "id": number,
            "title": title,
            "address": "Москва",
            "category": {"id": 114, "name": "Предложения услуг"},
            "price": price,
            "status": status,
            "url": f"https://www.avito.ru/moskva/uslugi/ii_{number}",
        }
        self.avito.items.append(row)
        return row

    def _stats(self, asked: Asked) -> tuple[int, Any]:
        body = asked.body
        if len(body["itemIds"]) > 200:
            return 400, {"error": {"code": 400, "message": "itemIds"}}
        day, last = date.fromisoformat(body["dateFrom"]), date.fromisoformat(body["dateTo"])
        if (last - day).days >= 270:
            return 400, {"error": {"code": 400, "message": "depth"}}
        rows: dict[int, list[dict[str, Any]]] = {number: [] for number in body["itemIds"]}
        while day <= last:
            for number in rows:
                if (number, day.isoformat()) in self.counts:
                    views, contacts, favourites = self.counts[number, day.isoformat()]
                    told = {"uniqViews": views, "uniqContacts": contacts, "uniqFavorites": favourites}
                    rows[number].append({"date": day.isoformat(), **told})
            day += timedelta(days=1)
        return 200, {"result": {"items": [{"itemId": number, "stats": stats} for number, stats in rows.items()]}}

    def _spendings(self, asked: Asked) -> tuple[int, Any]:
        day = asked.body["dateFrom"]
        rows = [
            {"id": number, "type": "item", "metrics": [{"slug": "allSpending", "value": kopecks}]}
            for (number, when), kopecks in self.spent.items()
            if when == day
        ]
        return 200, {"result": {"dataTotalCount": len(rows), "groupings": rows, "timestamp": "2026-02-28 12:00:00"}}

    def _item(self, asked: Asked) -> tuple[int, Any]:
        number = int(asked.words["item_id"])
        return 200, {"status": "active", "url": None, "vas": self.vas.get(number, [])}

    def _prices(self, asked: Asked) -> tuple[int, Any]:
        vas = [{"slug": slug, "price": price, "priceOld": price * 2} for slug, price in self.prices.items()]
        return 200, [{"itemId": number, "vas": vas, "stickers": []} for number in asked.body["itemIds"]]

    def _buy(self, asked: Asked) -> tuple[int, Any]:
        if self.refusal is not None:
            return self.refusal
        number, slugs = int(asked.words["item_id"]), asked.body["slugs"]
        self.bought.append((number, slugs))
        for slug in slugs:
            if slug in {"highlight", "xl"}:
                self.vas.setdefault(number, []).append({"vas_id": slug, "finish_time": "2026-03-01T00:00:00Z"})
        return 200, {slug: {"operationId": 1000 + place} for place, slug in enumerate(slugs)}
