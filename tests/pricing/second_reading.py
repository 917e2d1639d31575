"""A second, independent reading of the rules of calculation, to hold the product's own against.

It shares nothing with the product: no import, another shape (one walk over plain data, whole kopecks, whole
hundredths of a percent), written from the page of rules alone.
"""

from __future__ import annotations

from typing import Any

MANY = 10**12


def hundredths(text: str) -> int:
    """``"14900.00"`` as 1490000."""
    whole, _dot, part = str(text).partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


def text(kopecks: int) -> str:
    return f"{kopecks // 100}.{kopecks % 100:02d}"


def half_up(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest >= denominator)


def mistakes(catalogue: dict[str, Any], ask: Any) -> set[str]:
    """The places of a request that can't be answered; empty for a good one."""
    if type(ask) is not dict:
        return {"body"}
    wrong = {key for key in ask if key not in {"products", "services", "billing_period", "startup"}}
    if ask.get("billing_period") not in ("month", "year"):
        wrong.add("billing_period")
    if type(ask.get("startup", False)) is not bool:
        wrong.add("startup")
    tiers = {p["code"]: {t["code"]: t for t in p["tiers"]} for p in catalogue["products"]}
    sold = {s["code"] for s in catalogue["services"]}
    listed = type(ask.get("products")) is list
    if not listed or (ask["products"] == [] and ask.get("services", []) == []):
        wrong.add("products")
    else:
        had: list[str] = []
        for i, item in enumerate(ask["products"]):
            wrong |= {f"products[{i}]{place}" for place in _product_mistakes(tiers, item, had)}
    extras = ask.get("services", [])
    if type(extras) is not list:
        return wrong | {"services"}
    for i, item in enumerate(extras):
        if type(item) is not dict:
            wrong.add(f"services[{i}]")
            continue
        wrong |= {f"services[{i}].{key}" for key in item if key not in {"service", "quantity"}}
        if type(item.get("service")) is not str or item["service"] not in sold:
            wrong.add(f"services[{i}].service")
        if not _countable(item.get("quantity")):
            wrong.add(f"services[{i}].quantity")
    return wrong


def _countable(value: Any) -> bool:
    return type(value) is int and 0 < value <= MANY


def _product_mistakes(tiers: dict[str, Any], item: Any, had: list[str]) -> set[str]:
    if type(item) is not dict:
        return {""}
    wrong = {f".{key}" for key in item if key not in {"product", "tier", "volume"}}
    code = item.get("product")
    if type(code) is not str or code not in tiers or code in had:
        wrong.add(".product")
    if type(code) is str:
        had.append(code)
    badly_typed = set()
    if "tier" in item and type(item["tier"]) is not str:
        badly_typed.add(".tier")
    if "volume" in item and not _countable(item["volume"]):
        badly_typed.add(".volume")
    if badly_typed or type(code) is not str or code not in tiers:
        return wrong | badly_typed
    ladder = tiers[code]
    if "tier" not in item and "volume" not in item:
        return wrong | {""}
    holding = [t for t in ladder.values() if t["up_to"] is None or t["up_to"] >= item.get("volume", 0)]
    if "tier" in item:
        if item["tier"] not in ladder:
            wrong.add(".tier")
        elif ladder[item["tier"]] not in holding:
            wrong.add(".tier" if holding else ".volume")
    elif not holding:
        wrong.add(".volume")
    return wrong


def answer(catalogue: dict[str, Any], ask: dict[str, Any]) -> dict[str, Any]:
    """What a good request comes to, in the shape of the API without number and summary."""
    months = {"month": 1, "year": 12}[ask["billing_period"]]
    ladders = {p["code"]: p["tiers"] for p in catalogue["products"]}
    chosen: dict[str, Any] = {}
    for item in ask["products"]:
        ladder = ladders[item["product"]]
        if "tier" in item:
            (tier,) = [t for t in ladder if t["code"] == item["tier"]]
        else:
            fitting = [t for t in ladder if t["up_to"] is None or t["up_to"] >= item["volume"]]
            fitting.sort(key=lambda t: (t["up_to"] is None, t["up_to"] or 0))
            dear = [t for t in fitting if t["price_month"] is not None]
            dear.sort(key=lambda t: hundredths(t["price_month"]))
            tier = (dear or fitting)[0]
        chosen[item["product"]] = tier
    paid = [hundredths(t["price_month"]) for t in chosen.values() if t["price_month"] is not None]
    subscription = sum(paid) * months

    taken = _discounts(catalogue, subscription, len(paid), ask)
    limit = half_up(subscription * hundredths(catalogue["discount_cap_percent"]), 100 * 100)
    while sum(kopecks for _code, kopecks in taken) > limit:
        code, last = taken.pop()
        keep = limit - sum(kopecks for _code, kopecks in taken)
        if keep > 0:
            taken.append((code, min(last, keep)))
    taken = [(code, kopecks) for code, kopecks in taken if kopecks]

    services = 0
    for item in ask.get("services", []):
        (service,) = [s for s in catalogue["services"] if s["code"] == item["service"]]
        times = months if service["charge"] == "monthly" else 1
        services += hundredths(service["price"]) * times * item["quantity"]
    total = subscription - sum(kopecks for _code, kopecks in taken) + services
    rate = hundredths(catalogue.get("vat_rate") or "0")
    return {
        "tiers": {product: tier["code"] for product, tier in chosen.items()},
        "subscription": text(subscription),
        "discounts": [{"code": code, "amount": text(kopecks)} for code, kopecks in taken],
        "services": text(services),
        "total": text(total),
        "vat": text(half_up(total * rate, 100 * 100 + rate)),
        "on_request": any(t["price_month"] is None for t in chosen.values()),
    }


def _discounts(catalogue: dict[str, Any], subscription: int, paid: int, ask: dict[str, Any]) -> list[tuple[str, int]]:
    def holds(when: dict[str, Any]) -> bool:
        enough = paid >= (when.get("distinct_products") or 0)
        period = when.get("billing_period") in (None, ask["billing_period"])
        return enough and period and (ask.get("startup", False) or not when.get("startup"))

    running = [d for d in catalogue["discounts"] if holds(d["when"])]
    packages = [d for d in running if d["when"].get("distinct_products") is not None]
    packages.sort(key=lambda d: (d["when"]["distinct_products"], hundredths(d["percent"])))
    left, taken = subscription, []
    for discount in running:
        if discount in packages and discount["code"] != _last_best(packages)["code"]:
            continue
        off = half_up(left * hundredths(discount["percent"]), 100 * 100)
        left -= off
        taken.append((discount["code"], off))
    return taken


def _last_best(packages: list[dict[str, Any]]) -> dict[str, Any]:
    """The highest; the first in the catalogue's order where several are equal (the sort was stable)."""
    top = packages[-1]
    same = [
        p
        for p in packages
        if p["when"]["distinct_products"] == top["when"]["distinct_products"]
        and hundredths(p["percent"]) == hundredths(top["percent"])
    ]
    return same[0]
