"""One visitor's connection: hello, then frames both ways, by the protocol of ``README.md`` beside this file.

It is an ASGI application and no subclass of Channels' consumer: that one hops to a thread for every frame to look
after database connections, and keeps two tasks and a channel of the layer for every visitor. Here a visitor is one
coroutine, and the process listens to the layer once for all (``hub``).

What keeps the order: ``seq`` is the number up to which this browser knows everything. A message is sent only when it
is the next one, an acknowledgement only after all before it, and while the connection is busy with a frame of its
own nobody else sends to it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone

from channels_app.webchat import database, frames, hub, news, origins, threads
from channels_app.webchat.frames import BadFrame
from common import metrics
from sales.enums import Mode
from sales.operations import ConversationClosed, receive

logger = logging.getLogger(__name__)

#: seconds within which the browser has to say hello
HELLO_WITHIN = 5.0
_CLOSED = ("closed", "This conversation is closed.")
_UNAVAILABLE = ("unavailable", "The message could not be stored just now: send it again.")


#: while these lead, no answer of the assistant's will come
_PEOPLE = (Mode.OPERATOR, Mode.CLOSED)


class _Draft:
    """The answer that one browser sees being written, or, once it is ``over``, the one that it saw last."""

    __slots__ = ("_at", "_waiting", "over", "showing", "turn")

    def __init__(self, turn: str, *, over: bool = False) -> None:
        self.turn = turn
        self.over = over
        self.showing = False
        self._at = 0
        self._waiting = ""

    def names(self, turn: str) -> bool:
        return self.turn == turn and not self.over

    def is_of(self, turn: str) -> bool:
        """Whether ``turn`` names a draft of the turn that is over: an id, or the id and a number behind a colon."""
        return turn.partition(":")[0] == self.turn.partition(":")[0]

    def take(self, at: int, text: str) -> bool:
        if at != self._at:
            return False
        self._at += len(text)
        self._waiting += text
        return True

    def next(self) -> str:
        text, self._waiting = self._waiting, ""
        return text


class Socket:
    """A connection from its first byte to its last."""

    __slots__ = (
        "_closing",
        "_draft",
        "_heard",
        "_limits",
        "_send",
        "_stale",
        "busy",
        "conversation_id",
        "hub",
        "mode",
        "seq",
    )

    #: a message can have no number above this one
    SEQ_MOST: ClassVar[int] = 2**31 - 1

    def __init__(self, conversation_id: uuid.UUID, send: Any) -> None:
        self.conversation_id = conversation_id
        self.hub: hub.Hub | None = None
        self.seq = 0
        #: who leads, as this browser knows it
        self.mode: Mode | None = Mode.ASSISTANT
        #: with a frame of the browser's: others leave the connection alone meanwhile
        self.busy = True
        self._heard = 0
        self._stale = False
        self._closing = False
        #: the answer that this browser sees being written
        self._draft: _Draft | None = None
        self._limits = frames.Limits()
        self._send = send

    async def run(self, receive_event: Any) -> None:
        """Accept, and go on until either side ends it."""
        await self._send({"type": "websocket.accept"})
        deadline = asyncio.get_running_loop().call_later(HELLO_WITHIN, self._too_late)
        metrics.websockets_open.inc()
        try:
            while not self._closing:
                event = await receive_event()
                if event["type"] == "websocket.disconnect":
                    return
                deadline.cancel()
                await self._take(event)
        finally:
            deadline.cancel()
            metrics.websockets_open.dec()
            if self.hub is not None:
                self.hub.leave(self)

    # --- from the browser ---

    async def _take(self, event: dict[str, Any]) -> None:
        if frames.too_large(event):
            await self._close(frames.FRAME_TOO_LARGE)
            return
        if settings.RATE_LIMITS and self._limits.another(asyncio.get_running_loop().time()):
            await self._close(frames.TOO_MANY_FRAMES)
            return
        try:
            frame = frames.parse(event.get("text"))
        except BadFrame as problem:
            await (self._refuse(problem) if self.hub else self._close(frames.TOKEN_REFUSED))
            return
        self.busy = True
        try:
            if self.hub is None:
                await self._enter(frame)
            else:
                await self._answer(frame)
        finally:
            self.busy = False
        await self.show_growth()
        if self.hub and not self._closing and (self._stale or self._heard > self.seq):
            self._stale = False
            self.hub.look(self.conversation_id)

    async def _enter(self, hello: frames.Frame) -> None:
        if not isinstance(hello, frames.Hello):
            await self._close(frames.TOKEN_REFUSED)
            return
        try:
            entry = await database.run(threads.enter, self.conversation_id, hello.token, now=timezone.now())
        except database.Unavailable:
            await self._close(frames.TRY_AGAIN_LATER)
            return
        if entry is None:
            await self._close(frames.TOKEN_REFUSED)
            return
        # a number from the future (a restored backup) must not hide what comes
        self.seq = min(hello.after, entry.last_seq)
        self.hub = hub.of_this_loop()
        self.hub.join(self)  # before the history is read, so that nothing falls between
        await self._say(type="ready", seq=entry.last_seq)
        if hello.flaw:
            await self._refuse(hello.flaw)
        if hello.after:
            self.mode = None  # it was here before, and another may have led then
        if self.seq < entry.last_seq:
            try:
                await self._catch_up()
            except database.Unavailable:
                await self._close(frames.TRY_AGAIN_LATER)
        else:
            await self._show_mode(entry.mode)

    async def _answer(self, frame: frames.Frame) -> None:
        match frame:
            case frames.Say():
                await self._store(frame)
            case frames.Ping():
                await self._say(type="pong")
            case frames.Read(seq):
                await self._mark_read(min(seq, self.seq))
            case frames.Typing():
                pass  # nobody of the staff watches yet
            case frames.Hello():
                await self._refuse(BadFrame("bad_frame", "There was a hello already."))

    async def _store(self, said: frames.Say) -> None:
        try:
            stored = await database.run(
                receive,
                conversation_id=self.conversation_id,
                external_id=frames.external_id(said.client_id),
                text=said.text,
                now=timezone.now(),
            )
            seq = stored.message.seq
            if seq > self.seq + 1:
                await self._catch_up(before=seq)
        except ConversationClosed:
            await self._error(*_CLOSED, said.client_id)
            self._stale = True
            return
        except database.Unavailable:
            await self._error(*_UNAVAILABLE, said.client_id)
            return
        self.seq = max(self.seq, seq)
        # ASCII, because the browser's id may hold what UTF-8 can't
        await self._text(json.dumps({"type": "ack", "client_id": said.client_id, "seq": seq}))

    async def _mark_read(self, seq: int) -> None:
        try:
            await database.run(threads.mark_read, self.conversation_id, seq)
        except database.Unavailable:
            logger.warning("a reading mark was lost", extra={"conversation_id": self.conversation_id})

    async def _refuse(self, problem: BadFrame) -> None:
        await self._error(problem.code, problem.detail, problem.client_id)
        if settings.RATE_LIMITS and self._limits.another_bad():
            await self._close(frames.TOO_MANY_FRAMES)

    # --- to the browser ---

    def is_behind(self, seq: int) -> bool:
        """Whether a ring tells this browser anything new; a busy connection notes it for later."""
        if seq and seq <= self.seq:
            return False
        if self.busy:
            self._heard = max(self._heard, seq)
            self._stale |= not seq
            return False
        return True

    async def show(self, found: news.News) -> None:
        """Send what is new to this browser of what was read."""
        for seq, text in found.frames:
            await self._show_message(seq, text, ends=found.turns.get(seq))
        await self._show_mode(found.mode)

    async def _show_mode(self, mode: Mode) -> None:
        if mode != self.mode:
            self.mode = mode
            await self._say(type="state", mode=mode)

    async def assistant_types(self) -> None:
        """The assistant has begun to answer."""
        if not self.busy:
            await self._say(type="typing", author="assistant")

    async def _catch_up(self, before: int = SEQ_MOST) -> None:
        while True:
            found = await database.run(news.after, self.conversation_id, self.seq)
            kept = [each for each in found.frames if each[0] < before]
            for seq, text in kept:
                await self._show_message(seq, text, ends=found.turns.get(seq))
            if len(kept) < len(found.frames) or not found.more:
                await self._show_mode(found.mode)
                return

    async def _show_message(self, seq: int, text: str, *, ends: str | None = None) -> None:
        if seq == self.seq + 1:
            self.seq = seq
            if ends:
                self._draft = _Draft(ends, over=True)
            await self._text(text)

    def grow(self, turn: str, at: int, text: str) -> bool:
        """Keep words of an answer that is being written; returns whether they may be shown at once.

        Only those that go on with what this browser has: a hole could turn the sense round, and the whole comes soon.
        """
        draft = self._draft
        if draft is None or not draft.names(turn):
            if at or (draft is not None and draft.over and draft.is_of(turn)) or self.mode in _PEOPLE:
                return False
            self._draft = draft = _Draft(turn)
        return draft.take(at, text) and not self.busy and not draft.showing

    async def show_growth(self) -> None:
        """Send the words that have been kept, in their order."""
        draft = self._draft
        if draft is None or draft.showing or self.busy:
            return
        draft.showing = True
        try:
            while draft is self._draft and not self.busy and (text := draft.next()) and self.mode not in _PEOPLE:
                await self._say(type="delta", turn=draft.turn, text=text)
        finally:
            draft.showing = False

    async def _error(self, code: str, detail: str, client_id: str = "") -> None:
        said = {"type": "error", "code": code, "detail": detail}
        await self._text(json.dumps(said | ({"client_id": client_id} if client_id else {})))

    async def _say(self, **said: Any) -> None:
        await self._text(news.frame(**said))

    async def _text(self, text: str) -> None:
        if not self._closing:
            await self._send({"type": "websocket.send", "text": text})

    async def _close(self, code: int) -> None:
        if not self._closing:
            self._closing = True
            metrics.websockets_closed_total.labels(code=code).inc()
            await self._send({"type": "websocket.close", "code": code})

    def _too_late(self) -> None:
        task = asyncio.get_running_loop().create_task(self._close(frames.TOKEN_REFUSED))
        _goodbyes.add(task)
        task.add_done_callback(_goodbyes.discard)


_goodbyes: set[asyncio.Task[None]] = set()
#: stands for a conversation that can't be: an address that holds no id is refused like a wrong token
_NOWHERE = uuid.UUID(int=0)


async def chat(scope: Any, receive_event: Any, send: Any) -> None:
    """The application behind ``/chat/ws/{id}``."""
    if not origins.may_enter(scope, allowed=settings.WIDGET_ORIGINS, own=settings.PUBLIC_URL):
        await nowhere(scope, receive_event, send)
        return
    try:
        conversation_id = uuid.UUID(scope["url_route"]["kwargs"]["conversation"])
    except ValueError:
        conversation_id = _NOWHERE
    await receive_event()  # the connect
    await Socket(conversation_id, send).run(receive_event)


async def nowhere(scope: Any, receive_event: Any, send: Any) -> None:
    """Refuse the handshake (403) without a word in the log."""
    await receive_event()
    await send({"type": "websocket.close"})
