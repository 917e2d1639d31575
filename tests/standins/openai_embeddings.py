"""A server on loopback that stands for OpenAI's embeddings: good, or bad in every way a vendor can be.

Each request must be valid by the published contract and each good answer is: by the OpenAPI file in
``CONTRACTS_DIR/openai`` where that is set, and always by the types of the official SDK.
"""

from __future__ import annotations

import base64
import json
import struct
import threading
import time
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import TypeAdapter

from tests.standins import meanings
from tests.standins.model_vendor import schema_faults, type_faults

#: of the vendor's, in ``CONTRACTS_DIR/openai``
CONTRACT = "openapi.subset.yaml"

#: ways of failing: the status and the body of an error, and headers
ERRORS: dict[str, tuple[int, dict[str, Any], dict[str, str]]] = {
    "busy": (
        429,
        {"message": "slow down", "type": "requests", "param": None, "code": "rate_limit_exceeded"},
        {"Retry-After": "7"},
    ),
    "no money": (
        429,
        {"message": "quota", "type": "insufficient_quota", "param": None, "code": "insufficient_quota"},
        {},
    ),
    "broken": (500, {"message": "oops", "type": "server_error", "param": None, "code": None}, {}),
    "bad key": (401, {"message": "no", "type": "invalid_request_error", "param": None, "code": "invalid_api_key"}, {}),
    "abroad": (
        403,
        {"message": "no", "type": "request_forbidden", "param": None, "code": "unsupported_country_region_territory"},
        {},
    ),
    "retired": (
        404,
        {"message": "gone", "type": "invalid_request_error", "param": None, "code": "model_not_found"},
        {},
    ),
}
#: ways of answering 200 with what can't be used
SPOILT = (
    *("wrong size", "half", "doubled", "nan", "zero", "words", "garbage", "a page", "a list", "no data", "empty"),
)
#: ways of not answering
SILENT = ("hang", "drip", "closed")


