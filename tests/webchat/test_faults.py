"""The chat while something else is broken: Valkey, the worker, the server itself, the line to the database."""

from __future__ import annotations

import asyncio
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress

import pytest
import redis
import websockets

from tests.stack import Stack, running
from tests.webchat.browser import Browser, history, session


@pytest.fixture(scope="module")
def fragile() -> Iterator[Stack]:
    """Processes that these tests may kill."""
    with running(settings="tests.webchat.parrot") as started:
        yield started


async def test_without_valkey_a_message_is_stored_answered_and_shown(fragile: Stack) -> None:
    conversation, token = session(fragile.url)
    async with Browser(fragile.url, conversation, token) as browser:
        fragile.kill("valkey")
        try:
            began = time.monotonic()
            await browser.say("слышно?")
            acknowledged_after = time.monotonic() - began
            await browser.until(lambda: browser.messages, seconds=20)
        finally:
            fragile.start("valkey")
        seq = await browser.say("а теперь?")
        await browser.until(lambda: len(browser.messages) == 2, seconds=20)

    assert acknowledged_after < 3
    assert seq == 3
    assert browser.texts == ["слышно?", "а теперь?"]


async def test_an_emptied_valkey_costs_seconds_and_nothing_else(fragile: Stack) -> None:
    conversation, token = session(fragile.url)
    async with Browser(fragile.url, conversation, token) as browser:
        await browser.say("раз")
        await browser.until(lambda: browser.messages, seconds=20)
        redis.Redis.from_url(fragile.valkey.url).flushall()
        await browser.say("два")
        await browser.until(lambda: len(browser.messages) == 2, seconds=20)

    assert browser.texts == ["раз", "два"]


async def test_without_a_worker_the_sweep_answers(fragile: Stack) -> None:
    conversation, token = session(fragile.url)
    fragile.kill("worker")
    try:
        async with Browser(fragile.url, conversation, token) as browser:
            await browser.say("кто здесь?")
            await browser.until(lambda: browser.messages, seconds=20)
    finally:
        fragile.start("worker")

    assert browser.texts == ["кто здесь?"]


async def test_a_killed_server_loses_nothing_that_it_has_acknowledged(fragile: Stack) -> None:
    conversation, token = session(fragile.url)
    async with Browser(fragile.url, conversation, token) as browser:
        for number in range(10):
            await browser.say(str(number))
        fragile.kill("daphne")
        await browser.ended()
    fragile.start("daphne")
    async with Browser(fragile.url, conversation, token, after=browser.known) as again:
        await again.say("и снова")

    stored = [each["text"] for each in history(fragile.url, conversation, token) if each["author"] == "customer"]
    assert stored == [*map(str, range(10)), "и снова"]
    assert set(browser.seqs) & set(again.seqs) == set()


async def test_open_connections_are_counted_and_a_killed_server_has_none(fragile: Stack) -> None:
    def count() -> float:
        page = urllib.request.urlopen(f"{fragile.url}/metrics").read().decode()
        return sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith("websockets_open"))

    conversation, token = session(fragile.url)
    async with Browser(fragile.url, conversation, token), Browser(fragile.url, conversation, token):
        while_two = count()
        fragile.kill("daphne")
    fragile.start("daphne")

    assert (while_two, count()) == (2, 0)


async def test_cut_lines_to_the_database_are_mended_without_a_word_to_the_visitor(fragile: Stack) -> None:
    conversation, token = session(fragile.url)
    async with Browser(fragile.url, conversation, token) as browser:
        for number in range(5):
            fragile.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'web'"
            )
            await browser.say(str(number))

        assert browser.of("error") == []
    stored = [each["text"] for each in history(fragile.url, conversation, token) if each["author"] == "customer"]
    assert stored == ["0", "1", "2", "3", "4"]


