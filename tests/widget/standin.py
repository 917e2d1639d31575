"""A chat server that misbehaves on demand: what the real one never does, the widget has to bear all the same.

It speaks the fixed interface (REST, websocket) and keeps its conversations over ``stop()`` and ``start()``, as the
database does. Other tests run the widget against the real processes; this one is for what can't be asked of them.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from channels_app.webchat.pages import loader_script

STATIC = Path(__file__).parents[2] / "static"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "authorization, content-type, accept",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
}


class StandIn:
    """``url`` is where it listens; the attributes below are the knobs, to be turned at any time."""

    def __init__(self) -> None:
        self.sockets = "on"  # "refuse": as a proxy without websockets; "silent": opens and says nothing
        self.rest = "on"  # "fail": 503
        self.swallow_acks = 0  # so many messages are stored, and then the connection breaks before the ack
        self.deaf = False  # takes frames and does nothing
        self.refuse_text = ""  # messages with this text get an error
        self.reply: Callable[[str], dict[str, Any] | None] | None = lambda text: {"text": f"Ответ на: {text}"}
        self.conversations: dict[str, dict[str, Any]] = {}
        self.pages: dict[str, tuple[dict[str, str], str]] = {}
        self.seen: list[tuple[str, str, Any]] = []  # (method, path, body)
        self.frames: list[dict[str, Any]] = []
        self.port = 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self._open: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._in_loop(self._listen())

    def stop(self) -> None:
        """Die: close the listener and cut every connection."""
        self._in_loop(self._die())

    def end(self) -> None:
        self.stop()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()

    def say(self, text: str, *, author: str = "assistant", to_sockets: bool = True, **more: Any) -> None:
        """A message of the other side in the only conversation."""

        async def go() -> None:
            (conversation,) = self.conversations.values()
            self.store(conversation, author, text, notify=to_sockets, **more)

        self._in_loop(go())

    def send(self, **frame: Any) -> None:
        """A frame to every open socket."""

        async def go() -> None:
            for connection in list(self._open):
                connection.frame(frame)

        self._in_loop(go())

    def texts(self, author: str = "customer") -> list[str]:
        """What is stored, in order."""
        (conversation,) = self.conversations.values()
        return [message["text"] for message in conversation["messages"] if message["author"] == author]

    def paths(self, start: str = "/api/") -> list[str]:
        return [f"{method} {path}" for method, path, _ in self.seen if path.startswith(start)]

    def store(
        self, conversation: dict[str, Any], author: str, text: str, *, notify: Any = True, skip: Any = None, **more: Any
    ) -> dict[str, Any]:
        message = {
            "seq": len(conversation["messages"]) + 1,
            "author": author,
            "text": text,
            "html": "",
            "cards": more.get("cards", []),
            "citations": more.get("citations", []),
            "created_at": more.get("created_at") or time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
        }
        conversation["messages"].append(message)
        for connection in list(self._open):
            if notify and connection is not skip and connection.conversation is conversation:
                connection.frame({"type": "message", "message": message})
        return message

    def receive(self, conversation: dict[str, Any], client_id: str, text: str, skip: Any = None) -> dict[str, Any]:
        if client_id in conversation["by_client"]:
            return conversation["by_client"][client_id]
        message = self.store(conversation, "customer", text, skip=skip)
        conversation["by_client"][client_id] = message
        answer = self.reply(text) if self.reply else None
        if answer is not None:
            self.loop.call_later(answer.pop("delay", 0.05), lambda: self.store(conversation, "assistant", **answer))
        return message

    def _in_loop(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _die(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for connection in list(self._open):
            connection.writer.transport.abort()
        await asyncio.sleep(0.05)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.split("\r\n")
            method, target, _ = first.split(" ")
            headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            if headers.get("upgrade", "").lower() == "websocket":
                await _Connection(self, reader, writer).run(target, head)
                return
            status, extra, content = self._answer(method, target, headers, body)
            extra = {"Content-Length": str(len(content)), "Connection": "close", **extra}
            shown = "".join(f"{name}: {value}\r\n" for name, value in extra.items())
            writer.write(f"HTTP/1.1 {status} X\r\n{shown}\r\n".encode() + content)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        path = parts.path
        said = json.loads(body) if body else None
        if method != "OPTIONS":
            self.seen.append((method, path, said))
        if path in self.pages:
            extra, html = self.pages[path]
            return 200, {"Content-Type": "text/html; charset=utf-8", **extra}, html.encode()
        if path == "/widget.js":
            return 200, {"Content-Type": "text/javascript", **CORS}, loader_script().encode()
        file = (STATIC / path.removeprefix("/static/")).resolve()
        if path.startswith("/static/") and file.is_relative_to(STATIC) and file.is_file():
            return 200, {"Content-Type": TYPES[file.suffix], **CORS}, file.read_bytes()
        if not path.startswith("/api/v1/chat/sessions"):
            return 404, {}, b""
        if method == "OPTIONS":
            return 204, CORS, b""
        if self.rest == "fail":
            return 503, CORS, b""
        return self._api(method, path, parse_qs(parts.query), headers, said)

    def _api(
        self, method: str, path: str, query: dict[str, list[str]], headers: dict[str, str], said: Any
    ) -> tuple[int, dict[str, str], bytes]:
        as_json = {"Content-Type": "application/json", **CORS}
        if path == "/api/v1/chat/sessions":
            if said.get("consent") is not True:
                return 400, as_json, b"{}"
            made = {"id": str(uuid.uuid4()), "token": secrets.token_urlsafe(16), "messages": [], "by_client": {}}
            self.conversations[made["id"]] = made
            return 201, as_json, json.dumps({"id": made["id"], "token": made["token"]}).encode()
        conversation = self.conversations.get(path.split("/")[5])
        if conversation is None or headers.get("authorization") != f"Bearer {conversation['token']}":
            return 404, as_json, b"{}"
        if method == "POST":
            return 202, as_json, json.dumps(self.receive(conversation, said["client_id"], said["text"])).encode()
        after = int(query.get("after", ["0"])[0])
        found = [message for message in conversation["messages"] if message["seq"] > after][:500]
        return 200, as_json, json.dumps({"messages": found}).encode()


class _Connection:
    def __init__(self, server: StandIn, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.protocol = ServerProtocol()
        self.conversation: dict[str, Any] | None = None

    async def run(self, target: str, head: str) -> None:
        server = self.server
        server.seen.append(("WS", target, None))
        if server.sockets == "refuse":
            self.writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        self.protocol.receive_data(head.encode("latin-1"))
        (request,) = self.protocol.events_received()
        assert isinstance(request, Request)
        self.protocol.send_response(self.protocol.accept(request))
        self._flush()
        server._open.add(self)
        try:
            while self.protocol.state is State.OPEN and (data := await self.reader.read(65536)):
                self.protocol.receive_data(data)
                for frame in self.protocol.events_received():
                    if isinstance(frame, Frame) and frame.opcode is Opcode.TEXT:
                        self._heard(target, json.loads(frame.data))
                self._flush()
        except ConnectionError:
            pass
        finally:
            server._open.discard(self)

    def frame(self, said: dict[str, Any]) -> None:
        if self.protocol.state is State.OPEN:
            self.protocol.send_text(json.dumps(said).encode())
            self._flush()

    def _flush(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                self.writer.write(data)

    def _heard(self, target: str, said: dict[str, Any]) -> None:
        server = self.server
        server.frames.append(said)
        if server.sockets == "silent" or server.deaf:
            return
        kind = said.get("type")
        if kind == "hello":
            conversation = server.conversations.get(target.rsplit("/", 1)[-1])
            if conversation is None or conversation["token"] != said["token"]:
                self.protocol.send_close(4401)
                self._flush()
                return
            self.conversation = conversation
            self.frame({"type": "ready", "seq": len(conversation["messages"])})
            for message in conversation["messages"][said["after"] :]:
                self.frame({"type": "message", "message": message})
        elif kind == "message" and self.conversation is not None:
            if server.refuse_text and server.refuse_text in said["text"]:
                self.frame({"type": "error", "code": "too_long", "detail": "no"})
                return
            message = server.receive(self.conversation, said["client_id"], said["text"], skip=self)
            if server.swallow_acks:
                server.swallow_acks -= 1
                self.writer.transport.abort()
                return
            self.frame({"type": "ack", "client_id": said["client_id"], "seq": message["seq"]})
        elif kind == "ping":
            self.frame({"type": "pong"})
