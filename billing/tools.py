"""What documents offer to the assistant: the price list, and the commercial proposal of a quote."""

from __future__ import annotations

import logging

from billing import links, operations, queries
from sales.assistant.tools import ToolContext, ToolFailed, ToolOutput, tool

logger = logging.getLogger(__name__)


@tool
def prepare_proposal(*, context: ToolContext, quote_number: str) -> ToolOutput:
    """Prepare the commercial proposal as a PDF for a quote made in this conversation, by the quote's number.

    When the customer asks for a proposal, an offer or a document, or agrees to your offering one. Without a quote make
    one with pricing__quote first, in a step of its own: its number is in the result. Asked twice for the same quote it
    gives the same document. The customer gets the file beside your reply: write neither a link nor an address, and
    say that it is ready only after this has succeeded.
    """
    try:
        document = operations.prepare_proposal(
            quote_number=quote_number.strip(),
            conversation_id=context.conversation_id,
            lead_id=context.lead_id,
            now=context.now,
        )
    except operations.QuoteNotHere:
        raise ToolFailed(
            "There is no such quote in this conversation. Make one with pricing__quote and use its number."
        ) from None
    except operations.QuoteOver:
        raise ToolFailed("The quote isn't valid any more. Make it anew with pricing__quote, then ask again.") from None
    except operations.SellerNotReady as problem:
        logger.error("proposal not issued", extra={"problem": str(problem)})
        raise ToolFailed(
            "A proposal can't be prepared at the moment. Say so and call a person with sales__call_person."
        ) from None
    if not links.address(document, now=context.now):
        links.give(document, now=context.now)  # the customer asks again after the first link has ended
    return ToolOutput(
        text=f"Готово. {queries.summary(document)}",
        data={
            "document": str(document.pk),
            "kind": document.kind,
            "number": document.number,
            "total": format(document.total, ".2f"),
            "valid_until": document.valid_until.isoformat() if document.valid_until else None,
        },
        cards=[queries.card(document, now=context.now)],
        remember={"documents": [document.kind]},
    )


@tool
def prepare_price_list(*, context: ToolContext) -> ToolOutput:
    """Prepare the price list as a PDF: all that is on sale with its prices, as the catalogue is now.

    When the customer asks for the price list as a file or a document. It is no offer for one purchase: for that make a
    quote and prepare a proposal. The customer gets the file beside your reply: write neither a link nor an address.
    """
    try:
        document = operations.prepare_price_list(now=context.now)
    except operations.SellerNotReady as problem:
        logger.error("price list not issued", extra={"problem": str(problem)})
        raise ToolFailed(
            "A price list can't be prepared at the moment. Name prices with pricing__price_list."
        ) from None
    if not links.address(document, now=context.now):
        links.give(document, now=context.now)
    return ToolOutput(
        text=f"Вот прайс-лист. {queries.summary(document)}",
        data={"document": str(document.pk), "kind": document.kind, "number": document.number},
        cards=[queries.card(document, now=context.now)],
        remember={"documents": [document.kind]},
    )
