"""All visitors of one process: who sits in which conversation, and how news reach them.

News come three ways, and each only says "look": from this process at once, from others over the channel layer, and
from a question to the database every two seconds, one for all conversations. So the chat works with Valkey down, and
with Valkey emptied, which forgets who is in a group. What a visitor gets is always read from the database, in the
order of its numbers, which have no gaps.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from channels.layers import get_channel_layer

from channels_app.webchat import bell, database, news

if TYPE_CHECKING:
    from channels_app.webchat.socket import Socket

logger = logging.getLogger(__name__)

#: seconds between two questions to the database
LOOK_EVERY = 2.0
#: seconds between two entries into the layer's group, which an emptied Valkey forgets
JOIN_EVERY = 15.0

_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}
_opening = threading.Lock()


def announce(conversation_id: uuid.UUID, *, seq: int = 0, typing: bool = False) -> None:
    """Ring for a conversation: at once for the visitors of this process, over the bell for all others.

    The arguments are those of ``bell.ring``. May be called from any thread; never fails and never waits.
    """
    for hub in list(_hubs.values()):
        if conversation_id in hub.sockets:
            with suppress(RuntimeError):  # the loop has just ended, and its visitors with it
                hub.loop.call_soon_threadsafe(hub.heard, conversation_id, seq, typing)
    bell.ring(conversation_id, seq=seq, typing=typing)


def of_this_loop() -> Hub:
    """The hub of the running event loop; a process has one."""
    loop = asyncio.get_running_loop()
    with _opening:
        return _hubs.setdefault(loop, Hub(loop))


class Hub:
    """Works while there is a visitor and stops with the last one."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.sockets: dict[uuid.UUID, set[Socket]] = {}
        self._looking: dict[uuid.UUID, bool] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._own: list[asyncio.Task[None]] = []

    def join(self, socket: Socket) -> None:
        """A visitor who has shown a token comes in."""
        self.sockets.setdefault(socket.conversation_id, set()).add(socket)
        if not self._own:
            self._own = [self.loop.create_task(self._listen()), self.loop.create_task(self._watch())]

    def leave(self, socket: Socket) -> None:
        """A visitor goes; one who never came in may go too."""
        beside = self.sockets.get(socket.conversation_id)
        if beside is None:
            return
        beside.discard(socket)
        if not beside:
            del self.sockets[socket.conversation_id]
        if not self.sockets:
            for task in self._own:
                task.cancel()
            self._own = []
            _hubs.pop(self.loop, None)

    def heard(self, conversation_id: uuid.UUID, seq: int, typing: bool) -> None:
        """Something has happened in a conversation: see who of ours doesn't know it yet."""
        behind = False
        for socket in self.sockets.get(conversation_id, ()):
            if typing:
                self._begin(socket.assistant_types())
            else:
                behind |= socket.is_behind(seq)
        if behind:
            self.look(conversation_id)

    def grow(self, conversation_id: uuid.UUID, turn: str, at: int, text: str) -> None:
        """Words of an answer that is being written, for those who sit in this conversation now."""
        for socket in self.sockets.get(conversation_id, ()):
            if socket.grow(turn, at, text):
                self._begin(socket.show_growth())

    def look(self, conversation_id: uuid.UUID) -> None:
        """Bring everyone in this conversation up to date; one look at a time, and another if asked meanwhile."""
        if conversation_id in self._looking:
            self._looking[conversation_id] = True
            return
        self._looking[conversation_id] = False
        self._begin(self._look(conversation_id))

    async def _look(self, conversation_id: uuid.UUID) -> None:
        try:
            while await self._bring(conversation_id) or self._looking[conversation_id]:
                self._looking[conversation_id] = False
        except database.Unavailable:
            logger.warning("news can't be read: the database is away", extra={"conversation_id": conversation_id})
        finally:
            del self._looking[conversation_id]

    async def _bring(self, conversation_id: uuid.UUID) -> bool:
        """Read once and hand out; returns whether there may be more."""
        waiting = [each for each in self.sockets.get(conversation_id, ()) if not each.busy]
        if not waiting:
            return False  # a busy one looks for itself when it has done what it does
        found = await database.run(news.after, conversation_id, min(each.seq for each in waiting))
        for socket in waiting:
            if not socket.busy:
                await socket.show(found)
        return found.more

    def _begin(self, work: Any) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._tasks.discard)

    async def _watch(self) -> None:
        """Ask the database by ourselves: rings may be lost."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                states = await database.run(news.states, list(self.sockets))
            except database.Unavailable:
                logger.warning("the database is away", extra={"count": len(self.sockets)})
                continue
            for conversation_id, last_seq, mode in states:
                beside = self.sockets.get(conversation_id, ())
                if any(each.seq < last_seq or each.mode != mode for each in beside if not each.busy):
                    self.look(conversation_id)

    async def _listen(self) -> None:
        """Hear the rings of other processes."""
        while True:
            try:
                await self._hear_rings()
            except Exception as problem:  # Valkey is away or was emptied: we still look by ourselves
                logger.warning("rings can't be heard", extra={"problem": type(problem).__name__})
                await asyncio.sleep(LOOK_EVERY)

    async def _hear_rings(self) -> None:
        layer: Any = get_channel_layer()
        channel = await layer.new_channel()
        try:
            while True:
                await layer.group_add(bell.GROUP, channel)
                with suppress(TimeoutError):
                    async with asyncio.timeout(JOIN_EVERY):
                        while True:
                            message = await layer.receive(channel)
                            for conversation, *piece in message.get("pieces", ()):
                                self.grow(uuid.UUID(conversation), *piece)
                            for conversation, seq, typing in message["rings"]:
                                self.heard(uuid.UUID(conversation), seq, typing)
        finally:
            with suppress(Exception):  # it would be forgotten by itself, a day later
                async with asyncio.timeout(bell.TIMEOUT):
                    await layer.group_discard(bell.GROUP, channel)
