"""Messages of Anthropic: blocks, marks for the cache, errors in the midst of a stream, resellers of the older API."""

from __future__ import annotations

from dataclasses import replace

import pytest

from knowledge.llm.chat import Call, Called, Failure, Part, Prompt, Returned, Said, Usage
from knowledge.llm.dialects.shared import refused
from tests.llm.dialogue import KEY, PROMPT, QUESTION, SEARCH, ask, failure, going_on, standing_for
from tests.standins.model_vendor import Trouble

MARK = {"type": "ephemeral"}


@pytest.fixture
def vendor():
    with standing_for("anthropic") as standin:
        yield standin
        assert standin.faults == []


def test_a_request_says_what_it_must(vendor):
    ask(vendor)

    assert vendor.asked == [
        {
            "model": "demo-model",
            "max_tokens": 800,
            "system": [{"type": "text", "text": PROMPT.system, "cache_control": MARK}],
            "tools": [
                {"name": SEARCH.name, "description": SEARCH.description, "input_schema": dict(SEARCH.schema)},
            ],
            "messages": [{"role": "user", "content": [{"type": "text", "text": QUESTION.text, "cache_control": MARK}]}],
            "metadata": {"user_id": PROMPT.thread},
        }
    ]
    assert vendor.headers[-1]["authorization"] == f"Bearer {KEY}"
    assert vendor.headers[-1]["anthropic-version"] == "2026-10-21"


@pytest.mark.parametrize("hear", [None, lambda piece: None])
def test_a_step_is_shown_again_unchanged_with_its_thoughts(vendor, hear):
    vendor.say(
        "Ищу.",
        [("knowledge__search", {"query": "цена"}), ("knowledge__search", {})],
        thinking="Спросили цену.",
        cached_tokens=100,
    )
    answer = ask(vendor, hear=hear)

    ask(vendor, going_on(PROMPT, answer, "19 900", "что искать?", failed=True), hear=hear)

    step, results = vendor.asked[-1]["messages"][1:]
    said = [{key: value for key, value in block.items() if value is not None} for block in step["content"]]
    assert said == [
        {"type": "thinking", "thinking": "Спросили цену.", "signature": "c2ln"},
        {"type": "text", "text": "Ищу."},
        {"type": "tool_use", "id": "toolu_demo1_0", "name": "knowledge__search", "input": {"query": "цена"}},
        {"type": "tool_use", "id": "toolu_demo1_1", "name": "knowledge__search", "input": {}},
    ]
    assert [block["tool_use_id"] for block in results["content"]] == ["toolu_demo1_0", "toolu_demo1_1"]
    assert [block.get("is_error") for block in results["content"]] == [True, True]


def test_results_come_first_and_words_after_them_in_one_message(vendor):
    call = Call("a", "knowledge__search", {"query": "цена"})
    parts = (QUESTION, Called("", (call,)), Returned(call, ""), Said("user", "Ну?"), Said("user", "Ну!"))

    ask(vendor, replace(PROMPT, parts=parts))

    (last,) = vendor.asked[-1]["messages"][2:]
    assert [block["type"] for block in last["content"]] == ["tool_result", "text", "text"]


def test_blocks_of_text_stand_apart(vendor):
    vendor.reply = None
    block = {"type": "text", "citations": None}
    vendor._blocks = lambda say: [{**block, "text": "Раз."}, {**block, "text": "Два."}]
    pieces: list[str] = []

    assert ask(vendor, hear=pieces.append).text == ask(vendor).text == "Раз.\n\nДва."
    assert "".join(pieces) == "Раз.\n\nДва."


