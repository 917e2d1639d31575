"""A stand-in for the Bot API on loopback: it keeps what was sent, answers as Telegram does, and fails in its ways.

    with TelegramAPI(token="700700700:AA…") as telegram:
        telegram.sent(700100200)                       # what has arrived in a chat, in order
        telegram.fail("busy", retry_after=7)           # the next send meets that; several make a queue
        telegram.mode = "broken"                       # or every send does
        telegram.push({...})                           # an update that getUpdates brings
        telegram.faults                                # what was wrong with requests or answers, by the contract

Requests are held against ``CONTRACTS_DIR/telegram/bot-api-10.1.json`` where that is given, answers always against
python-telegram-bot's types, both when ``faults`` is read.
"""

from __future__ import annotations

import email.parser
import email.policy
import itertools
import json
import os
import re
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

#: ``cut``: carried out, and the answer lost. ``lost``: not carried out, and no answer. ``cut_body``: half an answer.
TROUBLES = (
    *("busy", "broken", "bad_gateway", "cut", "lost", "cut_body", "slow", "garbage", "empty", "html"),
    *("blocked", "deactivated", "no_chat", "revoked", "parse", "migrated", "conflict", "too_long", "redirect"),
)
#: calls that a trouble is for; the rest go well, so that a set-up in a test is no part of the trouble
SENDS = frozenset({"sendMessage", "sendDocument"})

_TAGS = frozenset({"b", "i", "u", "s", "a", "code", "pre", "blockquote"})


@dataclass(frozen=True)
class SentMessage:
    """A message as it arrived. ``text`` is the caption of a document."""

    method: str
    chat: int
    message_id: int
    text: str
    fields: dict[str, Any]
    file: bytes | None = None
    file_name: str = ""
    at: float = field(default_factory=time.monotonic)

    @property
    def buttons(self) -> list[dict[str, Any]]:
        markup = self.fields.get("reply_markup") or {}
        rows = markup.get("inline_keyboard") or markup.get("keyboard") or []
        return [button for row in rows for button in row]


@dataclass(frozen=True)
class Trouble:
    kind: str
    retry_after: int = 7
    moved_to: int = -1001234567890


