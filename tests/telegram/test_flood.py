"""Telegram's limits are kept before it has to say so, with Valkey and without."""

from __future__ import annotations

import time
from typing import Any

import pytest

from channels_app.telegram import flood
from common.problems import TemporaryProblem


@pytest.fixture(params=["valkey", "alone"])
def lines(request: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TELEGRAM_BOT_TOKEN = f"9{time.time_ns()}:x"
    monkeypatch.setattr(flood, "_own", flood._Own())
    if request.param == "alone":
        settings.REDIS_URL = "redis://127.0.0.1:9/0"


def took(chat: int) -> float:
    started = time.monotonic()
    flood.wait_for_place(chat)
    return time.monotonic() - started


def test_a_chat_gets_a_message_a_second_and_others_do_not_wait_for_it(lines, monkeypatch):
    monkeypatch.setattr(flood, "IN_A_CHAT", 300)

    first, second, other = took(1), took(1), took(2)

    assert first < 0.25 < second < 1
    assert other < 0.25


def test_all_together_get_thirty_a_second(lines):
    started = time.monotonic()

    for chat in range(20):
        flood.wait_for_place(100 + chat)

    assert 0.6 < time.monotonic() - started < 3


def test_what_would_wait_long_comes_again_later(lines):
    flood.hold(1, 60)

    with pytest.raises(TemporaryProblem) as problem:
        flood.wait_for_place(1)

    assert 50 < (problem.value.retry_after or 0) <= 60
    assert took(2) < 0.25
