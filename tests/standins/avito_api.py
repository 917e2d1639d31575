"""A server on loopback that stands for Avito: tokens, the messenger, webhooks, and the base for listings.

    with AvitoAPI() as avito:
        chat = avito.begin_chat("Ирина")                # a customer opens a chat about a listing
        avito.customer_writes(chat, "Сколько стоит?")   # and writes; `avito.ring(message)` calls our webhook
        avito.colleague_writes(chat, "Добрый день")     # somebody of ours, in Avito's own app
        avito.trouble("send", "accepted_then_cut")      # what the next call of an operation meets
        avito.said(chat)                                # our side's texts, oldest first

Requests and answers are held against ``CONTRACTS_DIR/avito/*.openapi.json`` where that is set: ``avito.faults``.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.standins.avito_contract import answer_faults, request_faults

CLIENT_ID, CLIENT_SECRET, USER_ID = "demo-client-id", "demo-client-secret-0123456789", 123456
#: what may be asked of ``trouble``
TROUBLES = (
    "accepted_then_cut",  # done, and the connection closed without a word
    "accepted_then_slow",  # done, and the answer never comes
    "cut",  # not done, and the connection closed
    "busy",  # 429
    "broken",  # 500, not done
    "accepted_then_broken",  # 500, done
    "expired_401",
    "expired_403",
    "no_subscription",  # 402
    "forbidden",  # 403 that isn't of the token
    "not_found",
    "page",  # 200 with HTML
    "empty",  # 200 with nothing
    "redirect",
)

Route = Callable[["Asked"], tuple[int, Any]]


@dataclass(frozen=True)
class Asked:
    """A request as a route gets it."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    body: Any
    words: Mapping[str, str] = field(default_factory=dict)

    def number(self, name: str, otherwise: int) -> int:
        return int((self.query.get(name) or [str(otherwise)])[0])


@dataclass
class Chat:
    id: str
    name: str
    user_id: int
    item: dict[str, Any] | None
    created: int
    messages: list[dict[str, Any]] = field(default_factory=list)
    #: when the newest that was read by our side was written
    read_upto: int = -1

    @property
    def unread(self) -> bool:
        return any(m["direction"] == "in" for m in self.messages[self.read_upto + 1 :])


