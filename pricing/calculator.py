"""How a quote is calculated: pure arithmetic over rules that staff edit, with a trace of what each rule did.

Nothing here knows Django, a database or the clock. Money is ``Decimal`` with two digits, rounded half up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any, Literal

Period = Literal["month", "year"]
Charge = Literal["monthly", "one_time"]

#: how many monthly prices a period holds
MONTHS: Mapping[str, int] = {"month": 1, "year": 12}
#: written into each quote, so that a later reading of the rules can't be taken for this one
EDITION = 1

ZERO = Decimal("0.00")
_KOPECK = Decimal("0.01")
_HUNDRED = Decimal(100)
#: digits to reckon with: the largest quote has 27, the default context would round at 28
_PRECISION = 60


@dataclass(frozen=True)
class Name:
    """What something is called, in both languages."""

    ru: str
    en: str = ""

    def in_language(self, language: str) -> str:
        """The name to show; Russian where there is no other."""
        return (self.en or self.ru) if language == "en" else self.ru


@dataclass(frozen=True)
class Tier:
    """A size of a product. No ``up_to``: any volume. No ``price_month``: the price is on request."""

    code: str
    name: Name
    up_to: int | None
    price_month: Decimal | None

    def holds(self, volume: int) -> bool:
        return self.up_to is None or self.up_to >= volume


@dataclass(frozen=True)
class Product:
    code: str
    name: Name
    unit: Name
    tiers: tuple[Tier, ...]

    def tier(self, code: str) -> Tier | None:
        return next((tier for tier in self.tiers if tier.code == code), None)


@dataclass(frozen=True)
class Service:
    code: str
    name: Name
    unit: Name
    charge: Charge
    price: Decimal


@dataclass(frozen=True)
class Discount:
    """A percentage off the subscription; every condition that is stated has to hold."""

    code: str
    name: Name
    percent: Decimal
    distinct_products: int | None = None
    billing_period: Period | None = None
    startup: bool = False


@dataclass(frozen=True)
class Vat:
    """How the seller stands to VAT. No ``rate``: none is charged. The words are what papers print."""

    mode: str
    rate: Decimal | None
    table_word: str = ""
    total_words: str = ""
    ground: str = ""


@dataclass(frozen=True)
class Rules:
    """Everything that a quote depends on beside the request; discounts stand in the order they are taken."""

    products: tuple[Product, ...]
    services: tuple[Service, ...]
    discounts: tuple[Discount, ...]
    discount_cap_percent: Decimal
    vat: Vat
    valid_days: int = 14
    currency: str = "RUB"

    def product(self, code: str) -> Product | None:
        return next((product for product in self.products if product.code == code), None)

    def service(self, code: str) -> Service | None:
        return next((service for service in self.services if service.code == code), None)

    def discount(self, code: str) -> Discount | None:
        return next((discount for discount in self.discounts if discount.code == code), None)


@dataclass(frozen=True)
class ProductWanted:
    product: str
    tier: str | None = None
    volume: int | None = None


@dataclass(frozen=True)
class ServiceWanted:
    service: str
    quantity: int


@dataclass(frozen=True)
class QuoteRequest:
    products: tuple[ProductWanted, ...]
    services: tuple[ServiceWanted, ...]
    billing_period: Period
    startup: bool = False

    @property
    def months(self) -> int:
        return MONTHS[self.billing_period]


@dataclass(frozen=True)
class Step:
    """What one rule did: its name and the numbers it did it with (amounts as strings)."""

    rule: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ProductLine:
    """A product in the quote. ``amount`` is for the whole period; none where the price is on request."""

    product: Product
    tier: Tier
    volume: int | None
    months: int
    amount: Decimal | None


@dataclass(frozen=True)
class ServiceLine:
    """An extra in the quote. ``months`` is 1 for what is charged once."""

    service: Service
    quantity: int
    months: int
    amount: Decimal


@dataclass(frozen=True)
class DiscountLine:
    """A discount that was taken; ``cut`` is what the cap took back of it."""

    discount: Discount
    amount: Decimal
    cut: Decimal = ZERO


@dataclass(frozen=True)
class Calculation:
    """A finished quote: what is bought, what it costs, and how that came about."""

    products: tuple[ProductLine, ...]
    services: tuple[ServiceLine, ...]
    discounts: tuple[DiscountLine, ...]
    billing_period: Period
    startup: bool
    subscription: Decimal
    discount_total: Decimal
    services_total: Decimal
    total: Decimal
    cap_percent: Decimal
    vat: Vat
    vat_amount: Decimal
    on_request: bool
    currency: str
    trace: tuple[Step, ...]

    @property
    def months(self) -> int:
        return MONTHS[self.billing_period]


class Refused(ValueError):
    """The rules can't answer this: ``code`` says why, ``facts`` with what. Words are made where it is shown."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def calculate(request: QuoteRequest, rules: Rules) -> Calculation:
    """Price a request. Raises ``Refused`` for what the rules don't know."""
    if not request.products and not request.services:
        raise Refused("empty_request")
    if request.billing_period not in MONTHS:
        raise Refused("unknown_period")
    trace: list[Step] = []
    with localcontext() as context:
        context.prec = _PRECISION
        products = tuple(_product_lines(request, rules, trace))
        subscription = sum((line.amount for line in products if line.amount is not None), ZERO)
        trace.append(_step("subscription", amount=subscription, months=request.months))
        discounts = _discounts(request, rules, products, subscription, trace)
        services = tuple(_service_lines(request, rules, trace))
        services_total = sum((line.amount for line in services), ZERO)
        discount_total = sum((line.amount for line in discounts), ZERO)
        total = subscription - discount_total + services_total
        trace.append(
            _step("total", subscription=subscription, discounts=discount_total, services=services_total, total=total)
        )
        vat_amount = vat_inside(total, rules.vat)
        trace.append(_step("vat", mode=rules.vat.mode, rate=rules.vat.rate, amount=vat_amount))
    return Calculation(
        products=products,
        services=services,
        discounts=discounts,
        billing_period=request.billing_period,
        startup=request.startup,
        subscription=subscription,
        discount_total=discount_total,
        services_total=services_total,
        total=total,
        cap_percent=rules.discount_cap_percent,
        vat=rules.vat,
        vat_amount=vat_amount,
        on_request=any(line.amount is None for line in products),
        currency=rules.currency,
        trace=tuple(trace),
    )


