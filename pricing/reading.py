"""A request for a quote as it comes from outside, read strictly: nothing is converted, nothing is guessed.

Every mistake of a request is reported, not only the first. Knows no Django.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict, cast

from pricing.calculator import (
    MONTHS,
    Period,
    Product,
    ProductWanted,
    QuoteRequest,
    Refused,
    Rules,
    ServiceWanted,
    choose_tier,
)
from pricing.words import number, refusal, shown

#: the largest quantity or volume; far above any trade, and what the columns of a quote can hold
LARGEST = 10**12
#: the most lines of products, and of services
MOST_LINES = 100
#: the largest body, in bytes; a request with every line filled is smaller
MOST_BYTES = 64 * 1024

_REQUEST = ("products", "services", "billing_period", "startup")
_PRODUCT = ("product", "tier", "volume")
_SERVICE = ("service", "quantity")
_MISSING: Any = object()


class Error(TypedDict):
    """One mistake: where (``products[0].tier``; ``body`` for the whole), a code for programs, Russian words."""

    field: str
    code: str
    message: str


class BadRequest(Exception):
    """The request can't be quoted; ``errors`` says why, each with its place."""

    def __init__(self, errors: Iterable[Error]) -> None:
        self.errors = list(errors)
        super().__init__(", ".join(f"{error['field']}: {error['code']}" for error in self.errors))


class _Twice(dict[str, Any]):
    """A JSON object in which a key stood twice; remembers which."""

    repeated: str = ""


def parse(body: bytes) -> Any:
    """The JSON of a request. Raises ``BadRequest`` for what isn't JSON in UTF-8 or is too large."""
    if len(body) > MOST_BYTES:
        raise _whole("body_too_large", most=MOST_BYTES // 1024)
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError):  # JSON's own errors and broken UTF-8 are both ValueErrors
        raise _whole("not_json") from None


def read(data: Any, rules: Rules) -> QuoteRequest:
    """Check a parsed request against the catalogue. Raises ``BadRequest`` with every mistake in it."""
    reader = _Reader(rules)
    request = reader.request(data)
    if reader.errors:
        raise BadRequest(reader.errors)
    return request