class TelegramAPI:
    """See above. ``only`` names the methods that troubles are for."""

    def __init__(self, *, token: str, username: str = "shop_helper_bot", port: int = 0) -> None:
        self.token, self.username = token, username
        self.bot = int(token.partition(":")[0])
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._numbers = itertools.count(1001)
        self.forget()
        self.server = _Server(("127.0.0.1", port), _handler(self))
        self.root = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> TelegramAPI:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        self.server.shutdown()
        self.server.server_close()

    def forget(self) -> None:
        self.mode, self.delay, self.only = "", 0.0, SENDS
        self.queue: deque[Trouble] = deque()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.messages: list[SentMessage] = []
        self.webhook: dict[str, Any] = {"url": ""}
        self.webhook_error: dict[str, Any] = {}
        self.commands: list[Any] = []
        self.updates: list[dict[str, Any]] = []
        self.moved: dict[int, int] = {}
        self._faults: list[str] = []
        self._answers: list[tuple[str, Any]] = []
        self._unchecked: list[tuple[str, dict[str, Any], bool]] = []

    # --- the script ---------------------------------------------------------------------------------------------

    def fail(self, kind: str, **more: Any) -> None:
        assert kind in TROUBLES, kind
        self.queue.append(Trouble(kind, **more))

    def push(self, update: dict[str, Any]) -> None:
        self.updates.append(update)

    def sent(self, chat: int) -> list[SentMessage]:
        return [each for each in self.messages if each.chat == chat]

    def called(self, method: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.calls if name == method]

    @property
    def faults(self) -> list[str]:
        with self._lock:
            unchecked, self._unchecked = self._unchecked, []
            answers, self._answers = self._answers, []
        for method, fields, has_file in unchecked:
            self._faults += request_faults(method, fields, has_file)
        for kind, result in answers:
            self._faults += answer_faults(kind, result)
        return self._faults

    # --- what it does -------------------------------------------------------------------------------------------

    def answer(self, request: _Wire) -> None:
        match = re.fullmatch(r"/bot([^/]+)/(\w+)", request.path.partition("?")[0])
        fields, file, name = request.fields()
        if self.delay:
            self._stop.wait(self.delay)
        if match is None or match[1] != self.token:
            request.refuse(401, "Unauthorized")
            return
        method = match[2]
        with self._lock:
            self.calls.append((method, fields))
            self._unchecked.append((method, fields, file is not None))
            trouble = self._next(method)
        if trouble and not self._goes_on(request, trouble, method, fields, file, name):
            return
        self._carry_out(request, method, fields, file, name)

    def _next(self, method: str) -> Trouble | None:
        if method not in self.only:
            return None
        if self.mode:
            return Trouble(self.mode)
        return self.queue.popleft() if self.queue else None

    def _goes_on(
        self, request: _Wire, trouble: Trouble, method: str, fields: dict[str, Any], file: bytes | None, name: str
    ) -> bool:
        refusals = {
            "broken": (500, "Internal Server Error: restart"),
            "bad_gateway": (502, "Bad Gateway"),
            "blocked": (403, "Forbidden: bot was blocked by the user"),
            "deactivated": (403, "Forbidden: user is deactivated"),
            "no_chat": (400, "Bad Request: chat not found"),
            "revoked": (401, "Unauthorized"),
            "conflict": (409, "Conflict: terminated by other getUpdates request"),
            "too_long": (400, "Bad Request: message is too long"),
        }
        kind = trouble.kind
        if kind in refusals:
            request.refuse(*refusals[kind])
        elif kind == "busy":
            wait = trouble.retry_after
            request.refuse(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait})
        elif kind == "migrated":
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            request.refuse(400, words, {"migrate_to_chat_id": trouble.moved_to})
        elif kind == "parse":
            if fields.get("parse_mode"):
                request.refuse(400, "Bad Request: can't parse entities: Unsupported start tag at byte offset 0")
                return False
            return True
        elif kind == "redirect":
            request.whole(302, b"", {"Location": "https://blocked.example/"})
        elif kind == "lost":
            request.drop()
        elif kind == "slow":
            self._stop.wait(30)
            request.drop()
        elif kind in {"garbage", "empty", "html"}:
            self._do(method, fields, file, name)
            body = {"garbage": b'{"ok":true,"resu', "empty": b"", "html": b"<html>hello</html>"}[kind]
            request.whole(200, body, {})
        else:
            self._do(method, fields, file, name)
            if kind == "cut_body":
                request.begin(200, {"Content-Length": "500"})
                request.send(b'{"ok":true,"result":{"message_id"')
            request.drop()
        return False

    def _carry_out(self, request: _Wire, method: str, fields: dict[str, Any], file: bytes | None, name: str) -> None:
        if method == "getUpdates" and self.webhook.get("url"):
            words = "Conflict: can't use getUpdates method while webhook is active"
            request.refuse(409, f"{words}; use deleteWebhook to delete the webhook first")
            return
        if method in SENDS and (problem := self._unfit(fields)):
            request.refuse(400, problem)
            return
        found = self._do(method, fields, file, name)
        if found is None:
            request.refuse(404, "Not Found")
            return
        kind, result = found
        with self._lock:
            self._answers.append((kind, result))
        request.whole(200, json.dumps({"ok": True, "result": result}, ensure_ascii=False).encode(), {})

    def _unfit(self, fields: dict[str, Any]) -> str:
        said = str(fields.get("text") or fields.get("caption") or "")
        if fields.get("parse_mode") == "HTML":
            problem, said = parsed(said)
            if problem:
                return f"Bad Request: can't parse entities: {problem}"
        if "text" in fields and not said.strip():
            return "Bad Request: message text is empty"
        if len(said.encode("utf-16-le")) // 2 > (4096 if "text" in fields else 1024):
            return (
                "Bad Request: message is too long" if "text" in fields else "Bad Request: message caption is too long"
            )
        return ""

    def _do(self, method: str, fields: dict[str, Any], file: bytes | None, name: str) -> tuple[str, Any] | None:
        match method:
            case "getMe":
                me = {"id": self.bot, "is_bot": True, "first_name": "Помощник", "username": self.username}
                abilities = ("can_join_groups", "can_read_all_group_messages", "supports_inline_queries")
                return "User", {**me, **dict.fromkeys(abilities, False)}
            case "sendMessage" | "sendDocument":
                return "Message", self._send(method, fields, file, name)
            case "setWebhook":
                self.webhook = {key: value for key, value in fields.items() if key != "drop_pending_updates"}
            case "deleteWebhook":
                self.webhook = {"url": ""}
            case "getWebhookInfo":
                shown = {
                    key: self.webhook[key]
                    for key in ("url", "max_connections", "allowed_updates")
                    if key in self.webhook
                }
                info = {"has_custom_certificate": False, "pending_update_count": len(self.updates)}
                return "WebhookInfo", {**info, **shown, **self.webhook_error}
            case "getUpdates":
                offset = int(fields.get("offset") or 0)
                with self._lock:
                    self.updates = [each for each in self.updates if each["update_id"] >= offset]
                    return "Updates", list(self.updates[: int(fields.get("limit") or 100)])
            case "setMyCommands":
                self.commands = fields["commands"]
            case "sendChatAction" | "answerCallbackQuery" | "deleteMyCommands":
                pass
            case _:
                return None
        return "True", True

    def _send(self, method: str, fields: dict[str, Any], file: bytes | None, name: str) -> dict[str, Any]:
        chat = int(fields["chat_id"])
        raw = str(fields.get("text") or fields.get("caption") or "")
        said = parsed(raw)[1] if fields.get("parse_mode") == "HTML" else raw
        with self._lock:
            sent = SentMessage(method, chat, next(self._numbers), said, fields, file, name)
            self.messages.append(sent)
        kind = "private" if chat > 0 else "supergroup"
        me = {"id": self.bot, "is_bot": True, "first_name": "Помощник", "username": self.username}
        message: dict[str, Any] = {
            "message_id": sent.message_id,
            "from": me,
            "chat": {"id": chat, "type": kind},
            "date": int(time.time()),
        }
        if method == "sendMessage":
            return {**message, "text": said}
        document = {"file_id": f"file-{sent.message_id}", "file_unique_id": f"u{sent.message_id}", "file_name": name}
        return {**message, "caption": said, "document": document}


