"""HTTP to vendors: a clock for the whole call, an end to what is too big, no lines in logs.

The time-outs of HTTP libraries are for one read each, so a server that drips a byte a second holds a caller for ever.
Here every read, write, connect and handshake of a call gets only what is left of its seconds. The SDKs of OpenAI and
Anthropic take a client of this module, and what has no SDK uses it as it is.
"""

from __future__ import annotations

import logging
import queue
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpcore2
import httpx2

#: no answer of a model is so long; a stream has some 300 bytes a token
MOST_BYTES = 8_000_000
#: of what comes packed although nobody asked for it, since a little of it may unpack to a lot
MOST_PACKED = 100_000
#: what is read after the last word of a stream, so that its connection can serve again
_REST_SECONDS, _REST_BYTES = 0.05, 4_096

_CODE = re.compile(r"[a-z0-9_.-]{1,60}")

# their lines of requests hold addresses, and of retries bodies
for _name in ("openai", "anthropic", "httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class TooBig(httpx2.RequestError):
    """More came than any good answer has."""


@dataclass
class Call:
    """One call as it goes: when it must end, and what has been seen of the answer."""

    ends: float
    seconds: float
    #: response headers have come
    answered: bool = False
    too_big: bool = False
    status: int = 0
    kind: str = ""
    request_id: str = ""

    @property
    def left(self) -> float:
        return self.ends - time.monotonic()

    @property
    def over(self) -> bool:
        return self.left <= 0.001


_call: ContextVar[Call | None] = ContextVar("call", default=None)


@contextmanager
def within(seconds: float) -> Iterator[Call]:
    """Whatever this module's clients do inside ends ``seconds`` from now, however it drips."""
    call = Call(time.monotonic() + seconds, seconds)
    token = _call.set(call)
    try:
        yield call
    finally:
        _call.reset(token)


def _left(timeout: float | None) -> float | None:
    """Seconds for the next step: what the library allows, and never more than the call has left."""
    call = _call.get()
    if call is None:
        return timeout
    # nought would mean "don't block": a step that has no time left must time out, not fail
    left = max(0.001, call.left)
    return left if timeout is None else min(timeout, left)


def client(*, ca_file: str = "", headers: Mapping[str, str] | None = None) -> httpx2.Client:
    """A client for one vendor's account. ``ca_file`` is trusted beside the system's roots, by this client only."""
    verify = _roots()
    if ca_file:
        verify = ssl.create_default_context()
        verify.load_verify_locations(ca_file)
    made = httpx2.Client(
        verify=verify,
        # one read may last as long as the call
        timeout=httpx2.Timeout(None, connect=5.0),
        limits=httpx2.Limits(max_connections=1000, max_keepalive_connections=20, keepalive_expiry=60.0),
        # packing saves nothing here and holds a stream's words back; a redirect would carry the key elsewhere
        headers={"Accept-Encoding": "identity", **(headers or {})},
        follow_redirects=False,
        event_hooks={"response": [_heard]},
    )
    for transport in (made._transport, *made._mounts.values()):
        pool = getattr(transport, "_pool", None)
        if pool is not None:  # the library has no public door to it; tests see that the clock holds
            pool._network_backend = _Backend(pool._network_backend)
    return made


@cache
def _roots() -> ssl.SSLContext:
    """Whom everybody trusts. Read once a process: that takes longer than all else that a new client needs."""
    return httpx2.create_ssl_context()


def _heard(response: httpx2.Response) -> None:
    """Headers have come: remember what they say, and watch over the body."""
    call = _call.get()
    if call is not None:
        call.answered, call.status = True, response.status_code
        call.kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        call.request_id = request_id(response.headers)
    packed = response.headers.get("content-encoding", "identity").lower() not in {"", "identity"}
    response.stream = _Watched(response.stream, MOST_PACKED if packed else MOST_BYTES)


class _Watched(httpx2.SyncByteStream):
    """A body that isn't read beyond a size, and that is read to its end when it is closed just before."""

    def __init__(self, stream: Any, most: int) -> None:
        self._stream = stream
        self._pieces = iter(stream)
        self._left = most
        self._done = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._left -= len(piece)
            if self._left < 0:
                if (call := _call.get()) is not None:
                    call.too_big = True
                raise TooBig("the answer is too big")
            yield piece
        self._done = True

    def close(self) -> None:
        if not self._done and self._left > 0 and (call := _call.get()) is not None and not call.over:
            self._read_the_rest()
        self._stream.close()

    def _read_the_rest(self) -> None:
        """An SDK stops at the vendor's last word, a few bytes before the end: left unread they cost a connection."""
        self._done, rest = True, _REST_BYTES
        with within(_REST_SECONDS):
            try:
                for piece in self._pieces:
                    rest -= len(piece)
                    if rest < 0:
                        return
            except Exception:
                return  # then the connection goes, as it would have


class _Backend(httpcore2.NetworkBackend):
    """Opens connections whose every step knows the clock of the call it is made for."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def connect_tcp(  # type: ignore[override]
        self, host: str, port: int, timeout: float | None = None, **rest: Any
    ) -> Any:
        seconds = _left(timeout)
        return _Stream(_bounded(lambda: self._inner.connect_tcp(host, port, timeout=seconds, **rest), seconds))

    def connect_unix_socket(self, path: str, timeout: float | None = None, **rest: Any) -> Any:  # type: ignore[override]
        return _Stream(self._inner.connect_unix_socket(path, timeout=_left(timeout), **rest))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(_left(seconds))


class _Stream(httpcore2.NetworkStream):
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        call = _call.get()
        if call is not None and call.over:
            raise httpcore2.ReadTimeout("the call is over")
        return self._inner.read(max_bytes, timeout=_left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout=_left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> Any:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname=server_hostname, timeout=_left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _bounded(connect: Callable[[], Any], seconds: float | None) -> Any:
    """What ``connect`` gives, within ``seconds`` also where a name isn't resolved or each of many addresses hangs."""
    if seconds is None:
        return connect()
    made: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
    late = threading.Event()

    def run() -> None:
        try:
            stream = connect()
        except Exception as problem:
            made.put((None, problem))
            return
        made.put((stream, None))
        if late.is_set():
            stream.close()

    threading.Thread(target=run, daemon=True, name="connect").start()
    try:
        stream, problem = made.get(timeout=seconds)
    except queue.Empty:
        late.set()
        raise httpcore2.ConnectTimeout("no connection in time") from None
    if problem is not None:
        raise problem
    return stream


# --- what all vendors' answers have -----------------------------------------------------------------------------


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the vendor asks to wait, if it does; a date is told in seconds from now."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            seconds = float(value) / unit
        except ValueError:
            try:
                seconds = parsedate_to_datetime(value).timestamp() - time.time()
            except (ValueError, TypeError):
                continue
        if seconds == seconds:  # not "nan"
            return max(0.0, min(seconds, 86_400.0))
    return None


def request_id(headers: Mapping[str, str]) -> str:
    """The vendor's name of the request, if it has the form of a name."""
    for name in ("x-request-id", "request-id"):
        if re.fullmatch(r"[A-Za-z0-9_.:/+=-]{1,100}", headers.get(name, "")):
            return headers[name]
    return ""


def code(value: object) -> str:
    """A vendor's short word for an error, when it is one: it may be shown, what is longer may quote somebody."""
    found = _CODE.fullmatch(str(value or "").lower())
    return found[0] if found else ""
