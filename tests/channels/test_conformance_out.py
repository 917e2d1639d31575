"""What becomes of our own words on every channel, whatever its vendor does and whoever dies."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels_app import deliveries
from channels_app.contract import Outgoing
from channels_app.models import Delivery, Thread
from common.promise import State
from sales.enums import NoticeKind
from sales.models import Notice
from tests.channels.conformance import Died, arrives_once, dying
from tests.channels.drivers import on

# --- the way out ----------------------------------------------------------------------------------------------------


@on()
def test_a_plan_is_the_same_each_time_and_within_the_channels_measure(driver):
    words = "Наши тарифы. " * 400
    message = Outgoing(seq=1, author="assistant", text=words, cards=[{"kind": "card of tomorrow", "text": "скоро"}])

    pieces = driver.channel.plan(message)

    assert pieces == driver.channel.plan(message)
    if "pulls" not in driver.can:
        assert all(0 < len(piece.text) <= driver.channel.capabilities.text_most for piece in pieces)


@on("sends")
def test_a_long_message_arrives_whole_or_cut_but_in_measure(driver):
    driver.opened()
    driver.say("Слово. " * 1200)

    driver.settle()

    assert driver.states() == [State.KEPT]
    assert driver.arrived()


@on("sends")
def test_replies_arrive_in_the_order_in_which_they_were_said(driver):
    driver.opened()
    driver.trouble("unreached")
    for words in ("раз", "два", "три"):
        driver.say(words)

    driver.settle()

    assert driver.arrived() == ["раз", "два", "три"]


@on("sends")
@pytest.mark.parametrize("trouble", ["cut", "lost", "broken"])
def test_a_call_whose_end_nobody_knows_is_never_made_twice_blindly(driver, trouble):
    driver.opened()
    driver.trouble(trouble)
    driver.say("раз")

    arrives_once(driver, "раз")


@on("sends", "blind")
def test_what_is_uncertain_is_stuck_for_a_person_and_sent_again_only_by_one(driver, colleague_here):
    driver.opened()
    driver.trouble("lost")
    delivery = driver.say("раз")
    driver.say("два")
    driver.settle(after=100)
    assert (driver.arrived(), driver.states()) == (["два"], [State.UNCERTAIN, State.KEPT])
    assert list(Delivery.objects.stuck(timezone.now())) == [delivery]

    deliveries.decide(delivery, arrived=False, now=timezone.now())
    driver.settle()

    assert driver.arrived() == ["два", "раз"]


@on("sends", "tells_wait")
def test_a_vendor_that_asks_for_patience_gets_it(driver):
    driver.opened()
    driver.trouble("busy")
    delivery = driver.say("раз")

    deliveries.deliver(delivery.conversation_id)
    delivery.refresh_from_db()
    assert (delivery.due_at - timezone.now()).total_seconds() > 5
    assert delivery.sending_since is None
    assert driver.arrived() == []

    driver.settle()
    assert driver.arrived() == ["раз"]


@on("sends")
@pytest.mark.parametrize("trouble", ["busy_for_a_while", "unreached"])
def test_a_call_that_surely_was_not_taken_is_made_again_later(driver, trouble):
    driver.opened()
    driver.trouble(trouble)
    driver.say("раз")

    driver.settle()

    assert (driver.arrived(), driver.states()) == (["раз"], [State.KEPT])


@on("sends")
def test_a_revoked_token_loses_nobody_and_is_seen(driver):
    driver.opened()
    driver.trouble("revoked")
    delivery = driver.say("раз")
    deliveries.deliver(delivery.conversation_id)
    assert (driver.states(), driver.arrived()) in [([State.BROKEN], []), ([State.DUE], [])]
    told = Notice.objects.filter(kind=NoticeKind.KEY_REFUSED)
    assert told.exists() or list(Delivery.objects.stuck(timezone.now())) == [delivery]

    deliveries.decide(delivery, arrived=False, now=timezone.now())
    driver.settle()

    assert driver.arrived() == ["раз"]


@on("sends")
def test_a_message_that_is_refused_holds_up_no_other(driver):
    driver.opened()
    driver.trouble("refused")
    driver.say("раз")
    driver.say("два")

    driver.settle()

    assert (driver.arrived(), driver.states()) == (["два"], [State.BROKEN, State.KEPT])


@on("blocks")
def test_a_customer_who_has_left_is_left_alone_and_welcome_back(driver):
    driver.opened()
    driver.trouble("blocked")
    driver.say("раз")
    driver.say("два")
    driver.settle()
    assert (driver.arrived(), driver.states()) == ([], [State.DROPPED, State.DROPPED])
    assert Thread.objects.get(conversation=driver.conversation).unreachable_since is not None

    driver.hand(driver.text("Я вернулся", id="m7"))
    driver.say("три")
    driver.settle()

    assert driver.arrived() == ["три"]
    assert Thread.objects.get(conversation=driver.conversation).unreachable_since is None


@on("sends")
@pytest.mark.parametrize("place", ["before the call", "after the call", "before noting", "after noting"])
def test_a_worker_that_dies_anywhere_loses_and_doubles_nothing(driver, place, monkeypatch):
    driver.opened()
    delivery = driver.say("раз")
    kind = type(driver.channel)
    send, note = kind.send, deliveries._note

    def dying_send(self: Any, chat: str, piece: Any) -> str:
        if place == "after the call":
            send(self, chat, piece)
        raise Died

    def dying_note(delivery: Any, sent: str) -> None:
        if place == "after noting":
            note(delivery, sent)
        raise Died

    with monkeypatch.context() as patched:
        if place.endswith("call"):
            patched.setattr(kind, "send", dying_send)
        else:
            patched.setattr(deliveries, "_note", dying_note)
        with dying():
            deliveries.deliver(delivery.conversation_id)
    assert driver.states() == [State.TAKEN]

    if place == "after noting":
        driver.settle(after=20)
        assert (driver.arrived(), driver.states()) == (["раз"], [State.KEPT])
    else:
        arrives_once(driver, "раз")


@on("looks_back")
def test_a_doubt_that_is_looked_at_too_soon_stays_a_doubt(driver):
    driver.opened()
    driver.trouble("cut")
    driver.say("раз")

    for _ in range(3):
        driver.pass_time(0)  # the chat may not show yet what it has
        deliveries.sweep(now=timezone.now())
    assert driver.arrived() == ["раз"]

    arrives_once(driver, "раз")


@on("looks_back")
@pytest.mark.parametrize("trouble", ["busy", "lost"])
def test_a_look_that_fails_leaves_the_doubt(driver, trouble):
    driver.opened()
    driver.trouble("cut")
    driver.say("раз")
    driver.trouble_looking(trouble, trouble)

    arrives_once(driver, "раз")


@on("looks_back")
def test_while_the_database_was_restarted_a_call_has_all_its_time(driver, monkeypatch):
    """With the sessions every lock was gone, though the worker may still be in its call."""
    driver.opened()
    driver.trouble("cut")
    driver.say("раз")
    monkeypatch.setattr(deliveries, "_database_began_after", lambda moment: True)

    driver.pass_time(5)
    deliveries.sweep(now=timezone.now())
    driver.settle(after=1)
    assert driver.states() == [State.DUE]

    arrives_once(driver, "раз")


def test_a_restart_of_the_database_is_known_from_the_database(db):
    assert not deliveries._database_began_after(timezone.now())
    assert deliveries._database_began_after(timezone.now() - timedelta(days=30))


@on("sends")
def test_a_worker_that_froze_between_noting_and_calling_does_not_call(driver, monkeypatch):
    driver.opened()
    delivery = driver.say("раз")
    begin = deliveries._begin

    def froze(delivery: Any) -> bool:
        begun = begin(delivery)
        delivery.sending_since -= timedelta(seconds=30)
        return begun

    with monkeypatch.context() as patched:
        patched.setattr(deliveries, "_begin", froze)
        deliveries.deliver(delivery.conversation_id)
    assert driver.arrived() == []

    driver.settle(after=20)
    assert driver.arrived() == ["раз"]


@on("sends")
def test_a_chat_with_much_that_cant_go_out_holds_up_no_other(driver, monkeypatch):
    driver.opened()
    for number in range(30):
        driver.say(f"{number}")
    first = Delivery.objects.order_by("seq")[0]
    Delivery.objects.filter(pk=first.pk).update(due_at=timezone.now() + timedelta(hours=1))
    driver.chat = driver.other_chat
    driver.hand(driver.text("Привет", id="n1"))
    other = driver.say("вам")
    Delivery.objects.filter(pk=other.pk).update(due_at=timezone.now())
    from common import promise

    monkeypatch.setattr(promise.sweep, "__kwdefaults__", {**promise.sweep.__kwdefaults__, "limit": 20})
    deliveries.sweep(now=timezone.now())

    assert driver.arrived() == ["вам"]


@on("sends")
def test_a_reply_too_many_pieces_long_keeps_its_lease(driver):
    driver.opened()
    delivery = driver.say("раз")
    Delivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now() - timedelta(seconds=30))
    with dying():
        delivery.refresh_from_db()
        delivery.take(now=timezone.now() - timedelta(seconds=14))
        deliveries._begin(delivery)

    delivery.refresh_from_db()
    assert (delivery.due_at - timezone.now()).total_seconds() > 10
