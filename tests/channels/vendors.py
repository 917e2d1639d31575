"""Telegram and Avito under the conformance suite: each plays its customers and colleagues over its stand-in."""

from __future__ import annotations

import json
import time
import zlib
from typing import Any

from django.test import Client
from django.utils import timezone

from channels_app import arrivals
from channels_app.contract import Kind
from channels_app.telegram import client as bot
from channels_app.telegram import flood, inbox
from common import vendor_token
from common.vendor_http import breaker_of
from sales.enums import Author
from tests.channels.conformance import Driver, free_port
from tests.standins import avito_api
from tests.standins.avito_api import AvitoAPI
from tests.standins.telegram_api import TelegramAPI

TOKEN = "700700700:AAEhBOweik6ad6PsVGRCbqAABBCCDDEEFFG"
BOT_SECRET, AVITO_SECRET = "S3cret_-9", "s" * 43


class VendorDriver(Driver):
    """What both have: an address that may be away for a while, and a door in Django."""

    #: the setting with the vendor's address
    address: str
    away = 0

    def leave(self) -> None:
        """Nobody is at the vendor's address until some time has gone by."""
        setattr(self.settings, self.address, f"http://127.0.0.1:{free_port()}")
        self.away = 2

    def pass_time(self, seconds: float) -> None:
        super().pass_time(seconds)
        if self.away:
            self.away -= 1
            if not self.away:
                self.come_back()

    def come_back(self) -> None:
        raise NotImplementedError

    def _post(self, path: str, body: bytes, **headers: str) -> int:
        client = Client(raise_request_exception=False)
        return int(client.post(path, body, content_type="application/json", headers=headers).status_code)


