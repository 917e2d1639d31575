"""What the assistant can do about a lead's facts: note them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from sales import consents
from sales.assistant.tools import ToolContext, ToolFailed, ToolOutput, tool
from sales.qualification.enums import FactKind
from sales.qualification.facts import Told, note
from sales.qualification.quoting import QUOTE_MOST


class ToldFact(BaseModel):
    """What it is about, the fact in a few words with numbers in digits, and the customer's exact words for it."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["company", "company_size", "need", "product", "volume", "budget", "term", "role"]
    value: str = Field(min_length=1, max_length=200)
    quote: str = Field(min_length=1, max_length=QUOTE_MOST)


def _tells_who(told: Told, context: ToolContext) -> bool:
    """Whether a fact says who the customer is, as contact data do."""
    said = f"{told.value}\n{told.quote}"
    return told.kind == FactKind.COMPANY or context.privacy.hide(said) != said


@tool
def note_facts(*, context: ToolContext, facts: Annotated[list[ToldFact], Field(max_length=20)]) -> ToolOutput:
    """Note for the staff what the customer's own messages tell about them and what they need.

    Note what is new in the messages to be answered, nothing that you suppose and nothing that only you have said.
    Each fact quotes a message of the customer word for word. It doesn't change the answer: never speak of it.
    """
    told = [Told(FactKind(each.kind), each.value, each.quote) for each in facts]
    if consents.asking_in(context.conversation_id):
        told = [each for each in told if not _tells_who(each, context)]
        if facts and not told:
            raise ToolFailed("Not noted: who the customer is, is kept only after their consent. Go on without it.")
    noted = note(
        conversation_id=context.conversation_id,
        lead_id=context.lead_id,
        told=told,
        by=context.model or "assistant",
        now=context.now,
    )
    unquoted = ", ".join(noted.unquoted)
    advice = "the quote stands in no message of this customer. Copy their exact words, or leave the fact out."
    if noted.unquoted and len(noted.unquoted) == len({each.kind for each in told}) and not noted.facts:
        raise ToolFailed(f"Not noted ({unquoted}): {advice}")
    # kinds alone, never what was told: an amount in a tool's answer would count as proven
    text = f"Noted. Not noted ({unquoted}): {advice}" if unquoted else "Noted."
    return ToolOutput(text=text, data={"noted": [fact.kind for fact in noted.facts], "unquoted": list(noted.unquoted)})
