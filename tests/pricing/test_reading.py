"""A request is read strictly, and every mistake in it is answered with its place and what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pricing.calculator import ProductWanted, QuoteRequest, Rules, ServiceWanted
from pricing.reading import LARGEST, MOST_BYTES, MOST_LINES, BadRequest, parse, read

START = {"product": "ai_manager", "tier": "start"}


def errors_of(data: Any, rules: Rules) -> list[tuple[str, str]]:
    with pytest.raises(BadRequest) as refused:
        read(data, rules)
    assert all(error["message"] for error in refused.value.errors)
    return [(error["field"], error["code"]) for error in refused.value.errors]


def month(**fields: Any) -> dict[str, Any]:
    return {"products": [START], "billing_period": "month", **fields}


def test_services_and_startup_may_be_absent(rules: Rules) -> None:
    assert read(month(), rules) == QuoteRequest((ProductWanted("ai_manager", "start"),), (), "month", False)


def test_services_alone_can_be_quoted(rules: Rules) -> None:
    data = {"products": [], "services": [{"service": "training", "quantity": 2}], "billing_period": "month"}

    assert read(data, rules) == QuoteRequest((), (ServiceWanted("training", 2),), "month", False)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"products": [{"product": "nope", "tier": "start"}]}, ("products[0].product", "unknown_product")),
        ({"products": [{"product": "AI_Manager", "tier": "start"}]}, ("products[0].product", "unknown_product")),
        ({"products": [{"tier": "start"}]}, ("products[0].product", "required")),
        ({"products": [{"product": 7, "tier": "start"}]}, ("products[0].product", "not_a_string")),
        ({"products": [{"product": None, "tier": "start"}]}, ("products[0].product", "not_a_string")),
        ({"products": [{"product": "ai_manager", "tier": "nope"}]}, ("products[0].tier", "unknown_tier")),
        ({"products": [{"product": "ai_manager", "tier": ""}]}, ("products[0].tier", "unknown_tier")),
        ({"products": [{"product": "ai_manager", "tier": None}]}, ("products[0].tier", "not_a_string")),
        ({"products": [{"product": "ai_manager"}]}, ("products[0]", "tier_or_volume_required")),
        ({"products": [{**START, "volume": 501}]}, ("products[0].tier", "tier_too_small")),
        ({"products": [{**START, "volume": "3"}]}, ("products[0].volume", "not_an_integer")),
        ({"products": [{**START, "volume": 1.0}]}, ("products[0].volume", "not_an_integer")),
        ({"products": [{**START, "volume": True}]}, ("products[0].volume", "not_an_integer")),
        ({"products": [{**START, "volume": None}]}, ("products[0].volume", "not_an_integer")),
        ({"products": [{**START, "volume": 0}]}, ("products[0].volume", "not_positive")),
        ({"products": [{**START, "volume": -5}]}, ("products[0].volume", "not_positive")),
        ({"products": [{**START, "volume": LARGEST + 1}]}, ("products[0].volume", "too_large")),
        ({"products": [START, {"product": "ai_manager", "tier": "pro"}]}, ("products[1].product", "duplicate_product")),
        ({"products": [{**START, "volumes": 3}]}, ("products[0].volumes", "unknown_field")),
        ({"products": ["ai_manager"]}, ("products[0]", "not_an_object")),
        ({"products": {"ai_manager": "start"}}, ("products", "not_a_list")),
        ({"products": None}, ("products", "not_a_list")),
        ({"products": []}, ("products", "empty_request")),
        ({"products": [], "services": []}, ("products", "empty_request")),
        ({"products": [START] * (MOST_LINES + 1)}, ("products", "too_many")),
        ({"services": None}, ("services", "not_a_list")),
        ({"services": [7]}, ("services[0]", "not_an_object")),
        ({"services": [{"service": "nope", "quantity": 1}]}, ("services[0].service", "unknown_service")),
        ({"services": [{"service": "training"}]}, ("services[0].quantity", "quantity_required")),
        ({"services": [{"service": "training", "quantity": "3"}]}, ("services[0].quantity", "not_an_integer")),
        ({"services": [{"service": "training", "quantity": 1.0}]}, ("services[0].quantity", "not_an_integer")),
        ({"services": [{"service": "training", "quantity": True}]}, ("services[0].quantity", "not_an_integer")),
        ({"services": [{"service": "training", "quantity": 0}]}, ("services[0].quantity", "not_positive")),
        ({"services": [{"service": "training", "quantity": 10**30}]}, ("services[0].quantity", "too_large")),
        ({"billing_period": "week"}, ("billing_period", "unknown_period")),
        ({"billing_period": "Month"}, ("billing_period", "unknown_period")),
        ({"billing_period": None}, ("billing_period", "unknown_period")),
        ({"billing_period": ["month"]}, ("billing_period", "unknown_period")),
        ({"startup": "true"}, ("startup", "not_a_boolean")),
        ({"startup": 1}, ("startup", "not_a_boolean")),
        ({"startup": None}, ("startup", "not_a_boolean")),
        ({"startap": True}, ("startap", "unknown_field")),
    ],
)
def test_each_mistake_is_answered_with_its_place(rules: Rules, fields: dict[str, Any], error: Any) -> None:
    assert errors_of(month(**fields), rules) == [error]


def test_the_period_and_the_products_are_never_guessed(rules: Rules) -> None:
    assert errors_of({"products": [START]}, rules) == [("billing_period", "period_required")]
    assert errors_of({"billing_period": "month"}, rules) == [("products", "empty_request")]
    only_services = {"services": [{"service": "training", "quantity": 1}], "billing_period": "month"}
    assert errors_of(only_services, rules) == [("products", "products_required")]


@pytest.mark.parametrize("data", [None, [], "text", 7, True])
def test_what_is_no_object_is_refused_as_a_whole(rules: Rules, data: Any) -> None:
    assert errors_of(data, rules) == [("body", "not_an_object")]


def test_all_mistakes_of_a_request_are_answered_at_once(rules: Rules) -> None:
    data = {
        "products": [{"product": "nope", "tier": 5}, {"product": "ai_manager", "tier": "start", "volume": 9999}, 3],
        "services": [{"service": "nope", "quantity": "x"}],
        "billing_period": "week",
        "startup": "yes",
        "extra": 1,
    }

    assert errors_of(data, rules) == [
        ("extra", "unknown_field"),
        ("products[0].product", "unknown_product"),
        ("products[0].tier", "not_a_string"),
        ("products[1].tier", "tier_too_small"),
        ("products[2]", "not_an_object"),
        ("services[0].service", "unknown_service"),
        ("services[0].quantity", "not_an_integer"),
        ("billing_period", "unknown_period"),
        ("startup", "not_a_boolean"),
    ]


def test_a_tier_too_small_is_answered_with_the_name_of_the_one_that_fits(rules: Rules) -> None:
    with pytest.raises(BadRequest) as refused:
        read(month(products=[{**START, "volume": 1800}]), rules)

    assert "«business»" in refused.value.errors[0]["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{broken",
        b"{'products': []}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\xff"}',
        b"\x00",
        b"[" * 100_000,
        '{"products": []}'.encode("utf-16"),
    ],
)
def test_what_is_not_json_in_utf_8_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(body[:MOST_BYTES])

    assert [(error["field"], error["code"]) for error in refused.value.errors] == [("body", "not_json")]


def test_a_body_without_end_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadRequest) as refused:
        parse(b" " * (MOST_BYTES + 1))

    assert refused.value.errors[0]["code"] == "body_too_large"


@pytest.mark.parametrize("digits", [20, 4300, 20_000])
def test_a_number_of_any_length_is_only_too_large(rules: Rules, digits: int) -> None:
    body = json.dumps(month()).replace('"start"', f'"start", "volume": {"9" * digits}')

    assert errors_of(parse(body.encode()), rules) == [("products[0].volume", "too_large")]


def test_a_key_that_stands_twice_is_refused(rules: Rules) -> None:
    body = b'{"products": [{"product": "ai_manager", "tier": "pro", "tier": "start"}], "billing_period": "month"}'

    assert errors_of(parse(body), rules) == [("products[0].tier", "duplicate_field")]


def test_what_strangers_wrote_is_repeated_short_and_printable(rules: Rules) -> None:
    product = "\ud800\x00\u202e<script>" + "я" * 1000

    with pytest.raises(BadRequest) as refused:
        read(month(products=[{"product": product, "tier": "start"}]), rules)

    message = refused.value.errors[0]["message"]
    assert message.startswith("Продукта «???<script>яяя")
    assert message.encode() and len(message) < 250
