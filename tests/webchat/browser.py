"""A visitor's end of the protocol, for tests: it keeps what it was sent and can wait for more."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
import uuid
from typing import Any

import websockets


def post(url: str, body: Any, *, token: str = "", raw: bytes | None = None, **headers: str) -> tuple[int, Any]:
    """POST JSON; returns the status and the body."""
    data = json.dumps(body).encode() if raw is None else raw
    return _ask(urllib.request.Request(url, data=data, headers=_headers(token, headers), method="POST"))


def get(url: str, *, token: str = "") -> tuple[int, Any]:
    return _ask(urllib.request.Request(url, headers=_headers(token, {})))


def session(url: str) -> tuple[str, str]:
    """Open a conversation; returns its id and the token."""
    status, body = post(f"{url}/api/v1/chat/sessions", {"consent": True})
    assert status == 201, body
    return body["id"], body["token"]


def history(url: str, conversation: str, token: str, after: int = 0) -> list[dict[str, Any]]:
    status, body = get(f"{url}/api/v1/chat/sessions/{conversation}/messages?after={after}", token=token)
    assert status == 200, body
    return body["messages"]


class Browser:
    """One connection. ``frames`` is everything that came, in order; ``close_code`` once it has ended."""

    def __init__(self, url: str, conversation: str, token: str, *, after: int = 0, origin: str | None = None) -> None:
        self.address = f"{url.replace('http', 'ws', 1)}/chat/ws/{conversation}"
        self.token, self.after, self.origin = token, after, origin
        self.frames: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Browser:
        await self.open()
        await self.hello()
        await self.until(lambda: self.of("ready") or self.close_code)
        return self

    async def __aexit__(self, *args: Any) -> None:
        await self.leave()

    async def open(self) -> None:
        self.line = await websockets.connect(
            self.address, origin=self.origin, max_size=None, ping_interval=None, compression=None
        )
        self._reader = asyncio.create_task(self._read())

    async def hello(self, **more: Any) -> None:
        await self.send(type="hello", token=self.token, **{"after": self.after, **more})

    async def leave(self) -> None:
        await self.line.close()
        await self._reader

    async def send(self, **frame: Any) -> None:
        await self.line.send(json.dumps(frame))

    async def raw(self, data: str | bytes) -> None:
        await self.line.send(data)

    async def say(self, text: str, client_id: str | None = None, *, seconds: float = 15) -> int:
        """Send a message and wait for its acknowledgement; returns its number."""
        client_id = client_id or uuid.uuid4().hex
        before = len(self.acks(client_id))
        await self.send(type="message", client_id=client_id, text=text)
        await self.until(lambda: len(self.acks(client_id)) > before, seconds=seconds)
        return self.acks(client_id)[-1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.frames if each["type"] == kind]

    def acks(self, client_id: str) -> list[int]:
        return [each["seq"] for each in self.of("ack") if each["client_id"] == client_id]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [each["message"] for each in self.of("message")]

    @property
    def texts(self) -> list[str]:
        return [each["text"] for each in self.messages]

    @property
    def seqs(self) -> list[int]:
        return [each["seq"] for each in self.messages]

    @property
    def known(self) -> int:
        """The highest number this browser has heard of, as the widget counts."""
        return max([self.after, *self.seqs, *(each["seq"] for each in self.of("ack"))])

    async def until(self, true: Any, *, seconds: float = 15) -> None:
        """Wait until something is true of what has come."""
        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(true), seconds)
            except TimeoutError:
                raise AssertionError(f"not within {seconds} s; came: {self.frames[-5:]}, {self.close_code}") from None

    async def ended(self, *, seconds: float = 15) -> int:
        await self.until(lambda: self.close_code is not None, seconds=seconds)
        assert self.close_code is not None
        return self.close_code

    async def _read(self) -> None:
        try:
            async for text in self.line:
                async with self._news:
                    self.frames.append(json.loads(text))
                    self._news.notify_all()
        except websockets.ConnectionClosed:
            pass
        async with self._news:
            self.close_code = self.line.close_code
            self._news.notify_all()


def _headers(token: str, more: dict[str, str]) -> dict[str, str]:
    headers = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in more.items()}}
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})


def _ask(request: urllib.request.Request) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        text = refusal.read()
        return refusal.code, json.loads(text) if text[:1] in b"{[" else text
