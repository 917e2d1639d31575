"""A turn reads all that is pending, uses tools once, is guarded, and says it in one piece."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from common.promise import State
from sales import operations
from sales.assistant import turn as turns
from sales.assistant.protocol import Heard, Reply, ToolRequest, ToolResult
from sales.enums import Mode
from sales.models import Conversation, Message, ToolCall, Turn
from tests import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture
def scripted(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let a test say what the model says: ``scripted(Reply(...), ...)``."""

    def script(*replies: Any) -> fakes.ScriptedModel:
        model = fakes.ScriptedModel(*replies)
        monkeypatch.setattr(fakes, "scripted_model", model, raising=False)
        settings.ASSISTANT_MODEL = "tests.fakes.scripted_model"
        return model

    return script


def write(conversation: Conversation, text: str, *, external_id: str = "") -> Message:
    external_id = external_id or f"c{Message.objects.count()}"
    return operations.receive(
        conversation_id=conversation.pk, external_id=external_id, text=text, now=timezone.now()
    ).message


def answer_now(conversation: Conversation) -> int:
    Turn.objects.filter(conversation=conversation, state=State.DUE).update(due_at=timezone.now())
    return turns.answer(conversation.pk, wait=lambda seconds: None)


def test_message_makes_one_turn_due_after_a_quiet_second(conversation: Conversation) -> None:
    before = timezone.now()

    write(conversation, "Здравствуйте")

    turn = Turn.objects.get(conversation=conversation)
    assert turn.state == State.DUE
    assert timedelta(seconds=0.9) < turn.due_at - before < timedelta(seconds=1.5)


def test_burst_of_messages_gets_one_answer_that_has_read_them_all(conversation: Conversation, scripted: Any) -> None:
    model = scripted(Reply(text="Здравствуйте! Отвечаю на всё сразу."))
    for text in ("Привет", "Сколько стоит?", "И когда начнём?"):
        write(conversation, text)

    answer_now(conversation)

    assert [each.text for each in model.heard[0] if each.pending] == ["Привет", "Сколько стоит?", "И когда начнём?"]
    assert list(Message.objects.filter(conversation=conversation).values_list("seq", "author")) == [
        (1, "customer"),
        (2, "customer"),
        (3, "customer"),
        (4, "assistant"),
    ]


def test_customer_who_keeps_writing_is_waited_for_four_seconds_at_most(conversation: Conversation) -> None:
    write(conversation, "раз")
    opened = Turn.objects.get(conversation=conversation).opened_at
    for second in range(1, 10):
        operations.receive(
            conversation_id=conversation.pk, external_id=str(second), text="и", now=opened + timedelta(seconds=second)
        )

    assert Turn.objects.get(conversation=conversation).due_at == opened + timedelta(seconds=4)


def test_repeated_message_is_stored_once(conversation: Conversation) -> None:
    first = operations.receive(conversation_id=conversation.pk, external_id="x", text="раз", now=timezone.now())
    again = operations.receive(conversation_id=conversation.pk, external_id="x", text="раз", now=timezone.now())

    assert (first.created, again.created, again.message.pk) == (True, False, first.message.pk)
    assert Message.objects.filter(conversation=conversation).count() == 1


def test_turn_shows_the_model_what_the_tool_said(conversation: Conversation, scripted: Any) -> None:
    call = ToolRequest("1", "sales__save_contact", {"name": "Иван"})
    model = scripted(Reply(calls=(call,)), Reply(text="Записал."))
    write(conversation, "Меня зовут Иван")

    answer_now(conversation)

    assert model.heard[1][-1] == ToolResult("1", "sales__save_contact", "Saved: name.", {"saved": ["name"]})
    conversation.lead.refresh_from_db()
    assert conversation.lead.name == "Иван"


