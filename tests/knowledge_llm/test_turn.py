"""The keyless model in a real turn: real rules, real tools, the real guard, the database."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

import knowledge
from common.promise import State
from knowledge.llm import router
from knowledge.models import Article
from pricing.catalogue_file import load
from pricing.models import Quote
from sales import operations
from sales.assistant import turn as turns
from sales.enums import Mode
from sales.models import Conversation, Message, Turn
from tests.knowledge_llm.stage import CATALOG

ARTICLES = Path(knowledge.__file__).parent / "data" / "articles"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _catalogue(db: Any, settings: Any) -> None:
    settings.ASSISTANT_MODEL = "knowledge.llm.router.model"
    load(CATALOG)


def say(conversation: Conversation, *texts: str) -> Message:
    """The assistant's reply to a message or a burst of them."""
    for text in texts:
        operations.receive(
            conversation_id=conversation.pk,
            external_id=f"c{Message.objects.count()}",
            text=text,
            now=timezone.now(),
        )
    Turn.objects.filter(conversation=conversation, state=State.DUE).update(due_at=timezone.now())
    turns.answer(conversation.pk, wait=lambda seconds: None)
    return Message.objects.filter(conversation=conversation, author="assistant").latest("seq")


def test_chain_ends_in_the_model_that_needs_no_key() -> None:
    assert router.model().name == "keyless"


def test_price_is_a_frozen_quote_and_the_reply_passes_the_guard(conversation: Conversation) -> None:
    reply = say(
        conversation, "AI-менеджер на 1800 диалогов и AI-юрист Старт на год, мы стартап, внедрение и два доп. канала"
    )

    quote = Quote.objects.get()
    assert quote.total == Decimal("528280.00")
    assert "528\u00a0280\u00a0₽" in reply.text
    assert [card["kind"] for card in reply.cards] == ["quote", "choices"]
    assert Turn.objects.get(conversation=conversation).model == "keyless"


def test_quote_is_remembered_for_the_next_turn(conversation: Conversation) -> None:
    say(conversation, "AI-менеджер на 1800 диалогов и AI-юрист Старт")

    say(conversation, "а без юриста, но за год?")

    assert [quote.inputs["products"] for quote in Quote.objects.order_by("created_at")][-1] == [
        {"product": "ai_manager", "volume": 1800}
    ]


def test_phone_is_kept_with_the_lead_and_read_back_unmasked(conversation: Conversation) -> None:
    reply = say(conversation, "Меня зовут Иван, телефон +7 916 123-45-67")

    conversation.lead.refresh_from_db()
    assert (conversation.lead.name, conversation.lead.phone) == ("Иван", "+79161234567")
    assert reply.text.startswith("Спасибо, Иван! Сохранено: телефон.")


def test_person_is_called_into_the_conversation(conversation: Conversation) -> None:
    say(conversation, "позовите человека")

    conversation.refresh_from_db()
    assert conversation.mode == Mode.WAITING


def test_story_of_the_first_visitor(conversation: Conversation) -> None:
    call_command("import_articles", str(ARTICLES))

    reply = say(
        conversation,
        "Что умеет AI-менеджер и сколько стоит на 1800 диалогов в месяц вместе с AI-юристом, если платить за год?",
    )

    sources = Article.objects.filter(external_id__in=[each["article"] for each in reply.citations])
    assert [article.product for article in sources] == ["ai_manager"]
    assert reply.text.startswith("AI-менеджер")
    assert Quote.objects.get().total == Decimal("473472.00")
    assert "473\u00a0472\u00a0₽" in reply.text


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Где хранятся данные?", "в России"),
        ("Расскажите про AI-юриста", "договор"),
        ("какие гарантии", "Роста продаж не обещаем"),
        ("кто ваши клиенты", "Имён клиентов"),
        ("вотсап подключаете?", "WhatsApp"),
    ],
)
def test_demo_articles_answer(conversation: Conversation, question: str, words: str) -> None:
    call_command("import_articles", str(ARTICLES))

    reply = say(conversation, question)

    assert words in reply.text
    assert reply.citations


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("какие есть скидки?", "20\u00a0%"),
        ("Сколько стоит AI-аналитик?", "39\u00a0900\u00a0₽"),
        ("почём у вас вообще", "от 14\u00a0900\u00a0₽ в месяц"),
        ("чем отличается Бизнес от Про у юриста", "«Про», до 600 документов в месяц – 89\u00a0900\u00a0₽"),
        ("что есть до 20 000 рублей в месяц?", "AI-юрист «Старт»"),
    ],
)
def test_catalogue_answers_and_passes_the_guard(conversation: Conversation, question: str, words: str) -> None:
    reply = say(conversation, question)

    assert words in reply.text


def test_volume_said_in_words_is_named_in_digits(conversation: Conversation) -> None:
    reply = say(conversation, "AI-менеджер на полторы тысячи диалогов")

    assert "(1\u00a0500 диалогов в месяц)" in reply.text


@pytest.mark.parametrize("question", ["как приготовить борщ?", "кто президент Франции?", "есть ли у вас вакансии?"])
def test_demo_articles_do_not_answer_what_they_do_not_know(conversation: Conversation, question: str) -> None:
    call_command("import_articles", str(ARTICLES))

    reply = say(conversation, question)

    assert reply.text.startswith("В базе знаний нет точного ответа")
    assert reply.citations == []