def choose_tier(product: Product, *, tier: str | None, volume: int | None) -> Tier:
    """The tier that a request means: the one named, or the cheapest that holds the volume.

    Above every priced tier it is the one on request. Raises ``Refused`` for an unknown tier, for one too small
    (``fits`` is the smallest that isn't), and where nothing holds the volume.
    """
    if tier is not None:
        return _named_tier(product, tier=tier, volume=volume)
    if volume is None:
        raise Refused("tier_or_volume_required", product=product)
    fitting = [each for each in product.tiers if each.holds(volume)]
    priced = [each for each in fitting if each.price_month is not None]
    if priced:
        return min(priced, key=lambda each: (each.price_month, _size(each)))
    if fitting:
        return min(fitting, key=_size)
    raise Refused("no_tier_for_volume", product=product, volume=volume)


def vat_inside(total: Decimal, vat: Vat) -> Decimal:
    """The VAT that a total already includes."""
    if vat.rate is None:
        return ZERO
    return _to_kopecks(total * vat.rate / (_HUNDRED + vat.rate))


def _named_tier(product: Product, *, tier: str, volume: int | None) -> Tier:
    named = product.tier(tier)
    if named is None:
        raise Refused("unknown_tier", product=product, tier=tier)
    if volume is None or named.holds(volume):
        return named
    fitting = [each for each in product.tiers if each.holds(volume)]
    if not fitting:
        raise Refused("no_tier_for_volume", product=product, volume=volume)
    raise Refused("tier_too_small", product=product, tier=named, volume=volume, fits=min(fitting, key=_size))


def _size(tier: Tier) -> tuple[bool, int]:
    """Sorts tiers by what they hold; those without an end come last."""
    return tier.up_to is None, tier.up_to or 0


def _product_lines(request: QuoteRequest, rules: Rules, trace: list[Step]) -> Iterator[ProductLine]:
    seen: set[str] = set()
    for wanted in request.products:
        product = rules.product(wanted.product)
        if product is None:
            raise Refused("unknown_product", product=wanted.product)
        if wanted.product in seen:
            raise Refused("duplicate_product", product=wanted.product)
        seen.add(wanted.product)
        tier = choose_tier(product, tier=wanted.tier, volume=wanted.volume)
        amount = None if tier.price_month is None else _to_kopecks(tier.price_month * request.months)
        trace.append(
            _step(
                "tier_by_volume" if wanted.tier is None else "tier_by_name",
                product=product.code,
                volume=wanted.volume,
                tier=tier.code,
                up_to=tier.up_to,
                price_month=tier.price_month,
                months=request.months,
                amount=amount,
            )
        )
        if amount is None:
            trace.append(_step("on_request", product=product.code, tier=tier.code))
        yield ProductLine(product, tier, wanted.volume, request.months, amount)


