"""What every dialect does alike: speak, listen, and say in one way why no good answer came, in time."""

from __future__ import annotations

import logging
import time
import traceback
from dataclasses import replace

import pytest

from common import wire
from knowledge.llm.chat import Call, Called, Failure, ModelFailed, Returned, Said, Usage
from knowledge.llm.dialects import NAMES, by_name, shared
from tests.llm.dialogue import KEY, PROMPT, QUESTION, VENDORS, ask, failure, going_on, profile, standing_for
from tests.standins.model_vendor import TROUBLES, Say

#: what each trouble is, as an answer and as a stream; None: an answer comes of it
MEANT: dict[str, Failure | None] = {
    "busy": Failure.LIMITED,
    "busy_quiet": Failure.LIMITED,
    "broken": Failure.SERVER,
    "overloaded": Failure.SERVER,
    "bad_key": Failure.KEY,
    "country": Failure.COUNTRY,
    "forbidden": Failure.KEY,
    "retired": Failure.NO_MODEL,
    "no_money": Failure.NO_MONEY,
    "too_long": Failure.TOO_LONG,
    "bad_request": Failure.BAD_REQUEST,
    "page_502": Failure.SERVER,
    "country_page": Failure.COUNTRY,
    "redirect": Failure.BAD_REQUEST,
    "garbage": Failure.MALFORMED,
    "page": Failure.MALFORMED,
    "empty": Failure.MALFORMED,
    "empty_choices": Failure.MALFORMED,
    "silent": Failure.MALFORMED,
    "filtered": Failure.FILTERED,
    "broken_json": None,
    "no_finish": Failure.MALFORMED,
    "error_in_stream": Failure.MALFORMED,
    "endless": Failure.MALFORMED,
    "timeout": Failure.TIMEOUT,
    "hang": Failure.TIMEOUT,
    "drip": Failure.TIMEOUT,
    "drip_headers": Failure.TIMEOUT,
    "closed": Failure.CONNECTION,
    "cut": Failure.BROKEN,
}
STREAMED = {
    **MEANT,
    "garbage": Failure.BROKEN,
    "no_finish": Failure.BROKEN,
    "error_in_stream": Failure.SERVER,
    "endless": Failure.TIMEOUT,
}
#: what differs by the vendor
OWN = {
    # these two serve this country: what they forbid is the key's fault; and their errors have no words for the rest
    ("yandexgpt", "no_money"): Failure.LIMITED,
    **{
        (vendor, trouble): Failure.KEY
        for vendor in ("yandexgpt", "gigachat")
        for trouble in ("country", "country_page")
    },
}
#: gateways that say 200 to a whole request and mean an error are understood
MEANT_WHOLE = {("openai", "error_in_stream"): Failure.SERVER, ("yandexgpt", "error_in_stream"): Failure.SERVER}


@pytest.fixture(params=VENDORS)
def vendor(request):
    with standing_for(request.param) as standin:
        yield standin
        assert standin.faults == []


@pytest.fixture(params=["whole", "streamed"])
def hear(request):
    return None if request.param == "whole" else lambda piece: None


def test_every_trouble_has_its_meaning():
    assert set(MEANT) == set(TROUBLES)


def test_the_words_of_an_answer_come_with_its_tokens(vendor):
    vendor.say("Добрый день! Чем помочь?", cached_tokens=0 if vendor.dialect == "yandexgpt" else 100)

    answer = ask(vendor)

    assert (answer.text, answer.calls, answer.cut) == ("Добрый день! Чем помочь?", (), False)
    cached = 0 if vendor.dialect == "yandexgpt" else 100
    assert answer.usage == Usage(prompt=120, cached=cached, answer=12)
    assert answer.request_id == "req_demo1"
    assert answer.first_piece is None


