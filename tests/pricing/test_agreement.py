"""The calculator agrees with an independent reading of the rules on whatever can be asked, by any rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing import snapshot
from pricing.calculator import Rules, calculate
from pricing.reading import BadRequest, read
from tests.pricing import second_reading
from tests.pricing.catalogues import as_rules, demo

CODES = ["a", "b", "c", "d"]
WRONG: Any = st.sampled_from([None, True, False, 1.0, 0, -1, "3", "", [], {}, 10**12 + 1, 0.5, "nope"])


def money(largest: int) -> st.SearchStrategy[str]:
    return st.integers(0, largest).map(second_reading.text)


@st.composite
def catalogues(draw: st.DrawFn) -> dict[str, Any]:
    """Any rules that staff could make: odd prices, tiers in any order, every mixture of conditions."""
    tier = st.fixed_dictionaries(
        {
            "up_to": st.one_of(st.none(), st.integers(1, 30)),
            "price_month": st.one_of(st.none(), money(10_00), money(99_999_99)),
        }
    )
    products = [
        {
            "code": code,
            "tiers": [{"code": f"t{i}", **each} for i, each in enumerate(draw(st.lists(tier, min_size=1, max_size=4)))],
        }
        for code in CODES[: draw(st.integers(1, 4))]
    ]
    services = [
        {"code": f"s{i}", "charge": draw(st.sampled_from(["monthly", "one_time"])), "price": draw(money(50_000_00))}
        for i in range(draw(st.integers(0, 3)))
    ]
    when = st.fixed_dictionaries(
        {},
        optional={
            "distinct_products": st.integers(1, 4),
            "billing_period": st.sampled_from(["month", "year"]),
            "startup": st.booleans(),
        },
    )
    discounts = [
        {
            "code": f"d{i}",
            "percent": draw(st.one_of(money(100_00), st.just("0.00"), st.just("100.00"))),
            "when": draw(when),
        }
        for i in range(draw(st.integers(0, 6)))
    ]
    return {
        "products": products,
        "services": services,
        "discounts": discounts,
        "discount_cap_percent": draw(st.one_of(money(100_00), st.just("45.00"), st.just("100.00"))),
        "vat_rate": draw(st.one_of(st.none(), st.sampled_from(["5.00", "7.00", "20.00", "22.00", "0.00"]))),
    }


@st.composite
def requests(draw: st.DrawFn, catalogue: dict[str, Any]) -> dict[str, Any]:
    """What a buyer may ask for: mostly sound, with volumes at the edges of tiers."""
    products = []
    for product in draw(st.lists(st.sampled_from(catalogue["products"]), max_size=4, unique_by=lambda p: p["code"])):
        edges = [tier["up_to"] for tier in product["tiers"] if tier["up_to"]] or [1]
        volumes = st.one_of(
            st.sampled_from([e + d for e in edges for d in (-1, 0, 1) if e + d > 0]), st.integers(1, 10**12)
        )
        item: dict[str, Any] = {"product": product["code"]}
        by = draw(st.sampled_from(["tier", "volume", "both"]))
        if by != "volume":
            item["tier"] = draw(st.sampled_from([tier["code"] for tier in product["tiers"]]))
        if by != "tier":
            item["volume"] = draw(volumes)
        products.append(item)
    request: dict[str, Any] = {"products": products, "billing_period": draw(st.sampled_from(["month", "year"]))}
    if catalogue["services"] and draw(st.booleans()):
        quantities = st.one_of(st.integers(1, 5), st.integers(1, 10**12))
        request["services"] = [
            {"service": draw(st.sampled_from(catalogue["services"]))["code"], "quantity": draw(quantities)}
            for _ in range(draw(st.integers(0, 4)))
        ]
    if draw(st.booleans()):
        request["startup"] = draw(st.booleans())
    return request


@st.composite
def spoilt(draw: st.DrawFn, request: dict[str, Any]) -> dict[str, Any]:
    """A request with up to three things wrong in it."""
    for _ in range(draw(st.integers(1, 3))):
        rows = [request, *(r for key in ("products", "services") for r in _rows(request.get(key)))]
        row = draw(st.sampled_from(rows))
        kind = draw(st.sampled_from(["value", "remove", "extra", "repeat"]))
        if kind == "value" and row:
            row[draw(st.sampled_from(sorted(row)))] = draw(WRONG)
        elif kind == "remove" and row:
            del row[draw(st.sampled_from(sorted(row)))]
        elif kind == "extra":
            row["extra"] = draw(WRONG)
        elif _rows(request.get("products")):
            request["products"].append({**request["products"][0]})
    return request


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def both_agree(catalogue: dict[str, Any], rules: Rules, request: Any) -> None:
    wrong = second_reading.mistakes(catalogue, request)
    try:
        read_request = read(request, rules)
    except BadRequest as refused:
        assert {error["field"] for error in refused.errors} == wrong, request
        return
    assert wrong == set(), request
    calculation = calculate(read_request, rules)
    assert {
        "tiers": {line.product.code: line.tier.code for line in calculation.products},
        "subscription": format(calculation.subscription, "f"),
        "discounts": [
            {"code": line.discount.code, "amount": format(line.amount, "f")} for line in calculation.discounts
        ],
        "services": format(calculation.services_total, "f"),
        "total": format(calculation.total, "f"),
        "vat": format(calculation.vat_amount, "f"),
        "on_request": calculation.on_request,
    } == second_reading.answer(catalogue, request)
    assert calculation.total >= 0
    # what is frozen with a quote reads back to the same quote
    kept = snapshot.rules_from_json(snapshot.rules_to_json(rules))
    again = calculate(snapshot.request_from_json(snapshot.request_to_json(read_request)), kept)
    assert again == calculation


DEMO = demo()
DEMO_RULES = as_rules(DEMO)

few = settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
many = settings(max_examples=6000, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


def on_the_demo_catalogue(data: st.DataObject) -> None:
    both_agree(DEMO, DEMO_RULES, data.draw(requests(DEMO)))


def by_any_rules(data: st.DataObject) -> None:
    catalogue = data.draw(catalogues())
    both_agree(catalogue, as_rules(catalogue), data.draw(requests(catalogue)))


def on_spoilt_requests(data: st.DataObject) -> None:
    both_agree(DEMO, DEMO_RULES, data.draw(spoilt(data.draw(requests(DEMO)))))


@few
@given(st.data())
def test_two_readings_agree_on_the_demo_catalogue(data: st.DataObject) -> None:
    on_the_demo_catalogue(data)


@few
@given(st.data())
def test_two_readings_agree_by_any_rules(data: st.DataObject) -> None:
    by_any_rules(data)


@few
@given(st.data())
def test_two_readings_refuse_the_same_places(data: st.DataObject) -> None:
    on_spoilt_requests(data)


@pytest.mark.proof
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("case", [on_the_demo_catalogue, by_any_rules, on_spoilt_requests])
def test_two_readings_agree_on_thousands(case: Any) -> None:
    many(given(st.data())(case))()


def test_two_readings_agree_on_every_combination_of_tiers() -> None:
    """All 125 choices of tiers of three products, by month and year, startup or not."""
    choices = {p["code"]: [None, *(t["code"] for t in p["tiers"])] for p in DEMO["products"]}
    one, two, three = choices.values()
    asked = 0
    for tiers in ((x, y, z) for x in one for y in two for z in three):
        products = [{"product": c, "tier": t} for c, t in zip(choices, tiers, strict=True) if t]
        for period in ("month", "year"):
            for startup in (False, True):
                both_agree(DEMO, DEMO_RULES, {"products": products, "billing_period": period, "startup": startup})
                asked += 1

    assert asked == 500


def test_a_calculator_that_rounds_otherwise_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin with the guard off: rounding half to even must not pass."""
    from decimal import ROUND_HALF_EVEN, Decimal

    from pricing import calculator

    monkeypatch.setattr(calculator, "_to_kopecks", lambda amount: amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN))
    odd = {
        "products": [{"code": "a", "tiers": [{"code": "t", "up_to": None, "price_month": "0.05"}]}],
        "services": [],
        "discounts": [{"code": "d", "percent": "50.00", "when": {}}],
        "discount_cap_percent": "100.00",
    }

    with pytest.raises(AssertionError):
        both_agree(odd, as_rules(odd), {"products": [{"product": "a", "tier": "t"}], "billing_period": "month"})
