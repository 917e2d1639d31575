"""What keeps a visitor's messages in order and single, each guard with a twin where it is taken away."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.utils import timezone

from channels_app.webchat import bell, database, hub, news, threads
from channels_app.webchat.routing import websocket_urlpatterns
from channels_app.webchat.socket import Socket
from sales import operations
from sales.models import User

pytestmark = pytest.mark.django_db(transaction=True)


async def visitor(opened: threads.Opened, after: int = 0) -> WebsocketCommunicator:
    from channels.routing import URLRouter

    line = WebsocketCommunicator(URLRouter(websocket_urlpatterns), f"/chat/ws/{opened.conversation_id}")
    assert (await line.connect())[0]
    await line.send_to(text_data=json.dumps({"type": "hello", "token": opened.token, "after": after}))
    assert json.loads(await line.receive_from(5))["type"] == "ready"
    return line


async def opened() -> threads.Opened:
    return await database.run(threads.open_session, now=timezone.now())


async def operator_says(conversation: threads.Opened, text: str) -> Any:
    def say() -> Any:
        by, _made = User.objects.get_or_create(username="operator")
        return operations.send_as_operator(
            conversation_id=conversation.conversation_id, text=text, by=by, now=timezone.now()
        )

    return await database.run(say)


async def frames_within(line: WebsocketCommunicator, seconds: float) -> list[dict[str, Any]]:
    await asyncio.sleep(seconds)
    found = []
    while not line.output_queue.empty():
        found.append(json.loads(line.output_queue.get_nowait()["text"]))
    return found


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every ring is lost, within the process and between processes."""
    monkeypatch.setattr(hub, "announce", lambda *args, **kwargs: None)


async def test_with_every_ring_lost_news_come_by_looking(deaf: None) -> None:
    chat = await opened()
    line = await visitor(chat)

    await operator_says(chat, "добрый день")
    found = await frames_within(line, 3.5)
    await line.disconnect()

    assert [each["message"]["text"] for each in found if each["type"] == "message"] == ["добрый день"]
    assert [each["mode"] for each in found if each["type"] == "state"] == ["operator"]


async def test_with_every_ring_lost_and_no_looking_nothing_comes(deaf: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "LOOK_EVERY", 3600)
    chat = await opened()
    line = await visitor(chat)

    await operator_says(chat, "добрый день")
    found = await frames_within(line, 3.5)
    await line.disconnect()

    assert found == []


async def test_a_ring_brings_news_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "LOOK_EVERY", 3600)
    chat = await opened()
    line = await visitor(chat)

    await operator_says(chat, "добрый день")
    found = await frames_within(line, 1)
    await line.disconnect()

    assert [each["message"]["text"] for each in found if each["type"] == "message"] == ["добрый день"]


async def test_a_ring_of_another_process_brings_news(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "LOOK_EVERY", 3600)
    monkeypatch.setattr(hub, "announce", bell.ring)  # as another process rings: over the layer only
    chat = await opened()
    line = await visitor(chat)
    await asyncio.sleep(0.5)  # until this process is in the group

    await operator_says(chat, "добрый день")
    found = await frames_within(line, 1.5)
    await line.disconnect()

    assert [each["message"]["text"] for each in found if each["type"] == "message"] == ["добрый день"]


def _frames(*numbers: int) -> news.News:
    from sales.enums import Mode

    return news.News(tuple((each, f'{{"seq":{each}}}') for each in numbers), Mode.ASSISTANT, more=False)


async def _shown(*read: news.News) -> list[int]:
    sent: list[int] = []

    async def send(event: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        sent.append(json.loads(event["text"])["seq"])

    socket = Socket(uuid.uuid4(), send)
    await asyncio.gather(*(socket.show(each) for each in read))
    return sent


OVERLAPPING = (_frames(1, 2, 3), _frames(2, 3, 4), _frames(1), _frames(3, 4, 5))


async def test_readings_that_overlap_show_each_message_once_and_in_order() -> None:
    shown = await _shown(*OVERLAPPING)

    assert shown == sorted(set(shown))
    assert shown[0] == 1


async def test_without_the_number_guard_overlapping_readings_double(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unguarded(self: Socket, seq: int, text: str, *, ends: str | None = None) -> None:
        self.seq = seq
        await self._text(text)

    monkeypatch.setattr(Socket, "_show_message", unguarded)

    shown = await _shown(*OVERLAPPING)

    assert len(shown) > len(set(shown))


async def _say_while_news_are_read(chat: threads.Opened) -> list[str]:
    """Say something, and let everyone look between its storing and its acknowledgement; returns what came."""
    line = await visitor(chat)
    stored = asyncio.Event()
    kept = database.run

    async def slow(work: Any, /, *args: Any, **kwargs: Any) -> Any:
        result = await kept(work, *args, **kwargs)
        if work is operations.receive:
            for beside in hub.of_this_loop().sockets.values():
                hub.of_this_loop().look(next(iter(beside)).conversation_id)
            await asyncio.sleep(0.5)
            stored.set()
        return result

    database.run = slow  # type: ignore[assignment]
    try:
        await line.send_to(text_data='{"type":"message","client_id":"mine","text":"моё"}')
        await asyncio.wait_for(stored.wait(), 10)
    finally:
        database.run = kept
    found = await frames_within(line, 0.5)
    await line.disconnect()
    return [each["type"] for each in found if each["type"] in {"message", "ack"}]


async def test_a_look_between_storing_and_acknowledging_does_not_send_ones_own_words_back() -> None:
    assert await _say_while_news_are_read(await opened()) == ["ack"]


async def test_without_the_busy_guard_ones_own_words_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Socket, "busy", property(lambda self: False, lambda self, value: None))

    assert await _say_while_news_are_read(await opened()) == ["message", "ack"]


async def test_what_came_before_ones_own_message_is_shown_before_its_acknowledgement(
    deaf: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "LOOK_EVERY", 3600)
    chat = await opened()
    line = await visitor(chat)
    await operator_says(chat, "раньше")

    await line.send_to(text_data='{"type":"message","client_id":"mine","text":"позже"}')
    found = await frames_within(line, 1)
    await line.disconnect()

    assert [(each["type"], each.get("seq") or each["message"]["seq"]) for each in found if each["type"] != "state"] == [
        ("message", 1),
        ("ack", 2),
    ]


async def test_a_long_history_comes_whole() -> None:
    chat = await opened()

    def talk() -> None:
        for number in range(1203):
            operations.receive(
                conversation_id=chat.conversation_id, external_id=str(number), text=str(number), now=timezone.now()
            )

    await database.run(talk)
    line = await visitor(chat, after=1)
    found: list[dict[str, Any]] = []
    while len(found) < 1203:
        found.append(json.loads(await line.receive_from(10)))
    await line.disconnect()

    assert [each["message"]["seq"] for each in found[:-1]] == list(range(2, 1204))
    assert found[-1] == {"type": "state", "mode": "assistant"}


async def test_the_hub_sleeps_when_the_last_visitor_has_gone() -> None:
    chat = await opened()
    line = await visitor(chat)
    running = len(hub._hubs)
    await line.disconnect()

    assert (running, len(hub._hubs)) == (1, 0)
