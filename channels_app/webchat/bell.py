"""The bell between processes: "look at conversation X, it has come to message N". Ids and numbers, never a word said.

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
from typing import Any

from channels.layers import get_channel_layer

from common import metrics

logger = logging.getLogger(__name__)

#: the one group: each process with visitors is in it once, whatever the number of its visitors
GROUP = "webchat"
TIMEOUT = 0.5
QUIET_AFTER_FAILURE = 2.0
#: a message on the layer costs as much as storing one, so a busy process sends at most so often (seconds)
GATHER = 0.025


def ring(conversation_id: uuid.UUID, *, seq: int = 0, typing: bool = False) -> None:
    """Tell all processes that a conversation has come to message ``seq``; 0 when something else in it has changed.

    ``typing`` says instead that the assistant has begun to answer. Never fails and never waits.
    """
    _ringer.ring((conversation_id.hex, seq, typing))


class _Ringer:
    """A thread, started by the first ring, that carries rings to the channel layer."""

    def __init__(self) -> None:
        self._rings: queue.SimpleQueue[tuple[str, int, bool]] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self, each: tuple[str, int, bool]) -> None:
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
                rings = self._gather()
                if time.monotonic() < quiet_until:
                    metrics.rings_failed_total.labels(task="webchat").inc(len(rings))
                    continue
                try:
                    runner.run(self._send(rings))
                except Exception as problem:  # whatever is wrong with Valkey: the hubs look by themselves
                    quiet_until = time.monotonic() + QUIET_AFTER_FAILURE
                    metrics.rings_failed_total.labels(task="webchat").inc(len(rings))
                    logger.warning("ring failed", extra={"task": "webchat", "problem": type(problem).__name__})
                time.sleep(GATHER)

    def _gather(self) -> list[tuple[str, int, bool]]:
        newest = {}
        each = self._rings.get()
        while True:
            conversation, seq, typing = each
            newest[conversation, bool(seq), typing] = each  # of the same kind the last one says it all
            try:
                each = self._rings.get_nowait()
            except queue.Empty:
                return list(newest.values())

    async def _send(self, rings: list[tuple[str, int, bool]]) -> None:
        layer: Any = get_channel_layer()
        message = {"type": "webchat.rings", "rings": rings}
        await asyncio.wait_for(layer.group_send(GROUP, message), TIMEOUT)


_ringer = _Ringer()


def _begin_anew() -> None:
    global _ringer
    _ringer = _Ringer()  # the thread stayed with the parent


os.register_at_fork(after_in_child=_begin_anew)