class AvitoAPI:
    """The vendor. ``routes`` may be added to: ``avito.route("GET", "/core/v1/items", operation, answer)``."""

    def __init__(self, *, port: int = 0, user_id: int = USER_ID) -> None:
        self.user_id = user_id
        self.client_id, self.client_secret = CLIENT_ID, CLIENT_SECRET
        self.token_life = 86_400
        self.tokens: set[str] = set()
        self.tokens_given = 0
        #: wait so long before each answer
        self.delay = 0.0
        #: whether messages come inside an object, as working clients have seen, or as the bare list of the contract
        self.wrapped = True
        self.chats: dict[str, Chat] = {}
        self.subscriptions: list[dict[str, str]] = []
        #: call the registered webhooks by itself: for what a customer writes, and for the echo of our side
        self.rings = False
        self.echoes_first = False
        self.signature = "0123456789abcdef" * 4
        self.asked: list[tuple[str, Asked]] = []
        self.items: list[dict[str, Any]] = []
        self._troubles: dict[str, deque[tuple[str, Mapping[str, str]]]] = defaultdict(deque)
        self._faults: list[str] = []
        self._checks: deque[Callable[[], list[str]]] = deque()
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._numbers = 0
        self._routes: list[tuple[str, re.Pattern[str], str, Route]] = []
        self._add_routes()
        self.server = _Server(("127.0.0.1", port), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> AvitoAPI:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        self.server.shutdown()
        self.server.server_close()

    # --- what people do -----------------------------------------------------------------------------------------

    def begin_chat(self, name: str = "Ирина", *, item: Any = True, chat: str = "", user_id: int = 0) -> str:
        """A customer's chat about a listing; ``item=None`` is one without."""
        with self._lock:
            self._numbers += 1
            number = self._numbers
            chat = chat or f"u2i-Ab{number}~c_D-{number:04d}"
            listing = _listing(self.user_id) if item is True else item
            self.chats[chat] = Chat(chat, name, user_id or 777000 + number, listing, int(time.time()))
            return chat

    def customer_writes(
        self, chat: str, text: str = "", *, kind: str = "text", content: Any = None, **more: Any
    ) -> Any:
        """A message of the customer; the stored message."""
        place = self.chats[chat]
        return self._add(place, place.user_id, "in", kind, {"text": text} if content is None else content, **more)

    def avito_writes(self, chat: str, text: str = "Не переходите по ссылкам", *, kind: str = "text") -> Any:
        content = {"text": text} if kind == "text" else {"flow_id": "seller_audience_discount", "text": text}
        return self._add(self.chats[chat], 1, "in", kind, content)

    def colleague_writes(self, chat: str, text: str) -> Any:
        return self._add(self.chats[chat], self.user_id, "out", "text", {"text": text})

    def takes_back(self, chat: str, message_id: str) -> Any:
        """Somebody deletes a message: it stays, emptied."""
        for message in self.chats[chat].messages:
            if message["id"] == message_id:
                message["type"], message["content"] = "deleted", {}
                return message
        raise KeyError(message_id)

    def said(self, chat: str) -> list[str]:
        """Our side's texts, oldest first."""
        return [m["content"].get("text", "") for m in self.chats[chat].messages if m["direction"] == "out"]

    def _add(self, chat: Chat, author: int, direction: str, kind: str, content: Any, *, created: int = 0) -> Any:
        with self._lock:
            self._numbers += 1
            message = {
                "id": f"{self._numbers:032x}",
                "author_id": author,
                "created": created or int(time.time()),
                "direction": direction,
                "type": kind,
                "content": content,
                "is_read": False,
                "read": None,
            }
            chat.messages.append(message)
        if self.rings:
            threading.Thread(target=self.ring, args=(chat.id, message), daemon=True).start()
        return message

    # --- webhooks -----------------------------------------------------------------------------------------------

    def event(self, chat: str, message: Mapping[str, Any]) -> dict[str, Any]:
        """What a webhook says of a message."""
        place = self.chats[chat]
        kept = ("id", "author_id", "created", "type", "content")
        value = {name: message[name] for name in kept} | {"chat_id": chat, "user_id": self.user_id, "chat_type": "u2i"}
        if place.item:
            value["item_id"] = place.item["id"]
        with self._lock:
            self._numbers += 1
            number = self._numbers
        return {
            "id": f"97d14aac-0000-4000-8000-{number:012d}",
            "version": "v3.0.0",
            "timestamp": int(time.time()),
            "payload": {"type": "message", "value": value},
        }

    def ring(self, chat: str, message: Mapping[str, Any]) -> list[int]:
        """Call every webhook that is registered, within the vendor's two seconds; the statuses, 0 for none."""
        body = json.dumps(self.event(chat, message), ensure_ascii=False).encode()
        statuses = []
        for subscription in list(self.subscriptions):
            request = urllib.request.Request(
                subscription["url"],
                data=body,
                headers={"Content-Type": "application/json", "x-avito-messenger-signature": self.signature},
            )
            try:
                with urllib.request.urlopen(request, timeout=2) as answer:
                    statuses.append(answer.status)
            except urllib.error.HTTPError as problem:
                statuses.append(problem.code)
            except OSError:
                statuses.append(0)
        return statuses

    # --- troubles and faults ------------------------------------------------------------------------------------

    def trouble(self, operation: str, kind: str, *, times: int = 1, **headers: str) -> None:
        """The next calls of an operation meet a trouble; ``retry_after="7"`` goes with *busy*."""
        assert kind in TROUBLES, kind
        self._troubles[operation].extend([(kind, headers)] * times)

    def calls(self, operation: str) -> int:
        return sum(1 for name, _asked in self.asked if name == operation)

    def expire_tokens(self) -> None:
        self.tokens.clear()

    @property
    def faults(self) -> list[str]:
        """What is wrong with the requests that came and the answers that were given, by the contract."""
        while self._checks:
            self._faults += self._checks.popleft()()
        return self._faults

    # --- the API ------------------------------------------------------------------------------------------------

    def route(self, method: str, path: str, operation: str, answer: Route) -> None:
        """``path`` with ``{names}``, whose values the answer finds in ``asked.words``."""
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "$")
        self._routes.insert(0, (method, pattern, operation, answer))

    def _add_routes(self) -> None:
        account, c = "accounts/{user_id}", "chats/{chat_id}"
        for method, path, operation, answer in (
            ("GET", f"/messenger/v2/{account}/chats", "chats", self._list_chats),
            ("GET", f"/messenger/v2/{account}/{c}", "chat", self._one_chat),
            ("GET", f"/messenger/v3/{account}/{c}/messages/", "messages", self._list_messages),
            ("POST", f"/messenger/v1/{account}/{c}/messages/{{message_id}}", "delete", self._delete),
            ("POST", f"/messenger/v1/{account}/{c}/messages", "send", self._send),
            ("POST", f"/messenger/v1/{account}/{c}/messages/image", "send_image", self._send_image),
            ("POST", f"/messenger/v1/{account}/{c}/read", "read", self._read),
            ("GET", f"/messenger/v1/{account}/getVoiceFiles", "voice", self._voice),
            ("POST", f"/messenger/v1/{account}/uploadImages", "upload_image", self._upload),
            ("POST", "/messenger/v1/subscriptions", "subscriptions", self._subscriptions),
            ("POST", "/messenger/v3/webhook", "subscribe", self._subscribe),
            ("POST", "/messenger/v1/webhook/unsubscribe", "unsubscribe", self._unsubscribe),
            ("POST", f"/messenger/v2/{account}/blacklist", "blacklist", lambda asked: (200, {})),
            ("GET", "/core/v1/accounts/self", "self", self._self),
            ("GET", f"/core/v1/{account}/balance/", "balance", lambda asked: (200, {"real": 1500.0, "bonus": 100.0})),
            ("GET", "/core/v1/items", "items", self._list_items),
        ):
            self.route(method, path, operation, answer)

    def _list_chats(self, asked: Asked) -> tuple[int, Any]:
        limit, offset = asked.number("limit", 100), asked.number("offset", 0)
        if not 1 <= limit <= 100 or not 0 <= offset <= 1000:
            return 400, {"error": {"code": 400, "message": "limit or offset"}}
        with self._lock:
            chats = list(self.chats.values())
            if asked.query.get("unread_only") == ["true"]:
                chats = [chat for chat in chats if chat.unread]
            chats.sort(key=lambda chat: chat.messages[-1]["created"] if chat.messages else chat.created, reverse=True)
            return 200, {"chats": [self._shown(chat) for chat in chats[offset : offset + limit]]}

    def _one_chat(self, asked: Asked) -> tuple[int, Any]:
        chat = self._found(asked)
        return (200, self._shown(chat)) if chat else _missing()

    def _shown(self, chat: Chat) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": chat.id,
            "created": chat.created,
            "updated": chat.messages[-1]["created"] if chat.messages else chat.created,
            "users": [
                {"id": chat.user_id, "name": chat.name, "public_user_profile": {"user_id": chat.user_id}},
                {"id": self.user_id, "name": "Наша компания", "public_user_profile": {"user_id": self.user_id}},
            ],
        }
        if chat.item:
            shown["context"] = {"type": "item", "value": chat.item}
        if chat.messages:
            kept = ("id", "author_id", "created", "direction", "type", "content")
            shown["last_message"] = {name: chat.messages[-1][name] for name in kept}
        return shown

    def _list_messages(self, asked: Asked) -> tuple[int, Any]:
        chat = self._found(asked)
        if chat is None:
            return _missing()
        limit, offset = asked.number("limit", 100), asked.number("offset", 0)
        if not 1 <= limit <= 100 or not 0 <= offset <= 1000:
            return 400, {"error": {"code": 400, "message": "limit or offset"}}
        with self._lock:
            rows = [dict(row) for row in reversed(chat.messages)][offset : offset + limit]
        return 200, {"messages": rows, "meta": {"has_more": False}} if self.wrapped else rows

    def _send(self, asked: Asked) -> tuple[int, Any]:
        chat = self._found(asked)
        text = (asked.body.get("message") or {}).get("text")
        if chat is None:
            return _missing()
        if not isinstance(text, str) or not text or len(text) > 1000:
            return 400, {"error": {"code": 400, "message": "text"}}
        message = self._add(chat, self.user_id, "out", "text", {"text": text})
        if self.echoes_first:
            self.ring(chat.id, message)
        kept = ("id", "created", "direction", "type", "content")
        return 200, {name: message[name] for name in kept}

    def _send_image(self, asked: Asked) -> tuple[int, Any]:
        chat = self._found(asked)
        if chat is None:
            return _missing()
        content = {"image": {"sizes": {"1280x960": "https://img.example/1.png"}}}
        message = self._add(chat, self.user_id, "out", "image", content)
        return 200, {n: message[n] for n in ("id", "author_id", "created", "direction", "type", "content")}

    def _delete(self, asked: Asked) -> tuple[int, Any]:
        self.takes_back(unquote(asked.words["chat_id"]), asked.words["message_id"])
        return 200, {}

    def _read(self, asked: Asked) -> tuple[int, Any]:
        chat = self._found(asked)
        if chat is None:
            return _missing()
        chat.read_upto = len(chat.messages) - 1
        return 200, {"ok": True}

    def _voice(self, asked: Asked) -> tuple[int, Any]:
        return 200, {"voices_urls": {each: f"https://voice.example/{each}" for each in asked.query["voice_ids"]}}

    def _upload(self, asked: Asked) -> tuple[int, Any]:
        return 200, {"12345.demo": {"1280x960": "https://img.example/1.png"}}

    def _subscriptions(self, asked: Asked) -> tuple[int, Any]:
        return 200, {"subscriptions": list(self.subscriptions)}

    def _subscribe(self, asked: Asked) -> tuple[int, Any]:
        url = asked.body["url"]
        if all(each["url"] != url for each in self.subscriptions):
            self.subscriptions.append({"url": url, "version": "3"})
        return 200, {"ok": True}

    def _unsubscribe(self, asked: Asked) -> tuple[int, Any]:
        self.subscriptions = [each for each in self.subscriptions if each["url"] != asked.body["url"]]
        return 200, {"ok": True}

    def _self(self, asked: Asked) -> tuple[int, Any]:
        return 200, {
            "id": self.user_id,
            "name": "Наша компания",
            "email": "demo@example.ru",
            "phone": "79000000000",
            "phones": ["79000000000"],
            "profile_url": "https://avito.ru/user/demo/profile",
        }

    def _list_items(self, asked: Asked) -> tuple[int, Any]:
        page, size = asked.number("page", 1), asked.number("per_page", 25)
        if not 0 < size < 100:
            return 400, {"code": "400", "message": "per_page"}
        rows = self.items[(page - 1) * size : page * size]
        return 200, {"meta": {"page": page, "per_page": size}, "resources": rows}

    def _found(self, asked: Asked) -> Chat | None:
        if asked.words["user_id"] != str(self.user_id):
            return None
        return self.chats.get(unquote(asked.words["chat_id"]))

    # --- the server ---------------------------------------------------------------------------------------------

    def serve(self, wire: _Wire) -> None:
        parts = urlsplit(wire.path)
        raw = wire.rfile.read(int(wire.headers.get("Content-Length") or 0))
        if self.delay:
            self._stop.wait(self.delay)
        if parts.path == "/token":
            self._give_token(wire, raw)
            return
        found = next(
            ((m, o, a) for v, p, o, a in self._routes if v == wire.command and (m := p.match(parts.path))), None
        )
        if found is None:
            self._faults.append(f"no such address: {wire.command} {parts.path}")
            wire.whole(404, {"error": {"code": 404, "message": "Not found"}})
            return
        match, operation, answer = found
        assert match is not None
        is_json = "json" in (wire.headers.get("Content-Type") or "")
        body = json.loads(raw) if raw and is_json else None
        asked = Asked(wire.command, parts.path, parse_qs(parts.query), body, match.groupdict())
        self.asked.append((operation, asked))
        headers = {name.lower(): value for name, value in wire.headers.items()}
        self._checks.append(lambda: request_faults(asked, headers))
        trouble, more = self._troubles[operation].popleft() if self._troubles[operation] else ("", {})
        if headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens or trouble == "expired_403":
            if trouble == "expired_403":
                self.tokens.clear()
            wire.whole(403, {"result": {"message": "access token expired", "status": False}})
            return
        if trouble and not trouble.startswith("accepted"):
            self._fail(wire, trouble, more)
            return
        status, said = answer(asked)
        if trouble == "accepted_then_slow":
            self._stop.wait(30)
        if trouble in {"accepted_then_cut", "accepted_then_slow"}:
            wire.drop()
            return
        if trouble == "accepted_then_broken":
            self._fail(wire, "broken", more)
            return
        if status == 200:
            self._checks.append(lambda: answer_faults(asked, said))
        wire.whole(status, said)

    def _fail(self, wire: _Wire, trouble: str, more: Mapping[str, str]) -> None:
        if trouble == "cut":
            wire.drop()
        elif trouble == "busy":
            wait = more.get("retry_after")
            wire.whole(429, _error(429, "Too many requests"), {"Retry-After": wait} if wait else {})
        elif trouble == "expired_401":
            self.tokens.clear()
            wire.whole(401, _error(401, "Unauthorized"))
        elif trouble in {"broken", "no_subscription", "forbidden", "not_found"}:
            status = {"broken": 500, "no_subscription": 402, "forbidden": 403, "not_found": 404}[trouble]
            wire.whole(status, _error(status, "No right to it" if status == 403 else "No"))
        elif trouble == "page":
            wire.whole(200, "<html>Технические работы</html>".encode())
        elif trouble == "empty":
            wire.whole(200, b"")
        elif trouble == "redirect":
            wire.whole(302, b"", {"Location": f"{self.url}/elsewhere"})

    def _give_token(self, wire: _Wire, raw: bytes) -> None:
        form = {name: values[0] for name, values in parse_qs(raw.decode()).items()}
        if wire.headers.get("Content-Type") != "application/x-www-form-urlencoded" or "?" in wire.path:
            self._faults.append("a token is asked for by a form")
        trouble, more = self._troubles["token"].popleft() if self._troubles["token"] else ("", {})
        if trouble:
            self._fail(wire, trouble, more)
            return
        good = form == {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        if not good:
            wire.whole(200, {"error": "invalid_client"})  # an error may come with 200
            return
        with self._lock:
            self.tokens_given += 1
            token = f"demo-token-{self.tokens_given}"
            self.tokens.add(token)
        wire.whole(200, {"access_token": token, "expires_in": self.token_life, "token_type": "Bearer"})


def _listing(user_id: int) -> dict[str, Any]:
    return {
        "id": 3000000001,
        "title": "ИИ-менеджер для отдела продаж",
        "price_string": "30 000 ₽",
        "status_id": 4,
        "url": "https://avito.ru/moskva/predlozheniya_uslug/ii_3000000001",
        "user_id": user_id,
        "images": {"count": 1, "main": {"140x105": "https://img.example/140x105.png"}},
    }


def _missing() -> tuple[int, Any]:
    return 404, _error(404, "Not found")


def _error(status: int, message: str) -> dict[str, Any]:
    return {"error": {"code": status, "message": message}}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *args: Any) -> None:
        """A caller that went away is nothing to tell of."""


class _Wire(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def whole(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = {"Content-Type": "application/json", **(headers or {}), "Content-Length": str(len(data))}
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in head.items())]
        self.connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + data)

    def drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *args: Any) -> None:
        pass


def _handler(avito: AvitoAPI) -> type[_Wire]:
    class Handler(_Wire):
        def _serve(self) -> None:
            try:
                avito.serve(self)
            except OSError:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = _serve

    return Handler


if __name__ == "__main__":  # a process of its own, for benchmarks: its address is printed, it ends with its input
    import sys

    with AvitoAPI() as standin:
        print(standin.url, flush=True)
        sys.stdin.read()
