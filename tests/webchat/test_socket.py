"""The websocket's protocol, row by row, against the real server."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import Any

import pytest
import websockets

from channels_app.webchat import frames
from tests.stack import Stack
from tests.webchat.browser import Browser, history, post, session


async def test_after_hello_comes_ready_and_then_everything_in_order(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as first:
        for number in range(3):
            await first.say(f"слово {number}")

    async with Browser(stack.url, conversation, token, after=1) as second:
        await second.until(lambda: len(second.messages) >= 2)

        assert second.frames[0] == {"type": "ready", "seq": second.frames[0]["seq"]}
        assert second.frames[0]["seq"] >= 3
        assert second.seqs[:2] == [2, 3]
        assert second.texts[:2] == ["слово 1", "слово 2"]


async def test_a_message_is_acknowledged_and_then_answered(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        seq = await browser.say("Сколько стоит?", "my-id")
        await browser.until(lambda: browser.messages, seconds=20)

        assert browser.of("ack") == [{"type": "ack", "client_id": "my-id", "seq": seq}]
        assert browser.of("typing") == [{"type": "typing", "author": "assistant"}]
        reply = browser.messages[0]
        assert {**reply, "created_at": ""} == {
            "seq": 2,
            "author": "assistant",
            "text": "Сколько стоит?",
            "html": reply["html"],
            "cards": [],
            "citations": [],
            "created_at": "",
        }
        assert [each["author"] for each in history(stack.url, conversation, token)] == ["customer", "assistant"]


async def test_the_sender_gets_an_ack_and_the_other_tab_the_message(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as mine, Browser(stack.url, conversation, token) as other:
        seq = await mine.say("привет")
        await other.until(lambda: other.messages, seconds=2)

        assert (other.seqs[0], other.messages[0]["author"], other.texts[0]) == (seq, "customer", "привет")
        assert [each for each in mine.messages if each["author"] == "customer"] == []
        assert other.of("ack") == []


async def test_the_same_client_id_twice_is_one_message(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        first = await browser.say("раз", "same")
        again = await browser.say("раз", "same")

    stored = [each for each in history(stack.url, conversation, token) if each["author"] == "customer"]
    assert (first, again) == (1, 1)
    assert [each["text"] for each in stored] == ["раз"]


async def test_the_same_client_id_in_two_connections_at_once_is_one_message(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as left, Browser(stack.url, conversation, token) as right:
        for number in range(20):
            numbers = await asyncio.gather(
                left.say(f"№{number}", f"id{number}"), right.say(f"№{number}", f"id{number}")
            )

            assert numbers[0] == numbers[1]

    stored = [each for each in history(stack.url, conversation, token) if each["author"] == "customer"]
    assert [each["text"] for each in stored] == [f"№{number}" for number in range(20)]


async def test_nobody_who_has_not_said_hello_is_told_anything(stack: Stack) -> None:
    conversation, token = session(stack.url)
    silent = Browser(stack.url, conversation, token)
    await silent.open()
    began = time.monotonic()

    code = await silent.ended()

    assert code == 4401
    assert 4.5 < time.monotonic() - began < 7
    assert silent.frames == []


async def _stranger(stack: Stack, known: str, token: str) -> Any:
    other, others_token = session(stack.url)
    return {
        "another's conversation": (other, token),
        "another's token": (known, others_token),
        "a made-up conversation": (str(uuid.uuid4()), token),
        "no id at all": ("мой-чат", token),
        "an empty token": (known, ""),
        "a token with an odd character": (known, token + "\ud800\x00"),
    }


async def test_strangers_are_refused_with_4401_and_told_nothing(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as owner:
        await owner.say("тайна")

        for name, (where, key) in (await _stranger(stack, conversation, token)).items():
            stranger = Browser(stack.url, where, key)
            await stranger.open()
            await stranger.hello()

            assert (name, await stranger.ended(), stranger.frames) == (name, 4401, [])


async def test_an_expired_token_is_refused(stack: Stack) -> None:
    conversation, token = session(stack.url)
    stack.sql("UPDATE channels_app_thread SET expires_at = now() WHERE conversation_id = %s", conversation)

    async with Browser(stack.url, conversation, token) as late:
        assert (await late.ended(), late.frames) == (4401, [])


@pytest.mark.parametrize(
    "first",
    [
        '{"type":"message","client_id":"1","text":"hi"}',
        '{"type":"ping"}',
        '{"type":"hello"}',
        '{"type":"hello","token":5}',
        "{",
        "[]",
        b"\x00\x01",
    ],
)
async def test_whatever_comes_before_hello_ends_the_connection(stack: Stack, first: str | bytes) -> None:
    conversation, token = session(stack.url)
    browser = Browser(stack.url, conversation, token)
    await browser.open()
    await browser.raw(first)

    assert (await browser.ended(), browser.frames) == (4401, [])


@pytest.mark.parametrize("after", [-1, "5", 1.5, None, True, [], {}])
async def test_an_after_that_makes_no_sense_counts_as_zero_and_is_said(stack: Stack, after: Any) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        await browser.say("раз")
    again = Browser(stack.url, conversation, token)
    await again.open()
    await again.hello(after=after)
    await again.until(lambda: again.messages)

    assert [each["type"] for each in again.frames][:3] == ["ready", "error", "message"]
    assert again.seqs[0] == 1
    await again.leave()


async def test_an_after_from_the_future_hides_nothing_new(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token, after=10**30) as browser:
        await browser.say("раз")
        await browser.until(lambda: browser.texts == ["раз"])


BAD = {
    "{": "not_json",
    "": "not_json",
    '{"type":"message","client_id":"1","text":NaN}': "not_json",
    '{"type":"read","seq":' + "9" * 5000 + "}": "not_json",
    "[" * 100_000: "not_json",
    "5": "bad_frame",
    "null": "bad_frame",
    "{}": "bad_frame",
    '{"type":5}': "bad_frame",
    '{"type":"shout"}': "unknown_type",
    '{"type":"__class__"}': "unknown_type",
    '{"type":"message","text":"x"}': "bad_client_id",
    '{"type":"message","client_id":"","text":"x"}': "bad_client_id",
    '{"type":"message","client_id":7,"text":"x"}': "bad_client_id",
    json.dumps({"type": "message", "client_id": "x" * 101, "text": "x"}): "bad_client_id",
    '{"type":"message","client_id":"1"}': "bad_frame",
    '{"type":"message","client_id":"1","text":{"a":1}}': "bad_frame",
    '{"type":"message","client_id":"1","text":""}': "empty",
    '{"type":"message","client_id":"1","text":" \\n\\t\\u00a0 "}': "empty",
    json.dumps({"type": "message", "client_id": "1", "text": "я" * 4001}): "too_long",
    json.dumps({"type": "message", "client_id": "1", "text": "я" * 20_000}): "too_long",
    '{"type":"read"}': "bad_frame",
    '{"type":"read","seq":-1}': "bad_frame",
    '{"type":"read","seq":true}': "bad_frame",
    '{"type":"hello","token":"x"}': "bad_frame",
    b"\xff\xfe": "binary",
}


async def test_bad_frames_are_named_and_the_connection_lives(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        for bad in BAD:
            await browser.raw(bad)
        await browser.until(lambda: len(browser.of("error")) == len(BAD))
        seq = await browser.say("всё ещё здесь")

        assert [each["code"] for each in browser.of("error")] == list(BAD.values())
        assert all(each["detail"] for each in browser.of("error"))
        assert seq == 1


NASTY = [
    "я" * 4000,
    "👩‍👩‍👧‍👦" * 500,
    "\u202eоттенёк\u202c и \u200b\u2060нуль",
    "<script>alert(1)</script> {{7*7}} ${x} %s {0}",
    "a" + "\u0301" * 500,
    "ё" + "\u2028" + "строка",
]


async def test_nasty_text_is_kept_as_it_was_said(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        for text in NASTY:
            await browser.say(text)
    stored = [each for each in history(stack.url, conversation, token) if each["author"] == "customer"]

    assert [each["text"] for each in stored] == [frames.checked_text(text) for text in NASTY]
    assert "&lt;script&gt;" in stored[3]["html"]


async def test_what_a_database_cannot_hold_is_replaced_and_the_rest_kept(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        await browser.raw('{"type":"message","client_id":"\\u0000\\ud800","text":"до\\u0000после\\ud800!"}')
        await browser.until(lambda: browser.of("ack"))
        await browser.raw('{"type":"message","client_id":"\\u0000\\ud801","text":"другое"}')
        await browser.until(lambda: len(browser.of("ack")) == 2)

    stored = [each["text"] for each in history(stack.url, conversation, token) if each["author"] == "customer"]
    assert stored == ["до�после�!", "другое"]
    assert browser.of("ack")[0]["client_id"] == "\x00\ud800"


async def test_broken_utf8_ends_that_connection_and_no_other(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        # a whole text frame by hand: fin + text, masked with zeros
        browser.line.transport.write(b"\x81\x83\x00\x00\x00\x00\xd0\xff\x80")

        assert await browser.ended() in {1006, 1007}  # the server cuts the line, as the standard lets it
    async with Browser(stack.url, conversation, token) as next_one:
        assert await next_one.say("я тут") == 1


async def test_ping_is_answered_and_typing_is_taken_quietly(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        await browser.send(type="typing")
        await browser.send(type="ping")
        await browser.until(lambda: browser.of("pong"))

        assert [each["type"] for each in browser.frames] == ["ready", "pong"]


async def test_what_was_read_is_remembered_and_never_goes_back(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        for number in range(3):
            await browser.say(str(number))
        for seq in (2, 1, 10**12):
            await browser.send(type="read", seq=seq)
            await browser.send(type="ping")
            await browser.until(lambda seq=seq: len(browser.of("pong")) == [2, 1, 10**12].index(seq) + 1)
        known = browser.known

    kept = stack.sql("SELECT read_seq FROM channels_app_thread WHERE conversation_id = %s", conversation)
    assert 3 <= int(str(kept[0][0])) <= known


@pytest.mark.parametrize("size", [frames.FRAME_MOST + 1, 1024 * 1024, 4 * 1024 * 1024 - 64])
@pytest.mark.parametrize("kind", ["text", "binary", "cyrillic"])
async def test_a_frame_over_256_kib_ends_with_4413(stack: Stack, size: int, kind: str) -> None:
    conversation, token = session(stack.url)
    data: str | bytes = {"text": "x" * size, "binary": b"x" * size, "cyrillic": "я" * (size // 2 + 1)}[kind]
    async with Browser(stack.url, conversation, token) as browser:
        await browser.raw(data)

        assert await browser.ended() == 4413


async def test_a_frame_of_256_kib_is_read(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        await browser.raw("x" * frames.FRAME_MOST)
        await browser.until(lambda: browser.of("error"))

        assert browser.of("error")[0]["code"] == "not_json"


async def test_an_enormous_message_in_fragments_is_cut_off_and_the_next_visitor_served(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        with pytest.raises(websockets.ConnectionClosed):
            await browser.line.send("x" * (20 * 1024 * 1024 // 64) for _ in range(64))
            await browser.line.wait_closed()
            await browser.line.send("more")
    async with Browser(stack.url, conversation, token) as next_one:
        assert await next_one.say("я тут") == 1


async def test_an_unknown_address_is_refused_quietly(stack: Stack) -> None:
    before = stack.log("daphne")
    for path in ("/chat/ws/", "/chat/ws/a/b", "/ws", "/", "/chat/ws/%00%0a"):
        try:
            async with websockets.connect(stack.ws + path) as line:
                await line.send('{"type":"hello","token":"x"}')
                await line.wait_closed()
                assert line.close_code == 4401
        except websockets.InvalidStatus as refusal:
            assert refusal.response.status_code == 403

    assert "Traceback" not in stack.log("daphne").removeprefix(before)
    assert stack.log("daphne").removeprefix(before) == ""


async def test_a_client_cannot_say_where_we_are_mounted(stack: Stack) -> None:
    conversation, token = session(stack.url)
    before = stack.log("daphne")
    headers = {"Daphne-Root-Path": "/elsewhere"}

    async with websockets.connect(f"{stack.ws}/chat/ws/{conversation}", additional_headers=headers) as line:
        await line.send(json.dumps({"type": "hello", "token": token, "after": 0}))
        ready = json.loads(await line.recv())

    assert ready == {"type": "ready", "seq": 0}
    assert stack.log("daphne") == before


async def test_an_idle_connection_stays_open(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        await asyncio.sleep(13)

        assert browser.close_code is None
        assert await browser.say("всё ещё здесь") == 1


async def test_a_closed_conversation_takes_nothing_more_and_says_so(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        stack.sql("UPDATE sales_conversation SET mode = 'closed' WHERE id = %s", conversation)
        await browser.send(type="message", client_id="1", text="ещё вопрос")
        await browser.until(lambda: browser.of("error") and browser.of("state"))

        assert browser.of("error")[0]["code"] == "closed"
        assert browser.of("error")[0]["client_id"] == "1"
        assert browser.of("state") == [{"type": "state", "mode": "closed"}]
    status, body = post(
        f"{stack.url}/api/v1/chat/sessions/{conversation}/messages", {"client_id": "2", "text": "и ещё"}, token=token
    )
    assert (status, body["errors"][0]["code"]) == (409, "closed")


async def test_who_leads_is_told_at_once_and_to_those_who_come_later(stack: Stack) -> None:
    conversation, token = session(stack.url)
    async with Browser(stack.url, conversation, token) as browser:
        stack.manage(
            "shell",
            "-c",
            "from sales.operations import call_person; from django.utils import timezone;"
            f"call_person(conversation_id='{conversation}', now=timezone.now(), reason='asked_for_person')",
        )
        await browser.until(lambda: browser.of("state"), seconds=4)
    async with Browser(stack.url, conversation, token) as later:
        await later.until(lambda: later.of("state"))

    stack.sql("UPDATE sales_conversation SET mode = 'assistant' WHERE id = %s", conversation)
    async with Browser(stack.url, conversation, token, after=1) as back_again:
        await back_again.until(lambda: back_again.of("state"))

    assert browser.of("state") == later.of("state") == [{"type": "state", "mode": "waiting"}]
    assert back_again.of("state") == [{"type": "state", "mode": "assistant"}]


async def test_reconnecting_fifty_times_loses_nothing_and_doubles_nothing(stack: Stack) -> None:
    conversation, token = session(stack.url)
    seen: list[int] = []
    after = 0
    for number in range(50):
        async with Browser(stack.url, conversation, token, after=after) as browser:
            await browser.send(type="message", client_id=f"m{number}", text=str(number))
            if number % 3:
                await browser.until(lambda: browser.of("ack"))
            # else the line is cut before the acknowledgement comes
        seen += browser.seqs + [each["seq"] for each in browser.of("ack")]
        after = browser.known
        if not browser.of("ack"):
            async with Browser(stack.url, conversation, token, after=after) as again:
                await again.say(str(number), f"m{number}")
            acked = again.acks(f"m{number}")
            seen += [seq for seq in {*again.seqs, *acked} if seq not in seen]
            after = max(after, again.known)
    async with Browser(stack.url, conversation, token, after=after) as last:
        await last.until(lambda: "49" in str(history(stack.url, conversation, token)[-1]["text"]), seconds=30)

    stored = history(stack.url, conversation, token)
    assert [each["seq"] for each in stored] == list(range(1, len(stored) + 1))
    assert [each["text"] for each in stored if each["author"] == "customer"] == [str(number) for number in range(50)]
    assert sorted(set(seen)) == list(range(1, max(seen) + 1))
    assert len(seen) == len(set(seen))
