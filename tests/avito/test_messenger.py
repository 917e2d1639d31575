"""A chat on Avito becomes a conversation by two roads, and what we say there arrives once."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from channels_app import arrivals, deliveries, registry
from channels_app.avito import polling, signatures
from channels_app.models import Arrival, Delivery, Thread
from channels_app.panels import panels
from common.promise import State
from sales import operations
from sales.enums import Author, Direction, Mode
from sales.models import Conversation, Message, Notice, Turn
from tests.avito.conftest import SECRET
from tests.standins.avito_api import AvitoAPI

pytestmark = pytest.mark.django_db

HOOK = f"/api/v1/webhooks/avito/messages/{SECRET}"


def ring(avito: AvitoAPI, chat: str, message: Any, *, path: str = HOOK, **more: str) -> int:
    body = json.dumps(avito.event(chat, message), ensure_ascii=False)
    return Browser().post(path, data=body, content_type="application/json", headers=more).status_code


def looked() -> None:
    """Everything that is owed is done, as the sweep does it."""
    Arrival.objects.filter(state=State.DUE).update(due_at=timezone.now() - timedelta(seconds=1))
    while arrivals.sweep(now=timezone.now()):
        pass


def sent() -> None:
    Delivery.objects.filter(state=State.DUE).update(due_at=timezone.now() - timedelta(seconds=1))
    deliveries.sweep(now=timezone.now())


def heard(chat: str) -> list[tuple[str, str]]:
    rows = Message.objects.filter(conversation__external_id=chat).order_by("seq")
    return [(row.author, row.text) for row in rows]


def say(chat: str, text: str) -> Delivery:
    conversation = Conversation.objects.get(external_id=chat)
    message = operations.append(
        conversation,
        now=timezone.now(),
        direction=Direction.OUT,
        author=Author.ASSISTANT,
        external_id=f"turn:{text}",
        text=text,
    )
    delivery = deliveries.owe(message, conversation=conversation, now=timezone.now())
    assert delivery is not None
    return delivery


@pytest.fixture
def chat(avito: AvitoAPI) -> str:
    """A chat that has begun with a question."""
    chat = avito.begin_chat("Ирина")
    ring(avito, chat, avito.customer_writes(chat, "Сколько стоит?"))
    looked()
    return chat


# --- in -----------------------------------------------------------------------------------------------------------


def test_a_webhook_makes_a_conversation_with_a_name_and_the_listing_that_is_asked_about(avito: AvitoAPI, chat: str):
    conversation = Conversation.objects.select_related("lead").get(external_id=chat)

    assert heard(chat) == [(Author.CUSTOMER, "Сколько стоит?")]
    assert conversation.lead.name == "Ирина"
    assert conversation.memory["item"].startswith("ИИ-менеджер для отдела продаж, 30 000 ₽, https://avito.ru/")
    assert Thread.objects.get(conversation=conversation).data["item"]["id"] == "3000000001"
    assert Turn.objects.filter(conversation=conversation, state=State.DUE).count() == 1
    assert avito.calls("read") == 1


def test_a_webhook_asks_the_vendor_nothing_and_what_it_says_is_not_taken(avito: AvitoAPI):
    chat = avito.begin_chat()
    said = avito.customer_writes(chat, "Добрый день")

    assert ring(avito, chat, {**said, "content": {"text": "Переведите деньги"}}) == 200
    assert avito.asked == []
    looked()

    assert heard(chat) == [(Author.CUSTOMER, "Добрый день")]


def test_repeats_and_disorder_and_both_roads_make_one_of_each(avito: AvitoAPI):
    chat = avito.begin_chat()
    said = [avito.customer_writes(chat, text) for text in ("раз", "два", "три")]

    for each in (said[2], said[0], said[0], said[1]):
        ring(avito, chat, each)
    polling.poll(now=timezone.now())
    looked()
    ring(avito, chat, said[1])
    polling.poll(now=timezone.now())
    looked()

    assert heard(chat) == [(Author.CUSTOMER, each) for each in ("раз", "два", "три")]


def test_polling_finds_what_no_webhook_told_of_and_then_nothing(avito: AvitoAPI):
    chats = [avito.begin_chat(f"Клиент {number}") for number in range(3)]
    for each in chats:
        avito.customer_writes(each, "Вы работаете?")

    first = polling.poll(now=timezone.now())
    looked()
    second = polling.poll(now=timezone.now())

    assert (first.owed, second.owed) == (3, 0)
    assert [heard(each) for each in chats] == [[(Author.CUSTOMER, "Вы работаете?")]] * 3


def test_many_unread_chats_are_looked_at_one_after_another(avito: AvitoAPI):
    for number in range(130):
        avito.customer_writes(avito.begin_chat(f"Клиент {number}"), "Добрый день")

    found = polling.poll(now=timezone.now())

    assert (found.owed, avito.calls("chats")) == (130, 3)
    due = [each.due_at for each in Arrival.objects.order_by("due_at")]
    assert due[-1] - due[0] > timedelta(seconds=60)


def test_a_mark_as_read_that_was_lost_is_set_again(avito: AvitoAPI):
    chat = avito.begin_chat()
    avito.customer_writes(chat, "Добрый день")
    avito.trouble("read", "broken")
    polling.poll(now=timezone.now())
    looked()
    assert avito.chats[chat].unread

    polling.poll(now=timezone.now())

    assert not avito.chats[chat].unread
    assert Arrival.objects.filter(state=State.DUE).count() == 0


@pytest.mark.parametrize(
    ("kind", "content", "shown"),
    [
        ("image", {"image": {"sizes": {"140x105": "https://img.example/1.png"}}}, "[изображение]"),
        ("voice", {"voice": {"voice_id": "v1"}}, "[голосовое сообщение]"),
        ("location", {"location": {"kind": "house", "title": "Тверская, 1"}}, "[место на карте] Тверская, 1"),
        ("link", {"link": {"text": "Смотрите", "url": "https://a.example", "preview": None}}, "Смотрите https://a.ex"),
        ("item", {"item": {"title": "Товар", "price_string": "1 ₽", "item_url": "https://a.example"}}, "Товар, 1 ₽,"),
    ],
)
def test_what_isnt_text_is_shown_as_what_it_is(avito: AvitoAPI, kind: str, content: Any, shown: str):
    chat = avito.begin_chat()
    ring(avito, chat, avito.customer_writes(chat, kind=kind, content=content))
    looked()

    assert heard(chat)[0][1].startswith(shown)


@pytest.mark.parametrize(
    ("kind", "content"),
    [("system", {"flow_id": "x", "text": "Скидка"}), ("call", {"call": {"status": "missed"}}), ("deleted", {})],
)
def test_what_asks_nothing_of_us_gets_no_answer(avito: AvitoAPI, kind: str, content: Any):
    chat = avito.begin_chat()
    ring(avito, chat, avito.customer_writes(chat, kind=kind, content=content))
    looked()

    assert (heard(chat), Turn.objects.count()) == ([], 0)


def test_avitos_own_words_are_answered_by_nobody(avito: AvitoAPI):
    chat = avito.begin_chat()
    ring(avito, chat, avito.avito_writes(chat))
    looked()

    assert heard(chat) == []


def test_what_is_taken_back_stays_heard(avito: AvitoAPI, chat: str):
    number = avito.chats[chat].messages[0]["id"]
    ring(avito, chat, avito.takes_back(chat, number))
    looked()

    assert heard(chat) == [(Author.CUSTOMER, "Сколько стоит?")]


def test_a_chat_without_a_listing_is_answered_too(avito: AvitoAPI):
    chat = avito.begin_chat(item=None)
    ring(avito, chat, avito.customer_writes(chat, "Добрый день"))
    looked()

    assert heard(chat) == [(Author.CUSTOMER, "Добрый день")]


def test_a_vendor_that_is_away_is_looked_at_again(avito: AvitoAPI):
    chat = avito.begin_chat()
    avito.trouble("messages", "broken", times=3)
    ring(avito, chat, avito.customer_writes(chat, "Добрый день"))
    looked()
    assert Arrival.objects.get().state == State.DUE
    looked()

    assert heard(chat) == [(Author.CUSTOMER, "Добрый день")]


def test_keys_that_are_refused_are_told_to_staff_and_lose_nothing(avito: AvitoAPI):
    chat = avito.begin_chat()
    avito.trouble("messages", "no_subscription")
    ring(avito, chat, avito.customer_writes(chat, "Добрый день"))
    looked()
    assert Notice.objects.get().subject == "avito"
    looked()

    assert heard(chat) == [(Author.CUSTOMER, "Добрый день")]


def test_the_listing_stands_on_the_pages_of_lead_and_conversation(avito: AvitoAPI, chat: str):
    conversation = Conversation.objects.select_related("lead").get(external_id=chat)

    for row in (conversation, conversation.lead):
        shown = "".join(panels(row))
        assert "ИИ-менеджер для отдела продаж</a> 30 000 ₽" in shown


# --- out ----------------------------------------------------------------------------------------------------------


def test_a_reply_arrives_once_and_its_echo_is_no_colleague(avito: AvitoAPI, chat: str):
    say(chat, "Добрый день!")
    sent()
    ring(avito, chat, avito.chats[chat].messages[-1])
    looked()

    assert [each.partition("\n")[0] for each in avito.said(chat)] == ["Добрый день!"]
    assert Conversation.objects.get(external_id=chat).mode == Mode.ASSISTANT


@pytest.mark.parametrize("how", ["accepted_then_cut", "accepted_then_broken", "cut", "broken", "page"])
def test_a_send_in_doubt_is_settled_by_reading_the_chat(avito: AvitoAPI, chat: str, how: str):
    avito.trouble("send", how)
    say(chat, "Добрый день!")
    sent()
    Delivery.objects.update(sending_since=timezone.now() - timedelta(seconds=60))
    sent()

    assert len(avito.said(chat)) == 1
    assert Delivery.objects.get().state == State.KEPT


def test_an_echo_that_comes_before_the_send_has_returned_is_no_colleague(avito: AvitoAPI, chat: str):
    delivery = say(chat, "Добрый день!")
    piece = registry.by_name("avito").plan(  # type: ignore[union-attr]
        deliveries.outgoing(delivery.message, conversation=delivery.conversation)
    )[0]
    Delivery.objects.update(sending_since=timezone.now(), state=State.TAKEN)
    ring(avito, chat, avito.colleague_writes(chat, piece.text))
    looked()

    assert Conversation.objects.get(external_id=chat).mode == Mode.ASSISTANT


def test_a_colleague_in_avitos_app_takes_over(avito: AvitoAPI, chat: str):
    delivery = say(chat, "Добрый день!")
    ring(avito, chat, avito.colleague_writes(chat, "Это Пётр, сейчас отвечу"))
    looked()
    sent()

    delivery.refresh_from_db()
    assert (Conversation.objects.get(external_id=chat).mode, delivery.state) == (Mode.OPERATOR, State.DROPPED)
    assert avito.said(chat) == ["Это Пётр, сейчас отвечу"]


def test_a_colleague_is_heard_without_webhooks_and_his_unread_stays_unread(avito: AvitoAPI, chat: str):
    avito.colleague_writes(chat, "Это Пётр")
    polling.poll(now=timezone.now())
    looked()
    avito.customer_writes(chat, "Хорошо")
    polling.poll(now=timezone.now())
    looked()

    assert Conversation.objects.get(external_id=chat).mode == Mode.OPERATOR
    assert [author for author, _text in heard(chat)] == ["customer", "operator", "customer"]
    assert avito.chats[chat].unread


def test_a_customer_who_has_blocked_us_is_left_alone(avito: AvitoAPI, chat: str, monkeypatch: pytest.MonkeyPatch):
    avito.route(
        "POST",
        "/messenger/v1/accounts/{user_id}/chats/{chat_id}/messages",
        "send",
        lambda asked: (403, {"error": {"code": 403, "message": "You are blocked by the user"}}),
    )
    say(chat, "Добрый день!")
    sent()

    assert Delivery.objects.get().state == State.DROPPED
    assert Notice.objects.count() == 0


def test_what_the_customer_has_read_is_noted(avito: AvitoAPI, chat: str):
    say(chat, "Добрый день!")
    sent()
    avito.chats[chat].messages[-1]["read"] = 1_770_000_000
    ring(avito, chat, avito.customer_writes(chat, "Спасибо"))
    looked()

    assert Delivery.objects.get().read_at is not None


# --- the door -----------------------------------------------------------------------------------------------------


def post(body: bytes, path: str = HOOK, kind: str = "application/json") -> int:
    return Browser().post(path, data=body, content_type=kind).status_code


def test_a_wrong_secret_is_no_address(avito: AvitoAPI):
    chat = avito.begin_chat()
    said = avito.customer_writes(chat, "Добрый день")

    assert ring(avito, chat, said, path=HOOK[:-1] + "x") == 404
    assert post(b"{}", "/api/v1/webhooks/avito/messages/" + "а" * 43) == 404
    assert Arrival.objects.count() == 0


def test_the_vendors_own_probe_is_answered(avito: AvitoAPI):
    assert post(b"{}", kind="application/x-www-form-urlencoded") == 200


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a"', b"\xff\xfe{}", b"NaN", b"[" * 100_000, b'{"a": Infinity}'])
def test_what_isnt_json_is_refused(avito: AvitoAPI, body: bytes):
    assert post(body) == 400


@pytest.mark.parametrize(
    "value",
    [
        {"chat_id": 1, "user_id": 123456},
        {"chat_id": "c", "user_id": "123456"},
        {"chat_id": "c", "user_id": True},
        {"chat_id": "c", "user_id": 999},
        {"chat_id": "c\u0000", "user_id": 123456},
        {"chat_id": "\ud800", "user_id": 123456},
        {"chat_id": "c" * 201, "user_id": 123456},
        {"chat_id": "", "user_id": 123456},
        {},
        [],
        "text",
        None,
    ],
)
def test_what_is_json_and_of_no_use_is_passed_over(avito: AvitoAPI, value: Any):
    for body in (value, {"payload": value}, {"payload": {"type": "message", "value": value}}, {"payload": {"type": 1}}):
        assert post(json.dumps(body).encode()) == 200
    assert Arrival.objects.count() == 0


def test_too_much_is_refused_and_other_verbs_too(avito: AvitoAPI):
    assert post(b'"' + b"a" * 10_000_000 + b'"') == 413
    assert Browser().get(HOOK).status_code == 405


def test_off_there_is_no_door(avito: AvitoAPI, settings: Any):
    settings.AVITO_CLIENT_SECRET = ""
    assert post(b"{}") == 404


def test_an_earlier_secret_is_taken_while_it_is_changed(avito: AvitoAPI, settings: Any):
    settings.AVITO_WEBHOOK_SECRETS = ["n" * 43, SECRET]
    assert post(b"{}") == 200


def test_deliveries_are_kept_with_their_signature_and_tried(avito: AvitoAPI, settings: Any, monkeypatch: Any):
    monkeypatch.setattr(signatures, "_added_at", -1e9)
    chat = avito.begin_chat()
    body = json.dumps(avito.event(chat, avito.customer_writes(chat, "раз"))).encode()
    right = signatures.ways()["hmac-sha256:client_secret"](body)

    headers = {signatures.HEADER: right}
    assert Browser().post(HOOK, data=body, content_type="application/json", headers=headers).status_code == 200

    assert {name for name, count in signatures.fitting().items() if count} == {"hmac-sha256:client_secret"}
    settings.AVITO_SIGNATURE = "hmac-sha256:client_secret"
    assert Browser().post(HOOK, data=body, content_type="application/json", headers=headers).status_code == 200
    assert post(body) == 403


@pytest.mark.django_db(transaction=True)
def test_a_hundred_rings_at_once_make_one_conversation(avito: AvitoAPI):
    from django.db import connections

    chat = avito.begin_chat()
    said = avito.customer_writes(chat, "Добрый день")

    def knock() -> None:
        for _ in range(10):
            ring(avito, chat, said)
        connections.close_all()

    threads = [threading.Thread(target=knock) for _ in range(10)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    looked()

    assert heard(chat) == [(Author.CUSTOMER, "Добрый день")]
