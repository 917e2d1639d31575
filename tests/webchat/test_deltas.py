"""An answer is read while it is written: in order, by everyone who was there from its beginning, and stored nowhere."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack import Stack, running
from tests.webchat.browser import Browser, history, session
from tests.webchat.storyteller import in_letters

pytestmark = [pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]

STORY = "Первое предложение. |0.3|Второе предложение. |0.3|Третье предложение. |0.3|Конец."
WHOLE = "Первое предложение. Второе предложение. Третье предложение. Конец."
#: the last sentence is known to be one only when all has been said
SHOWN = WHOLE.removesuffix(" Конец.").rstrip()


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running(settings="tests.webchat.storyteller") as started:
        yield started


def grown(browser: Browser) -> dict[str, str]:
    """What grew, by the name of its draft."""
    drafts: dict[str, str] = {}
    for frame in browser.of("delta"):
        assert set(frame) == {"type", "turn", "text"}
        drafts[frame["turn"]] = drafts.get(frame["turn"], "") + frame["text"]
    return drafts


async def answered(browser: Browser, *, seconds: float = 20) -> dict[str, Any]:
    def reply() -> Any:
        return [each["message"] for each in browser.of("message") if each["message"]["author"] == "assistant"]

    await browser.until(reply, seconds=seconds)
    return reply()[-1]


async def test_answer_grows_in_order_in_every_tab_and_is_replaced(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as one, Browser(stack.url, conversation, token) as other:
        await one.send(type="message", client_id="1", text=STORY)
        replies = [await answered(each) for each in (one, other)]

        assert [each["text"] for each in replies] == [WHOLE, WHOLE]
        for browser in (one, other):
            assert [text.rstrip() for text in grown(browser).values()] == [SHOWN]
            kinds = [each["type"] for each in browser.frames]
            assert max(at for at, kind in enumerate(kinds) if kind == "delta") < len(kinds) - 1 - kinds[::-1].index(
                "message"
            )
    assert [each["text"] for each in history(stack.url, conversation, token)] == [STORY, WHOLE]


async def test_first_words_are_there_soon_after_they_were_said(stack: Stack) -> None:
    lags = []
    for _ in range(10):
        conversation, token = session(stack.url)
        async with Browser(stack.url, conversation, token) as browser:
            await browser.send(type="message", client_id="1", text="@|. Дальше. |0.2|Конец.")
            await browser.until(lambda: browser.of("delta"))
            arrived = in_letters(time.time())
            said = browser.of("delta")[0]["text"].split(".")[0]
            lags.append(_read(arrived) - _read(said))
            await answered(browser)

    print(f"first words to the browser, ms after they were said: {sorted(lags)}")
    assert sorted(lags)[5] < 500


def _read(letters: str) -> int:
    return int(letters.translate(str.maketrans("абвгдежзик", "0123456789")))


async def test_what_is_taken_back_gives_way_to_a_draft_with_another_name(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        await browser.send(type="message", client_id="1", text="Начал первый. И не|0.3|-|Начал второй. Закончил.")
        reply = await answered(browser)

    assert [text.rstrip() for text in grown(browser).values()] == ["Начал первый.", "Начал второй."]
    assert reply["text"] == "Начал второй. Закончил."


async def test_who_comes_in_the_middle_gets_no_torn_answer_but_the_whole(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as early:
        await early.send(type="message", client_id="1", text=STORY)
        await early.until(lambda: early.of("delta"))
        async with Browser(stack.url, conversation, token) as late:
            reply = await answered(late)
        await answered(early)

    assert late.frames[0]["type"] == "ready"
    assert late.of("delta") == []
    assert reply["text"] == WHOLE
    assert len(early.of("delta")) >= 2


async def test_a_busy_browser_loses_no_word(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        await browser.send(type="message", client_id="1", text=STORY)
        await browser.until(lambda: browser.of("delta"))
        for number in range(20):
            await browser.send(type="read", seq=1)
            await browser.send(type="ping")
            if number % 5 == 0:
                await asyncio.sleep(0.05)
        await answered(browser)

    assert [text.rstrip() for text in grown(browser).values()] == [SHOWN]


async def test_nothing_grows_any_more_once_an_operator_leads(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        await browser.send(type="message", client_id="1", text="Начало. И|3| продолжение. |0.2|Конец.")
        await browser.until(lambda: browser.of("delta"))
        stack.sql("UPDATE sales_conversation SET mode = 'operator' WHERE id = %s", conversation)
        await browser.until(lambda: browser.of("state"), seconds=5)
        await asyncio.sleep(2.5)

    assert [text.rstrip() for text in grown(browser).values()] == ["Начало."]
    assert [each["text"] for each in history(stack.url, conversation, token)][1:] == []


async def test_words_travel_encrypted_and_are_gone_after(stack: Stack) -> None:
    conversation, token = session(stack.url)
    secret = "Тайнослово кукушкопевцево."
    async with Browser(stack.url, conversation, token) as browser:
        await browser.send(type="message", client_id="1", text=f"{secret} Дальше. |0.3|Конец.")
        await answered(browser)

    files = [path.read_bytes() for path in stack.folder.rglob("*") if path.is_file()]
    assert "".join(grown(browser).values()).startswith(secret)
    assert [each for each in files if secret.encode() in each] == []


async def test_a_layer_that_hangs_costs_the_turn_nothing(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        await browser.send(type="message", client_id="0", text="Первый ответ. |0.2|Готово.")
        await answered(browser)
        stack.kill("valkey", signal.SIGKILL)
        try:
            began = time.monotonic()
            await browser.send(type="message", client_id="1", text=STORY)
            await browser.until(lambda: WHOLE in str(browser.of("message")), seconds=20)
            took = time.monotonic() - began
        finally:
            stack.start("valkey")

    # without a doorbell the sweep begins the turn within 5 s, and the hub's own look finds the answer within 2 s
    assert took < 12