def test_a_stream_is_heard_piece_by_piece_and_is_the_same_in_the_end(vendor):
    vendor.say("Добрый день! Рад помочь с выбором тарифа.")
    pieces: list[str] = []

    answer = ask(vendor, hear=pieces.append)

    assert "".join(pieces) == answer.text == "Добрый день! Рад помочь с выбором тарифа."
    assert len(pieces) > 3
    assert answer.first_piece is not None and 0 < answer.first_piece < 1
    if vendor.dialect == "yandexgpt":  # it doesn't count in streams
        assert answer.usage.estimated and answer.usage.prompt > 10 and answer.usage.answer > 5
    else:
        assert answer.usage == Usage(prompt=120, answer=12)


def test_the_first_piece_is_heard_when_it_comes_and_not_at_the_end(vendor):
    vendor.pace = 0.1
    heard: list[float] = []

    answer = ask(vendor, hear=lambda piece: heard.append(time.monotonic()))

    assert heard[-1] - heard[0] > 0.15
    assert answer.first_piece is not None and answer.first_piece < 0.9


def test_a_server_that_cannot_stream_is_asked_without(vendor):
    answer = ask(vendor, hear=pytest.fail, stream=False)

    assert answer.text == vendor.default.text
    assert not vendor.asked[-1].get("stream")


def test_a_call_comes_with_its_arguments_and_an_id_of_ours(vendor, hear):
    vendor.say("Сейчас посмотрю.", [("knowledge__search", {"query": "цена «бота»"})])

    answer = ask(vendor, hear=hear)

    (call,) = answer.calls
    assert (call.name, call.arguments, call.problem) == ("knowledge__search", {"query": "цена «бота»"}, "")
    assert answer.text == "Сейчас посмотрю."
    assert call.id != call.vendor_id


def test_a_call_is_told_again_with_its_result_as_the_vendor_wants_it(vendor, hear):
    vendor.say("Сейчас посмотрю.", [("knowledge__search", {"query": "цена"})])
    vendor.say("От 19 900 ₽.")
    prompt = going_on(PROMPT, ask(vendor, hear=hear), "Тариф «Старт»: 19 900 ₽")

    answer = ask(vendor, prompt, hear=hear)

    assert answer.text == "От 19 900 ₽."
    assert "Тариф «Старт»: 19 900 ₽" in str(vendor.asked[-1]["messages"])


def test_what_another_model_did_is_told_in_words_of_this_one(vendor, hear):
    first = Call("a", "knowledge__search", {"query": "цена"}, vendor_id="toolu_x")
    second = Call("b", "knowledge__search", {"query": "сроки"}, vendor_id="toolu_x")
    parts = (
        QUESTION,
        Called("Ищу.", (first, second), raw={"dialect": "nobody", "model": "demo-model", "step": "?"}),
        Returned(second, "3 дня"),
        Returned(first, "нет такого", failed=True),
        Said("assistant", "Черновик"),
        Said("user", "Исправь"),
    )

    ask(vendor, replace(PROMPT, parts=parts), hear=hear)

    told = str(vendor.asked[-1]["messages"])
    assert told.index("нет такого") < told.index("3 дня")
    assert "toolu_x" not in told


def test_a_call_without_a_result_gets_one(vendor):
    call = Call("a", "knowledge__search", {"query": "цена"})

    ask(vendor, replace(PROMPT, parts=(QUESTION, Called("", (call,)), Said("user", "Ну что?"))))

    assert shared.NO_RESULT in str(vendor.asked[-1]["messages"])


def test_the_same_conversation_is_told_with_the_same_bytes(vendor):
    call = Call("a", "knowledge__search", {"query": "цена"})
    prompt = replace(PROMPT, parts=(QUESTION, Called("", (call,)), Returned(call, "есть")))

    ask(vendor, prompt)
    ask(vendor, prompt)

    assert vendor.asked[0] == vendor.asked[1]
    assert str(vendor.asked[0]) == str(vendor.asked[1])


def test_a_conversation_may_begin_with_the_assistant_and_have_empty_words(vendor):
    parts = (Said("assistant", "Здравствуйте!  "), Said("user", " "), QUESTION, Said("user", "И ещё вопрос"))

    assert ask(vendor, replace(PROMPT, parts=parts)).text