class TelegramDriver(VendorDriver):
    """The Bot API: what was sent can't be read back, and our own messages don't come back."""

    name = "telegram"
    can = frozenset(
        {"door", "token", "sends", "blind", "tells_wait", "edits", "pictures", "blocks", "unknown", "reopens"}
    )
    chat, other_chat = "700100200", "700100201"
    address = "TELEGRAM_API_URL"

    def start(self) -> None:
        self.api = TelegramAPI(token=TOKEN)
        self.api.__enter__()
        self.settings.TELEGRAM_BOT_TOKEN = TOKEN
        self.settings.TELEGRAM_WEBHOOK_SECRETS = [BOT_SECRET]
        self.spaces = (flood.IN_A_CHAT, flood.IN_A_GROUP, flood.IN_ALL)
        flood.IN_A_CHAT = flood.IN_A_GROUP = flood.IN_ALL = 1
        self.come_back()

    def come_back(self) -> None:
        self.settings.TELEGRAM_API_URL = self.api.root
        bot._bot.cache_clear()
        self.forget_lines()

    def leave(self) -> None:
        super().leave()
        bot._bot.cache_clear()

    def forget_lines(self) -> None:
        flood._own.lines.clear()
        for key in flood._client().scan_iter("flood:*"):
            flood._client().delete(key)

    def stop(self) -> None:
        self.api.__exit__()
        flood.IN_A_CHAT, flood.IN_A_GROUP, flood.IN_ALL = self.spaces
        self.forget_lines()
        bot._bot.cache_clear()

    def text(self, words: str, *, id: str = "m1", chat: str = "") -> Any:
        return self._update("message", id, chat, text=words)

    def of(self, kind: Kind, *, id: str = "m1", words: str = "") -> Any:
        match kind:
            case Kind.EDITED:
                return self._update("edited_message", id, "", text=words, edit_date=1770000100 + len(words))
            case Kind.IMAGE:
                sizes = {"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9}
                return self._update("message", id, "", photo=[sizes])
            case Kind.VOICE:
                return self._update("message", id, "", voice={"file_id": "f", "file_unique_id": "u", "duration": 3})
            case Kind.FILE:
                return self._update("message", id, "", document={"file_id": "f", "file_unique_id": "u"})
            case _:
                return {"update_id": _number(id), "hologram": {"id": 1}}

    def _update(self, kind: str, id: str, chat: str, **said: Any) -> Any:
        to: Any = chat or self.chat
        to = int(to) if to.isdigit() else to
        usual = id[:1].isalpha() and id[1:].isdigit()
        message = {
            "message_id": _number(id) if usual else id,
            "from": {"id": to, "is_bot": False, "first_name": "Анна", "language_code": "ru"},
            "chat": {"id": to, "type": "private", "first_name": "Анна"},
            "date": 1770000000,
            **said,
        }
        update = {"update_id": 0, kind: message}
        return {**update, "update_id": zlib.crc32(json.dumps(update).encode()) + 1}

    def hand(self, *parcels: Any) -> list[int]:
        return [self.knock(json.dumps(each).encode()) for each in parcels]

    def knock(self, body: bytes, *, secret: str | None = "right") -> int:
        given = {"right": BOT_SECRET, "wrong": "s3cret_-9"}.get(str(secret))
        headers = {"X-Telegram-Bot-Api-Secret-Token": given} if given else {}
        return self._post("/api/v1/webhooks/telegram", body, **headers)

    def trouble(self, *names: str) -> None:
        self.api.queue.clear()
        for name in names:
            match name:
                case "unreached":
                    self.leave()
                case "busy":
                    self.api.fail("busy", retry_after=7)
                case "busy_for_a_while":
                    self.api.fail("busy", retry_after=1)
                case "refused":
                    self.api.fail("too_long")
                case _:
                    self.api.fail(name)

    def pass_time(self, seconds: float) -> None:
        super().pass_time(seconds)
        self.forget_lines()
        inbox.sweep(now=timezone.now())

    def arrived(self) -> list[str]:
        return [each.text.split("\n")[0] for each in self.api.sent(int(self.chat))]


class AvitoDriver(VendorDriver):
    """The messenger: a webhook only wakes us, what is there is read back, and so is what we have sent."""

    name = "avito"
    can = frozenset(
        {"door", "token", "sends", "looks_back", "tells_wait", "colleague", "echo", "deletes", "pictures", "system"}
        | {"unknown", "reopens"}
    )
    chat, other_chat = "u2i-Ab~c_D-1", "u2i-Ab~c_D-2"
    address = "AVITO_API_URL"

    def start(self) -> None:
        self.api = AvitoAPI()
        self.api.__enter__()
        for chat in (self.chat, self.other_chat):
            self.api.begin_chat("Анна", chat=chat)
        self.settings.AVITO_CLIENT_ID = avito_api.CLIENT_ID
        self.settings.AVITO_USER_ID = avito_api.USER_ID
        self.settings.AVITO_WEBHOOK_SECRETS = [AVITO_SECRET]
        self.come_back()

    def come_back(self) -> None:
        self.settings.AVITO_API_URL = self.api.url
        self.settings.AVITO_CLIENT_SECRET = avito_api.CLIENT_SECRET
        vendor_token._memory.clear()

    def stop(self) -> None:
        self.api.__exit__()
        vendor_token._memory.clear()
        breaker_of.cache_clear()

    def text(self, words: str, *, id: str = "m1", chat: str = "") -> Any:
        return self._row("text", {"text": words}, id=id, chat=chat)

    def of(self, kind: Kind, *, id: str = "m1", words: str = "") -> Any:
        match kind:
            case Kind.IMAGE:
                return self._row("image", {"image": {"sizes": {"140x105": "https://img.example/1.png"}}}, id=id)
            case Kind.VOICE:
                return self._row("voice", {"voice": {"voice_id": "v1"}}, id=id)
            case Kind.SYSTEM:
                return self._row("system", {"flow_id": "x", "text": words}, id=id, author=1)
            case Kind.FILE | Kind.DELETED:
                return self._row(kind.value, {}, id=id)
            case _:
                return self._row("hologram", {}, id=id)

    def colleague(self, words: str, *, id: str = "c1", chat: str = "") -> Any:
        return self._row("text", {"text": words}, id=id, chat=chat, author=self.api.user_id)

    def _row(self, kind: str, content: Any, *, id: str, chat: str = "", author: int = 0) -> Any:
        chat = chat or self.chat
        known = self.api.chats.get(chat)
        message = {
            "id": id,
            "author_id": author or (known.user_id if known else 777001),
            "created": int(time.time()),
            "direction": "out" if author == self.api.user_id else "in",
            "type": kind,
            "content": content,
            "is_read": False,
            "read": None,
        }
        return chat, message

    def hand(self, *parcels: Any) -> list[int]:
        statuses = []
        for chat, message in parcels:
            if chat in self.api.chats:
                there = self.api.chats[chat].messages
                if all(each["id"] != message["id"] for each in there):
                    there.append(message)
                elif message["type"] == "deleted":
                    self.api.takes_back(chat, message["id"])
            value = {**message, "chat_id": chat, "user_id": self.api.user_id}
            event = {"id": "1", "version": "v3.0.0", "payload": {"type": "message", "value": value}}
            statuses.append(self.knock(json.dumps(event).encode()))
            arrivals.sweep(now=timezone.now())
        return statuses

    def knock(self, body: bytes, *, secret: str | None = "right") -> int:
        given = {"right": AVITO_SECRET, "wrong": "t" * 43}.get(str(secret), "")
        return self._post(f"/api/v1/webhooks/avito/messages/{given}", body)

    def trouble(self, *names: str) -> None:
        self.api._troubles["send"].clear()
        kinds = {"broken": "broken", "cut": "accepted_then_cut", "lost": "cut", "refused": "not_found"}
        for name in names:
            match name:
                case "unreached":
                    self.leave()
                case "revoked":
                    self.settings.AVITO_CLIENT_SECRET = "of yesterday"
                    self.api.expire_tokens()
                    vendor_token._memory.clear()
                    self.away = 2
                case "busy":
                    self.api.trouble("send", "busy", retry_after="7")
                case "busy_for_a_while":
                    self.api.trouble("send", "busy")
                case _:
                    self.api.trouble("send", kinds[name])

    def pass_time(self, seconds: float) -> None:
        super().pass_time(seconds)
        breaker_of("avito", self.api.url).forget()

    def trouble_looking(self, *names: str) -> None:
        for name in names:
            # what is cut is asked again within the call, who is busy isn't
            kind, times = {"busy": ("busy", 1), "lost": ("cut", 4)}[name]
            self.api.trouble("messages", kind, times=times)

    def arrived(self) -> list[str]:
        colleagues = {str(each.text) for each in self.messages(Author.OPERATOR) if each.external_id}
        said = [each.split("\n")[0] for each in self.api.said(self.chat)]
        return [each for each in said if each not in colleagues]

    def echo(self, number: int = -1) -> Any:
        ours = [each for each in self.api.chats[self.chat].messages if each["direction"] == "out"]
        return self.chat, ours[number]


def _number(id: str) -> int:
    """A number of Telegram's for a name of the suite's."""
    return zlib.crc32(id.encode("utf-8", "surrogatepass")) % 1_000_000 + 1
