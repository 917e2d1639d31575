"""How much of each request a vendor's cache can read again, by what a stand-in was really sent over whole turns."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from knowledge.llm import router
from knowledge.llm.chat import Profile
from sales.assistant import turn as turns
from sales.models import Message, Turn
from sales.operations import receive
from tests.knowledge.conftest import catalogue, demo
from tests.standins.anthropic_messages import AnthropicMessages
from tests.standins.model_vendor import ModelStandIn, Say
from tests.standins.openai_chat import OpenAIChat

__all__ = ["catalogue", "demo"]

QUESTIONS = (
    "Здравствуйте! Что умеет AI Manager?",
    "А где хранятся данные клиентов?",
    "Сколько стоит AI Manager на 1800 диалогов в месяц?",
    "Есть ли интеграция с amoCRM?",
    "Какие скидки есть, если платить за год?",
    "А если бот ошибётся, кто отвечает?",
)
VENDORS: dict[str, Callable[[], ModelStandIn]] = {"openai": OpenAIChat, "anthropic": AnthropicMessages}


def said_by(body: dict[str, Any]) -> list[str]:
    """What a request says, in the order in which vendors read it: tools, instructions, messages."""
    messages = body["messages"]
    return [json.dumps(each, ensure_ascii=False) for each in (body.get("tools"), body.get("system"), *messages)]


def unmarked(text: str) -> str:
    """A cache is told where to end by marks that aren't part of what it remembers."""
    return text.replace(', "cache_control": {"type": "ephemeral"}', "")


def alike(first: str, second: str) -> int:
    return next((at for at, (one, other) in enumerate(zip(first, second, strict=False)) if one != other), len(first))


def answers(body: dict[str, Any]) -> Say:
    """A quote where a price is asked for and none was made yet, else words."""
    last = json.dumps(body["messages"][-3:], ensure_ascii=False)
    if "Сколько стоит" in last and "Q-" not in last and "pricing__quote" not in last:
        wanted = {"billing_period": "month", "products": [{"product": "ai_manager", "volume": 1800}]}
        return Say(calls=[("pricing__quote", wanted)])
    return Say("Об этом рассказано в нашей базе знаний, я посмотрел. Что ещё подсказать?")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", VENDORS)
def test_over_twenty_turns_most_of_each_request_begins_as_the_one_before(name: str, demo: None, conversation: Any):
    with VENDORS[name]() as vendor:
        vendor.reply = answers
        url = getattr(vendor, "url", vendor.root)
        profile = Profile(name, name, "some-model", base_url=url, key="sk-never-in-a-log-1234")
        firsts = []
        with router.using(profiles=[profile]):
            for turn in range(20):
                before = len(vendor.asked)
                text = f"{QUESTIONS[turn % len(QUESTIONS)]} (вопрос {turn + 1})"
                receive(conversation_id=conversation.pk, external_id=uuid.uuid4().hex, text=text, now=timezone.now())
                Turn.objects.filter(conversation=conversation, state="due").update(due_at=timezone.now())
                assert turns.answer(conversation.pk) == 1
                assert len(vendor.asked) > before
                firsts.append(before)
        texts = [unmarked("\n".join(said_by(body))) for body in vendor.asked]
        assert vendor.faults == []

    assert Message.objects.filter(conversation=conversation, author="assistant").count() == 20
    shares = [alike(one, other) / len(other) for one, other in pairwise(texts)]
    later = [shares[at - 1] for at in firsts[3:]]  # the first request of each turn after the third
    within = [share for at, share in enumerate(shares, 1) if at not in firsts]
    assert min(later) >= 0.7, later
    assert within
    assert min(within) >= 0.9, within  # a step more of the same turn
    assert len({len(text) // 20_000 for text in texts}) <= 2  # no request is much longer than another
