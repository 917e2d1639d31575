"""The catalogue as a YAML file: checked whole, then loaded whole or not at all.

The file says what is true of everything it names: rows are made or changed to fit it, and a tier that a listed
product no longer has goes off sale. What it doesn't name is left alone; nothing is ever deleted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from django.db import models, transaction
from django.utils.translation import gettext as _
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pricing.models import Discount, PricingRules, Product, Service, Tier


class BadCatalogue(Exception):
    """The file can't be loaded; the message names each wrong place."""


@dataclass
class Loaded:
    """What loading did, by the kind of row."""

    created: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    same: Counter[str] = field(default_factory=Counter)
    switched_off: list[str] = field(default_factory=list)


def load(path: Path) -> Loaded:
    """Load the file. Raises ``BadCatalogue``; then nothing has changed. Running it again changes nothing."""
    catalogue = read(path)
    with transaction.atomic():
        return _store(catalogue, reason=f"load_catalog {path.name}"[:100])


def read(path: Path) -> Catalogue:
    """Read and check the file, writing nothing."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadCatalogue(_("%(path)s is not UTF-8 text.") % {"path": path}) from None
    except OSError as problem:
        raise BadCatalogue(_("Can't read %(path)s: %(why)s") % {"path": path, "why": problem.strerror}) from None
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader underneath
    except yaml.YAMLError as problem:
        raise BadCatalogue(f"{path.name}: {problem}") from None
    try:
        return Catalogue.model_validate(data)
    except ValidationError as problem:
        lines = [f"{path.name}: {_place(each['loc'])}: {each['msg']}" for each in problem.errors()]
        raise BadCatalogue("\n".join(lines)) from None


class _Loader(yaml.SafeLoader):
    """YAML without surprises: 14900.10 is a Decimal, and a key that stands twice is an error."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)

    def exact(self, node: Any) -> Decimal:
        try:
            return Decimal(node.value.replace("_", ""))
        except ArithmeticError:
            raise yaml.constructor.ConstructorError(
                None, None, f"{node.value!r} is not a number that can be used here", node.start_mark
            ) from None


_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.exact)


def _only_numbers(value: Any) -> Any:
    if value is not None and type(value) not in (int, Decimal):
        raise ValueError("a number without quotes is needed, such as 14900.00")
    return value


def _both_languages(value: Any) -> Any:
    return {"ru": value, "en": value} if isinstance(value, str) else value


def _different(rows: list[Any]) -> list[Any]:
    for code, times in Counter(row.code for row in rows).items():
        if times > 1:
            raise ValueError(f"the code {code!r} stands {times} times")
    return rows


Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
Price = Annotated[Decimal, BeforeValidator(_only_numbers), Field(ge=0, max_digits=12, decimal_places=2)]
Percent = Annotated[Decimal, BeforeValidator(_only_numbers), Field(ge=0, le=100, decimal_places=2)]
Whole = Annotated[int, Field(strict=True, ge=1, le=10**12)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NamePart(_Part):
    ru: str = Field(min_length=1, max_length=200)
    en: str = Field(default="", max_length=200)


Called = Annotated[NamePart, BeforeValidator(_both_languages)]


class TierPart(_Part):
    code: Code
    name: Called
    up_to: Whole | None
    price_month: Price | None


class ProductPart(_Part):
    code: Code
    name: Called
    unit: Called
    tiers: Annotated[list[TierPart], Field(min_length=1), AfterValidator(_different)]


class ServicePart(_Part):
    code: Code
    name: Called
    unit: Called
    charge: Literal["monthly", "one_time"]
    price: Price


class When(_Part):
    distinct_products: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    billing_period: Literal["month", "year"] | None = None
    startup: Annotated[bool, Field(strict=True)] = False


class DiscountPart(_Part):
    code: Code
    name: Called
    percent: Percent
    when: When = When()


class Catalogue(_Part):
    """The whole file. What is left out is left alone."""

    currency: Literal["RUB"] = "RUB"
    products: Annotated[list[ProductPart], AfterValidator(_different)] = []
    services: Annotated[list[ServicePart], AfterValidator(_different)] = []
    discounts: Annotated[list[DiscountPart], AfterValidator(_different)] = []
    discount_cap_percent: Percent | None = None


def _place(location: Sequence[Any]) -> str:
    """``products[0].tiers[1].price_month``"""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or _("the whole file")


def _store(catalogue: Catalogue, *, reason: str) -> Loaded:
    done = Loaded()
    for position, part in enumerate(catalogue.products, start=1):
        product = _put(
            Product,
            {"code": part.code},
            {"name": part.name.model_dump(), "unit": part.unit.model_dump(), "position": position, "is_active": True},
            reason=reason,
            done=done,
        )
        _store_tiers(product, part.tiers, reason=reason, done=done)
    for position, service in enumerate(catalogue.services, start=1):
        values: dict[str, Any] = {
            "name": service.name.model_dump(),
            "unit": service.unit.model_dump(),
            "charge": service.charge,
            "price": service.price,
            "position": position,
            "is_active": True,
        }
        _put(Service, {"code": service.code}, values, reason=reason, done=done)
    for position, discount in enumerate(catalogue.discounts, start=1):
        values = {
            "name": discount.name.model_dump(),
            "percent": discount.percent,
            "order": position * 10,  # room for one between
            "distinct_products": discount.when.distinct_products,
            "billing_period": discount.when.billing_period or "",
            "startup": discount.when.startup,
            "is_active": True,
        }
        _put(Discount, {"code": discount.code}, values, reason=reason, done=done)
    if catalogue.discount_cap_percent is not None:
        values = {"discount_cap_percent": catalogue.discount_cap_percent, "currency": catalogue.currency}
        _put(PricingRules, {"pk": 1}, values, reason=reason, done=done)
    return done


def _store_tiers(product: Any, parts: Iterable[TierPart], *, reason: str, done: Loaded) -> None:
    for position, part in enumerate(parts, start=1):
        values = {
            "name": part.name.model_dump(),
            "up_to": part.up_to,
            "price_month": part.price_month,
            "position": position,
            "is_active": True,
        }
        _put(Tier, {"product": product, "code": part.code}, values, reason=reason, done=done)
    for tier in Tier.objects.filter(product=product, is_active=True).exclude(code__in=[part.code for part in parts]):
        tier.is_active = False
        tier._change_reason = reason  # type: ignore[attr-defined]
        tier.save()
        done.switched_off.append(f"{product.code}.{tier.code}")


def _put(model: type[models.Model], key: dict[str, Any], values: dict[str, Any], *, reason: str, done: Loaded) -> Any:
    """Make the row or change it to fit; a row that fits already isn't touched, so it gets no history."""
    kind = str(model._meta.verbose_name_plural)
    row: Any = model._default_manager.select_for_update().filter(**key).first()
    if row is None:
        row, tally = model(**key), done.created
    elif all(getattr(row, name) == value for name, value in values.items()):
        done.same[kind] += 1
        return row
    else:
        tally = done.changed
    for name, value in values.items():
        setattr(row, name, value)
    row._change_reason = reason
    row.save()
    tally[kind] += 1
    return row
