"""Whatever a vendor does, the customer gets one good answer or an honest one, in time, and staff can see why."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from common.promise import State
from knowledge.llm.models import ModelBreaker
from sales.models import Message
from tests.llm.talking import Said, Talk, counted
from tests.standins.anthropic_messages import AnthropicMessages
from tests.standins.openai_chat import OpenAIChat

#: a trouble of a vendor, and how its call is kept
TROUBLES = {
    "timeout": "timeout",
    "hang": "timeout",
    "busy": "limited",
    "busy_quiet": "limited",
    "broken": "server",
    "overloaded": "server",
    "bad_key": "key",
    "country": "country",
    "retired": "no_model",
    "no_money": "no_money",
    "garbage": "broken",
    "empty_choices": "malformed",
    "cut": "broken",
    "broken_json": "ok",
}
FIRST, SECOND = "Отвечает первая модель.", "Отвечает вторая модель."
QUESTION = "Здравствуйте! Чем вы можете помочь?"


def honest(said: Said, *, by: str) -> None:
    """One reply, stored once, in the turn's time."""
    assert said.turn.state == State.KEPT
    assert said.turn.model == by
    assert said.text
    assert Message.objects.filter(conversation=said.turn.conversation).count() == 2
    assert said.seconds < settings.MODEL_TURN_SECONDS + 1


@pytest.mark.parametrize("trouble", TROUBLES)
def test_second_vendor_answers_when_the_first_fails(
    trouble: str, talk: Talk, openai: OpenAIChat, anthropic: AnthropicMessages
) -> None:
    openai.mode = trouble
    anthropic.say(SECOND)
    outcome = TROUBLES[trouble]
    before = counted("model_calls_total", profile="openai", outcome=outcome)
    failure = "malformed" if trouble == "broken_json" else outcome
    left = counted("model_failovers_total", profile="openai", outcome=failure)

    said = talk.say(QUESTION)

    honest(said, by="anthropic")
    assert said.text == SECOND
    asked = 3 if trouble == "broken_json" else 1  # it is told what is wrong with its call, and may put it right
    assert said.calls == [("openai", outcome)] * asked + [("anthropic", "ok")]
    assert said.tools == ["knowledge__search"]
    assert counted("model_calls_total", profile="openai", outcome=outcome) == before + asked
    assert counted("model_failovers_total", profile="openai", outcome=failure) == left + 1
    failed = [each["notes"]["failed"] for each in said.steps if each.get("notes", {}).get("failed")]
    assert failed == [[f"openai: {failure}"]]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_first_vendor_answers_whatever_the_second_would_do(
    trouble: str, talk: Talk, openai: OpenAIChat, anthropic: AnthropicMessages
) -> None:
    openai.say(FIRST)
    anthropic.mode = trouble

    said = talk.say(QUESTION)

    honest(said, by="openai")
    assert said.text == FIRST
    assert said.calls == [("openai", "ok")]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_model_without_a_key_answers_when_both_fail(
    trouble: str, talk: Talk, openai: OpenAIChat, anthropic: AnthropicMessages
) -> None:
    openai.mode = anthropic.mode = trouble

    said = talk.say(QUESTION)

    honest(said, by="keyless")
    outcomes = dict(said.calls)
    assert outcomes == {"openai": TROUBLES[trouble], "anthropic": TROUBLES[trouble]}
    assert {"step": "model", "name": "keyless"}.items() <= [each for each in said.steps if each["step"] == "model"][
        -1
    ].items()