class OpenAIStandIn:
    """``with OpenAIStandIn() as vendor: vendor.url``. Set ``mode`` at any time, and ``bad_for`` to limit it.

    ``models`` adds models: a name and their own number of dimensions. Vectors of two models differ wholly.
    """

    def __init__(self, mode: str = "good", *, port: int = 0, models: dict[str, int] | None = None) -> None:
        self.mode = mode
        self.bad_for: int | None = None
        self.models = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, **(models or {})}
        #: what was asked, each ``{"model", "input", …}``
        self.asked: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.delay = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def __enter__(self) -> OpenAIStandIn:
        # the contract is read before anybody's clock runs: a question waits a second and a half for its vector
        request_faults({"model": "any", "input": ["any"]}, "", "")
        answer_faults({"data": []})
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def texts(self) -> list[str]:
        """All texts that were asked for, in order."""
        return [text for each in self.asked for text in each["input"]]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        raw = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        body = json.loads(raw)
        with self._lock:
            self.asked.append(body)
            self.faults += request_faults(body, request.path, request.headers.get("Authorization", ""))
            mode = self.mode
            if mode != "good" and self.bad_for is not None:
                self.bad_for -= 1
                if self.bad_for < 0:
                    mode = "good"
        if self.delay:
            time.sleep(self.delay)
        if mode in ERRORS:
            status, error, headers = ERRORS[mode]
            _send(request, status, json.dumps({"error": error}).encode(), headers)
        elif mode == "hang":
            self._stop.wait(60)
        elif mode == "drip":
            self._drip(request)
        elif mode == "closed":
            request.connection.close()
        else:
            self._vectors(request, body, mode)

    def _drip(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", "100000")
        request.end_headers()
        while not self._stop.wait(0.2):
            request.wfile.write(b" ")
            request.wfile.flush()

    def _vectors(self, request: BaseHTTPRequestHandler, body: dict[str, Any], mode: str) -> None:
        native = self.models.get(body["model"])
        if native is None:
            status, error, headers = ERRORS["retired"]
            _send(request, status, json.dumps({"error": error}).encode(), headers)
            return
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        size = body.get("dimensions") or native
        data = [
            {"object": "embedding", "index": place, "embedding": embedding(text, body["model"], size)}
            for place, text in enumerate(texts)
        ]
        answer: Any = {
            "object": "list",
            "model": body["model"],
            "data": data,
            "usage": {"prompt_tokens": len(texts), "total_tokens": len(texts)},
        }
        if mode == "good":
            self.faults += answer_faults(answer)
            data.reverse()  # the index says whose it is, the order says nothing
        _spoil(answer, mode)
        if body.get("encoding_format") == "base64":
            for each in data:
                each["embedding"] = base64.b64encode(
                    struct.pack(f"<{len(each['embedding'])}f", *each["embedding"])
                ).decode()
        raw, kind = json.dumps(answer).encode(), "application/json"
        if mode == "garbage":
            raw = raw[: len(raw) // 2]
        elif mode == "a page":
            raw, kind = b"<html><body>502</body></html>", "text/html"
        elif mode == "a list":
            raw = b"[1, 2, 3]"
        elif mode == "empty":
            raw = b""
        _send(request, 200, raw, {"Content-Type": kind})


def embedding(text: str, model: str, size: int) -> list[float]:
    """What a good answer holds: each model has turned the same meanings its own way."""
    return list(_embedding(text, model, size))


@lru_cache(maxsize=4096)
def _embedding(text: str, model: str, size: int) -> tuple[float, ...]:
    vector = meanings.vector(text)
    turn = sum(map(ord, model)) % meanings.WIDTH
    vector = (vector[turn:] + vector[:turn]) * (1 + size // meanings.WIDTH)
    return tuple(meanings.unit(vector[:size]))


def _spoil(answer: dict[str, Any], mode: str) -> None:
    data = answer["data"]
    if mode == "wrong size":
        data[-1]["embedding"] = data[-1]["embedding"][:-1]
    elif mode == "half":
        del data[len(data) // 2 :]
    elif mode == "doubled":
        data.append(dict(data[0]))
    elif mode == "nan":
        data[0]["embedding"][3] = float("nan")
    elif mode == "zero":
        data[0]["embedding"] = [0.0] * len(data[0]["embedding"])
    elif mode == "words":
        data[0]["embedding"][0] = "0.5"
    elif mode == "no data":
        del answer["data"]


def _send(request: BaseHTTPRequestHandler, status: int, raw: bytes, headers: dict[str, str]) -> None:
    request.send_response(status)
    for name, value in {"Content-Type": "application/json", **headers}.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(raw)))
    request.end_headers()
    request.wfile.write(raw)


def _handler(standin: OpenAIStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        # headers and body are two writes: the second would wait for the other side's word on the first
        disable_nagle_algorithm = True

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            try:
                standin.answer(self)
            except (BrokenPipeError, ConnectionResetError, OSError):
                self.close_connection = True

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


# --- the contract -----------------------------------------------------------------------------------------------


def request_faults(body: Any, path: str, authorization: str) -> list[str]:
    """What is wrong with a request by the contract, and by what the vendor's pages say beside it."""
    faults = []
    if path != "/v1/embeddings":
        faults.append(f"path {path}")
    if not authorization.startswith("Bearer ") or len(authorization) < 10:
        faults.append("no key")
    faults += type_faults(_type("EmbeddingCreateParams"), body)
    faults += schema_faults("openai", CONTRACT, "CreateEmbeddingRequest", body)
    texts = body["input"]
    if not 0 < len(texts) <= 2048 or any(not text.strip() for text in texts):
        faults.append("empty or too many texts")
    # a token is at least one byte
    if any(len(text.encode()) > 8192 for text in texts) or sum(len(text.encode()) for text in texts) > 300_000:
        faults.append("too long")
    if "dimensions" in body and "text-embedding-3" not in body["model"]:
        faults.append("dimensions are not for this model")
    return faults


def answer_faults(answer: Any) -> list[str]:
    """What is wrong with an answer of ours by the contract."""
    # the SDK's types look at every number; the schema, a thousand times slower, at the first ones of each vector
    short = {
        **answer,
        "data": [
            {**each, "embedding": each["embedding"][:8]} if "embedding" in each else each for each in answer["data"]
        ],
    }
    faults = type_faults(_type("CreateEmbeddingResponse"), answer)
    return faults + schema_faults("openai", CONTRACT, "CreateEmbeddingResponse", short)


@lru_cache
def _type(name: str) -> TypeAdapter[Any]:
    from openai import types

    return TypeAdapter(getattr(types, name))
