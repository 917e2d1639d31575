"""In a vendor's chat an answer needs no consent; contact data are kept after the customer has agreed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from channels_app import consents
from channels_app.contract import By, Event, Kind
from channels_app.intake import take
from common.promise import State
from sales import consents as sales_consents
from sales.assistant import turn as turns
from sales.assistant.tools import TOOLS, ToolContext, ToolFailed
from sales.models import Consent, Conversation, Lead, LeadFact, Message, ToolCall, Turn
from sales.operations import open_conversation, receive

pytestmark = pytest.mark.django_db


def write(chat: Conversation, text: str) -> None:
    event = Event(chat.external_id, f"m{Message.objects.count()}", Kind.TEXT, By.CUSTOMER, text)
    take("post", event, now=timezone.now())


def answer(chat: Conversation) -> str:
    Turn.objects.filter(conversation=chat, state=State.DUE).update(due_at=timezone.now())
    turns.answer(chat.pk, wait=lambda seconds: None)
    return Message.objects.filter(conversation=chat, author="assistant").latest("seq").text


def lead(chat: Conversation) -> Lead:
    return Lead.objects.get(pk=chat.lead_id)


def test_a_contact_waits_for_the_word_and_is_kept_with_it(chat: Conversation) -> None:
    write(chat, "Мой телефон 8 916 123-45-67")
    first = answer(chat)
    before = lead(chat).phone

    write(chat, "Согласен")
    second = answer(chat)

    assert "«Согласен»" in first
    assert before == ""
    assert lead(chat).phone == "+79161234567"
    assert Consent.objects.get(lead=chat.lead_id).channel == "post"
    assert "охранено: телефон" in second, second


def test_consent_is_proved_by_wording_version_and_time(chat: Conversation) -> None:
    write(chat, "Запишите почту anna@example.org")
    answer(chat)

    write(chat, "согласна.")

    given = Consent.objects.get(lead=chat.lead_id)
    said = Message.objects.filter(conversation=chat).latest("seq")
    assert (given.version, given.given_at, len(given.text_sha256)) == (consents.VERSION, said.created_at, 64)
    assert lead(chat).email == "anna@example.org"


def test_in_english_too(chat: Conversation) -> None:
    write(chat, "Hello! How much is it? My phone is +7 916 123-45-67")
    first = answer(chat)

    write(chat, "I agree")
    second = answer(chat)

    assert "“I agree”" in first
    assert "Thank you! Saved: phone number." in second, second


def test_word_and_contact_may_come_in_one_message(chat: Conversation) -> None:
    write(chat, "Позовите сотрудника")
    asked = answer(chat)

    write(chat, "Согласен, 8 916 123-45-67")
    answer(chat)

    assert "«Согласен»" in asked
    assert lead(chat).phone == "+79161234567"


def test_the_same_message_twice_is_one_consent(chat: Conversation) -> None:
    write(chat, "Мой телефон 8 916 123-45-67")
    answer(chat)
    event = Event(chat.external_id, "same", Kind.TEXT, By.CUSTOMER, "Согласен")

    for _ in range(2):
        take("post", event, now=timezone.now())

    assert Consent.objects.filter(lead=chat.lead_id).count() == 1


@pytest.mark.parametrize("words", ["Не согласен", "Согласен, но цена высокая", "согласен на 40 %", "Это согласено?"])
def test_other_words_are_no_consent(chat: Conversation, words: str) -> None:
    write(chat, "Мой телефон 8 916 123-45-67")
    answer(chat)

    write(chat, words)

    assert not Consent.objects.exists()


def test_the_word_before_we_have_asked_is_no_consent(chat: Conversation) -> None:
    write(chat, "Согласен")

    assert not Consent.objects.exists()


def test_facts_that_say_who_the_customer_is_wait_too(chat: Conversation) -> None:
    write(chat, "Мы ООО «Ромашка», нам нужен AI-юрист на 100 договоров")
    context = ToolContext(chat.pk, chat.lead_id, None, timezone.now())
    company = {"kind": "company", "value": "ООО «Ромашка»", "quote": "Мы ООО «Ромашка»"}
    product = {"kind": "product", "value": "AI-юрист", "quote": "нам нужен AI-юрист"}

    TOOLS["sales__note_facts"].run(context, {"facts": [company, product]})
    with pytest.raises(ToolFailed):
        TOOLS["sales__note_facts"].run(context, {"facts": [company]})

    assert list(LeadFact.objects.values_list("kind", flat=True)) == ["product"]


@pytest.mark.parametrize("channel", ["webchat", "terminal", "evaluation"])
def test_channels_with_consent_before_or_without_a_customer_ask_for_none(channel: str) -> None:
    talk = open_conversation(channel=channel, external_id="1", now=timezone.now())
    receive(conversation_id=talk.pk, external_id="m1", text="Мой телефон 8 916 123-45-67", now=timezone.now())
    context = ToolContext(talk.pk, talk.lead_id, None, timezone.now())

    TOOLS["sales__save_contact"].run(context, {"phone": "8 916 123-45-67"})

    assert (lead(talk).phone, sales_consents.asking_in(talk.pk)) == ("+79161234567", "")


def test_refusal_tells_the_model_why_and_asks_the_customer(chat: Conversation) -> None:
    context = ToolContext(chat.pk, chat.lead_id, None, timezone.now(), language="en")

    with pytest.raises(ToolFailed) as refused:
        TOOLS["sales__save_contact"].run(context, {"name": "Anna"})

    assert "hasn't agreed" in str(refused.value)
    assert "“I agree”" in refused.value.notice
    assert lead(chat).name == ""


def test_what_was_refused_is_kept_from_the_journal_whichever_model_asked(chat: Conversation) -> None:
    write(chat, "Мой телефон 8 916 123-45-67")
    answer(chat)
    call = ToolCall.objects.get(name="sales__save_contact")

    assert (call.failed, call.result["data"]) == (True, {"wants_consent": True})


@pytest.mark.parametrize("language", ["ru", "en"])
def test_notice_is_short_and_leads_to_the_whole_text(language: str, client: Client, settings: Any) -> None:
    settings.PUBLIC_URL = "https://chat.example.org"

    words = consents.notice(language, "post")

    assert len(words) < 200
    page = client.get(words.rpartition("https://chat.example.org")[2])
    assert page.status_code == 200
    assert "Согласен" in page.content.decode()
