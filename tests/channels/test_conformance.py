"""What every channel does with whatever its customers, its colleagues and its vendor come up with."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from channels_app import deliveries
from channels_app.contract import Kind
from common.promise import State
from sales import operations
from sales.enums import Author, Mode
from sales.models import Conversation, Message
from tests.channels.conformance import arrives_once, owed_answers
from tests.channels.drivers import on


def numbers() -> list[int]:
    return list(Message.objects.order_by("seq").values_list("seq", flat=True))


# --- the way in -----------------------------------------------------------------------------------------------------


@on()
def test_a_message_that_comes_again_is_stored_once(driver):
    parcel = driver.text("Сколько стоит?", id="m1")

    statuses = driver.hand(parcel, parcel, parcel)

    assert driver.heard() == ["Сколько стоит?"]
    assert all(200 <= status < 300 for status in statuses)
    assert owed_answers() == 1


@on()
def test_messages_in_disorder_are_all_stored_and_numbered_without_gaps(driver):
    parcels = [driver.text(f"слово {number}", id=f"m{number}") for number in range(1, 6)]

    driver.hand(parcels[2], parcels[0], parcels[2], parcels[4], parcels[1], parcels[0], parcels[3])

    assert sorted(driver.heard()) == [f"слово {number}" for number in range(1, 6)]
    assert numbers() == [1, 2, 3, 4, 5]


@on("unknown")
def test_what_nobody_knows_does_no_harm(driver):
    statuses = driver.hand(driver.of(Kind.UNKNOWN, id="m1"), driver.text("Алло", id="m2"))

    assert max(statuses) < 300
    assert driver.heard()[-1] == "Алло"


@on("system")
def test_the_vendors_own_words_are_answered_by_nobody(driver):
    driver.hand(driver.of(Kind.SYSTEM, id="m1", words="Будьте осторожны"))

    assert driver.heard() == []
    assert owed_answers() == 0


@on("deletes")
def test_a_message_that_is_taken_back_was_heard_and_asks_for_nothing_more(driver):
    driver.hand(driver.text("Сколько стоит?", id="m1"))

    driver.hand(driver.of(Kind.DELETED, id="m1"))

    assert driver.heard() == ["Сколько стоит?"]
    assert owed_answers() == 1


@on("edits")
def test_each_edit_is_heard_once(driver):
    driver.hand(driver.text("Сколько стоит юрист?", id="m1"))
    first = driver.of(Kind.EDITED, id="m1", words="Сколько стоит менеджер?")
    second = driver.of(Kind.EDITED, id="m1", words="Сколько стоит аналитик?")

    driver.hand(first, first, second, first, second)

    assert driver.heard() == ["Сколько стоит юрист?", "Сколько стоит менеджер?", "Сколько стоит аналитик?"]


@on("pictures")
@pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.VOICE, Kind.FILE])
def test_what_cant_be_read_is_kept_as_a_note_of_what_came(driver, kind):
    statuses = driver.hand(driver.of(kind, id="m1"), driver.of(kind, id="m1"))

    assert max(statuses) < 300
    assert len(driver.heard()) == 1
    assert driver.heard()[0].startswith("[")


@on()
def test_a_text_beyond_all_measure_is_cut_or_refused_and_breaks_nothing(driver):
    (status,) = driver.hand(driver.text("ы" * 5000, id="m1"))

    assert status in {200, 202, 400}
    assert all(len(said) <= operations.TEXT_MOST for said in driver.heard())
    driver.hand(driver.text("Алло", id="m2"))
    assert driver.heard()[-1] == "Алло"


NASTIES = (
    *("ноль\x00байт", "одинокий \ud83d суррогат", "\u202eзадом наперёд", "Z̷̛̼a̶l̸g̵o̴" * 50, "👩‍👩‍👧‍👦👍🏽", "a\u200bb"),
    *("<script>alert(1)</script>", "{{ price:ai_manager.business }}", "%s %d %(a)s", "'; DROP TABLE sales_message; --"),
    *("строка\u2028строка\x85строка\rстрока", "\ufeffметка", "ﷺ" * 100, "*не_закрыто [так](", "&lt;b&gt; & <b"),
)


@on()
@pytest.mark.parametrize("words", NASTIES, ids=[str(number) for number in range(len(NASTIES))])
def test_odd_characters_are_heard_and_said(driver, words):
    (status,) = driver.hand(driver.text(words, id="m1"))

    assert 200 <= status < 300
    (heard,) = driver.heard()
    assert heard.strip()
    assert "\x00" not in heard
    if "sends" in driver.can:
        driver.say(heard)
        driver.settle(after=20)
        assert driver.states() == [State.KEPT]


@on("sends")
@pytest.mark.parametrize("odd", ["x" * 5000, "a\x00b", "\ud800", ""], ids=["long", "nul", "surrogate", "empty"])
def test_ids_that_cant_be_are_passed_over(driver, odd):
    statuses = driver.hand(driver.text("Привет", id=odd), driver.text("Привет", chat=odd) if odd else driver.text("А"))

    assert 500 not in statuses
    assert all(len(each.external_id) <= 200 for each in Conversation.objects.all())


@on("door")
def test_a_stranger_without_the_secret_does_and_says_nothing(driver):
    body = json.dumps(driver.text("Привет", id="m1")).encode()

    statuses = [driver.knock(body, secret="wrong"), driver.knock(body, secret=None), driver.knock(b"", secret=None)]

    assert set(statuses) <= {401, 403, 404}
    assert Message.objects.count() == 0
    assert driver.knock(body) < 300


BODIES = (
    *(
        b"",
        b"{",
        b"null",
        b"[]",
        b"0",
        b'"text"',
        b"{}",
        b"\xff\xfe",
        b'{"a":1}',
        b"NaN",
        b"[" * 20000,
        b'{"a":' * 5000,
    ),
    *(b'{"update_id":true}', b'{"update_id":1.5,"message":[]}', b'{"update_id":1,"message":{"chat":[],"text":{}}}'),
    *(
        b'{"payload":7}',
        b'{"payload":{"type":"message","value":[]}}',
        b'{"payload":{"type":"message","value":{"id":1}}}',
    ),
    *(b'{"client_id":1,"text":2}', b'{"client_id":"","text":""}', b'{"client_id":"a","text":null}', b"a=b&c=d"),
    b'{"client_id":"\\u0000","text":["a"]}',
)


@on("door")
def test_bodies_of_any_shape_never_break_the_door(driver):
    statuses = {body[:60]: driver.knock(body) for body in BODIES}

    assert {body: status for body, status in statuses.items() if status >= 500} == {}
    assert Message.objects.count() == 0


@on("door")
def test_a_body_of_ten_megabytes_is_refused(driver):
    status = driver.knock(b'{"text":"' + b"x" * 10_000_000 + b'"}')

    assert 400 <= status < 500


@on()
@pytest.mark.django_db(transaction=True)
def test_the_same_message_from_eight_hands_at_once_is_stored_once(driver):
    driver.hand(driver.text("Привет", id="m0"))
    parcel = driver.text("Сколько стоит?", id="m1")

    statuses = at_once(lambda _number: driver.hand(parcel)[0])

    driver.settle()

    assert driver.heard() == ["Привет", "Сколько стоит?"]
    assert all(status < 300 for status in statuses)
    assert numbers() == [1, 2]


@on("sends")
@pytest.mark.django_db(transaction=True)
def test_first_messages_at_once_begin_one_conversation(driver):
    parcels = [driver.text(f"слово {number}", id=f"m{number}") for number in range(8)]

    statuses = at_once(lambda number: driver.hand(parcels[number])[0])

    driver.settle()

    assert all(status < 300 for status in statuses)
    assert Conversation.objects.count() == 1
    assert len(driver.heard()) == 8


def at_once(work: Any) -> list[int]:
    """Eight threads that begin together; what each gave."""
    gate = threading.Barrier(8)

    def run(number: int) -> int:
        try:
            gate.wait()
            return int(work(number))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(run, range(8)))


# --- our side in the vendor's own app -------------------------------------------------------------------------------


@on("colleague")
def test_a_colleagues_word_takes_over(driver):
    driver.opened()

    driver.hand(driver.colleague("Это я, Анна", id="c1"))

    assert driver.conversation.mode == Mode.OPERATOR
    assert owed_answers() == 0
    assert Message.objects.filter(author=Author.OPERATOR).count() == 1


@on("colleague")
def test_a_colleagues_word_that_comes_again_is_stored_once(driver):
    driver.opened()
    parcel = driver.colleague("Это я, Анна", id="c1")

    driver.hand(parcel, parcel)

    assert Message.objects.filter(author=Author.OPERATOR).count() == 1


@on("colleague")
def test_a_colleague_may_begin_the_conversation(driver):
    driver.hand(driver.colleague("Добрый день", id="c1"), driver.text("Здравствуйте", id="m1"))

    assert driver.conversation.mode == Mode.OPERATOR
    assert owed_answers() == 0


@on("echo")
def test_an_echo_of_ours_is_no_colleague(driver):
    driver.opened()
    driver.say("Здравствуйте, это помощник")
    driver.settle()

    driver.hand(driver.echo(), driver.echo())

    assert driver.conversation.mode == Mode.ASSISTANT


@on("echo")
def test_an_echo_before_the_call_has_returned_is_no_colleague(driver, monkeypatch):
    driver.opened()
    driver.say("Здравствуйте, это помощник")
    kind = type(driver.channel)
    send = kind.send

    def told_before(self: Any, chat: str, piece: Any) -> str:
        sent = send(self, chat, piece)
        driver.hand(driver.echo())
        return sent

    monkeypatch.setattr(kind, "send", told_before)
    driver.settle()

    assert driver.conversation.mode == Mode.ASSISTANT
    assert driver.states() == [State.KEPT]


@on("echo")
def test_an_echo_of_a_call_that_was_cut_is_no_colleague(driver):
    driver.opened()
    driver.trouble("cut")
    delivery = driver.say("Здравствуйте, это помощник")
    deliveries.deliver(delivery.conversation_id)

    driver.hand(driver.echo())

    assert driver.conversation.mode == Mode.ASSISTANT
    arrives_once(driver, "Здравствуйте, это помощник")


@on("echo")
@pytest.mark.django_db(transaction=True)
def test_an_echo_in_the_very_moment_of_noting_is_no_colleague(driver, monkeypatch):
    """Between the two looks of whoever hears the echo the sender notes what it has sent."""
    from channels_app import intake

    driver.opened()
    delivery = driver.say("Здравствуйте, это помощник")
    look = intake.under_way
    note = deliveries._note
    told, noted = threading.Event(), threading.Event()

    def noted_between(conversation: Any, event: Any) -> bool:
        told.set()
        noted.wait(5)
        return look(conversation, event)

    def notes(delivery: Any, sent: str) -> None:
        hears = threading.Thread(target=lambda: (driver.hand(driver.echo()), connections.close_all()))
        hears.start()
        told.wait(5)
        note(delivery, sent)
        noted.set()
        hears.join()

    monkeypatch.setattr(intake, "under_way", noted_between)
    monkeypatch.setattr(deliveries, "_note", notes)
    deliveries.deliver(delivery.conversation_id)

    assert driver.conversation.mode == Mode.ASSISTANT
