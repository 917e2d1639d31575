"""Whole sentences of an answer reach the customer while it is written, none that the guard hasn't read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from common.promise import State
from sales import operations
from sales.assistant import turn as turns
from sales.assistant.protocol import Reply, ToolRequest
from sales.assistant.streaming import Stream
from sales.models import Conversation, Message, Turn
from sales.signals import reply_growing
from tests import fakes

pytestmark = pytest.mark.django_db

Step = Callable[[Any], Reply]


class Speaker:
    """A model that says its words bit by bit: each step is told whom to speak to and ends in a reply."""

    name = "speaker"

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)

    def __call__(self) -> Speaker:
        return self

    def reply(self, *, hear: Any, **kwargs: Any) -> Reply:
        return self.steps.pop(0)(hear)


def saying(text: str, *, size: int = 3, calls: tuple[ToolRequest, ...] = ()) -> Step:
    def step(hear: Any) -> Reply:
        for at in range(0, len(text), size):
            hear(text[at : at + size])
        return Reply(text=text, calls=calls)

    return step


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    """What was told while answers grew."""
    heard: list[dict[str, Any]] = []

    def listen(sender: Any, signal: Any, **said: Any) -> None:
        heard.append(said)

    reply_growing.connect(listen)
    yield heard
    reply_growing.disconnect(listen)


@pytest.fixture
def answer(conversation: Conversation, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Message]:
    """Let a model that speaks so answer a question: ``answer("Сколько?", saying("…"))``."""

    def answer_(question: str, *steps: Step) -> Message:
        monkeypatch.setattr(fakes, "scripted_model", Speaker(*steps), raising=False)
        settings.ASSISTANT_MODEL = "tests.fakes.scripted_model"
        operations.receive(
            conversation_id=conversation.pk,
            external_id=str(Message.objects.count()),
            text=question,
            now=timezone.now(),
        )
        Turn.objects.filter(conversation=conversation, state=State.DUE).update(due_at=timezone.now())
        turns.answer(conversation.pk, wait=lambda seconds: None)
        return Message.objects.filter(conversation=conversation, author="assistant").latest("seq")

    return answer_


def test_sentences_are_told_whole_and_in_order(told: Any, answer: Any, conversation: Conversation) -> None:
    reply = answer("Привет", saying("Здравствуйте! Я помощник. Чем помочь?"))

    assert [each["text"] for each in told] == ["Здравствуйте! ", "Я помощник. "]
    assert [each["at"] for each in told] == [0, 14]
    assert {(each["conversation_id"], each["channel"]) for each in told} == {(conversation.pk, "webchat")}
    assert {each["turn"] for each in told} == {str(Turn.objects.get().pk)}
    assert reply.text == "Здравствуйте! Я помощник. Чем помочь?"


def test_sentence_that_the_guard_refuses_is_never_told_nor_what_follows_it(told: Any, answer: Any) -> None:
    lie = saying("Есть тариф. Он стоит 12 345 ₽ в месяц. Берите скорее. Ждём.")

    answer("Сколько?", lie, saying("Цену назовёт расчёт. Для него нужен объём. Какой он?"))

    assert [each["text"] for each in told] == ["Есть тариф. ", "Цену назовёт расчёт. ", "Для него нужен объём. "]
    step = next(step for step in Turn.objects.get().trace["steps"] if step["step"] == "stream")
    assert (step["pieces"], step["drafts"], step["stopped"]) == (3, 2, 1)


def test_second_draft_has_a_name_of_its_own_and_begins_anew(told: Any, answer: Any) -> None:
    def two_vendors(hear: Any) -> Reply:
        hear("Первый начал. Второе предло")
        hear(None)
        return saying("Второй закончил. Всё.")(hear)

    answer("Вопрос", two_vendors)

    first, second = told
    assert (first["text"], second["text"]) == ("Первый начал. ", "Второй закончил. ")
    assert (first["at"], second["at"]) == (0, 0)
    assert second["turn"] == f"{first['turn']}:1.1"


def test_words_beside_a_call_are_a_draft_of_their_own(told: Any, answer: Any) -> None:
    call = ToolRequest("1", "sales__save_contact", {"name": "Анна"})

    answer("Я Анна", saying("Записываю. Минуту.", calls=(call,)), saying("Готово, Анна! Что дальше?"))

    assert [each["text"] for each in told] == ["Записываю. ", "Готово, Анна! "]
    assert told[0]["turn"] != told[1]["turn"]


def test_turn_that_runs_again_does_not_go_on_with_what_its_dead_worker_told(told: Any, answer: Any) -> None:
    def stumble(hear: Any) -> Reply:
        hear("Первая попытка. И")
        raise RuntimeError("the worker stumbles")

    answer("Вопрос", stumble, saying("Вторая попытка. Всё."))

    assert [each["text"] for each in told] == ["Первая попытка. ", "Вторая попытка. "]
    assert told[1]["turn"] == f"{told[0]['turn']}:2.0"


def test_mark_of_personal_data_is_told_as_its_value_however_it_was_cut(told: Any, answer: Any) -> None:
    answer("Мой телефон +7 916 123-45-67", saying("Записал номер [ТЕЛЕФОН_1]. Ждите звонка.", size=1))

    assert [each["text"] for each in told] == ["Записал номер +7 916 123-45-67. "]


def test_listener_that_fails_does_not_harm_the_turn(answer: Any) -> None:
    def broken(sender: Any, **said: Any) -> None:
        raise RuntimeError("nobody is there")

    reply_growing.connect(broken)
    try:
        reply = answer("Привет", saying("Здравствуйте! Чем помочь?"))
    finally:
        reply_growing.disconnect(broken)

    assert reply.text == "Здравствуйте! Чем помочь?"


def test_what_cannot_be_judged_is_not_told_and_the_speaker_is_not_to_blame(
    told: Any, conversation: Conversation
) -> None:
    def broken(text: str) -> bool:
        raise ZeroDivisionError

    stream = Stream(Turn(conversation=conversation, attempts=1), reveal=str, began=0)
    stream.begin(broken)
    stream.hear("Первое предложение. Второе предложение. Третье")

    assert (told, stream.refused) == ([], 1)


def test_model_that_says_all_at_once_streams_nothing(told: Any, answer: Any) -> None:
    answer("Привет", lambda hear: Reply(text="Здравствуйте! Чем помочь?"))

    assert told == []
    assert [step for step in Turn.objects.get().trace["steps"] if step["step"] == "stream"] == []
