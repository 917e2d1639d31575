"""What prices offer to the assistant: the price list and an exact quote. The model never reckons."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pricing import queries, snapshot, sold, words
from pricing.operations import BadRequest, make_quote
from sales.assistant.tools import ToolContext, ToolFailed, ToolOutput, tool


class WantedProduct(BaseModel):
    """A product by its code, with the code of a tier, the volume per month, or both."""

    model_config = ConfigDict(extra="forbid")

    product: str
    tier: str | None = None
    volume: int | None = Field(default=None, strict=True)


class WantedService(BaseModel):
    """An extra service by its code, and how many of it."""

    model_config = ConfigDict(extra="forbid")

    service: str
    quantity: int = Field(strict=True)


@tool
def quote(
    *,
    context: ToolContext,
    billing_period: Literal["month", "year"],
    products: list[WantedProduct] | None = None,
    services: list[WantedService] | None = None,
    startup: bool = False,
) -> ToolOutput:
    """Name the exact price of products and services, with discounts and VAT, and keep the quote under a number.

    Give the whole purchase anew each time: a change of an earlier quote is a new one with all its lines. Of each
    product the customer must have named a volume per month or a tier; ask for what is missing, never guess it.
    ``billing_period`` is ``month`` unless the customer wants to pay for a year at once. ``startup`` only when the
    customer says to be a startup. Discounts are found by the rules: there is no way to give another. The customer sees
    all lines beside your reply: say the total with what matters, digit by digit as the result has it, and reckon
    nothing yourself. A wrong code is answered with the codes there are.
    """
    data = {
        "products": [wanted.model_dump(exclude_none=True) for wanted in products or []],
        "services": [wanted.model_dump() for wanted in services or []],
        "billing_period": billing_period,
        "startup": startup,
    }
    try:
        made = make_quote(data=data, now=context.now, conversation_id=context.conversation_id, lead_id=context.lead_id)
    except BadRequest as refused:
        raise ToolFailed("; ".join(f"{error['field']}: {error['message']}" for error in refused.errors)) from None
    calculation = queries.recompute(made)
    answer = queries.answer_of(calculation, made)
    text = words.summary(calculation, quote_number=made.number, valid_until=made.valid_until, language=context.language)
    return ToolOutput(
        text=text,
        # volumes that were said in words are proven by the request; by what is sold, whose an amount is
        data={**answer, "request": made.inputs, "sold": sold.of_quote(calculation), "for_customer": text},
        cards=[queries.card_of(calculation, made, context.language)],
        remember={
            "quote": {
                "request": made.inputs,
                "number": made.number,
                "answer": answer,
                "sold": sold.of_quote(calculation),
            }
        },
    )


@tool
def price_list(*, context: ToolContext) -> ToolOutput:
    """List what is on sale: tiers of each product with volume and monthly price, services, discounts and their limit.

    For "how much from", comparing tiers, what a service costs and which discounts there are, while it isn't known yet
    what exactly is wanted. Never add or multiply its figures: what a purchase costs only pricing__quote says.
    """
    rules = queries.current_rules()
    text = words.price_list(rules, context.language)
    return ToolOutput(text=text, data={**snapshot.rules_to_json(rules), "for_customer": text})
