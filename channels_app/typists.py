"""Showing a vendor's customer that an answer is being made, for as long as it is.

A thread beside the turn: the turn never waits for the vendor, and the end of the turn ends the thread.
"""

from __future__ import annotations

import threading
import uuid
from contextlib import suppress

from django.db import connections

from channels_app.contract import Channel

#: vendors show it for five seconds
AGAIN_AFTER = 4.0
#: a turn has 45 seconds; whatever goes wrong, this ends soon after
LONGEST = 60.0

_over: dict[uuid.UUID, threading.Event] = {}


def begin(channel: Channel, *, chat: str, turn_id: uuid.UUID) -> threading.Thread:
    """Show typing until ``end`` is called for this turn, which is answered in this process."""
    over = _over[turn_id] = threading.Event()
    typist = threading.Thread(target=_type, args=(channel, chat, over), name="typist", daemon=True)
    typist.start()
    return typist


def end(turn_id: uuid.UUID) -> None:
    """The turn is over: whoever types for it stops."""
    with suppress(KeyError):
        _over.pop(turn_id).set()


def _type(channel: Channel, chat: str, over: threading.Event) -> None:
    try:
        for _ in range(int(LONGEST / AGAIN_AFTER)):
            channel.show_typing(chat)
            if over.wait(AGAIN_AFTER):
                return
    finally:
        connections.close_all()
