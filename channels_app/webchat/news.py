"""What a visitor hasn't seen yet, read from the database and made ready to be sent."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sales.enums import Direction, Mode
from sales.models import Conversation
from sales.queries import as_wire, messages_after

PAGE = 500


@dataclass(frozen=True)
class News:
    """Messages as frames by their numbers, oldest first, and who leads; ``more`` when not all fitted in."""

    frames: tuple[tuple[int, str], ...]
    mode: Mode
    more: bool
    #: number of a message → the turn that it ends
    turns: Mapping[int, str] = field(default_factory=dict)


def after(conversation_id: uuid.UUID, seq: int) -> News:
    """What has happened in a conversation after message ``seq``."""
    mode = Conversation.objects.values_list("mode", flat=True).get(pk=conversation_id)
    found = messages_after(conversation_id, seq, limit=PAGE)
    ends = {each.seq: each.external_id or "" for each in found if each.direction == Direction.OUT}
    return News(
        frames=tuple((each.seq, frame(type="message", message=as_wire(each))) for each in found),
        mode=Mode(mode),
        more=len(found) == PAGE,
        turns={seq: name.removeprefix("turn:") for seq, name in ends.items() if name.startswith("turn:")},
    )


def states(conversation_ids: Collection[uuid.UUID]) -> list[tuple[uuid.UUID, int, Mode]]:
    """How far each conversation has come and who leads it, in one query."""
    rows = Conversation.objects.filter(pk__in=conversation_ids).values_list("pk", "last_seq", "mode")
    return [(pk, last_seq, Mode(mode)) for pk, last_seq, mode in rows]


def frame(**said: Any) -> str:
    """A frame to the browser. Stored text has no lone surrogates, so Cyrillic may travel as it is."""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
