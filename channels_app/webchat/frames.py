"""What a browser may say over the websocket, and what it may not. No database, no network."""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass
from typing import Any

from common.parsers import loads
from common.text import clean

TEXT_MOST = 4000
CLIENT_ID_MOST = 100
#: bytes of one frame
FRAME_MOST = 256 * 1024
BAD_FRAMES_MOST = 50
FRAMES_MOST = 300
FRAMES_WITHIN = 10.0

# what the browser is told when the connection ends
TOKEN_REFUSED = 4401
FRAME_TOO_LARGE = 4413
TOO_MANY_FRAMES = 4429
TRY_AGAIN_LATER = 1013


class BadFrame(Exception):
    """A frame we can't take. ``code`` is for programs, ``detail`` for people; ``client_id`` where it is known."""

    def __init__(self, code: str, detail: str, client_id: str = "") -> None:
        super().__init__(detail)
        self.code, self.detail, self.client_id = code, detail, client_id


class BadText(ValueError):
    """A text that can't be a message: ``code`` is ``empty`` or ``too_long``."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Hello:
    """The first frame. ``flaw`` is set when the token can be tried but ``after`` made no sense and counts as 0."""

    token: str
    after: int
    flaw: BadFrame | None = None


@dataclass(frozen=True, slots=True)
class Say:
    client_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Typing:
    pass


@dataclass(frozen=True, slots=True)
class Read:
    seq: int


@dataclass(frozen=True, slots=True)
class Ping:
    pass


Frame = Hello | Say | Typing | Read | Ping


def too_large(event: dict[str, Any]) -> bool:
    """Whether a received frame is over the limit, counted in bytes as it came over the wire."""
    text = event.get("text")
    if text is None:
        return len(event.get("bytes") or b"") > FRAME_MOST
    # a character has one to four bytes: most frames need no counting
    return len(text) > FRAME_MOST or (
        len(text) * 4 > FRAME_MOST and len(text.encode("utf-8", "surrogatepass")) > FRAME_MOST
    )


def parse(text: str | None) -> Frame:
    """The frame that a text is; None stands for a binary one. Raises ``BadFrame``."""
    if text is None:
        raise BadFrame("binary", "Frames are JSON text, not binary.")
    try:
        said = loads(text)
    except (ValueError, RecursionError):  # not JSON, a number of 5,000 digits, 100,000 brackets
        raise BadFrame("not_json", "The frame is not valid JSON.") from None
    if not isinstance(said, dict) or not isinstance(said.get("type"), str):
        raise BadFrame("bad_frame", 'A frame is an object with a "type".')
    read = _READERS.get(said["type"])
    if read is None:
        raise BadFrame("unknown_type", "There is no such type of frame.")
    return read(said)


def checked_text(text: str) -> str:
    """The text as it will be stored. Raises ``BadText`` when nothing is said in it, or too much."""
    text = clean(text)
    if not text.strip():
        raise BadText("empty", "The message is empty.")
    if len(text) > TEXT_MOST:
        raise BadText("too_long", f"The message is too long: at most {TEXT_MOST} characters.")
    return text


def valid_client_id(value: object) -> bool:
    """Whether this can be the browser's own id of a message: a string of 1 to 100 characters."""
    return isinstance(value, str) and 1 <= len(value) <= CLIENT_ID_MOST


def external_id(client_id: str) -> str:
    """The id under which a message is stored: the browser's own, or a digest of one that a database can't hold."""
    if clean(client_id) == client_id:
        return client_id
    return "sha256:" + hashlib.sha256(client_id.encode("utf-8", "surrogatepass")).hexdigest()


def is_count(value: object) -> bool:
    """Whether the value is a whole number from 0, and not a boolean, which Python counts among them."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


class Limits:
    """How much one connection may send. Both questions count and then say whether that was too much."""

    __slots__ = ("_bad", "_times")

    def __init__(self) -> None:
        self._bad = 0
        self._times: deque[float] = deque(maxlen=FRAMES_MOST)

    def another(self, now: float) -> bool:
        """One more frame came at ``now`` (seconds, monotonic)."""
        self._times.append(now)
        return len(self._times) == FRAMES_MOST and now - self._times[0] <= FRAMES_WITHIN

    def another_bad(self) -> bool:
        """That frame was bad."""
        self._bad += 1
        return self._bad >= BAD_FRAMES_MOST


def _hello(said: dict[str, Any]) -> Hello:
    token, after = said.get("token"), said.get("after", 0)
    if not isinstance(token, str):
        raise BadFrame("bad_frame", "A hello has a token.")
    if not is_count(after):
        # closing here would make the browser throw away a token that is good
        return Hello(token, 0, BadFrame("bad_frame", '"after" is the number of a message: a whole number from 0.'))
    return Hello(token, after)


def _say(said: dict[str, Any]) -> Say:
    client_id, text = said.get("client_id"), said.get("text")
    if not valid_client_id(client_id):
        raise BadFrame("bad_client_id", f'"client_id" is a string of 1 to {CLIENT_ID_MOST} characters.')
    assert isinstance(client_id, str)
    if not isinstance(text, str):
        raise BadFrame("bad_frame", '"text" is a string.', client_id)
    try:
        return Say(client_id, checked_text(text))
    except BadText as problem:
        raise BadFrame(problem.code, problem.detail, client_id) from None


def _read(said: dict[str, Any]) -> Read:
    if not is_count(said.get("seq")):
        raise BadFrame("bad_frame", '"seq" is the number of a message: a whole number from 0.')
    return Read(said["seq"])


_READERS: dict[str, Any] = {
    "hello": _hello,
    "message": _say,
    "typing": lambda said: Typing(),
    "read": _read,
    "ping": lambda said: Ping(),
}
