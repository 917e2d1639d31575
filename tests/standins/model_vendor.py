"""What the stand-ins for vendors of language models have in common: scripted answers, and every way to fail.

    with OpenAIChat() as vendor:                      # or AnthropicMessages, GigaChatAPI
        vendor.say("Добрый день!")                     # the next answer; several make a queue
        vendor.say(calls=[("knowledge__search", {"query": "цена"})])
        vendor.fail("busy", retry_after=7)             # a trouble in the queue
        vendor.reply = lambda body: Say("…")           # or by the request, when the queue is empty
        vendor.mode = "hang"; vendor.bad_for = 2       # or always, or so many times
        vendor.asked                                   # the bodies that came; vendor.headers what came with them
        vendor.faults                                  # what was wrong with them by the contract

It answers at once. Requests are held against the contract when ``faults`` is read, not while somebody waits.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

#: troubles that are an answer with an error status; each vendor knows its own words for them
REFUSALS = (
    *("busy", "busy_quiet", "broken", "overloaded", "bad_key", "country", "forbidden", "retired", "no_money"),
    *("too_long", "bad_request", "page_502", "country_page", "redirect"),
)
#: troubles of an answer that begins well
SPOILT = (
    *("garbage", "page", "empty", "empty_choices", "silent", "filtered", "broken_json", "no_finish"),
    *("error_in_stream", "endless"),
)
#: troubles of the connection
SILENT = ("timeout", "hang", "drip", "drip_headers", "closed", "cut")
TROUBLES = (*REFUSALS, *SPOILT, *SILENT)

PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>cloud</body></html>"
BROKEN_JSON = '{"query": "цена'


@dataclass(frozen=True)
class Say:
    """A good answer. Arguments that are text go as they are, else as JSON. ``finish`` is the vendor's own word."""

    text: str = ""
    calls: Sequence[tuple[str, Any]] = ()
    finish: str = ""
    prompt_tokens: int = 120
    cached_tokens: int = 0
    answer_tokens: int = 12
    #: how many characters a piece of a stream has
    piece: int = 8
    #: what is thought before
    thinking: str = ""


@dataclass(frozen=True)
class Trouble:
    """A bad answer. ``after`` is how many bytes of a body come before a cut, else half of them do."""

    kind: str
    retry_after: str = ""
    after: int | None = None