def test_personal_data_is_masked_for_the_model_and_real_for_the_tool(conversation: Conversation, scripted: Any) -> None:
    model = scripted(
        Reply(calls=(ToolRequest("1", "sales__save_contact", {"phone": "[ТЕЛЕФОН_1]"}),)),
        Reply(text="Записал номер [ТЕЛЕФОН_1]."),
    )
    write(conversation, "Мой телефон +7 916 123-45-67")

    answer_now(conversation)

    assert [each.text for each in model.heard[0]] == ["Мой телефон [ТЕЛЕФОН_1]"]
    conversation.lead.refresh_from_db()
    assert conversation.lead.phone == "+79161234567"
    reply = Message.objects.get(conversation=conversation, author="assistant")
    assert reply.text == "Записал номер +7 916 123-45-67."


@pytest.mark.parametrize(
    ("written", "given"),
    [
        (["8 (916) 123-45-67"], {"phone": "+79161234567"}),
        (["номер восемь девятьсот шестнадцать сто двадцать три сорок пять шестьдесят семь"], {"phone": "89161234567"}),
        (["пишите: 8 916", "123-45-67"], {"phone": "+7 916 123 45 67"}),
        (["anna (собака) romashka.ru"], {"email": "anna@romashka.ru"}),
        (["Anna@Romashka.RU или +7 495 123-45-67"], {"email": "anna@romashka.ru", "phone": "+74951234567"}),
    ],
)
def test_contact_is_kept_however_the_customer_wrote_it(conversation, scripted, written, given) -> None:
    scripted(Reply(calls=(ToolRequest("1", "sales__save_contact", given),)), Reply(text="Записал."))
    for text in written:
        write(conversation, text)

    answer_now(conversation)

    conversation.lead.refresh_from_db()
    assert bool(conversation.lead.phone) == ("phone" in given)
    assert conversation.lead.email.lower() == given.get("email", "")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"phone": "+7 916 765-43-21"}, "phone"),
        ({"phone": "+79161234567", "email": "boss@romashka.ru"}, "e-mail"),
        ({"name": "Анна", "phone": "+79990000000", "email": "x@y.ru"}, "phone and e-mail"),
    ],
)
def test_contact_that_the_customer_did_not_write_is_not_kept(conversation, scripted, given, named) -> None:
    model = scripted(Reply(calls=(ToolRequest("1", "sales__save_contact", given),)), Reply(text="Хорошо."))
    write(conversation, "Мой телефон +7 916 123-45-67")

    answer_now(conversation)

    assert f"written no such {named}." in model.heard[1][-1].text
    conversation.lead.refresh_from_db()
    assert (conversation.lead.name, conversation.lead.phone, conversation.lead.email) == ("", "", "")


def test_contact_that_is_known_already_may_be_given_again(conversation, scripted) -> None:
    operations.save_contact(lead_id=conversation.lead_id, now=timezone.now(), by="t", phone="89161234567")
    call = ToolRequest("1", "sales__save_contact", {"phone": "+79161234567", "name": "Анна"})
    scripted(Reply(calls=(call,)), Reply(text="Хорошо."))
    write(conversation, "Я Анна")

    answer_now(conversation)

    conversation.lead.refresh_from_db()
    assert conversation.lead.name == "Анна"


def test_amount_that_no_tool_produced_never_leaves(conversation: Conversation, scripted: Any) -> None:
    model = scripted(Reply(text="Это будет стоить 12 345 ₽ в месяц."))
    write(conversation, "Сколько стоит?")

    answer_now(conversation)

    reply = Message.objects.get(conversation=conversation, author="assistant")
    assert reply.text == turns.UNPROVEN["ru"]
    assert isinstance(model.heard[1][-1], Heard)
    conversation.refresh_from_db()
    assert conversation.mode == Mode.WAITING


