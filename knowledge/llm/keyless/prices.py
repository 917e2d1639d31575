"""The words beside a quote: the sum, what is in it, and where it differs from what was said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from knowledge.llm.keyless import facts
from knowledge.llm.keyless import plan as plans
from knowledge.llm.keyless.draft import Draft
from knowledge.llm.keyless.morphology import counted
from knowledge.llm.keyless.quotewords import quote_in_words
from knowledge.llm.keyless.wording import inside, listed
from pricing import words


def name_prices(draft: Draft) -> None:
    product = draft.catalogue.product(draft.plan.price_list)
    if product is not None and draft.add(facts.tiers_of(product, draft.language)):
        return
    result = draft.done.get("quote")
    if result is None:
        return
    if result.failed:
        draft.add(draft.failed("quote") or draft.say("quote_failed"))
        draft.notes.append("the quote was refused")
        return
    if not (draft.done.data("quote-other") and draft.add(_periods_beside(draft))):
        draft.add(quote_in_words(result.text, discounts=draft.talk.means("discount")))
    parts = composition(draft)
    once = _charged_once(draft)
    if parts and not draft.done.data("proposal"):  # which would name them again
        draft.add(" ".join(filter(None, [draft.say("in_quote", parts=listed(parts, draft.language)), once])))
    explain_request(draft)


def _periods_beside(draft: Draft) -> str:
    """Both periods side by side, the cheaper first."""
    quotes = [draft.done.data("quote"), draft.done.data("quote-other")]
    request = plans.priced_request(draft.plan, draft.context)
    year, month = quotes if request.get("billing_period") == "year" else reversed(quotes)
    if year.get("on_request") or month.get("on_request"):
        return ""
    sums = {"year": words.money(Decimal(year["total"])), "month": words.money(Decimal(month["total"]))}
    for_year = {each.code for each in draft.catalogue.discounts if each.billing_period == "year"}
    saved = sum((Decimal(each["amount"]) for each in year["discounts"] if each["code"] in for_year), Decimal(0))
    if not saved:
        return draft.say("periods_beside", **sums)
    return draft.say("year_is_cheaper", saved=words.money(saved), **sums)


def composition(draft: Draft) -> list[str]:
    """What is in the quote: «AI-юрист «Бизнес» (120 документов)», «обучение сотрудников × 3»."""
    request = plans.priced_request(draft.plan, draft.context)
    answer = draft.done.data("quote") or (draft.context.quote or {}).get("answer") or {}
    parts = [_product_in_words(draft, wanted, answer.get("tiers") or {}) for wanted in request.get("products") or ()]
    for wanted in request.get("services") or ():
        service = draft.catalogue.service(wanted["service"])
        if service is not None:
            name = inside(service.name.in_language(draft.language))
            parts.append(name if wanted["quantity"] == 1 else f"{name} × {words.number(wanted['quantity'])}")
    return [part for part in parts if part]


def _product_in_words(draft: Draft, wanted: dict[str, Any], tiers: dict[str, str]) -> str:
    product = draft.catalogue.product(wanted["product"])
    tier = product.tier(tiers.get(wanted["product"], "")) if product is not None else None
    if product is None or tier is None:
        return ""
    called = f"{draft.name(product)} {facts.tier_name(tier, draft.language)}"
    if not wanted.get("volume"):
        return called
    unit = counted(product.unit.in_language(draft.language), wanted["volume"])
    return f"{called} ({words.number(wanted['volume'])} {unit})"


def _charged_once(draft: Draft) -> str:
    """What of a sum for a month comes only once: it would be taken for the price of every month."""
    request = plans.priced_request(draft.plan, draft.context)
    wanted = [draft.catalogue.service(each["service"]) for each in request.get("services") or ()]
    services = [service for service in wanted if service is not None]
    if not services or not request.get("products") or any(service.charge == "monthly" for service in services):
        return ""
    return draft.say("once_of_it", amount=words.money(Decimal(draft.done.data("quote")["services"])))


def explain_request(draft: Draft) -> None:
    """Say where the quote differs from what was named."""
    request = draft.plan.request
    if request is None:
        return
    assumed = draft.products(request.assumed)
    if len(assumed) > 1 and len(assumed) == len(draft.talk.needs.products):
        draft.add(draft.say("smallest_of_all"))
    else:
        for product in assumed:
            tier = product.tier(draft.done.data("quote").get("tiers", {}).get(product.code, ""))
            if tier is not None:
                called = tier.name.in_language(draft.language)
                draft.remark = draft.say("smallest_of", product=draft.name(product), tier=called)
                draft.add(draft.remark)
    for code, (named, fits) in request.enlarged.items():
        owner = draft.catalogue.product(code)
        small, large = (owner.tier(named), owner.tier(fits)) if owner is not None else (None, None)
        if owner is not None and small is not None and large is not None:
            tiers = {"named": small.name.in_language(draft.language), "fits": large.name.in_language(draft.language)}
            draft.add(draft.say("larger_tier", product=draft.name(owner), **tiers))
