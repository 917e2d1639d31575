"""What a model is shown of a conversation: the latest messages within a budget, masked, and what is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from common.fields import readable
from common.masking import Masker
from sales.assistant.protocol import Heard, TurnContext
from sales.enums import Author, Mode
from sales.models import Conversation, Message, Turn
from sales.operations import answered_upto

#: how much of the past a model is shown; the rest is in what tools remember, so a turn costs the same at any length
MESSAGES_MOST = 40
CHARACTERS_MOST = 12_000


@dataclass(frozen=True)
class Scene:
    """All that a turn begins with. ``upto_seq`` is the last message it has read."""

    context: TurnContext
    log: tuple[Heard, ...]
    masker: Masker
    upto_seq: int

    @property
    def pending(self) -> Sequence[Heard]:
        """The messages to be answered."""
        return [heard for heard in self.log if heard.pending]


def set_scene(*, conversation: Conversation, turn: Turn, now: datetime) -> Scene:
    """Read what a turn needs in a fixed number of queries, whatever the conversation's length."""
    turn.after_seq = answered_upto(conversation)
    latest = list(Message.objects.filter(conversation=conversation).order_by("-seq")[:MESSAGES_MOST])
    lead = conversation.lead
    masker = Masker(known_names=[lead.name] if lead.name else [])
    log: list[Heard] = []
    spent = 0
    for message in latest:
        text = str(readable(message, "text"))
        pending = message.author == Author.CUSTOMER and message.seq > turn.after_seq
        spent += len(text)
        if spent > CHARACTERS_MOST and not pending:
            break
        log.append(Heard(message.author, text, message.seq, pending=pending))  # type: ignore[arg-type]
    log.reverse()
    masked = tuple(Heard(each.author, masker.mask(each.text), each.seq, each.pending) for each in log)
    upto_seq = latest[0].seq if latest else 0
    contacts = frozenset(name for name in ("name", "phone", "email", "company") if getattr(lead, name))
    pending_text = " ".join(each.text for each in masked if each.pending)
    memory = conversation.memory or {}
    context = TurnContext(
        now=now,
        language=language_of(pending_text, otherwise=conversation.language),
        channel=conversation.channel,
        contacts=contacts,
        quote=memory.get("quote"),
        waiting=conversation.mode == Mode.WAITING,
        documents=frozenset(memory.get("documents", ())),
    )
    return Scene(context, masked, masker, upto_seq)


def language_of(text: str, *, otherwise: str) -> Literal["ru", "en"]:
    """``ru`` where there is Cyrillic, ``en`` where there are English words; other texts keep the language.

    Russian in Latin letters, or typed on the English keyboard, is no English: no word of it is a common one.
    """
    if re.search(r"[а-яё]", text, re.IGNORECASE):
        return "ru"
    if _ENGLISH.search(text):
        return "en"
    return "en" if otherwise == "en" else "ru"


#: enough of common English to know it by; no names of products, and nothing that is also Russian in Latin letters
_ENGLISH = re.compile(
    r"\b(?:hello|hi|hey|the|what|how|which|where|when|why|who|are|does|did|can|could|would|will|should|have|has|you"
    r"|your|yours|we|our|it|this|that|they|for|with|without|and|or|of|from|about|price|prices|pricing|cost|costs|much"
    r"|many|month|monthly|year|yearly|annual|annually|quote|proposal|discount|discounts|startup|conversations|documents"
    r"|contracts|reports|chats|need|want|looking|please|thanks|thank|yes|send|call|talk|human|person|someone|help|add"
    r"|remove|buy|sell|offer|compare|difference|between|than|cheaper|cheapest|stored|support|training|onboarding"
    r"|integration|channels|company|employees|not|sure|good|morning|afternoon|bye|goodbye|great|sorry|tell|more|other"
    r"|another|instructions|ignore|your|free|trial|pay|payment|invoice|contract|refund)\b",
    re.IGNORECASE,
)