@pytest.mark.parametrize("trouble", ["hang", "cut", "error_in_stream"])
def test_what_was_told_before_a_failover_is_taken_back(
    trouble: str, talk: Talk, openai: OpenAIChat, anthropic: AnthropicMessages, heard: list[str | None]
) -> None:
    openai.fail(trouble)
    anthropic.say(SECOND)

    said = talk.say(QUESTION)

    assert said.text == SECOND
    assert None in heard and heard[0] is not None
    assert "".join(each or "" for each in heard[heard.index(None) :]) == SECOND


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What the chain tells whoever listens."""
    from knowledge.llm import chain

    found: list[str | None] = []
    real = chain.Chain.reply

    def reply(self: Any, *, hear: Any, **rest: Any) -> Any:
        def both(words: str | None) -> None:
            found.append(words)
            hear(words)

        return real(self, hear=both, **rest)

    monkeypatch.setattr(chain.Chain, "reply", reply)
    return found


def test_time_of_a_turn_is_shared_by_all_models(
    talk: Talk, openai: OpenAIChat, anthropic: AnthropicMessages, settings: Any
) -> None:
    openai.mode = anthropic.mode = "timeout"
    settings.MODEL_CALL_SECONDS, settings.MODEL_TURN_SECONDS = 2, 2.5

    said = talk.say(QUESTION)

    honest(said, by="keyless")
    assert said.calls == [("openai", "timeout")]  # half a second is too little to ask another


def test_vendor_that_fails_after_a_tool_has_run_is_followed_without_doing_it_twice(
    talk: Talk, openai: OpenAIChat, anthropic: AnthropicMessages
) -> None:
    wanted = {"products": [{"product": "ai_manager", "tier": "business"}], "billing_period": "month"}
    openai.say(calls=[("pricing__quote", wanted)])
    openai.fail("broken")
    anthropic.say("Расчёт готов, сумма указана в карточке.")

    said = talk.say("Сколько стоит AI-менеджер, тариф «Бизнес», на месяц?")

    assert said.turn.model == "anthropic"
    assert said.tools == ["knowledge__search", "pricing__quote"]
    assert said.calls == [("openai", "ok"), ("openai", "server"), ("anthropic", "ok")]
    shown = str(anthropic.asked[-1])
    assert "pricing__quote" in shown, "the next model sees what the first has done"


def test_model_without_a_key_is_told_what_was_done_before_it(
    talk: Talk, openai: OpenAIChat, anthropic: AnthropicMessages
) -> None:
    wanted = {"products": [{"product": "ai_manager", "volume": 1800}], "billing_period": "year"}
    openai.say(calls=[("pricing__quote", wanted)])
    openai.fail("broken")
    anthropic.fail("broken")

    said = talk.say("Сколько стоит AI-менеджер на 1800 диалогов в месяц за год?")

    assert said.turn.model == "keyless"
    assert said.tools.count("pricing__quote") == 1
    assert "335" in said.text


def test_conversation_that_is_too_long_is_tried_once_more_with_less(
    talk: Talk, openai: OpenAIChat, anthropic: AnthropicMessages, profiles: Any
) -> None:
    openai.fail("too_long")
    openai.say(FIRST)

    said = talk.say(QUESTION)

    assert said.text == FIRST
    assert said.calls == [("openai", "too_long"), ("openai", "ok")]
    assert not ModelBreaker.objects.filter(slug="openai").exclude(open_until=None).exists()


def test_call_with_broken_json_is_told_and_put_right(talk: Talk, openai: OpenAIChat) -> None:
    openai.fail("broken_json")
    openai.say(calls=[("pricing__price_list", {})])
    openai.say(FIRST)

    said = talk.say(QUESTION)

    assert said.text == FIRST
    assert said.tools == ["knowledge__search", "pricing__price_list"]
    told = openai.asked[1]["messages"][-1]
    assert told["role"] == "tool" and "JSON" in told["content"]


def test_good_calls_beside_a_broken_one_are_run(talk: Talk, openai: OpenAIChat) -> None:
    openai.say(calls=[("pricing__price_list", {}), ("pricing__quote", '{"products": [')])
    openai.say(FIRST)

    said = talk.say(QUESTION)

    assert said.text == FIRST
    assert said.tools == ["knowledge__search", "pricing__price_list"]
    answers = [each for each in openai.asked[1]["messages"] if each["role"] == "tool"]
    assert len(answers) == 3 and "JSON" in answers[-1]["content"]


def test_unknown_tool_is_answered_with_those_there_are(talk: Talk, openai: OpenAIChat) -> None:
    openai.say(calls=[("crm__delete_everything", {"all": True})])
    openai.say(FIRST)

    said = talk.say(QUESTION)

    assert said.text == FIRST
    told = openai.asked[1]["messages"][-1]["content"]
    assert "There is no tool called crm__delete_everything" in told


def test_model_that_goes_on_calling_is_followed_by_the_next(
    talk: Talk, openai: OpenAIChat, anthropic: AnthropicMessages
) -> None:
    from tests.standins.model_vendor import Say

    openai.reply = lambda body: Say(
        "Минуту, посмотрю.", [("knowledge__search", {"query": f"ещё раз {len(openai.asked)}"})]
    )
    anthropic.reply = lambda body: Say(calls=[("knowledge__search", {"query": f"снова {len(anthropic.asked)}"})])

    said = talk.say(QUESTION)

    honest(said, by="keyless")
    assert len([each for each in said.tools if each == "knowledge__search"]) <= 8
    assert "Минуту" not in said.text
    assert len(openai.asked) == 6


def test_model_that_repeats_itself_is_told_so(talk: Talk, openai: OpenAIChat, anthropic: AnthropicMessages) -> None:
    from tests.standins.model_vendor import Say

    openai.reply = lambda body: Say(calls=[("pricing__price_list", {})])
    anthropic.say(SECOND)

    said = talk.say(QUESTION)

    assert said.text == SECOND
    assert said.tools == ["knowledge__search", "pricing__price_list"]
    assert len(openai.asked) == 4


def test_answer_that_was_cut_ends_with_its_last_whole_sentence(talk: Talk, openai: OpenAIChat) -> None:
    openai.say("Мы отвечаем клиентам. А ещё мы умеем", finish="length")

    said = talk.say(QUESTION)

    assert said.text == "Мы отвечаем клиентам."


def test_no_key_means_the_model_without_one(talk: Talk, profiles: Any) -> None:
    said = talk.say(QUESTION)

    honest(said, by="keyless")
    assert said.calls == []


def test_second_try_of_a_turn_repeats_nothing_though_the_model_words_it_otherwise(
    talk: Talk, openai: OpenAIChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sales.assistant import turn as turns

    wanted = {"products": [{"product": "ai_manager", "tier": "business"}], "billing_period": "month"}
    openai.say(calls=[("pricing__quote", wanted), ("knowledge__search", {"query": "тариф"})])
    openai.say("Сумма в карточке.")
    real, tries = turns.say, []

    def dying(*args: Any, **rest: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("the worker dies before the reply is stored")
        real(*args, **rest)

    monkeypatch.setattr(turns, "say", dying)
    openai.say("Расчёт я уже подготовил, он в карточке.")

    said = talk.say("Сколько стоит AI-менеджер, тариф «Бизнес», на месяц?")

    assert len(tries) == 2
    assert said.text == "Расчёт я уже подготовил, он в карточке."
    assert said.tools == ["knowledge__search", "pricing__quote", "knowledge__search"]
    assert [card["kind"] for card in Message.objects.get(turn=said.turn).cards] == ["quote"]
    assert "pricing__quote" in str(openai.asked[-1]["messages"])
