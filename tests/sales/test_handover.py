"""A person is called for a reason, with the open question, in words that come with the call; staff see both."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from django.test import Client
from django.utils import timezone

from common.promise import State
from sales import operations
from sales.assistant import turn as turns
from sales.assistant.phrases import CALLED
from sales.assistant.protocol import Reply, ToolRequest
from sales.enums import HandoverReason, Mode, NoticeKind
from sales.models import Conversation, Handover, Message, Notice, Turn
from sales.tools import Reason
from tests import fakes

pytestmark = pytest.mark.django_db


def write(conversation: Conversation, text: str) -> None:
    operations.receive(
        conversation_id=conversation.pk, external_id=str(Message.objects.count()), text=text, now=timezone.now()
    )


def answer_now(conversation: Conversation) -> None:
    Turn.objects.filter(conversation=conversation, state=State.DUE).update(due_at=timezone.now())
    turns.answer(conversation.pk, wait=lambda seconds: None)


@pytest.fixture
def scripted(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    def script(*replies: Any) -> fakes.ScriptedModel:
        model = fakes.ScriptedModel(*replies)
        monkeypatch.setattr(fakes, "scripted_model", model, raising=False)
        settings.ASSISTANT_MODEL = "tests.fakes.scripted_model"
        return model

    return script


def call(conversation: Conversation, reason: HandoverReason = HandoverReason.ASKED, question: str = "") -> Handover:
    operations.call_person(conversation_id=conversation.pk, now=timezone.now(), reason=reason, question=question)
    return Handover.objects.open().get(conversation=conversation)


def test_call_keeps_reason_question_and_a_summary_of_what_is_known(conversation: Conversation) -> None:
    operations.save_contact(lead_id=conversation.lead_id, now=timezone.now(), by="t", name="Анна", phone="+79161234567")
    write(conversation, "Нам нужен AI-менеджер")
    write(conversation, "А скидку 40 % дадите?")

    row = call(conversation, HandoverReason.APPROVAL, "Просит скидку 40 %")

    row = Handover.objects.get(pk=row.pk)
    assert (row.reason, row.question) == ("needs_approval", "Просит скидку 40 %")
    assert row.summary.splitlines() == [
        "Контакты: Анна, +79161234567",
        "– Нам нужен AI-менеджер",
        "– А скидку 40 % дадите?",
    ]


def test_without_a_question_the_open_one_is_what_the_customer_wrote_last(conversation: Conversation) -> None:
    write(conversation, "Позовите человека")

    assert call(conversation).question == "Позовите человека"


def test_second_call_while_nobody_has_come_updates_the_first(conversation: Conversation) -> None:
    first = call(conversation)
    second = call(conversation, HandoverReason.ANGRY, "Где вы?")

    assert (second.pk, second.created_at) == (first.pk, first.created_at)
    assert (second.reason, second.question) == ("angry", "Где вы?")
    assert Notice.objects.filter(kind=NoticeKind.HANDOVER).count() == 1


@pytest.mark.parametrize("verb", [operations.take_over, operations.give_back])
def test_whoever_takes_or_gives_back_ends_the_wait(conversation: Conversation, operator: Any, verb: Any) -> None:
    call(conversation)

    verb(conversation_id=conversation.pk, by=operator, now=timezone.now())

    row = Handover.objects.get()
    assert (row.taken_by, row.taken_at is not None) == (operator, True)
    assert Notice.objects.get().seen_by == operator


def test_call_while_an_operator_leads_changes_nothing(conversation: Conversation, operator: Any) -> None:
    operations.take_over(conversation_id=conversation.pk, by=operator, now=timezone.now())

    operations.call_person(conversation_id=conversation.pk, now=timezone.now(), reason=HandoverReason.ASKED)

    assert not Handover.objects.exists()
    conversation.refresh_from_db()
    assert conversation.mode == Mode.OPERATOR


def test_customer_reads_that_a_person_was_called_whatever_the_model_says(
    conversation: Conversation, scripted: Any
) -> None:
    asked = ToolRequest("1", "sales__call_person", {"reason": "payment_or_legal", "question": "Где мой возврат?"})
    scripted(Reply(calls=(asked,)), Reply(text="Понимаю вас."))
    write(conversation, "Верните деньги")

    answer_now(conversation)

    reply = Message.objects.get(conversation=conversation, author="assistant")
    assert reply.text == f"Понимаю вас.\n\n{CALLED['ru']}"
    assert Handover.objects.get().question == "Где мой возврат?"


def test_call_repeated_in_a_later_turn_is_not_announced_again(conversation: Conversation, scripted: Any) -> None:
    asked = ToolRequest("1", "sales__call_person", {"reason": "asked_for_person"})
    scripted(Reply(calls=(asked,)), Reply(text="Позвал."), Reply(calls=(asked,)), Reply(text="Ещё не пришли."))
    for text in ("Позовите человека", "Ну где же он?"):
        write(conversation, text)
        answer_now(conversation)

    texts = Message.objects.filter(conversation=conversation, author="assistant").order_by("seq")
    assert [each.text for each in texts] == [f"Позвал.\n\n{CALLED['ru']}", "Ещё не пришли."]
    assert Handover.objects.count() == 1


def test_reason_that_is_not_in_the_list_is_refused_in_words_for_the_model(
    conversation: Conversation, scripted: Any
) -> None:
    asked = ToolRequest("1", "sales__call_person", {"reason": "because"})
    model = scripted(Reply(calls=(asked,)), Reply(text="Слушаю вас."))
    write(conversation, "Позовите")

    answer_now(conversation)

    assert (model.heard[1][-1].failed, "reason" in model.heard[1][-1].text) == (True, True)
    assert not Handover.objects.exists()
    assert Message.objects.get(author="assistant").text == "Слушаю вас."


def test_model_may_give_every_reason_but_that_no_model_answered() -> None:
    assert {*get_args(Reason), "vendors_down"} == set(HandoverReason.values)


def test_draft_that_stays_unproven_calls_a_person_with_the_question(conversation: Conversation, scripted: Any) -> None:
    scripted(Reply(text="Это будет стоить 12 345 ₽ в месяц."))
    write(conversation, "Сколько стоит?")

    answer_now(conversation)

    row = Handover.objects.get()
    assert (row.reason, row.question) == ("no_grounded_answer", "Сколько стоит?")


def test_turn_that_always_fails_calls_a_person_because_nobody_answered(
    conversation: Conversation, scripted: Any
) -> None:
    scripted(RuntimeError("no"))
    write(conversation, "Вопрос")
    for _ in range(6):
        answer_now(conversation)

    assert Handover.objects.get().reason == "vendors_down"


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (["позовите человека"], "asked_for_person"),
        (["я на вас в суд подам"], "angry"),
        (["тупой бот", "ужасный сервис"], "angry"),
        (["сколько звёзд на небе?", "да"], "no_grounded_answer"),
    ],
)
def test_keyless_model_says_why(conversation: Conversation, texts: list[str], reason: str) -> None:
    for text in texts:
        write(conversation, text)
        answer_now(conversation)

    assert Handover.objects.get().reason == reason


def test_keyless_model_leaves_the_question_that_it_could_not_answer(conversation: Conversation) -> None:
    for text in ("сколько звёзд на небе?", "да"):
        write(conversation, text)
        answer_now(conversation)

    assert "звёзд" in Handover.objects.get().question
    assert Message.objects.filter(author="assistant").latest("seq").text.count(CALLED["ru"]) == 1


def test_staff_see_reason_and_question_where_they_look(
    conversation: Conversation, operator: Any, client: Client
) -> None:
    call(conversation, HandoverReason.PAYMENT_OR_LEGAL, "Где мой <b>счёт</b>?")
    client.force_login(operator)

    first = client.get("/admin/").content.decode()
    page = client.get(f"/admin/sales/conversation/{conversation.pk}/change/").content.decode()

    for html in (first, page):
        assert "вопрос об оплате или праве" in html
        assert "Где мой &lt;b&gt;счёт&lt;/b&gt;?" in html


def test_conversations_are_found_by_the_reason(conversation: Conversation, operator: Any, client: Client) -> None:
    call(conversation, HandoverReason.ANGRY)
    client.force_login(operator)

    shown = [
        str(conversation) in client.get(f"/admin/sales/conversation/?handover={reason}").content.decode()
        for reason in ("angry", "loop")
    ]

    assert shown == [True, False]