def test_options_change_what_is_asked(vendor):
    ask(vendor, prompt_cache=False, parallel_tools=False, strict_tools=True, effort="low", cache_ttl="1h")

    asked = vendor.asked[-1]
    assert "cache_control" not in str(asked)
    assert asked["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert asked["tools"][0]["strict"] is True
    assert asked["output_config"] == {"effort": "low"}
    ask(vendor, cache_ttl="1h")
    assert vendor.asked[-1]["system"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


def test_a_reseller_of_the_older_api_gets_the_key_where_it_wants_it_and_nowhere_else(vendor):
    ask(vendor, headers={"x-api-key": KEY, "anthropic-version": "2023-06-01"}, extra={"temperature": 0.3})

    headers = vendor.headers[-1]
    assert (headers["x-api-key"], headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert "authorization" not in headers
    assert vendor.asked[-1]["temperature"] == 0.3
    vendor.forget()  # the newer contract knows no temperature


def test_the_environment_names_nobody(vendor, monkeypatch):
    from knowledge.llm.dialects import anthropic as dialect

    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "secret-token")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    dialect._client.cache_clear()

    ask(vendor)

    assert "secret" not in str(vendor.headers[-1])


# --- the cache --------------------------------------------------------------------------------------------------


def _turn(history: tuple[Part, ...], question: str) -> Prompt:
    """As a turn tells it: the talk so far, then the question beside what is known only now."""
    return Prompt("Ты менеджер. " * 100, (*history, Said("user", f"Известно: вторник.\n\n{question}")), (SEARCH,))


def test_what_was_sent_before_is_read_from_the_cache(vendor):
    vendor.keeps_cache = True
    history: tuple[Part, ...] = ()
    shares = []

    for number in range(6):
        question = f"Вопрос {number}? " + "Подробности. " * 10
        prompt = _turn(history, question)
        vendor.say("", [("knowledge__search", {"query": question})])
        vendor.say("Ответ. " * 20)
        first = ask(vendor, prompt)
        second = ask(vendor, going_on(prompt, first, "Нашлось. " * 30))
        shares.append((first.usage.cached / first.usage.prompt, second.usage.cached / second.usage.prompt))
        history = (*history, Said("user", question), Said("assistant", "Ответ. " * 20))

    assert shares[0][0] == 0
    assert all(first > 0.6 for first, _ in shares[1:])
    assert all(second > 0.6 for _, second in shares)
    assert shares[-1][0] > 0.8


def test_marks_are_few_and_never_on_thoughts(vendor):
    call = Call("a", "knowledge__search", {"query": "цена"})
    parts = (Said("user", "Раз"), Said("assistant", "Два"), QUESTION, Called("", (call,)), Returned(call, "есть"))

    ask(vendor, replace(PROMPT, parts=parts))

    messages = vendor.asked[-1]["messages"]
    marked = [block for message in messages for block in message["content"] if "cache_control" in block]
    assert [block.get("text") or block["content"] for block in marked] == ["Два", "есть"]


def test_tokens_of_the_prompt_are_those_of_the_cache_too(vendor):
    vendor.keeps_cache = True

    first, again = ask(vendor), ask(vendor)

    assert first.usage.written > 0 and first.usage.cached == 0
    assert again.usage.cached == first.usage.written and again.usage.prompt == first.usage.prompt


# --- what goes wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("overloaded", Failure.SERVER),
        ("broken", Failure.SERVER),
        ("busy", Failure.LIMITED),
        ("no_money", Failure.NO_MONEY),
        ("bad_key", Failure.KEY),
        ("too_long", Failure.TOO_LONG),
        ("bad_request", Failure.BAD_REQUEST),
        ("country", Failure.COUNTRY),
        ("retired", Failure.NO_MODEL),
    ],
)
def test_an_error_in_the_midst_of_a_stream_goes_by_its_name(vendor, kind, meant):
    pieces: list[str] = []
    good = vendor.spoil
    vendor.spoil = lambda answer, _, *, streamed: [*answer[:6], vendor.refusal(kind)[1]]
    vendor.reply = lambda body: Trouble("error_in_stream")

    failed = failure(vendor, hear=pieces.append)

    vendor.spoil = good
    if kind == "bad_request":  # without a status it can only be the server's
        assert failed.failure in {Failure.SERVER, Failure.BAD_REQUEST}
    else:
        assert failed.failure is meant
    assert pieces, "some words had come"
    assert failed.usage.estimated


@pytest.mark.parametrize(
    ("reason", "text", "meant"),
    [
        ("refusal", "Не могу", Failure.FILTERED),
        ("model_context_window_exceeded", "", Failure.TOO_LONG),
        ("pause_turn", "", Failure.MALFORMED),
    ],
)
@pytest.mark.parametrize("hear", [None, lambda piece: None])
def test_reasons_to_stop_that_are_no_answer(vendor, hear, reason, text, meant):
    vendor.say(text, finish=reason)

    assert failure(vendor, hear=hear).failure is meant


def test_an_account_without_money_is_told_by_words_too():
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}}

    assert refused("x", 400, body).failure is Failure.NO_MONEY


def test_usage_of_a_stream_is_the_last_that_was_told(vendor):
    vendor.say("Да", cached_tokens=20, answer_tokens=7)

    assert ask(vendor, hear=lambda piece: None).usage == Usage(prompt=120, cached=20, answer=7)
