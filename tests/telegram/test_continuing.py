"""Going on in the web chat by a link from Telegram."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client

from channels_app import continuing
from channels_app.models import Continuation, Thread
from channels_app.webchat import threads
from sales import operations
from sales.models import Consent, Conversation, Lead, Message

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(now):
    talk = operations.open_conversation(channel="telegram", external_id="700100200", name="Ирина", now=now)
    operations.receive(conversation_id=talk.pk, external_id="1", text="Секретный разговор", now=now)
    return talk


@pytest.fixture
def path(talk, now) -> str:
    return urlsplit(continuing.link(talk, now=now)).path


def test_the_link_opens_an_empty_web_chat_of_the_same_lead_once(talk, path, now):
    looked = [Client().get(path) for _ in range(3)]
    assert [each.status_code for each in looked] == [200] * 3
    assert all("Секретный" not in each.content.decode() for each in looked)

    opened = Client().post(path, {"consent": "yes"})

    conversation = Conversation.objects.get(channel="webchat")
    thread = Thread.objects.get(conversation=conversation)
    token = opened.context["session"]["token"]
    assert (conversation.lead_id, Lead.objects.count()) == (talk.lead_id, 1)
    assert not Message.objects.filter(conversation=conversation).exists()
    assert thread.data == {"continues": str(talk.pk), "channel": "telegram"}
    assert threads.enter(conversation.pk, token, now=now) is not None
    assert Consent.objects.get().lead_id == talk.lead_id
    assert [Client().get(path).status_code, Client().post(path, {"consent": "yes"}).status_code] == [410, 410]
    assert Conversation.objects.filter(channel="webchat").count() == 1


def test_without_consent_nothing_is_opened(path):
    assert Client().post(path, {}).status_code == 200
    assert not Conversation.objects.filter(channel="webchat").exists()


def test_after_an_hour_and_by_guessing_nothing_is_opened(path):
    assert Client().post("/chat/continue/guess", {"consent": "yes"}).status_code == 410
    Continuation.objects.update(expires_at=Continuation.objects.get().expires_at - timedelta(hours=2))

    assert Client().post(path, {"consent": "yes"}).status_code == 410


def test_only_the_digest_of_the_token_is_kept(path):
    assert path.rpartition("/")[2] not in str(Continuation.objects.values_list().get())
