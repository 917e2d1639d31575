"""A bot of the environment, a stand-in for Telegram, and what Telegram would bring."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from channels_app.telegram import client as bot_client
from channels_app.telegram import flood
from tests.standins.telegram_api import TelegramAPI

TOKEN = "700700700:AAEhBOweik6ad6PsVGRCbqAABBCCDDEEFFG"
SECRET = "S3cret_-9"


@pytest.fixture(scope="module")
def _api() -> Iterator[TelegramAPI]:
    with TelegramAPI(token=TOKEN) as running:
        yield running


@pytest.fixture
def api(_api: TelegramAPI, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[TelegramAPI]:
    settings.TELEGRAM_BOT_TOKEN = TOKEN
    settings.TELEGRAM_API_URL = _api.root
    settings.TELEGRAM_WEBHOOK_SECRETS = [SECRET]
    settings.PUBLIC_URL = "https://shop.example.ru"
    monkeypatch.setattr(flood, "IN_A_CHAT", 1)
    monkeypatch.setattr(flood, "IN_A_GROUP", 1)
    monkeypatch.setattr(flood, "IN_ALL", 1)
    flood._own.lines.clear()
    for key in flood._client().scan_iter("flood:*"):  # what an earlier test was asked to wait for
        flood._client().delete(key)
    _api.forget()
    bot_client._bot.cache_clear()
    yield _api
    assert _api.faults == []


@pytest.fixture
def deliver_update(api: TelegramAPI, db: None) -> Callable[..., Any]:
    """Post an update to the webhook as Telegram would."""

    def post(update: Any, *, secret: str = SECRET, raw: bytes | None = None) -> Any:
        body = json.dumps(update).encode() if raw is None else raw
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        return Client().post("/api/v1/webhooks/telegram", body, content_type="application/json", headers=headers)

    return post


@pytest.fixture
def private() -> Callable[..., dict[str, Any]]:
    """A message of a customer to the bot."""
    numbers = itertools.count(1)

    def message(text: str | None = None, *, chat: int = 700100200, **more: Any) -> dict[str, Any]:
        number = next(numbers)
        user = {"id": chat, "is_bot": False, "first_name": "Ирина", "last_name": "Петрова", "language_code": "ru"}
        said = {
            "message_id": 10 + number,
            "from": user,
            "chat": {"id": chat, "type": "private", "first_name": "Ирина"},
            "date": 1770000000 + number,
            **({"text": text} if text is not None else {}),
            **more,
        }
        return {"update_id": 100000000 + number, "message": said}

    return message