async def test_no_text_and_no_token_is_left_in_valkey_or_a_log(fragile: Stack) -> None:
    conversation, token = session(fragile.url)
    secret = "Иван Сусанин, +7 921 555-44-33"
    heard: list[bytes] = []
    with redis.Redis.from_url(fragile.valkey.url).monitor() as monitor:
        async with Browser(fragile.url, conversation, token) as browser:
            await browser.say(secret)
            await browser.until(lambda: browser.messages, seconds=20)
        redis.Redis.from_url(fragile.valkey.url).set("the-end", 1)
        for command in monitor.listen():
            heard.append(str(command["command"]).encode())
            if b"the-end" in heard[-1]:
                break
    logs = "".join(fragile.log(name) for name in ("daphne", "worker", "sweep"))

    assert len(heard) > 5
    for planted in ("Сусанин", "555-44-33", token):
        assert planted not in logs
        assert not [each for each in heard if planted.encode() in each]
        assert not [each for each in heard if planted in each.decode("unicode_escape", "replace")]


@pytest.fixture(scope="module")
def strict() -> Iterator[Stack]:
    """A server with its limits on, for one site alone."""
    with running(
        settings="tests.webchat.parrot", programs=("daphne",), RATE_LIMITS="on", WIDGET_ORIGINS="https://shop.ru"
    ) as started:
        yield started


async def test_a_thousand_frames_at_once_end_with_4429_and_what_was_acknowledged_is_stored(strict: Stack) -> None:
    conversation, token = session(strict.url)
    async with Browser(strict.url, conversation, token, origin="https://shop.ru") as browser:
        with suppress(websockets.ConnectionClosed):  # the line is cut while we still write
            for number in range(1000):
                await browser.send(type="message", client_id=f"id{number}", text=str(number))
        code = await browser.ended(seconds=60)

    acknowledged = len(browser.of("ack"))
    stored = history(strict.url, conversation, token)
    assert code == 4429
    assert acknowledged == 298  # the hello is a frame too, and the 300th is one too many
    assert [each["text"] for each in stored] == [str(number) for number in range(acknowledged)]


async def test_the_fiftieth_bad_frame_ends_the_connection_with_4429(strict: Stack) -> None:
    conversation, token = session(strict.url)
    async with Browser(strict.url, conversation, token, origin="https://shop.ru") as browser:
        for _ in range(49):
            await browser.raw("{")
        await browser.send(type="ping")
        await browser.until(lambda: browser.of("pong"))

        await browser.raw("{")

        assert await browser.ended() == 4429


@pytest.mark.parametrize("origin", ["https://evil.ru", "https://shop.ru.evil.ru", "https://shop.ru:444", "null", None])
async def test_a_foreign_page_is_refused_before_the_handshake(strict: Stack, origin: str | None) -> None:
    conversation, token = session(strict.url)
    browser = Browser(strict.url, conversation, token, origin=origin)

    with pytest.raises(websockets.InvalidStatus) as refusal:
        await browser.open()

    assert refusal.value.response.status_code == 403


async def test_with_limits_lifted_a_thousand_frames_are_all_answered(fragile: Stack) -> None:
    conversation, token = session(fragile.url)
    async with Browser(fragile.url, conversation, token) as browser:
        await asyncio.gather(*(browser.send(type="message", client_id=f"id{n}", text=str(n)) for n in range(1000)))
        await browser.until(lambda: len(browser.of("ack")) == 1000, seconds=90)

        acknowledged = {each["client_id"]: each["seq"] for each in browser.of("ack")}
    first = history(fragile.url, conversation, token)
    rest = history(fragile.url, conversation, token, after=first[-1]["seq"])
    while len(page := history(fragile.url, conversation, token, after=rest[-1]["seq"])):
        rest += page
    stored = {each["text"]: each["seq"] for each in first + rest if each["author"] == "customer"}
    assert {f"id{text}": seq for text, seq in stored.items()} == acknowledged
    assert [each["seq"] for each in first + rest] == list(range(1, len(first + rest) + 1))
    assert not set(browser.seqs) & set(acknowledged.values())
