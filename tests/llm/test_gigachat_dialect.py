"""GigaChat: its token among processes, functions one at a time, its own roots, its few lines."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import certifi
import pytest
from django.core.cache import cache

from common import locks, vendor_token, wire
from knowledge.llm.chat import Call, Called, Failure, ModelFailed, Returned, Said, Usage
from knowledge.llm.dialects import gigachat
from tests.llm.dialogue import KEY, PROMPT, QUESTION, SEARCH, ask, failure, going_on, standing_for


@pytest.fixture
def vendor():
    with standing_for("gigachat") as standin:
        yield standin
        assert standin.faults == []


def account(vendor: Any) -> gigachat.Account:
    return gigachat.Account(KEY, vendor.auth_url, "GIGACHAT_API_B2B")


def place(vendor: Any) -> str:
    return account(vendor).shared(wire.Call(ends=0, seconds=0)).place


def test_a_request_says_what_it_must(vendor):
    ask(vendor, temperature=0)

    assert vendor.asked == [
        {
            "model": "demo-model",
            "messages": [
                {"role": "system", "content": PROMPT.system},
                {"role": "user", "content": QUESTION.text},
            ],
            "functions": [
                {"name": SEARCH.name, "description": SEARCH.description, "parameters": dict(SEARCH.schema)},
            ],
            "function_call": "auto",
            "max_tokens": 800,
            "temperature": 0.001,
        }
    ]
    assert vendor.headers[-1]["x-session-id"] == PROMPT.thread


@pytest.mark.parametrize("hear", [None, lambda piece: None])
def test_a_function_is_shown_again_with_its_state_and_its_result_is_an_object(vendor, hear):
    vendor.say("Ищу.", [("knowledge__search", {"query": "цена"})])
    answer = ask(vendor, hear=hear)

    ask(vendor, going_on(PROMPT, answer, "19 900"), hear=hear)

    assert vendor.asked[-1]["messages"][2:] == [
        {
            "role": "assistant",
            "content": "Ищу.",
            "function_call": {"name": "knowledge__search", "arguments": {"query": "цена"}},
            "functions_state_id": "77d3fb14-457a-46ba-937e-8d856156d003",
        },
        {"role": "function", "name": "knowledge__search", "content": '{"result": "19 900"}'},
    ]


def test_several_calls_of_another_model_are_told_one_after_another(vendor):
    first, second = Call("a", "knowledge__search", {"query": "1"}), Call("b", "knowledge__search", {"query": "2"})
    parts = (
        QUESTION,
        Called("Ищу.", (first, second)),
        Returned(second, "нет", failed=True),
        Returned(first, '{"x":1}'),
    )

    ask(vendor, replace(PROMPT, parts=parts))

    told = vendor.asked[-1]["messages"][2:]
    assert [message["role"] for message in told] == ["assistant", "function"] * 2
    assert [message["content"] for message in told] == ["Ищу.", '{"x":1}', "", '{"error": "нет"}']


def test_words_of_one_side_are_one_message_and_the_system_speaks_first(vendor):
    ask(vendor, replace(PROMPT, parts=(Said("assistant", "Привет"), Said("user", "Раз"), Said("user", "Два"))))

    assert [message["role"] for message in vendor.asked[-1]["messages"]] == ["system", "assistant", "user"]


def test_arguments_that_the_vendor_calls_wrong_are_a_problem_for_the_model(vendor):
    vendor.say("", [("knowledge__search", {"query": 1})], finish="error")
    vendor.say("", finish="error")

    assert ask(vendor).calls[0].problem
    assert failure(vendor).failure is Failure.MALFORMED


def test_tokens_of_the_cache_are_added_to_those_of_the_prompt(vendor):
    vendor.say("Да", prompt_tokens=120, cached_tokens=100, answer_tokens=5)

    assert ask(vendor).usage == Usage(prompt=120, cached=100, answer=5)


# --- the token --------------------------------------------------------------------------------------------------


def test_a_token_serves_until_shortly_before_its_end(vendor):
    for _ in range(3):
        ask(vendor)

    assert vendor.tokens_given == 1


@pytest.mark.parametrize("in_seconds", [False, True])
def test_a_token_is_renewed_a_minute_early(vendor, in_seconds, monkeypatch):
    vendor.in_seconds, vendor.life = in_seconds, 1_000
    ask(vendor)
    now = time.time()
    monkeypatch.setattr(vendor_token.time, "time", lambda: now + 930)
    ask(vendor)
    assert vendor.tokens_given == 1

    monkeypatch.setattr(vendor_token.time, "time", lambda: now + 941)
    ask(vendor)
    assert vendor.tokens_given == 2


def test_another_process_finds_the_token_and_only_under_our_key(vendor):
    ask(vendor)
    sealed = cache.get(place(vendor))
    vendor_token._memory.clear()  # as another process begins

    ask(vendor)

    assert vendor.tokens_given == 1
    assert isinstance(sealed, bytes) and b"eyJdemo" not in sealed and KEY not in place(vendor)


def test_without_valkey_each_process_has_its_own(vendor, monkeypatch):
    monkeypatch.setattr(vendor_token.cache, "get", lambda *args, **kwargs: None, raising=False)
    monkeypatch.setattr(vendor_token.cache, "set", lambda *args, **kwargs: None, raising=False)

    ask(vendor)
    ask(vendor)
    vendor_token._memory.clear()
    ask(vendor)

    assert vendor.tokens_given == 2


def test_what_somebody_else_wrote_into_the_cache_is_no_token(vendor):
    for written in (b"rubbish", b"", "eyJ", 7):
        cache.set(place(vendor), written)
        vendor_token._memory.clear()

        assert ask(vendor).text


def test_those_who_come_at_once_get_one_token(vendor, db):
    vendor.token_delay = 0.2
    answers = _at_once(6, lambda: ask(vendor).text)

    assert answers == [vendor.default.text] * 6
    assert vendor.tokens_given == 1


def test_a_token_that_is_no_longer_taken_is_renewed_once(vendor):
    ask(vendor)
    vendor.revoke()

    assert ask(vendor, hear=lambda piece: None).text == vendor.default.text
    assert vendor.tokens_given == 2

    vendor.mode = "bad_key"
    assert failure(vendor).failure is Failure.KEY
    assert vendor.tokens_given == 3


@pytest.mark.parametrize(
    ("mode", "meant"),
    [("bad_key", Failure.KEY), ("scope", Failure.KEY), ("busy", Failure.LIMITED), ("broken", Failure.SERVER)],
)
def test_without_a_token_nothing_is_asked(vendor, mode, meant):
    vendor.token_mode = mode

    assert failure(vendor).failure is meant
    assert vendor.asked == []


def test_a_token_that_does_not_come_ends_in_time(vendor):
    vendor.token_delay = 5
    started = time.monotonic()

    assert failure(vendor, seconds=0.4).failure is Failure.TIMEOUT
    assert time.monotonic() - started < 0.7


# --- lines and roots --------------------------------------------------------------------------------------------


def test_no_more_calls_are_made_at_once_than_the_contract_allows(vendor, db):
    vendor.delay = 0.15
    ask(vendor)
    vendor.most_at_once = 0

    answers = _at_once(6, lambda: ask(vendor, concurrent=2, seconds=10).text)

    assert answers == [vendor.default.text] * 6
    assert vendor.most_at_once == 2


def test_whoever_gets_no_line_goes_to_another_vendor(vendor, db):
    with locks.session_lock(f"gigachat-line-{account(vendor).name}-0"):
        failed = _at_once(1, lambda: failure(vendor, concurrent=1, seconds=0.6))[0]

    assert failed.failure is Failure.LIMITED
    assert vendor.asked == []


def test_a_file_of_roots_is_added_for_this_client_and_must_be_there(vendor, tmp_path):
    roots = tmp_path / "roots.pem"
    before, between, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----")
    roots.write_text(f"{before}{between}\n")

    assert ask(vendor, ca_file=str(roots)).text
    absent = failure(vendor, ca_file=str(tmp_path / "absent.pem"))
    assert (absent.failure, str(tmp_path) in absent.words) == (Failure.CONNECTION, False)


def test_an_account_tells_nobody_its_key(vendor):
    assert KEY not in repr(account(vendor)) and KEY not in account(vendor).name


def _at_once(count: int, ask_one: Any) -> list[Any]:
    """What as many threads get, each as another worker would."""
    came: list[Any] = []

    def run() -> None:
        try:
            came.append(ask_one())
        except ModelFailed as failed:
            came.append(failed.failure)
        finally:
            locks.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    return came
