"""The calculator, by hand: the worked example and the edges of each rule."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from pricing.calculator import (
    Calculation,
    Discount,
    Name,
    Product,
    ProductWanted,
    QuoteRequest,
    Refused,
    Rules,
    Service,
    ServiceWanted,
    Tier,
    Vat,
    calculate,
    vat_inside,
)
from pricing.reading import read

D = Decimal
THREE = ("ai_manager", "ai_lawyer", "ai_analyst")


def ask(*products: Any, period: Any = "month", startup: bool = False, services: Any = ()) -> QuoteRequest:
    return QuoteRequest(
        tuple(ProductWanted(*each) for each in products),
        tuple(ServiceWanted(*each) for each in services),
        period,
        startup,
    )


def discounts_of(calculation: Calculation) -> dict[str, Decimal]:
    return {line.discount.code: line.amount for line in calculation.discounts}


def tiers_of(calculation: Calculation) -> dict[str, str]:
    return {line.product.code: line.tier.code for line in calculation.products}


def test_the_worked_example_comes_to_the_kopeck(rules: Rules, worked_example: dict[str, Any]) -> None:
    calculation = calculate(read(worked_example, rules), rules)

    assert tiers_of(calculation) == {"ai_manager": "business", "ai_lawyer": "start"}
    assert calculation.subscription == D("657600.00")
    assert discounts_of(calculation) == {
        "package_2": D("65760.00"),
        "annual": D("118368.00"),
        "startup": D("111792.00"),
    }
    assert calculation.services_total == D("166600.00")
    assert calculation.total == D("528280.00")
    assert calculation.vat_amount == D("0.00")
    assert calculation.on_request is False


@pytest.mark.parametrize(
    ("volume", "tier"),
    [
        (1, "start"),
        (500, "start"),
        (501, "business"),
        (2000, "business"),
        (2001, "pro"),
        (6000, "pro"),
        (6001, "enterprise"),
        (10**12, "enterprise"),
    ],
)
def test_a_volume_gets_the_tier_that_holds_it(rules: Rules, volume: int, tier: str) -> None:
    assert tiers_of(calculate(ask(("ai_manager", None, volume)), rules)) == {"ai_manager": tier}


def test_a_volume_gets_the_cheapest_tier_even_where_a_larger_one_costs_less(rules: Rules) -> None:
    tiers = (
        Tier("small", Name("small"), 10, D("300.00")),
        Tier("sale", Name("sale"), 100, D("200.00")),
        Tier("huge", Name("huge"), 1000, D("900.00")),
    )
    odd = replace(rules, products=(Product("odd", Name("odd"), Name("штук"), tiers),))

    assert tiers_of(calculate(ask(("odd", None, 5)), odd)) == {"odd": "sale"}


def test_a_priced_tier_without_an_end_holds_any_volume(rules: Rules) -> None:
    tiers = (Tier("flat", Name("flat"), None, D("100.00")), Tier("ask", Name("ask"), None, None))
    odd = replace(rules, products=(Product("odd", Name("odd"), Name("штук"), tiers),))

    calculation = calculate(ask(("odd", None, 10**9)), odd)

    assert (tiers_of(calculation), calculation.total) == ({"odd": "flat"}, D("100.00"))


def test_a_tier_asked_for_by_name_is_taken_even_if_it_is_larger_than_needed(rules: Rules) -> None:
    assert tiers_of(calculate(ask(("ai_manager", "pro", 3)), rules)) == {"ai_manager": "pro"}


@pytest.mark.parametrize(
    ("volume", "fits"), [(501, "business"), (2000, "business"), (2001, "pro"), (6001, "enterprise")]
)
def test_a_tier_too_small_for_a_volume_is_refused_with_the_smallest_that_fits(
    rules: Rules, volume: int, fits: str
) -> None:
    with pytest.raises(Refused) as refused:
        calculate(ask(("ai_manager", "start", volume)), rules)

    assert (refused.value.code, refused.value.facts["fits"].code) == ("tier_too_small", fits)


def test_a_volume_that_no_tier_holds_is_refused(rules: Rules) -> None:
    tiers = (Tier("only", Name("only"), 10, D("1.00")),)
    small = replace(rules, products=(Product("small", Name("small"), Name("штук"), tiers),))

    for tier in (None, "only"):
        with pytest.raises(Refused) as refused:
            calculate(ask(("small", tier, 11)), small)
        assert refused.value.code == "no_tier_for_volume"


def test_a_product_on_request_has_no_amount_and_counts_for_no_package(rules: Rules) -> None:
    calculation = calculate(ask(("ai_manager", "enterprise"), ("ai_lawyer", "start"), period="year"), rules)

    assert [line.amount for line in calculation.products] == [None, D("238800.00")]
    assert discounts_of(calculation) == {"annual": D("47760.00")}
    assert (calculation.on_request, calculation.total) == (True, D("191040.00"))


def test_everything_on_request_comes_to_nothing_and_needs_a_manager(rules: Rules) -> None:
    calculation = calculate(ask(*((code, "enterprise") for code in THREE), period="year", startup=True), rules)

    assert (calculation.on_request, calculation.total, calculation.discounts) == (True, D("0.00"), ())


@pytest.mark.parametrize(
    ("products", "package"),
    [
        ([("ai_manager", "start")], None),
        ([("ai_manager", "start"), ("ai_lawyer", "start")], "package_2"),
        ([(code, "start") for code in THREE], "package_3"),
        ([("ai_manager", "start"), ("ai_lawyer", "start"), ("ai_analyst", "enterprise")], "package_2"),
    ],
)
def test_only_the_highest_package_that_holds_is_used(rules: Rules, products: Any, package: str | None) -> None:
    assert list(discounts_of(calculate(ask(*products), rules))) == ([package] if package else [])


def test_discounts_are_taken_in_the_catalogues_order_whatever_it_is(rules: Rules) -> None:
    request = ask(("ai_manager", "start"), ("ai_lawyer", "start"), period="year")
    forward = calculate(request, rules)
    backward = calculate(request, replace(rules, discounts=rules.discounts[::-1]))

    assert discounts_of(forward) == {"package_2": D("41760.00"), "annual": D("75168.00")}
    assert discounts_of(backward) == {"annual": D("83520.00"), "package_2": D("33408.00")}
    assert forward.total == backward.total


def test_each_discount_is_rounded_half_up_before_the_next(rules: Rules) -> None:
    product = Product("odd", Name("odd"), Name("штук"), (Tier("t", Name("t"), None, D("0.05")),))
    halves = tuple(Discount(code, Name(code), D("50.00")) for code in "abc")
    odd = replace(rules, products=(product,), discounts=halves, discount_cap_percent=D("100.00"))

    # 0.05 → 0.025 ≈ 0.03, leaves 0.02 → 0.01, leaves 0.01 → 0.005 ≈ 0.01
    assert [line.amount for line in calculate(ask(("odd", "t")), odd).discounts] == [D("0.03"), D("0.01"), D("0.01")]


def test_the_cap_cuts_from_the_end_through_several_discounts(rules: Rules) -> None:
    tight = replace(rules, discount_cap_percent=D("12.00"))

    calculation = calculate(ask(("ai_manager", "start"), ("ai_lawyer", "start"), period="year", startup=True), tight)

    assert discounts_of(calculation) == {"package_2": D("41760.00"), "annual": D("8352.00")}
    assert calculation.discount_total == D("50112.00")


def test_the_limit_of_the_cap_is_rounded_half_up(rules: Rules) -> None:
    product = Product("odd", Name("odd"), Name("штук"), (Tier("t", Name("t"), None, D("0.10")),))
    odd = replace(
        rules,
        products=(product,),
        discounts=(Discount("all", Name("all"), D("100.00")),),
        discount_cap_percent=D("45.00"),
    )

    assert calculate(ask(("odd", "t")), odd).discount_total == D("0.05")


def test_a_cap_of_nothing_leaves_no_discount_in_the_list(rules: Rules) -> None:
    none = replace(rules, discount_cap_percent=D("0.00"))

    calculation = calculate(ask(*((code, "pro") for code in THREE), period="year", startup=True), none)

    assert (calculation.discounts, calculation.total) == ((), D("2876400.00"))


def test_discounts_exactly_at_the_cap_are_not_cut(rules: Rules) -> None:
    exact = replace(rules, discounts=(Discount("half", Name("half"), D("45.00")),))

    calculation = calculate(ask(("ai_manager", "start")), exact)

    assert discounts_of(calculation) == {"half": D("6705.00")}
    assert "cap_cut" not in [step.rule for step in calculation.trace]


def test_a_discount_that_comes_to_nothing_is_left_out(rules: Rules) -> None:
    product = Product("odd", Name("odd"), Name("штук"), (Tier("t", Name("t"), None, D("0.01")),))
    odd = replace(rules, products=(product,), discounts=(Discount("tiny", Name("tiny"), D("10.00")),))

    assert calculate(ask(("odd", "t")), odd).discounts == ()


def test_discounts_never_touch_services(rules: Rules) -> None:
    services = (("extra_channel", 3), ("onboarding", 2))

    calculation = calculate(ask(("ai_manager", "start"), period="year", services=services), rules)

    assert calculation.services_total == D("4900.00") * 12 * 3 + D("49000.00") * 2
    assert calculation.discount_total == D("35760.00")


def test_a_service_named_twice_is_bought_twice_in_one_line(rules: Rules) -> None:
    calculation = calculate(ask(services=(("training", 1), ("onboarding", 1), ("training", 2))), rules)

    assert [(line.service.code, line.quantity) for line in calculation.services] == [
        ("training", 3),
        ("onboarding", 1),
    ]
    assert calculation.total == D("94000.00")


@pytest.mark.parametrize(
    ("rate", "vat"),
    [("22.00", "3588.52"), ("20.00", "3316.67"), ("10.00", "1809.09"), ("7.00", "1301.87"), ("5.00", "947.62")],
)
def test_prices_include_vat(rules: Rules, rate: str, vat: str) -> None:
    taxed = replace(rules, vat=Vat("rate", D(rate)))

    calculation = calculate(ask(("ai_lawyer", "start")), taxed)

    assert (calculation.total, calculation.vat_amount) == (D("19900.00"), D(vat))


def test_vat_is_rounded_half_up() -> None:
    assert vat_inside(D("0.03"), Vat("rate", D("20.00"))) == D("0.01")


def test_the_largest_request_is_reckoned_without_losing_a_kopeck(rules: Rules) -> None:
    dear = Service("dear", Name("dear"), Name("штука"), "monthly", D("9999999999.99"))

    calculation = calculate(ask(services=(("dear", 10**12),), period="year"), replace(rules, services=(dear,)))

    assert calculation.total == D("119999999999880000000000.00")


def test_the_trace_says_which_rule_did_what_in_order(rules: Rules, worked_example: dict[str, Any]) -> None:
    trace = calculate(read(worked_example, rules), rules).trace

    assert [step.rule for step in trace] == [
        "tier_by_volume",
        "tier_by_name",
        "subscription",
        "discount",
        "discount_skipped",
        "discount",
        "discount",
        "cap",
        "cap_cut",
        "service",
        "service",
        "total",
        "vat",
    ]
    assert trace[8].facts == {
        "discount": "startup",
        "was": "118368.00",
        "cut": "6576.00",
        "amount": "111792.00",
    }


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ask(), "empty_request"),
        (ask(("nope", "start")), "unknown_product"),
        (ask(("ai_manager", "nope")), "unknown_tier"),
        (ask(("ai_manager",)), "tier_or_volume_required"),
        (ask(("ai_manager", "start"), ("ai_manager", "pro")), "duplicate_product"),
        (ask(services=(("nope", 1),)), "unknown_service"),
        (ask(("ai_manager", "start"), period="week"), "unknown_period"),
    ],
)
def test_what_the_rules_do_not_know_is_refused(rules: Rules, request_: QuoteRequest, code: str) -> None:
    with pytest.raises(Refused) as refused:
        calculate(request_, rules)

    assert refused.value.code == code