def test_broken_arguments_are_a_problem_for_the_model_and_no_arguments(vendor, hear):
    vendor.mode = "broken_json"

    answer = ask(vendor, hear=hear)

    (call,) = answer.calls
    assert call.arguments == {} and "JSON" in call.problem
    vendor.mode = "good"
    assert ask(vendor, going_on(PROMPT, answer, call.problem, failed=True), hear=hear).text


@pytest.mark.parametrize("text", ["[1]", '"цена"', "7", '{"query": NaN}', "[" * 100_000])
def test_arguments_that_are_no_object_are_a_problem(text):
    assert shared.arguments(text)[0] == {} and shared.arguments(text)[1]


def test_what_a_database_cannot_keep_is_taken_out():
    assert shared.arguments('{"query": "a\\u0000b \\ud83d"}') == ({"query": "ab \ufffd"}, "")
    assert shared.clean("a\x00\ud83d\ude00") == "a😀"


def test_an_answer_that_was_cut_has_no_calls(vendor, hear):
    finish = "max_tokens" if vendor.dialect == "anthropic" else "length"
    vendor.say("Сейчас посмо", [("knowledge__search", {"query": "це"})], finish=finish)

    answer = ask(vendor, hear=hear)

    assert (answer.text, answer.calls, answer.cut, answer.raw) == ("Сейчас посмо", (), True, None)


def test_an_answer_cut_before_its_first_word_is_none(vendor, hear):
    finish = "max_tokens" if vendor.dialect == "anthropic" else "length"
    vendor.say("", [("knowledge__search", {"query": "це"})], finish=finish)

    assert failure(vendor, hear=hear).failure is Failure.MALFORMED


# --- what goes wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [each for each, meant in MEANT.items() if meant])
def test_each_trouble_ends_in_time_and_has_its_name(vendor, hear, trouble):
    vendor.mode = trouble
    seconds = 0.6 if Failure.TIMEOUT in {MEANT[trouble], STREAMED[trouble]} else 5
    started = time.monotonic()

    failed = failure(vendor, hear=hear, seconds=seconds)

    assert time.monotonic() - started < seconds + 0.5
    own = OWN if hear else OWN | MEANT_WHOLE
    meant = own.get((vendor.dialect, trouble)) or (STREAMED if hear else MEANT)[trouble]
    if trouble == "endless":  # what strikes first, the clock or the size
        assert failed.failure in {meant, Failure.MALFORMED}
    else:
        assert failed.failure is meant
    renewed = (vendor.dialect, trouble) == ("gigachat", "bad_key")  # its token may have ended
    assert len(vendor.asked) == 1 + renewed, "it isn't asked again"


def test_after_a_trouble_the_next_call_is_good(vendor, hear):
    for trouble in ("cut", "garbage", "busy", "hang", "page", "closed"):
        vendor.mode, vendor.bad_for = trouble, 1
        failure(vendor, hear=hear, seconds=0.3)

        assert ask(vendor, hear=hear).text == vendor.default.text


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("0", 0), ("1.5", 1.5), ("soon", None), ("nan", None)])
def test_a_vendor_may_ask_to_wait(vendor, header, seconds):
    vendor.fail("busy", retry_after=header)

    assert failure(vendor).retry_after == seconds


def test_a_vendor_may_ask_to_wait_until_an_hour_or_say_nothing(vendor):
    vendor.fail("busy", retry_after="Wed, 21 Oct 2015 07:28:00 GMT")
    vendor.fail("busy_quiet")

    assert [failure(vendor).retry_after, failure(vendor).retry_after] == [0.0, None]


@pytest.mark.parametrize("most", [pytest.param(30, id="sample"), pytest.param(0, id="all", marks=pytest.mark.proof)])
def test_a_stream_cut_anywhere_is_a_whole_answer_or_none(vendor, most):
    say = Say("Да, есть.", [("knowledge__search", {"query": "ц"})], piece=3)
    vendor.default = say
    whole = ask(vendor, hear=lambda piece: None)
    length = len(vendor.stream_of(say, vendor.asked[-1]))
    outcomes = set()

    step = length // most if most else 7 if length > 2000 else 1
    # a sample has every place of the end: there a cut stream turns into a whole one
    for place in sorted({*range(0, length, step), *range(length - 8, length)}):
        vendor.fail("cut", after=place)
        try:
            answer = ask(vendor, hear=lambda piece: None)
        except ModelFailed as failed:
            assert failed.failure in {Failure.BROKEN, Failure.CONNECTION, Failure.MALFORMED}, place
            outcomes.add("none")
        else:
            assert (answer.text, answer.calls[0].arguments) == (whole.text, whole.calls[0].arguments), place
            outcomes.add("whole")

    assert outcomes == {"none", "whole"}


