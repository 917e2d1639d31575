"""Avito's API is spoken as the vendor publishes it, and every way to fail has a name."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from channels_app.avito.client import Client, KeysRefused, NoSubscription, Refused
from common import vendor_token
from common.problems import LastingProblem, TemporaryProblem, UnknownOutcome
from tests.standins.avito_api import AvitoAPI

pytestmark = pytest.mark.django_db


def test_the_messenger_is_spoken(avito: AvitoAPI, client: Client):
    chat = avito.begin_chat()
    avito.customer_writes(chat, "Сколько стоит?")

    assert [each["id"] for each in client.chats(unread_only=True)] == [chat]
    assert client.chat(chat)["context"]["value"]["title"] == "ИИ-менеджер для отдела продаж"
    assert client.messages(chat)[0]["content"]["text"] == "Сколько стоит?"
    sent = client.send_text(chat, "Добрый день!")
    client.read(chat)
    assert client.chats(unread_only=True) == []
    assert client.voice_file("v1") == "https://voice.example/v1"
    assert client.send_image(chat, client.upload_image(b"png"))["type"] == "image"
    client.delete(chat, sent["id"])
    client.subscribe("https://bot.example.ru/hook")
    assert [each["url"] for each in client.subscriptions()] == ["https://bot.example.ru/hook"]
    client.unsubscribe("https://bot.example.ru/hook")
    client.block(777001, reason=1)
    assert client.me()["id"] == client.user_id
    assert client.balance() == {"real": 1500.0, "bonus": 100.0}


@pytest.mark.parametrize("wrapped", [True, False])
def test_messages_come_bare_or_in_an_object(avito: AvitoAPI, client: Client, wrapped: bool):
    chat = avito.begin_chat()
    avito.customer_writes(chat, "раз")
    avito.wrapped = wrapped

    assert len(client.messages(chat)) == 1


def test_one_token_serves_all_who_ask_at_once(avito: AvitoAPI, client: Client):
    threads = [threading.Thread(target=client.me) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert avito.tokens_given == 1


def test_another_process_finds_the_token(avito: AvitoAPI, client: Client):
    client.me()
    vendor_token._memory.clear()  # as a process that has just begun
    client.me()

    assert avito.tokens_given == 1


def test_a_token_is_renewed_before_its_end(avito: AvitoAPI, client: Client):
    avito.token_life = 2
    client.me()
    time.sleep(1.1)
    client.me()

    assert avito.tokens_given == 2


@pytest.mark.parametrize("how", ["expired_401", "expired_403"])
def test_a_token_that_has_expired_is_renewed_once_also_for_a_send(avito: AvitoAPI, client: Client, how: str):
    chat = avito.begin_chat()
    avito.trouble("send", how)

    client.send_text(chat, "раз")

    assert avito.said(chat) == ["раз"]
    assert avito.tokens_given == 2


def test_a_token_that_is_never_taken_is_asked_for_no_third_time(avito: AvitoAPI, client: Client):
    avito.trouble("self", "expired_401", times=9)

    with pytest.raises(KeysRefused):
        client.me()
    assert (avito.calls("self"), avito.tokens_given) == (2, 2)


def test_a_right_that_is_lacking_renews_nothing(avito: AvitoAPI, client: Client):
    avito.trouble("chats", "forbidden")
    with pytest.raises(NoSubscription):
        client.chats()
    avito.trouble("chats", "no_subscription")
    with pytest.raises(NoSubscription):
        client.chats()

    assert avito.tokens_given == 1


def test_wrong_keys_are_said_to_be_wrong_although_the_answer_is_200(avito: AvitoAPI, client: Client):
    with pytest.raises(KeysRefused) as problem:
        replace(client, client_secret="other").me()

    assert "other" not in str(problem.value)


@pytest.mark.parametrize("how", ["accepted_then_cut", "cut", "broken", "accepted_then_broken", "page"])
def test_of_a_send_whose_answer_is_lost_nobody_knows(avito: AvitoAPI, client: Client, how: str):
    chat = avito.begin_chat()
    avito.trouble("send", how)

    with pytest.raises(UnknownOutcome):
        client.send_text(chat, "раз")
    assert avito.calls("send") == 1


def test_a_slow_answer_ends_by_our_clock(avito: AvitoAPI, client: Client):
    chat = avito.begin_chat()
    client.me()
    avito.trouble("send", "accepted_then_slow")
    began = time.monotonic()

    with pytest.raises(UnknownOutcome):
        client.request(
            "POST",
            f"/messenger/v1/accounts/{client.user_id}/chats/{chat}/messages",
            operation="send",
            json={"message": {"text": "раз"}, "type": "text"},
            repeatable=False,
            seconds=1,
        )
    assert time.monotonic() - began < 5


def test_a_busy_vendor_is_waited_for_shortly_and_else_by_whoever_owes(avito: AvitoAPI, client: Client):
    chat = avito.begin_chat()
    avito.trouble("send", "busy", retry_after="1")
    client.send_text(chat, "раз")
    avito.trouble("send", "busy", retry_after="60")
    with pytest.raises(TemporaryProblem) as problem:
        client.send_text(chat, "два")

    assert avito.said(chat) == ["раз"]
    assert problem.value.retry_after == 60


def test_what_may_be_repeated_is_repeated(avito: AvitoAPI, client: Client):
    avito.trouble("chats", "broken")
    avito.trouble("chats", "cut")

    assert client.chats() == []
    assert avito.calls("chats") == 3


def test_nobody_there_is_a_problem_that_passes(avito: AvitoAPI, client: Client):
    with pytest.raises(TemporaryProblem):
        replace(client, root="http://127.0.0.1:9").send_text("c", "раз")


def test_a_redirect_is_not_followed(avito: AvitoAPI, client: Client):
    avito.trouble("self", "redirect")
    with pytest.raises(LastingProblem):
        client.me()

    assert [name for name, _ in avito.asked] == ["self"]


def test_a_refusal_says_what_the_vendor_says(avito: AvitoAPI, client: Client):
    with pytest.raises(Refused) as problem:
        client.send_text("u2i-nobody", "раз")

    assert (problem.value.status, problem.value.code, problem.value.words) == (404, "404", "Not found")


def test_a_vendor_that_fails_again_and_again_is_left_alone(avito: AvitoAPI, client: Client):
    client.me()
    avito.trouble("self", "broken", times=50)
    for _ in range(5):
        with pytest.raises(TemporaryProblem):
            client.me()
    asked = avito.calls("self")

    with pytest.raises(TemporaryProblem) as problem:
        client.me()
    assert avito.calls("self") == asked
    assert problem.value.retry_after
