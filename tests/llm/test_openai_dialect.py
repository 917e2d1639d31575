"""Chat Completions: what OpenAI is asked, and how the quirks of those who speak its API are read."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from common import wire
from knowledge.llm.chat import Call, Called, Failure, ModelFailed, Returned, Said
from knowledge.llm.dialects import openai as dialect
from knowledge.llm.dialects.shared import Ear
from tests.llm.dialogue import KEY, PROMPT, QUESTION, SEARCH, ask, failure, going_on, profile, standing_for


@pytest.fixture
def openai():
    with standing_for("openai") as vendor:
        yield vendor
        assert vendor.faults == []


@pytest.fixture
def yandex():
    with standing_for("yandexgpt") as vendor:
        yield vendor
        assert vendor.faults == []


def test_a_request_says_what_it_must_and_nothing_that_some_refuse(openai):
    ask(openai, hear=lambda piece: None)

    assert openai.asked == [
        {
            "model": "demo-model",
            "messages": [
                {"role": "system", "content": PROMPT.system},
                {"role": "user", "content": QUESTION.text},
            ],
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": SEARCH.name,
                        "description": SEARCH.description,
                        "parameters": dict(SEARCH.schema),
                    },
                }
            ],
            "max_completion_tokens": 800,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


def test_a_call_is_shown_again_as_the_model_made_it(openai):
    openai.say("Ищу.", [("knowledge__search", {"query": "цена"}), ("knowledge__search", '{"query":  "срок"}')])
    answer = ask(openai, hear=lambda piece: None)

    ask(openai, going_on(PROMPT, answer, "19 900", "3 дня"))

    step, *results = openai.asked[-1]["messages"][2:]
    assert step["content"] == "Ищу."
    assert [call["id"] for call in step["tool_calls"]] == ["call_demo1_0", "call_demo1_1"]
    assert [call["function"]["arguments"] for call in step["tool_calls"]] == ['{"query": "цена"}', '{"query":  "срок"}']
    assert results == [
        {"role": "tool", "tool_call_id": "call_demo1_0", "content": "19 900"},
        {"role": "tool", "tool_call_id": "call_demo1_1", "content": "3 дня"},
    ]


def test_what_follows_one_another_from_one_side_is_one_message(openai):
    ask(openai, replace(PROMPT, parts=(Said("user", "Раз"), Said("user", "Два"), Said("assistant", "Три"))))

    assert openai.asked[-1]["messages"][1:] == [
        {"role": "user", "content": "Раз\n\nДва"},
        {"role": "assistant", "content": "Три"},
    ]


def test_options_change_what_is_asked(openai):
    ask(
        openai,
        answer_limit="max_tokens",
        system_role="developer",
        temperature=0.3,
        parallel_tools=False,
        strict_tools=True,
        cache_key=True,
        reasoning_effort="low",
        headers={"x-extra": "1"},
        project="proj_1",
        organization="org-1",
        extra={"top_k": 5},
    )

    asked, headers = openai.asked[-1], openai.headers[-1]
    assert asked["max_tokens"] == 800 and "max_completion_tokens" not in asked
    assert asked["messages"][0]["role"] == "developer"
    assert (asked["temperature"], asked["parallel_tool_calls"], asked["reasoning_effort"]) == (0.3, False, "low")
    assert asked["tools"][0]["function"]["strict"] is True
    assert asked["safety_identifier"] == asked["prompt_cache_key"] == PROMPT.thread
    assert (headers["x-extra"], headers["openai-project"], headers["openai-organization"]) == ("1", "proj_1", "org-1")
    assert asked.pop("top_k") == 5
    openai.forget()  # the published contract knows no such word: it is for others


def test_the_environment_tells_no_server_who_we_are_to_another(openai, monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    dialect._client.cache_clear()

    ask(openai)

    assert "secret" not in str(openai.headers[-1])
    assert openai.headers[-1]["authorization"] == f"Bearer {KEY}"


def test_openais_own_address_is_told_the_conversation(openai):
    said = dialect.OpenAI().request
    options = dict(dialect.DEFAULTS["openai"])
    away = profile(openai)

    assert "prompt_cache_key" not in said(PROMPT, profile=away, options=options)
    assert said(PROMPT, profile=replace(away, base_url=""), options=options)["prompt_cache_key"] == PROMPT.thread


def test_a_refusal_is_filtered(openai):
    openai.reply = None
    message = SimpleNamespace(content=None, refusal="I can't help with that.", tool_calls=None)
    completion = SimpleNamespace(
        choices=[SimpleNamespace(finish_reason="stop", message=message)], usage=None, error=None
    )

    with pytest.raises(ModelFailed) as told:
        _read(completion)

    assert told.value.failure is Failure.FILTERED


@pytest.mark.parametrize(
    ("status", "error", "meant"),
    [
        (400, {"message": "This model's maximum context length is 8192 tokens."}, Failure.TOO_LONG),
        (400, {"message": "no", "code": "content_filter"}, Failure.FILTERED),
        (400, {"message": "no", "code": "invalid_prompt"}, Failure.FILTERED),
        (402, {"message": "Insufficient balance"}, Failure.NO_MONEY),
        (403, {"message": "Project has no access to model", "code": "model_not_found"}, Failure.NO_MODEL),
        (403, {"message": "Your location is not supported"}, Failure.COUNTRY),
        (403, None, Failure.COUNTRY),
        (429, {"message": "Budget", "type": "insufficient_quota"}, Failure.NO_MONEY),
        (503, {"message": "Engine overloaded"}, Failure.SERVER),
        (418, "tea", Failure.BAD_REQUEST),
    ],
)
def test_errors_of_gateways_are_understood(status, error, meant):
    from knowledge.llm.dialects.shared import refused

    assert refused("x", status, {"error": error} if error else error).failure is meant


def test_words_of_an_error_are_not_told_further():
    from knowledge.llm.dialects.shared import refused

    told = refused("x", 400, {"error": {"message": "Мария 79161234567", "code": "Мария Петрова", "type": "bad"}})

    assert told.words == "x answers 400 (bad)"


# --- quirks -----------------------------------------------------------------------------------------------------


def _ear(pieces: list[str] | None = None) -> Ear:
    clock = wire.Call(ends=1e12, seconds=1)
    return Ear(clock, None if pieces is None else pieces.append)


def _read(completion: Any) -> Any:
    create = SimpleNamespace(create=lambda **request: completion)
    client = SimpleNamespace(chat=SimpleNamespace(completions=create))
    options = dialect.DEFAULTS["openai"]
    someone = SimpleNamespace(slug="x", model="m")
    return dialect.OpenAI()._read(client, {}, PROMPT, someone, options, _ear())  # type: ignore[arg-type]


def _delta(**said: Any) -> Any:
    said = {"content": None, "refusal": None, "tool_calls": None, **said}
    choice = SimpleNamespace(delta=SimpleNamespace(**said), finish_reason=None)
    return SimpleNamespace(choices=[choice], usage=None)


def _call(index: int | None, id: str | None, name: str | None, arguments: Any) -> Any:
    return SimpleNamespace(index=index, id=id, function=SimpleNamespace(name=name, arguments=arguments))


@pytest.mark.parametrize(
    "pieces",
    [
        [_call(0, "a", "f", '{"x"'), _call(0, None, None, ": 1}"), _call(1, "b", "g", "{}")],
        [_call(0, "a", "f", '{"x": 1}'), _call(0, "b", "g", "{}")],  # every call at the same place
        [_call(None, "a", "f", '{"x": 1}'), _call(None, "b", "g", "{}")],  # no place at all
        [_call(0, "a", "f", '{"x"'), _call(0, "a", "f", ": 1}"), _call(1, "b", "g", "")],  # the name again and again
        [_call(0, "", "f", {"x": 1}), _call(1, "", "g", {})],  # an object instead of text
    ],
)
def test_calls_come_together_however_a_server_cuts_them(pieces):
    heard = dialect._Heard(_ear())

    for piece in pieces:
        heard.chunk(_delta(tool_calls=[piece]))

    assert [(call.name, call.json) for call in heard.calls] == [("f", '{"x": 1}'), ("g", "{}")]


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("<think>Клиент злой.</think>\n\nДобрый день!", "Добрый день!"),
        ("\n<think>\n</think>Да", "Да"),
        ("<b>Да</b>", "<b>Да</b>"),
        ("<", "<"),
        ("Цена <think> не скажу", "Цена <think> не скажу"),
        ("<think>без конца", ""),
    ],
)
def test_thoughts_spoken_aloud_are_not_heard(said, meant, size):
    pieces: list[str] = []
    heard = dialect._Heard(_ear(pieces))

    for start in range(0, len(said), size):
        heard.chunk(_delta(content=said[start : start + size]))
    heard.flush()

    assert "".join(pieces) == heard.ear.text == meant


# --- YandexGPT --------------------------------------------------------------------------------------------------


def test_yandexgpt_is_asked_in_its_way(yandex):
    ask(yandex, hear=lambda piece: None, temperature=0.2, headers={"x-extra": "1"})

    asked, headers = yandex.asked[-1], yandex.headers[-1]
    assert set(asked) == {"model", "messages", "tools", "max_tokens", "temperature", "stream"}
    assert headers["openai-project"] == "b1gdemofolder"
    assert (headers["x-data-logging-enabled"], headers["x-extra"]) == ("false", "1")


@pytest.mark.parametrize("hear", [None, lambda piece: None])
def test_two_calls_under_one_id_are_two_calls_and_answered_in_order(yandex, hear):
    yandex.say("", [("knowledge__search", {"query": "цена"}), ("knowledge__search", {"query": "срок"})])

    answer = ask(yandex, hear=hear)

    first, second = answer.calls
    assert (first.vendor_id, second.vendor_id) == ("knowledge__search", "knowledge__search")
    assert first.id != second.id
    ask(yandex, going_on(PROMPT, answer, "19 900", "3 дня"), hear=hear)
    results = [message for message in yandex.asked[-1]["messages"] if message["role"] == "tool"]
    assert results == [
        {"role": "tool", "tool_call_id": "knowledge__search", "content": "19 900"},
        {"role": "tool", "tool_call_id": "knowledge__search", "content": "3 дня"},
    ]


def test_calls_of_another_model_are_told_to_yandexgpt_by_their_names(yandex):
    call = Call("a", "knowledge__search", {"query": "цена"})

    ask(yandex, replace(PROMPT, parts=(QUESTION, Called("", (call,)), Returned(call, "есть"))))

    assert yandex.asked[-1]["messages"][2]["tool_calls"][0]["id"] == "knowledge__search"


def test_an_error_without_an_envelope_goes_by_its_status(yandex):
    yandex.mode = "bad_key"

    failed = failure(yandex)

    assert (failed.failure, failed.words) == (Failure.KEY, "yandexgpt answers 401 (16)")
