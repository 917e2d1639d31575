"""Showing a vendor's customer that an answer is being made, for as long as it is.

A thread beside the turn: the turn never waits for the vendor, and the thread looks by itself whether it is still on.
"""

from __future__ import annotations

import threading
import uuid

from django.db import DatabaseError, connections

from channels_app.contract import Channel
from common.promise import State
from sales.models import Turn

#: vendors show it for five seconds
AGAIN_AFTER = 4.0
#: a turn has 45 seconds; whatever goes wrong, this ends soon after
LONGEST = 60.0


def begin(channel: Channel, *, chat: str, turn_id: uuid.UUID) -> threading.Thread:
    """Show typing until the turn is over."""
    typist = threading.Thread(target=_type, args=(channel, chat, turn_id), name="typist", daemon=True)
    typist.start()
    return typist


def _type(channel: Channel, chat: str, turn_id: uuid.UUID) -> None:
    pause = threading.Event()
    try:
        for _ in range(int(LONGEST / AGAIN_AFTER)):
            channel.show_typing(chat)
            pause.wait(AGAIN_AFTER)
            if not _being_made(turn_id):
                return
    finally:
        connections.close_all()


def _being_made(turn_id: uuid.UUID) -> bool:
    try:
        return Turn.objects.filter(pk=turn_id, state=State.TAKEN).exists()
    except DatabaseError:  # the database is away: then there is no answer to wait for either
        return False
