"""Requests to each vendor are valid by its published contract; so are the answers of those who stand for it.

The contracts are files outside of the repository, in ``CONTRACTS_DIR``. Without them the SDKs' types are what is held
against, and the rules that vendors' pages add.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from knowledge.llm.chat import Call, Called, Returned, Said
from knowledge.llm.dialects.schemas import specs
from sales.assistant.tools import TOOLS
from tests.llm.dialogue import PROMPT, QUESTION, VENDORS, ask, going_on, standing_for

CALLS = [("pricing__price_list", {}), ("knowledge__search", {"query": "цена"})]


@pytest.fixture(params=VENDORS)
def vendor(request):
    with standing_for(request.param) as standin:
        yield standin


@pytest.mark.parametrize("hear", [None, lambda piece: None])
def test_a_whole_conversation_keeps_to_the_contract(vendor, hear):
    prompt = replace(PROMPT, tools=specs(TOOLS), temperature=None)
    foreign = Call("f-1", "knowledge__search", {"query": "что угодно"}, vendor_id="x" * 60)
    history = (
        Said("assistant", "Здравствуйте!"),
        Said("user", "Кто вы?"),
        Said("assistant", "Помощник."),
        QUESTION,
        Called("", (foreign,)),
        Returned(foreign, "Найдено: «Старт» – 19 900 ₽"),
    )
    prompt = replace(prompt, parts=history)

    for results in (["прайс", "статья"], ["не вышло", ""], ["{}", "[]"]):
        vendor.say("Сейчас.", CALLS)
        answer = ask(vendor, prompt, hear=hear)
        prompt = going_on(prompt, answer, *results[: len(answer.calls)], failed=results[0] == "не вышло")
    prompt = replace(prompt, parts=(*prompt.parts, Said("assistant", "Черновик"), Said("user", "Исправьте сумму.")))
    assert ask(vendor, prompt, hear=hear).text

    assert len(vendor.asked) == 4
    assert vendor.faults == []


def test_the_least_prompt_keeps_to_the_contract(vendor):
    assert ask(vendor, replace(PROMPT, system="", tools=(), thread="")).text

    assert vendor.faults == []


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("openai", lambda body: body.update(max_completion_tokens="many")),
        ("openai", lambda body: body["messages"][0].update(role="boss")),
        ("anthropic", lambda body: body.pop("max_tokens")),
        ("anthropic", lambda body: body.update(temperature=1)),
        ("anthropic", lambda body: body["messages"].append({"role": "assistant", "content": "и"})),
        ("yandexgpt", lambda body: body.update(max_completion_tokens=5)),
        ("gigachat", lambda body: body["messages"].append({"role": "system", "content": "ещё"})),
        ("gigachat", lambda body: body["messages"].append({"role": "function", "name": "f", "content": "1"})),
    ],
)
def test_a_stand_in_sees_what_is_wrong(name, spoil):
    """The twin: else all of this would prove nothing."""
    with standing_for(name) as vendor:
        ask(vendor)
        body, headers = vendor.asked[0], vendor.headers[0]
        assert vendor.faults == []
        spoil(body)

        path = {"anthropic": "/v1/messages", "gigachat": "/api/v1/chat/completions"}.get(name, "/v1/chat/completions")
        assert vendor.request_faults(path, headers, body)


@pytest.mark.skipif(not os.environ.get("CONTRACTS_DIR"), reason="the contracts aren't here")
def test_the_published_contracts_are_really_held_against():
    from tests.standins.model_vendor import schema_faults

    assert schema_faults("openai", "openapi.subset.yaml", "CreateChatCompletionRequest", {"model": 1})
    assert schema_faults("anthropic", "messages.openapi.json", "MessageCreateParamsNonStreaming", {"model": 1})
    assert schema_faults("yandexgpt", "openai-compat.openapi.yaml", "ChatRequest", {"model": 1})
    assert schema_faults("gigachat", "openapi.v1.yaml", "Chat", {"model": 1})