def _service_lines(request: QuoteRequest, rules: Rules, trace: list[Step]) -> Iterator[ServiceLine]:
    quantities: dict[str, int] = {}
    for wanted in request.services:
        # a service named twice is bought twice: the rules forbid repeating products only
        quantities[wanted.service] = quantities.get(wanted.service, 0) + wanted.quantity
    for code, quantity in quantities.items():
        service = rules.service(code)
        if service is None:
            raise Refused("unknown_service", service=code)
        months = request.months if service.charge == "monthly" else 1
        amount = _to_kopecks(service.price * months * quantity)
        trace.append(
            _step(
                "service",
                service=code,
                charge=service.charge,
                price=service.price,
                months=months,
                quantity=quantity,
                amount=amount,
            )
        )
        yield ServiceLine(service, quantity, months, amount)


def _discounts(
    request: QuoteRequest, rules: Rules, products: Iterable[ProductLine], subscription: Decimal, trace: list[Step]
) -> tuple[DiscountLine, ...]:
    """Each takes its percentage off what the one before left; then the cap cuts from the end."""
    priced = sum(line.amount is not None for line in products)
    package = _highest_package(request, rules, priced)
    left = subscription
    lines: list[DiscountLine] = []
    for discount in rules.discounts:
        missing = _missing(discount, request, priced)
        if missing is None and discount.distinct_products is not None and discount is not package:
            missing = "replaced"
        if missing is not None:
            trace.append(_step("discount_skipped", discount=discount.code, percent=discount.percent, because=missing))
            continue
        amount = _to_kopecks(left * discount.percent / _HUNDRED)
        trace.append(
            _step(
                "discount",
                discount=discount.code,
                percent=discount.percent,
                base=left,
                amount=amount,
                left=left - amount,
            )
        )
        left -= amount
        lines.append(DiscountLine(discount, amount))
    capped = _capped(lines, subscription, rules.discount_cap_percent, trace)
    return tuple(line for line in capped if line.amount)


def _highest_package(request: QuoteRequest, rules: Rules, priced: int) -> Discount | None:
    """Of the discounts for several products, the one for most products; the larger one where two ask the same."""
    holding = [
        discount
        for discount in rules.discounts
        if discount.distinct_products is not None and _missing(discount, request, priced) is None
    ]
    return max(holding, key=lambda each: (each.distinct_products or 0, each.percent), default=None)


def _missing(discount: Discount, request: QuoteRequest, priced: int) -> str | None:
    """The first condition of a discount that the request doesn't meet."""
    if discount.distinct_products is not None and priced < discount.distinct_products:
        return "distinct_products"
    if discount.billing_period is not None and discount.billing_period != request.billing_period:
        return "billing_period"
    if discount.startup and not request.startup:
        return "startup"
    return None


def _capped(
    lines: list[DiscountLine], subscription: Decimal, percent: Decimal, trace: list[Step]
) -> list[DiscountLine]:
    together = sum((line.amount for line in lines), ZERO)
    limit = _to_kopecks(subscription * percent / _HUNDRED)
    excess = together - limit
    if excess <= 0:
        trace.append(_step("cap_kept", percent=percent, limit=limit, discounts=together))
        return lines
    trace.append(_step("cap", percent=percent, limit=limit, discounts=together, excess=excess))
    kept: list[DiscountLine] = []
    for line in reversed(lines):
        cut = min(excess, line.amount)
        excess -= cut
        if cut:
            facts = {"discount": line.discount.code, "was": line.amount, "cut": cut, "amount": line.amount - cut}
            trace.append(_step("cap_cut", **facts))
        kept.append(DiscountLine(line.discount, line.amount - cut, cut))
    return kept[::-1]


def _to_kopecks(amount: Decimal) -> Decimal:
    return amount.quantize(_KOPECK, rounding=ROUND_HALF_UP)


def _step(rule: str, **facts: Any) -> Step:
    return Step(
        rule, {name: format(value, "f") if isinstance(value, Decimal) else value for name, value in facts.items()}
    )
