"""Catalogues as plain data, in the shape of the YAML file, and the rules that the calculator takes made of them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from pricing.calculator import Discount, Name, Product, Rules, Service, Tier, Vat

DEMO = Path(__file__).resolve().parents[2] / "pricing" / "data" / "catalog.yaml"


def demo() -> dict[str, Any]:
    """The demo catalogue as the file says it, with every number as text."""
    return yaml.load(DEMO.read_text(encoding="utf-8"), Loader=_Texts)  # a safe loader underneath


class _Texts(yaml.SafeLoader):
    """Keeps 14900.00 as it is written."""


_Texts.add_constructor("tag:yaml.org,2002:float", lambda loader, node: node.value)


def as_rules(raw: dict[str, Any]) -> Rules:
    """Rules of a catalogue; ``raw["vat_rate"]`` is the seller's rate as text, or absent."""
    rate = raw.get("vat_rate")
    return Rules(
        products=tuple(
            Product(
                each["code"],
                Name(each["code"]),
                Name("штук"),
                tuple(
                    Tier(
                        tier["code"],
                        Name(tier["code"]),
                        tier["up_to"],
                        None if tier["price_month"] is None else Decimal(tier["price_month"]),
                    )
                    for tier in each["tiers"]
                ),
            )
            for each in raw["products"]
        ),
        services=tuple(
            Service(each["code"], Name(each["code"]), Name("штука"), each["charge"], Decimal(each["price"]))
            for each in raw["services"]
        ),
        discounts=tuple(
            Discount(
                each["code"],
                Name(each["code"]),
                Decimal(each["percent"]),
                each["when"].get("distinct_products"),
                each["when"].get("billing_period"),
                each["when"].get("startup", False),
            )
            for each in raw["discounts"]
        ),
        discount_cap_percent=Decimal(raw["discount_cap_percent"]),
        vat=Vat("none_usn", None, "Без НДС", "НДС не облагается") if rate is None else Vat("rate", Decimal(rate)),
    )