def parsed(html: str) -> tuple[str, str]:
    """What is wrong with Telegram's HTML, and the text that it leaves."""
    reader = _Html()
    reader.feed(html)
    reader.close()
    if reader.open:
        reader.problem = reader.problem or "Can't find end tag"
    if re.search(r"<(?![a-z/])|&(?!(lt|gt|amp|quot|#\d+|#x[0-9a-f]+);)", html):
        reader.problem = reader.problem or "Unescaped character"
    return reader.problem, "".join(reader.text)


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text: list[str] = []
        self.problem = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            self.problem = f"Unsupported start tag {tag}"
        if any(each in self.open for each in ("code", "pre")):
            self.problem = "nothing stands within code"
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problem = "Unmatched end tag"

    def handle_data(self, data: str) -> None:
        self.text.append(data)


# --- the server ---------------------------------------------------------------------------------------------------


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *args: Any) -> None:
        """A caller that went away is nothing to tell of."""


class _Wire(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def fields(self) -> tuple[dict[str, Any], bytes | None, str]:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = self.headers.get("Content-Type", "")
        file, name = None, ""
        if kind.startswith("multipart/"):
            head = f"Content-Type: {kind}\r\n\r\n".encode()
            parts = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + raw)
            fields: dict[str, Any] = {}
            for part in parts.iter_parts():
                key = part.get_param("name", header="content-disposition")
                if part.get_filename():
                    file, name = part.get_payload(decode=True), part.get_filename()
                else:
                    fields[key] = (part.get_payload(decode=True) or b"").decode()
        elif kind.startswith("application/json"):
            fields = json.loads(raw)
        else:
            fields = dict(parse_qsl(raw.decode(), keep_blank_values=True))
        return {key: _whole(key, value) for key, value in fields.items()}, file, name or ""

    def begin(self, status: int, headers: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items())]
        self._head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def send(self, data: bytes) -> None:
        head, self._head = getattr(self, "_head", b""), b""
        self.connection.sendall(head + data)

    def whole(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.begin(status, {"Content-Type": "application/json", **headers, "Content-Length": str(len(data))})
        self.send(data)

    def refuse(self, status: int, words: str, parameters: dict[str, Any] | None = None) -> None:
        answer = {"ok": False, "error_code": status, "description": words}
        self.whole(status, json.dumps(answer | ({"parameters": parameters} if parameters else {})).encode(), {})

    def drop(self) -> None:
        self.close_connection = True


def _whole(key: str, value: Any) -> Any:
    """Of a form: numbers, flags and nested objects as they were meant."""
    if not isinstance(value, str) or key in {"text", "caption", "url", "secret_token", "callback_query_id"}:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _handler(standin: TelegramAPI) -> type[_Wire]:
    class Handler(_Wire):
        def do_POST(self) -> None:
            try:
                standin.answer(self)
            except OSError:
                self.close_connection = True

        do_GET = do_POST

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


# --- contracts ----------------------------------------------------------------------------------------------------


@lru_cache
def _contract() -> dict[str, Any]:
    path = Path(os.environ.get("CONTRACTS_DIR") or "/nowhere") / "telegram" / "bot-api-10.1.json"
    return json.loads(path.read_text()) if path.exists() else {}


def request_faults(method: str, fields: dict[str, Any], has_file: bool) -> list[str]:
    """What is wrong with a request by the published contract, where we have it."""
    contract = _contract()
    if not contract:
        return []
    if method not in contract["methods"]:
        return [f"{method}: no such method"]
    known = {each["name"]: each for each in contract["methods"][method].get("fields", [])}
    given = set(fields) | ({"document"} if has_file else set())
    found = [f"{method}: unknown field {name}" for name in given - set(known)]
    found += [f"{method}: {name} is missing" for name, each in known.items() if each["required"] and name not in given]
    for name, value in fields.items():
        if name in known and not any(_is(value, kind) for kind in known[name]["types"]):
            found.append(f"{method}: {name} is no {' or '.join(known[name]['types'])}: {value!r:.80}")
    return found


def _is(value: Any, kind: str) -> bool:
    if kind.startswith("Array of "):
        return isinstance(value, list) and all(_is(each, kind.removeprefix("Array of ")) for each in value)
    match kind:
        case "Integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "String":
            return isinstance(value, str)
        case "Boolean":
            return isinstance(value, bool)
        case "Float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "InputFile":
            return isinstance(value, str)
    described = _contract()["types"].get(kind)
    if described is None or not isinstance(value, dict):
        return False
    known = {each["name"]: each for each in described.get("fields", [])}
    if any(each["required"] and name not in value for name, each in known.items()):
        return False
    return all(name in known and any(_is(each, one) for one in known[name]["types"]) for name, each in value.items())


def answer_faults(kind: str, result: Any) -> list[str]:
    """What is wrong with an answer by python-telegram-bot's types."""
    import telegram

    if kind == "True":
        return []
    try:
        if kind == "Updates":
            for each in result:
                telegram.Update.de_json(each, None)
        else:
            getattr(telegram, kind).de_json(result, None)
    except Exception as problem:
        return [f"{kind}: {problem!r}"]
    return []


def main() -> None:
    """Run as a process of its own: its address is printed, and it ends with its input."""
    with TelegramAPI(token=sys.argv[1]) as standin:
        print(standin.root, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
