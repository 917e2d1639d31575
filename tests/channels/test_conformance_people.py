"""Who leads a conversation on every channel: the assistant, a person here, or a colleague in the vendor's app."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from channels_app import deliveries
from common.promise import State
from sales import operations
from sales.assistant import turn as turns
from sales.assistant.protocol import Reply
from sales.enums import Mode
from sales.models import Conversation, Turn
from tests.channels.conformance import Driver, Speaker, owed_answers
from tests.channels.drivers import on
from tests.fakes import ScriptedModel

# --- people ---------------------------------------------------------------------------------------------------------


def answer(driver: Driver, settings: Any, words: str, *, meanwhile: Any = None) -> None:
    """Let the assistant answer with these words; ``meanwhile`` happens while it thinks."""

    class Thinking(ScriptedModel):
        def reply(self, **kwargs: Any) -> Any:
            if meanwhile is not None:
                meanwhile()
            return super().reply(**kwargs)

    Speaker.model = Thinking(Reply(text=words))
    settings.ASSISTANT_MODEL = "tests.channels.conformance.speaker"
    Turn.objects.filter(state=State.DUE).update(due_at=timezone.now() - timedelta(seconds=1))
    turns.answer(driver.conversation.pk)


@on()
def test_an_answer_arrives(driver, settings):
    driver.hand(driver.text("Здравствуйте", id="m1"))

    answer(driver, settings, "Здравствуйте! Чем помочь?")
    if "sends" in driver.can:
        driver.settle()

    assert driver.arrived() == ["Здравствуйте! Чем помочь?"]


@on()
def test_an_answer_that_is_being_made_when_a_person_takes_over_stays_here(driver, settings, colleague_here):
    driver.hand(driver.text("Здравствуйте", id="m1"))
    conversation = driver.conversation

    def take_over() -> None:
        operations.take_over(conversation_id=conversation.pk, by=colleague_here, now=timezone.now())

    answer(driver, settings, "Здравствуйте! Чем помочь?", meanwhile=take_over)
    if "sends" in driver.can:
        driver.settle()

    assert driver.arrived() == []


@on("colleague")
def test_an_answer_that_is_being_made_when_a_colleague_writes_elsewhere_stays_here(driver, settings):
    driver.hand(driver.text("Здравствуйте", id="m1"))

    answer(driver, settings, "Чем помочь?", meanwhile=lambda: driver.hand(driver.colleague("Это Анна", id="c1")))
    driver.settle()

    assert "Чем помочь?" not in driver.arrived()


@on("sends")
def test_an_answer_on_its_way_is_stopped_by_a_persons_word_and_not_revived(driver, colleague_here):
    driver.opened()
    driver.trouble("busy")
    delivery = driver.say("от помощника")
    deliveries.deliver(delivery.conversation_id)
    conversation, now = driver.conversation, timezone.now()

    operations.send_as_operator(conversation_id=conversation.pk, text="от Анны", by=colleague_here, now=now)
    operations.give_back(conversation_id=conversation.pk, by=colleague_here, now=now)
    driver.pass_time(0)  # the vendor's patience is over
    deliveries.deliver(delivery.conversation_id)  # and a person's word waits for nobody else
    assert driver.arrived() == ["от Анны"]

    driver.settle(after=20)
    assert driver.arrived() == ["от Анны"]


@on("colleague")
def test_a_word_in_the_vendors_app_stops_what_waits_also_after_giving_back(driver, colleague_here):
    driver.opened()
    driver.trouble("busy")
    delivery = driver.say("от помощника")
    deliveries.deliver(delivery.conversation_id)

    driver.hand(driver.colleague("Это Анна", id="c1"))
    operations.give_back(conversation_id=driver.conversation.pk, by=colleague_here, now=timezone.now())
    driver.settle(after=20)

    assert "от помощника" not in driver.arrived()


@on()
def test_given_back_what_was_left_unanswered_is_answered(driver, settings, colleague_here):
    driver.hand(driver.text("Здравствуйте", id="m1"))
    conversation = driver.conversation
    operations.take_over(conversation_id=conversation.pk, by=colleague_here, now=timezone.now())
    driver.hand(driver.text("А сколько стоит?", id="m2"))
    assert owed_answers() == 0

    operations.give_back(conversation_id=conversation.pk, by=colleague_here, now=timezone.now())
    answer(driver, settings, "Сейчас расскажу")
    if "sends" in driver.can:
        driver.settle()

    assert driver.arrived() == ["Сейчас расскажу"]


@on("reopens")
def test_whoever_writes_where_all_was_said_is_heard(driver):
    driver.opened()
    Conversation.objects.update(mode=Mode.CLOSED)
    Turn.objects.update(state=State.DROPPED)

    driver.hand(driver.text("Здравствуйте", id="m0"))  # a repeat opens nothing
    assert driver.conversation.mode == Mode.CLOSED
    driver.hand(driver.text("Ещё вопрос", id="m1"))

    assert driver.heard()[-1] == "Ещё вопрос"
    assert driver.conversation.mode == Mode.ASSISTANT
    assert owed_answers() == 1


@on("reopens", "colleague")
def test_a_colleague_may_write_where_all_was_said(driver):
    driver.opened()
    Conversation.objects.update(mode=Mode.CLOSED)

    (status,) = driver.hand(driver.colleague("Ещё кое-что", id="c1"))

    assert status < 300
    assert driver.conversation.mode == Mode.OPERATOR


@on("pulls")
def test_a_closed_conversation_of_the_site_says_so(driver):
    Conversation.objects.update(mode=Mode.CLOSED)

    assert driver.hand(driver.text("Ещё вопрос", id="m1")) == [409]


@on("sends")
def test_while_a_channel_is_off_what_is_owed_waits(driver, monkeypatch):
    driver.opened()
    kind = type(driver.channel)
    with monkeypatch.context() as patched:
        patched.setattr(kind, "is_on", lambda self: False)
        driver.say("раз")
        deliveries.sweep(now=timezone.now())
        assert driver.states() == [State.DUE]

    driver.settle()
    assert driver.arrived() == ["раз"]
