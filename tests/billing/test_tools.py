"""The proposal as the assistant prepares it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from billing.models import Document, DocumentLink
from billing.operations import make_pdf
from pricing.models import Quote
from sales.assistant.tools import TOOLS, ToolContext, ToolFailed
from sales.operations import open_conversation

pytestmark = pytest.mark.django_db(transaction=True)


def ask(talk: Any, number: str, **changes: Any) -> Any:
    context = ToolContext(
        **{
            "conversation_id": talk.pk,
            "lead_id": talk.lead_id,
            "turn_id": None,
            "now": timezone.now(),
            "language": "ru",
            **changes,
        }
    )
    return TOOLS["billing__prepare_proposal"].run(context, {"quote_number": number})


def test_tool_gives_words_and_a_card_with_a_link_that_opens(
    client: Client, talk: Any, quoted: Callable[..., Quote]
) -> None:
    output = ask(talk, quoted().number)
    document = Document.objects.get()

    [card] = output.cards
    document.keep(make_pdf, now=timezone.now())
    assert {name: card[name] for name in card if name not in {"url", "text"}} == {
        "kind": "document",
        "document": str(document.pk),
        "title": f"Коммерческое предложение №\u00a0{document.number}",
        "number": document.number,
        "media_type": "application/pdf",
        "size": None,
    }
    assert "528\u00a0280,00" in card["text"]
    assert client.get(card["url"]).status_code == 200
    assert output.data["number"] == document.number
    assert output.remember == {"documents": ["proposal"]}
    assert document.number in output.text


def test_tool_asked_twice_gives_the_same_card(talk: Any, quoted: Callable[..., Quote]) -> None:
    number = quoted().number

    assert ask(talk, number).cards == ask(talk, f" {number} ").cards


def test_tool_gives_a_fresh_link_after_the_first_has_ended(talk: Any, quoted: Callable[..., Quote]) -> None:
    number = quoted().number
    first = ask(talk, number).cards[0]["url"]
    DocumentLink.objects.update(expires_at=timezone.now() - timedelta(days=1))

    assert ask(talk, number).cards[0]["url"] not in {"", first}


def test_tool_refuses_a_quote_of_another_conversation(talk: Any, quoted: Callable[..., Quote]) -> None:
    number = quoted().number
    stranger = open_conversation(channel="webchat", external_id=uuid.uuid4().hex, now=timezone.now())

    with pytest.raises(ToolFailed, match="no such quote"):
        ask(stranger, number)


def test_tool_refuses_a_quote_that_has_ended(talk: Any, quoted: Callable[..., Quote]) -> None:
    number = quoted().number

    with pytest.raises(ToolFailed, match="isn't valid any more"):
        ask(talk, number, now=timezone.now() + timedelta(days=60))


def test_tool_calls_for_a_person_where_nothing_can_be_issued(
    talk: Any, quoted: Callable[..., Quote], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = quoted().number
    monkeypatch.setattr(settings, "IS_PRODUCTION", True)

    with pytest.raises(ToolFailed, match="call a person"):
        ask(talk, number)
