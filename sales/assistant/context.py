"""What a model is shown of a conversation: the latest messages within a budget, masked, and what is known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from common.fields import readable
from common.masking import Masker
from common.parts import of_apps
from sales import consents
from sales.assistant.language import language_of
from sales.assistant.protocol import Heard, TurnContext
from sales.enums import Author, Mode
from sales.models import Conversation, Lead, Message, Turn
from sales.operations import CLOSING, answered_upto
from sales.qualification.facts import in_short

#: how much of the past a model is shown; the rest is in what tools remember, so a turn costs the same at any length
MESSAGES_MOST = 40
CHARACTERS_MOST = 12_000
#: under which topic of a conversation's memory its marks are kept
MARKS = "marks"
#: the latest of what is known of the lead; more is for staff
FACTS_MOST = 30


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
    memory = conversation.memory or {}
    masker = masker_of(lead, memory=memory)
    log: list[Heard] = []
    spent = 0
    for message in latest:
        if message.author == Author.SYSTEM and (message.external_id or "").startswith(CLOSING):
            break
        text = str(readable(message, "text"))
        pending = message.author == Author.CUSTOMER and message.seq > turn.after_seq
        spent += len(text)
        if spent > CHARACTERS_MOST and not pending:
            break
        log.append(Heard(message.author, text, message.seq, pending=pending))  # type: ignore[arg-type]
    log.reverse()
    texts = masker.mask_conversation([(each.author, each.text) for each in log])
    masked = tuple(replace(each, text=text) for each, text in zip(log, texts, strict=True))
    upto_seq = latest[0].seq if latest else 0
    contacts = frozenset(name for name in ("name", "phone", "email", "company") if getattr(lead, name))
    pending_text = " ".join(each.text for each in masked if each.pending)
    known = lead.facts.holding()[:FACTS_MOST]
    language = language_of(pending_text, otherwise=conversation.language)
    context = TurnContext(
        now=now,
        language=language,
        channel=conversation.channel,
        contacts=contacts,
        quote=memory.get("quote"),
        waiting=conversation.mode == Mode.WAITING,
        documents=frozenset(memory.get("documents", ())),
        facts=tuple(map(masker.mask, in_short(known))),
        asks_consent=consents.asking(conversation.channel, lead_id=lead.pk, language=language),
        reply_most=max((limits.reply_most(conversation.channel) for _app, limits in of_apps("limits")), default=0),
        thread=hashlib.sha256(f"thread of {conversation.pk}".encode()).hexdigest()[:32],
        item=masker.mask(str(memory.get("item", ""))),
        turn_id=turn.pk,
        attempt=turn.attempts,
        privacy=masker,
    )
    return Scene(context, masked, masker, upto_seq)


def masker_of(lead: Lead, *, memory: Mapping[str, Any] | None = None) -> Masker:
    """What hides a customer's personal data, the name among it, from whoever isn't to have it.

    With a conversation's ``memory`` values keep the marks that they had in it before.
    """
    return Masker(known_names=[lead.name], state=(memory or {}).get(MARKS))


def remember_marks(conversation: Conversation, *, masker: Masker) -> None:
    """Keep which mark stands for what, so that it does so in the turns to come. The row is locked by the caller."""
    memory = conversation.memory or {}
    state = masker.state
    if state != memory.get(MARKS, {"marks": [], "names": []}):
        conversation.memory = {**memory, MARKS: state}
        conversation.save(update_fields={"memory"})