def test_message_that_comes_while_the_model_thinks_gets_the_next_turn(
    conversation: Conversation, scripted: Any
) -> None:
    model = scripted(Reply(text="Первый ответ."))
    write(conversation, "Первый вопрос")
    hear = model.reply

    def meanwhile(**kwargs: Any) -> Reply:
        if not model.heard:
            write(conversation, "Второй вопрос")
        return hear(**kwargs)

    model.reply = meanwhile

    answer_now(conversation)
    answer_now(conversation)

    assert list(Message.objects.filter(conversation=conversation).values_list("seq", "author")) == [
        (1, "customer"),
        (2, "customer"),
        (3, "assistant"),
        (4, "assistant"),
    ]
    assert [each.text for each in model.heard[1] if each.pending] == ["Второй вопрос"]


def test_turn_that_failed_runs_again_and_reads_its_journal(conversation: Conversation, scripted: Any) -> None:
    call = ToolRequest("a", "sales__save_contact", {"company": "ООО «Ромашка»"})
    scripted(Reply(calls=(call,)), RuntimeError("the worker stumbles"), Reply(calls=(call,)), Reply(text="Готово."))
    write(conversation, "Мы — ООО «Ромашка»")

    answer_now(conversation)
    answer_now(conversation)

    turn = Turn.objects.get(conversation=conversation)
    assert (turn.state, turn.attempts) == (State.KEPT, 2)
    assert ToolCall.objects.filter(turn=turn).count() == 1
    assert [step.get("from_journal") for step in turn.trace["steps"] if step["step"] == "tool"] == [True]


def test_turn_that_always_fails_calls_a_person_and_says_so(conversation: Conversation, scripted: Any) -> None:
    scripted(RuntimeError("no"))
    write(conversation, "Вопрос")

    for _ in range(6):
        answer_now(conversation)

    turn = Turn.objects.get(conversation=conversation)
    assert turn.state == State.BROKEN
    assert turn.reply.text == turns.GAVE_UP["ru"]
    conversation.refresh_from_db()
    assert conversation.mode == Mode.WAITING


def test_assistant_is_silent_while_an_operator_leads(conversation: Conversation, operator: Any, scripted: Any) -> None:
    scripted(Reply(text="Не должен прозвучать."))
    operations.take_over(conversation_id=conversation.pk, by=operator, now=timezone.now())

    write(conversation, "Вы здесь?")

    assert answer_now(conversation) == 0
    assert not Turn.objects.filter(conversation=conversation).exists()


def test_answer_on_its_way_is_thrown_away_when_an_operator_comes(
    conversation: Conversation, operator: Any, scripted: Any
) -> None:
    model = scripted(Reply(text="Поздно."))
    write(conversation, "Вопрос")
    hear = model.reply

    def meanwhile(**kwargs: Any) -> Reply:
        operations.take_over(conversation_id=conversation.pk, by=operator, now=timezone.now())
        return hear(**kwargs)

    model.reply = meanwhile

    answer_now(conversation)

    assert Turn.objects.get(conversation=conversation).state == State.DROPPED
    assert not Message.objects.filter(conversation=conversation, author="assistant").exists()


def test_conversation_given_back_is_answered(conversation: Conversation, operator: Any, scripted: Any) -> None:
    scripted(Reply(text="Я снова здесь."))
    operations.take_over(conversation_id=conversation.pk, by=operator, now=timezone.now())
    write(conversation, "Вы здесь?")

    operations.give_back(conversation_id=conversation.pk, by=operator, now=timezone.now())
    answer_now(conversation)

    assert Message.objects.get(conversation=conversation, author="assistant").text == "Я снова здесь."


def test_a_superseded_worker_changes_nothing(conversation: Conversation, scripted: Any) -> None:
    model = scripted(Reply(text="Из прошлого."))
    write(conversation, "Вопрос")
    hear = model.reply

    def meanwhile(**kwargs: Any) -> Reply:
        Turn.objects.filter(conversation=conversation).update(attempts=7)  # another took it after our lease
        return hear(**kwargs)

    model.reply = meanwhile

    answer_now(conversation)

    assert not Message.objects.filter(conversation=conversation, author="assistant").exists()
    assert Turn.objects.get(conversation=conversation).state == State.TAKEN
