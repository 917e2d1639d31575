"""The bell between processes: "look at conversation X, it has come to message N". Ids and numbers, never a stored word.

The words of an answer that is being written travel too: they stand nowhere else yet. All that the layer carries is
encrypted on the way. What gathers of one answer within ``JOIN`` seconds goes as one.

The database is the truth, so a ring may be lost: every process that has visitors also looks by itself (``hub``).
Ringing therefore costs its caller nothing. It leaves a note for one thread, which joins what gathers within a few
milliseconds into one message on the channel layer, waits half a second at most, and after a failure keeps quiet for
a while.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
import time
import uuid
from typing import Any, NamedTuple

from channels.layers import get_channel_layer

from common import metrics

logger = logging.getLogger(__name__)

#: the one group: each process with visitors is in it once, whatever the number of its visitors
GROUP = "webchat"
TIMEOUT = 0.5
QUIET_AFTER_FAILURE = 2.0
#: a message on the layer costs as much as storing one, so a busy process sends at most so often (seconds)
GATHER = 0.025
#: seconds between two pieces of growing answers; a ring takes along what waits
JOIN = 0.075


class Piece(NamedTuple):
    """Words of a draft, named by ``turn``, that has had ``at`` characters before them."""

    conversation: str
    turn: str
    at: int
    text: str


def ring(conversation_id: uuid.UUID, *, seq: int = 0, typing: bool = False) -> None:
    """Tell all processes that a conversation has come to message ``seq``; 0 when something else in it has changed.

    ``typing`` says instead that the assistant has begun to answer. Never fails and never waits.
    """
    _ringer.ring((conversation_id.hex, seq, typing))


def tell(piece: Piece) -> None:
    """Let all processes show words of an answer that is being written. Never fails and never waits."""
    _ringer.ring(piece)


class _Ringer:
    """A thread, started by the first ring, that carries rings to the channel layer."""

    def __init__(self) -> None:
        self._rings: queue.SimpleQueue[tuple[str, int, bool] | Piece] = queue.SimpleQueue()
        self._pieces_from = 0.0
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self, each: tuple[str, int, bool] | Piece) -> None:
        self._rings.put(each)
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._carry, name="webchat-bell", daemon=True)
                    self._thread.start()

    def _carry(self) -> None:
        quiet_until = 0.0
        with asyncio.Runner() as runner:  # one loop for all sends: the layer keeps its connection with the loop
            while True:
                rings, pieces = self._gather()
                if time.monotonic() < quiet_until:
                    metrics.rings_failed_total.labels(task="webchat").inc(len(rings))
                    continue
                try:
                    runner.run(self._send(rings, pieces))
                except Exception as problem:  # whatever is wrong with Valkey: the hubs look by themselves
                    quiet_until = time.monotonic() + QUIET_AFTER_FAILURE
                    metrics.rings_failed_total.labels(task="webchat").inc(len(rings))
                    logger.warning("ring failed", extra={"task": "webchat", "problem": type(problem).__name__})
                time.sleep(GATHER)

    def _gather(self) -> tuple[list[tuple[str, int, bool]], list[Piece]]:
        newest: dict[tuple[str, bool, bool], tuple[str, int, bool]] = {}
        pieces: dict[tuple[str, str], Piece] = {}
        each = self._rings.get()
        while True:
            if isinstance(each, Piece):
                before = pieces.get(each[:2])
                pieces[each[:2]] = each if before is None else before._replace(text=before.text + each.text)
            else:
                conversation, seq, typing = each
                newest[conversation, bool(seq), typing] = each  # of the same kind the last one says it all
            wait = 0.0 if newest else self._pieces_from - time.monotonic()
            try:
                each = self._rings.get(timeout=wait) if wait > 0 else self._rings.get_nowait()
            except queue.Empty:
                break
        if pieces:
            self._pieces_from = time.monotonic() + JOIN
        return list(newest.values()), list(pieces.values())

    async def _send(self, rings: list[tuple[str, int, bool]], pieces: list[Piece]) -> None:
        layer: Any = get_channel_layer()
        message = {"type": "webchat.rings", "rings": rings, "pieces": pieces}
        await asyncio.wait_for(layer.group_send(GROUP, message), TIMEOUT)


_ringer = _Ringer()


def _begin_anew() -> None:
    global _ringer
    _ringer = _Ringer()  # the thread stayed with the parent


os.register_at_fork(after_in_child=_begin_anew)