def test_a_stream_that_stays_open_after_its_last_word_holds_nobody(vendor):
    length = len(vendor.stream_of(vendor.default, {**vendor.sample()}))
    vendor.fail("hang", after=length - 5)  # all but the mark of the end of the body
    started = time.monotonic()

    assert ask(vendor, hear=lambda piece: None, seconds=10).text == vendor.default.text
    assert time.monotonic() - started < 1


def test_tokens_of_an_answer_that_broke_off_are_counted(vendor):
    vendor.mode = "cut"

    failed = failure(vendor, hear=lambda piece: None)

    assert failed.usage.estimated and failed.usage.prompt > 10
    vendor.mode = "busy"
    assert failure(vendor).usage == Usage()


def test_a_vendor_that_is_not_there_is_a_connection_that_is_not(vendor):
    away = replace(profile(vendor, auth_url="http://127.0.0.1:1/oauth"), base_url="http://127.0.0.1:1/v1")

    with pytest.raises(ModelFailed) as told:
        by_name(vendor.dialect).ask(PROMPT, profile=away, seconds=2, hear=None)

    assert told.value.failure is Failure.CONNECTION


def test_without_time_nobody_is_asked(vendor):
    assert failure(vendor, seconds=0).failure is Failure.TIMEOUT
    assert vendor.asked == []


def test_an_answer_that_does_not_end_is_cut_by_its_size(vendor, monkeypatch):
    monkeypatch.setattr(wire, "MOST_BYTES", 100_000)
    vendor.mode = "endless"

    failed = failure(vendor, hear=lambda piece: None, seconds=10)

    assert (failed.failure, "doesn't end" in failed.words) == (Failure.MALFORMED, True)


def test_what_the_listener_raises_is_no_problem_of_the_model(vendor):
    def refuse(piece):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        ask(vendor, hear=refuse)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_nothing_of_the_key_or_the_talk_is_in_what_is_told_of_a_failure(vendor, caplog, capfd, trouble):
    caplog.set_level(logging.DEBUG)
    vendor.mode = trouble

    for hear in (None, lambda piece: None):
        try:
            ask(vendor, hear=hear, seconds=0.3)
        except ModelFailed as failed:
            told = "".join(traceback.format_exception(failed)) + repr(failed) + repr(failed.__context__)
            assert failed.__context__ is None and failed.__cause__ is None
            assert not [word for word in (KEY, "Петрова", "79161234567", "never") if word in told]
    out, err = capfd.readouterr()
    lines = caplog.text + out + err
    assert not [word for word in (KEY, "Петрова", "79161234567", vendor.url) if word in lines]


def test_connections_are_kept_and_serve_again_after_a_stream(vendor):
    for hear in (None, lambda piece: None) * 5:
        ask(vendor, hear=hear)

    assert vendor.connections == 1 + (vendor.dialect == "gigachat")  # its tokens come from elsewhere


def test_clients_share_the_roots_that_everybody_trusts():
    first, second = wire.client(), wire.client()

    assert first._transport._pool._ssl_context is second._transport._pool._ssl_context


def test_a_process_that_was_forked_makes_its_own_client(vendor, monkeypatch):
    ask(vendor)
    monkeypatch.setattr("os.getpid", lambda: 1)
    ask(vendor)

    assert vendor.connections > 1 + (vendor.dialect == "gigachat")


def test_dialects_are_found_by_their_names():
    assert [by_name(name).name for name in NAMES] == list(NAMES)  # type: ignore[attr-defined]
    with pytest.raises(LookupError, match="nobody"):
        by_name("nobody")