class _Reader:
    """Walks through one request and gathers its mistakes."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.errors: list[Error] = []

    def request(self, data: Any) -> QuoteRequest:
        if not self._is_object(data, "body", _REQUEST):
            raise BadRequest(self.errors)
        before = len(self.errors)
        products = self._products(data)
        services = self._services(data)
        if not data.get("products") and not data.get("services") and len(self.errors) == before:
            self._refuse("products", "empty_request")
        period = self._period(data)
        startup = data.get("startup", False)
        if not isinstance(startup, bool):
            self._refuse("startup", "not_a_boolean")
        return QuoteRequest(products, services, period, startup)

    def _products(self, data: Mapping[str, Any]) -> tuple[ProductWanted, ...]:
        wanted = []
        named: set[str] = set()
        for place, item in self._lines(data, "products", required="products_required"):
            if not self._is_object(item, place, _PRODUCT):
                continue
            product = self._known_product(item, place, named)
            sound = len(self.errors)
            tier = self._string(item, place, "tier", required=None)
            volume = self._integer(item, place, "volume", required=None)
            if product is None or len(self.errors) > sound:
                continue
            try:
                choose_tier(product, tier=tier, volume=volume)
            except Refused as refused:
                at = {"unknown_tier": ".tier", "tier_too_small": ".tier", "no_tier_for_volume": ".volume"}
                self._refuse(place + at.get(refused.code, ""), refused.code, **refused.facts)
            wanted.append(ProductWanted(product.code, tier, volume))
        return tuple(wanted)

    def _known_product(self, item: Mapping[str, Any], place: str, named: set[str]) -> Product | None:
        code = self._string(item, place, "product", required="required")
        if code is None:
            return None
        product = self.rules.product(code)
        if product is None:
            self._refuse(f"{place}.product", "unknown_product", product=code)
        if code in named:
            self._refuse(f"{place}.product", "duplicate_product", product=code)
        named.add(code)
        return product

    def _services(self, data: Mapping[str, Any]) -> tuple[ServiceWanted, ...]:
        wanted = []
        for place, item in self._lines(data, "services", required=None):
            if not self._is_object(item, place, _SERVICE):
                continue
            code = self._string(item, place, "service", required="required")
            if code is not None and self.rules.service(code) is None:
                self._refuse(f"{place}.service", "unknown_service", service=code)
            quantity = self._integer(item, place, "quantity", required="quantity_required")
            if code is not None and quantity is not None:
                wanted.append(ServiceWanted(code, quantity))
        return tuple(wanted)

    def _period(self, data: Mapping[str, Any]) -> Period:
        period = data.get("billing_period", _MISSING)
        if period is _MISSING:
            self._refuse("billing_period", "period_required")
        elif not isinstance(period, str) or period not in MONTHS:
            self._refuse("billing_period", "unknown_period")
        return cast(Period, period)

    def _lines(self, data: Mapping[str, Any], name: str, *, required: str | None) -> Iterable[tuple[str, Any]]:
        lines = data.get(name, _MISSING)
        if lines is _MISSING:
            if required and not data.get("services"):
                self._refuse(name, "empty_request")
            elif required:
                self._refuse(name, required)
            return []
        if not isinstance(lines, list):
            self._refuse(name, "not_a_list")
            return []
        if len(lines) > MOST_LINES:
            self._refuse(name, "too_many", most=MOST_LINES)
            return []
        return [(f"{name}[{index}]", line) for index, line in enumerate(lines)]

    def _is_object(self, value: Any, place: str, known: tuple[str, ...]) -> bool:
        if not isinstance(value, dict):
            self._refuse(place, "not_an_object")
            return False
        at = "" if place == "body" else f"{place}."
        if isinstance(value, _Twice):
            self._refuse(f"{at}{shown(value.repeated)}", "duplicate_field", name=shown(value.repeated))
        # a misspelt "startup" that is passed over would be a wrong price
        for name in [name for name in value if name not in known][:MOST_LINES]:
            self._refuse(f"{at}{shown(name)}", "unknown_field", name=shown(name), known=", ".join(known))
        return True

    def _string(self, item: Mapping[str, Any], place: str, name: str, *, required: str | None) -> str | None:
        value = item.get(name, _MISSING)
        if value is _MISSING:
            if required:
                self._refuse(f"{place}.{name}", required)
            return None
        if not isinstance(value, str):
            self._refuse(f"{place}.{name}", "not_a_string")
            return None
        return value

    def _integer(self, item: Mapping[str, Any], place: str, name: str, *, required: str | None) -> int | None:
        value = item.get(name, _MISSING)
        where = f"{place}.{name}"
        if value is _MISSING:
            if required:
                self._refuse(where, required)
        elif type(value) is not int:  # True is an int to Python
            self._refuse(where, "not_an_integer")
        elif value <= 0:
            self._refuse(where, "not_positive")
        elif value > LARGEST:
            self._refuse(where, "too_large", most=number(LARGEST))
        else:
            return value
        return None

    def _refuse(self, place: str, code: str, **facts: Any) -> None:
        self.errors.append({"field": place, "code": code, "message": refusal(code, facts, self.rules)})


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    seen: set[str] = set()
    twice = _Twice(plain)
    twice.repeated = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
    return twice


def _integer(text: str) -> int:
    """Numbers longer than any limit are all equally too large; Python refuses to convert the longest."""
    return int(text[:40])


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _whole(code: str, **facts: Any) -> BadRequest:
    nothing: Any = None  # what concerns the whole body needs no catalogue
    return BadRequest([{"field": "body", "code": code, "message": refusal(code, facts, nothing)}])
