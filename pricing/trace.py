"""A calculation's trace in sentences for staff, in the language of the back office."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from pricing.calculator import Rules
from pricing.words import money, number, percent


@dataclass(frozen=True)
class Told:
    """One rule and what it did."""

    rule: str
    words: str


def tell(trace: Iterable[Mapping[str, Any]], rules: Rules) -> Iterator[Told]:
    """Each step in a sentence, with the numbers it was done with."""
    for step in trace:
        words = _SENTENCES[step["rule"]](step, _Names(rules, (get_language() or "ru")[:2]))
        yield Told(step["rule"], words)


@dataclass(frozen=True)
class _Names:
    """Names for the codes of a trace; the code itself where the rules have none."""

    rules: Rules
    language: str

    def product(self, code: str) -> str:
        row = self.rules.product(code)
        return row.name.in_language(self.language) if row else code

    def tier(self, product: str, code: str) -> str:
        row = self.rules.product(product)
        tier = row and row.tier(code)
        return tier.name.in_language(self.language) if tier else code

    def service(self, code: str) -> str:
        row = self.rules.service(code)
        return row.name.in_language(self.language) if row else code

    def discount(self, code: str) -> str:
        row = self.rules.discount(code)
        return row.name.in_language(self.language) if row else code


def _m(amount: str) -> str:
    return money(Decimal(amount))


def _p(share: str) -> str:
    return percent(Decimal(share))


def _tier(step: Mapping[str, Any], names: _Names) -> str:
    facts = {
        "product": names.product(step["product"]),
        "tier": names.tier(step["product"], step["tier"]),
        "size": _("any volume") if step["up_to"] is None else _("up to %s") % number(step["up_to"]),
        "volume": "" if step["volume"] is None else number(step["volume"]),
    }
    if step["rule"] == "tier_by_volume" and step["price_month"] is None:
        words = _("%(product)s: %(volume)s is above every tier with a price, so %(tier)s.") % facts
    elif step["rule"] == "tier_by_volume":
        words = _("%(product)s: the cheapest tier for %(volume)s is %(tier)s (%(size)s).") % facts
    elif step["volume"] is None:
        words = _("%(product)s: %(tier)s (%(size)s), as asked for.") % facts
    else:
        words = _("%(product)s: %(tier)s (%(size)s), as asked for; it holds %(volume)s.") % facts
    if step["price_month"] is None:
        return words
    return f"{words} {_m(step['price_month'])} × {step['months']} = {_m(step['amount'])}"


def _on_request(step: Mapping[str, Any], names: _Names) -> str:
    return _("%(product)s has no price: no amount, no part in package discounts, a manager is needed.") % {
        "product": names.product(step["product"])
    }


def _subscription(step: Mapping[str, Any], names: _Names) -> str:
    return _("Subscription for %(months)d mo.: %(amount)s") % {"months": step["months"], "amount": _m(step["amount"])}


def _discount(step: Mapping[str, Any], names: _Names) -> str:
    return _("%(discount)s: %(percent)s of %(base)s = %(amount)s, which leaves %(left)s") % {
        "discount": names.discount(step["discount"]),
        "percent": _p(step["percent"]),
        "base": _m(step["base"]),
        "amount": _m(step["amount"]),
        "left": _m(step["left"]),
    }


def _skipped(step: Mapping[str, Any], names: _Names) -> str:
    because = {
        "distinct_products": _("too few products with a price"),
        "billing_period": _("it is for another billing period"),
        "startup": _("the buyer is no startup"),
        "replaced": _("a higher package is used instead"),
    }[step["because"]]
    return _("%(discount)s (%(percent)s): not taken, %(because)s.") % {
        "discount": names.discount(step["discount"]),
        "percent": _p(step["percent"]),
        "because": because,
    }


def _cap(step: Mapping[str, Any], names: _Names) -> str:
    return _("Discounts come to %(discounts)s, above the cap of %(percent)s = %(limit)s by %(excess)s.") % {
        "discounts": _m(step["discounts"]),
        "percent": _p(step["percent"]),
        "limit": _m(step["limit"]),
        "excess": _m(step["excess"]),
    }


def _cap_kept(step: Mapping[str, Any], names: _Names) -> str:
    return _("Discounts come to %(discounts)s, within the cap of %(percent)s = %(limit)s.") % {
        "discounts": _m(step["discounts"]),
        "percent": _p(step["percent"]),
        "limit": _m(step["limit"]),
    }


def _cap_cut(step: Mapping[str, Any], names: _Names) -> str:
    return _("%(discount)s is cut by %(cut)s: %(was)s becomes %(amount)s.") % {
        "discount": names.discount(step["discount"]),
        "cut": _m(step["cut"]),
        "was": _m(step["was"]),
        "amount": _m(step["amount"]),
    }


def _service(step: Mapping[str, Any], names: _Names) -> str:
    factors = [_m(step["price"])]
    if step["charge"] == "monthly":
        factors.append(_("%d mo.") % step["months"])
    factors.append(number(step["quantity"]))
    return f"{names.service(step['service'])}: {' × '.join(factors)} = {_m(step['amount'])}"


def _total(step: Mapping[str, Any], names: _Names) -> str:
    return _("Total: %(subscription)s − %(discounts)s + %(services)s = %(total)s") % {
        name: _m(step[name]) for name in ("subscription", "discounts", "services", "total")
    }


def _vat(step: Mapping[str, Any], names: _Names) -> str:
    if step["rate"] is None:
        return _("VAT mode %(mode)s: none is charged.") % {"mode": step["mode"]}
    return _("VAT mode %(mode)s: of the total, %(rate)s inside = %(amount)s") % {
        "mode": step["mode"],
        "rate": _p(step["rate"]),
        "amount": _m(step["amount"]),
    }


_SENTENCES: dict[str, Callable[[Mapping[str, Any], _Names], str]] = {
    "tier_by_volume": _tier,
    "tier_by_name": _tier,
    "on_request": _on_request,
    "subscription": _subscription,
    "discount": _discount,
    "discount_skipped": _skipped,
    "cap": _cap,
    "cap_kept": _cap_kept,
    "cap_cut": _cap_cut,
    "service": _service,
    "total": _total,
    "vat": _vat,
}