class ModelStandIn:
    """A server on loopback; see above. ``delay`` is slept before an answer, ``pace`` between pieces of a stream."""

    #: of an answer that nobody scripted
    default = Say("Здравствуйте! Чем помочь?")

    def __init__(self, mode: str = "good", *, port: int = 0) -> None:
        self.mode = mode
        self.bad_for: int | None = None
        self.delay = self.pace = 0.0
        self.reply: Callable[[dict[str, Any]], Say | Trouble] | None = None
        self.queue: deque[Say | Trouble] = deque()
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        #: connections that were made
        self.connections = 0
        self._unchecked: list[tuple[str, dict[str, str], Any]] = []
        self._answers: list[Any] = []
        self._faults: list[str] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.server = _Server(("127.0.0.1", port), _handler(self))
        self.root = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Any:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        self.server.shutdown()
        self.server.server_close()

    # --- the script ---------------------------------------------------------------------------------------------

    def say(self, text: str = "", calls: Sequence[tuple[str, Any]] = (), **more: Any) -> None:
        """Script the next answer."""
        self.queue.append(Say(text, tuple(calls), **more))

    def fail(self, kind: str, **more: Any) -> None:
        """Script the next answer to be a trouble."""
        assert kind in TROUBLES, kind
        self.queue.append(Trouble(kind, **more))

    @property
    def faults(self) -> list[str]:
        """What is wrong with the requests that came, and with the answers that were given, by the contract."""
        with self._lock:
            unchecked, self._unchecked = self._unchecked, []
            answers, self._answers = self._answers, []
        for path, headers, body in unchecked:
            self._faults += self.request_faults(path, headers, body)
        for answer in answers:
            self._faults += self.answer_faults(answer)
        return self._faults

    def forget(self) -> None:
        """As if nothing had been asked or scripted."""
        with self._lock:
            self.asked.clear()
            self.headers.clear()
            self.queue.clear()
            self._unchecked.clear()
            self._answers.clear()
            self._faults.clear()
        self.mode, self.bad_for, self.reply, self.delay, self.pace = "good", None, None, 0.0, 0.0

    def _next(self, body: dict[str, Any]) -> Say | Trouble:
        mode = self.mode
        if mode != "good" and self.bad_for is not None:
            self.bad_for -= 1
            if self.bad_for < 0:
                mode = "good"
        if mode != "good":
            return Trouble(mode)
        if self.queue:
            return self.queue.popleft()
        return self.reply(body) if self.reply is not None else self.default

    # --- what each vendor says in its own way -------------------------------------------------------------------

    def whole(self, say: Say, body: dict[str, Any]) -> dict[str, Any]:
        """The answer without a stream."""
        raise NotImplementedError

    def events(self, say: Say, body: dict[str, Any]) -> list[Any]:
        """The answer as events of a stream."""
        raise NotImplementedError

    def framed(self, event: Any) -> bytes:
        """An event as the stream has it."""
        return f"data: {event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)}\n\n".encode()

    def refusal(self, kind: str) -> tuple[int, Any]:
        """The status and the body of an error."""
        raise NotImplementedError

    def spoil(self, answer: Any, kind: str, *, streamed: bool) -> Any:
        """A good answer, or list of events, made bad."""
        raise NotImplementedError

    def more(self, body: dict[str, Any]) -> Any:
        """One more event of a stream that never ends."""
        raise NotImplementedError

    def request_faults(self, path: str, headers: Mapping[str, str], body: Any) -> list[str]:
        raise NotImplementedError

    def answer_faults(self, answer: Any) -> list[str]:
        raise NotImplementedError

    def answer_headers(self) -> dict[str, str]:
        return {"x-request-id": "req_demo1"}

    def other(self, request: Wire, path: str, raw: bytes, headers: dict[str, str]) -> bool:
        """Whether a request that isn't for an answer of the model was dealt with here."""
        return False

    # --- the server ---------------------------------------------------------------------------------------------

    def stream_of(self, say: Say, body: dict[str, Any] | None = None) -> bytes:
        """All bytes of a streamed body, as they come over the wire."""
        return b"".join(map(_chunk, map(self.framed, self.events(say, body or self.sample())))) + b"0\r\n\r\n"

    def sample(self) -> dict[str, Any]:
        """The least that a request has."""
        return {"model": "demo-model", "stream": True, "stream_options": {"include_usage": True}, "messages": []}

    def answer(self, request: Wire) -> None:
        raw = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in request.headers.items()}
        if self.other(request, request.path, raw, headers):
            return
        body = json.loads(raw)
        with self._lock:
            self.asked.append(body)
            self.headers.append(headers)
            self._unchecked.append((request.path, headers, body))
            following = self._next(body)
        if self.delay:
            self._stop.wait(self.delay)
        if isinstance(following, Trouble):
            self._trouble(request, following, body)
        elif body.get("stream"):
            events = self.events(following, body)
            with self._lock:
                self._answers += events
            self._stream(request, [self.framed(event) for event in events])
        else:
            whole = self.whole(following, body)
            with self._lock:
                self._answers.append(whole)
            request.whole(200, json.dumps(whole, ensure_ascii=False).encode(), self.answer_headers())

    def _stream(self, request: Wire, frames: list[bytes]) -> None:
        request.begin(
            200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked", **self.answer_headers()}
        )
        if self.pace:
            for frame in frames:
                request.send(_chunk(frame))
                if self._stop.wait(self.pace):
                    return
            request.send(b"0\r\n\r\n")
        else:
            request.send(b"".join(map(_chunk, frames)) + b"0\r\n\r\n")

    def _trouble(self, request: Wire, trouble: Trouble, body: dict[str, Any]) -> None:
        kind, streamed = trouble.kind, bool(body.get("stream"))
        if kind == "timeout":
            self._stop.wait(60)
            request.drop()
        elif kind == "closed":
            request.drop()
        elif kind in REFUSALS:
            self._refuse(request, trouble)
        elif kind in {"hang", "drip", "drip_headers", "cut"}:
            self._falter(request, trouble, body)
        elif kind == "endless":
            self._endless(request, body, streamed)
        elif kind == "page":
            request.whole(200, PAGE, {"Content-Type": "text/html; charset=utf-8"})
        elif kind == "empty":
            request.whole(200, b"", {"Content-Type": "text/event-stream" if streamed else "application/json"})
        else:
            self._spoilt(request, kind, body, streamed)

    def _refuse(self, request: Wire, trouble: Trouble) -> None:
        kind = trouble.kind
        if kind in {"page_502", "country_page"}:
            request.whole(502 if kind == "page_502" else 403, PAGE, {"Content-Type": "text/html"})
            return
        if kind == "redirect":
            request.whole(302, b"", {"Location": f"{self.root}/elsewhere"})
            return
        status, error = self.refusal(kind)
        wait = trouble.retry_after or ("7" if kind == "busy" else "")
        request.whole(
            status, json.dumps(error).encode(), {**self.answer_headers(), **({"Retry-After": wait} if wait else {})}
        )

    def _falter(self, request: Wire, trouble: Trouble, body: dict[str, Any]) -> None:
        """The answer begins, and then comes to a stop, ever slower or never."""
        if trouble.kind == "drip_headers":
            for byte in b"HTTP/1.1 200 OK\r\nx-slow: " + b"a" * 10_000:
                request.send(bytes([byte]))
                if self._stop.wait(0.05):
                    return
        if body.get("stream"):
            payload = self.stream_of(self.default, body)
            headers = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
        else:
            payload = json.dumps(self.whole(self.default, body), ensure_ascii=False).encode()
            headers = {"Content-Type": "application/json", "Content-Length": str(len(payload))}
        request.begin(200, {**headers, **self.answer_headers()})
        most = len(payload) // 2 if trouble.after is None else trouble.after
        if trouble.kind == "drip":
            request.send(payload[:most])
            # words that would take minutes: each byte comes in time for a clock of single reads
            for byte in payload[most:]:
                if self._stop.wait(0.2):
                    return
                request.send(bytes([byte]))
            return
        request.send(payload[:most])
        if trouble.kind == "hang":
            self._stop.wait(60)
        request.drop()

    def _endless(self, request: Wire, body: dict[str, Any], streamed: bool) -> None:
        if streamed:
            head = [self.framed(event) for event in self.events(Say("а" * 20), body)[:2]]
            frames = _chunk(self.framed(self.more(body)) * 50)
            kind = "text/event-stream"
        else:
            head, frames, kind = [b'{"id": "'], _chunk(b"a" * 10_000), "application/json"
        request.begin(200, {"Content-Type": kind, "Transfer-Encoding": "chunked"})
        request.send(b"".join(map(_chunk, head)))
        while not self._stop.is_set():
            request.send(frames)

    def _spoilt(self, request: Wire, kind: str, body: dict[str, Any], streamed: bool) -> None:
        say = (
            replace(self.default, calls=[("knowledge__search", BROKEN_JSON)]) if kind == "broken_json" else self.default
        )
        if kind == "broken_json":
            say = replace(say, text="")
        if streamed:
            frames = [self.framed(event) for event in self.spoil(self.events(say, body), kind, streamed=True)]
            if kind == "garbage":
                frames[4] = frames[4].rstrip()[: len(frames[4]) * 2 // 3] + b"\n\n"
            self._stream(request, frames)
            return
        raw = json.dumps(self.spoil(self.whole(say, body), kind, streamed=False), ensure_ascii=False).encode()
        request.whole(200, raw[: len(raw) // 2] if kind == "garbage" else raw, self.answer_headers())


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *args: Any) -> None:
        """A caller that went away is nothing to tell of."""


class Wire(BaseHTTPRequestHandler):
    """One connection, written to in as few packets as can be."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items())]
        self._head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def send(self, data: bytes) -> None:
        head, self._head = getattr(self, "_head", b""), b""
        self.connection.sendall(head + data)

    def whole(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        self.begin(status, {"Content-Type": "application/json", **headers, "Content-Length": str(len(data))})
        self.send(data)

    def drop(self) -> None:
        self.close_connection = True


def _handler(standin: ModelStandIn) -> type[Wire]:
    class Handler(Wire):
        def setup(self) -> None:
            super().setup()
            standin.connections += 1

        def do_POST(self) -> None:
            try:
                standin.answer(self)
            except OSError:
                self.close_connection = True

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def serve(standin: ModelStandIn) -> None:
    """Run as a process of its own, for benchmarks: its address is printed, and it ends with its input."""
    import sys

    with standin:
        print(standin.root, flush=True)
        sys.stdin.read()
        time.sleep(0)


# --- contracts --------------------------------------------------------------------------------------------------


def type_faults(adapter: TypeAdapter[Any], value: Any) -> list[str]:
    """What is wrong with a value by an SDK's type."""
    try:
        adapter.validate_python(value)
    except ValidationError as problem:
        return [f"{each['loc']}: {each['msg']}" for each in problem.errors()]
    return []


def schema_faults(vendor: str, file: str, schema: str, value: Any) -> list[str]:
    """What is wrong with a value by the vendor's published contract, where we have it."""
    validator = _validator(vendor, file, schema)
    if validator is None:
        return []
    return [f"{'/'.join(map(str, each.absolute_path))}: {each.message[:300]}" for each in validator.iter_errors(value)]


@lru_cache
def _validator(vendor: str, file: str, schema: str) -> Any:
    contract = _contract(vendor, file)
    if contract is None:
        return None
    wanted = {"components": contract["components"], "$ref": f"#/components/schemas/{schema}"}
    if str(contract["openapi"]).startswith("3.0"):
        from openapi_schema_validator import OAS30Validator

        return OAS30Validator(wanted)
    from jsonschema import Draft202012Validator

    return Draft202012Validator(wanted)


@lru_cache
def _contract(vendor: str, file: str) -> Any:
    folder = os.environ.get("CONTRACTS_DIR")
    path = Path(folder or "/nowhere") / vendor / file
    if not path.exists():
        return None
    if path.suffix == ".json":
        return json.loads(path.read_text())
    import yaml

    return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
