"""The client of OpenAI's embeddings against a stand-in: what is asked, and what of bad answers is told."""

from __future__ import annotations

import math
import time

import pytest

from common.problems import LastingProblem, TemporaryProblem
from knowledge.embedding import openai, protocol, registry
from knowledge.embedding.protocol import BadAnswer, NoAnswer
from knowledge.embedding.within import within
from tests.standins import openai_embeddings
from tests.standins.fixtures import OTHER, choose, embedder
from tests.standins.openai_embeddings import ERRORS, SPOILT, OpenAIStandIn, answer_faults, request_faults


def test_each_text_gets_its_vector_of_length_one_whatever_the_order_of_the_answer(vendor):
    texts = ["Сколько стоит?", "Где чат?", "Как оплатить?"]

    vectors = embedder().embed(texts, seconds=5)

    assert [len(each) for each in vectors] == [1536] * 3
    assert all(math.isclose(math.hypot(*each), 1, rel_tol=1e-9) for each in vectors)
    expected = [openai_embeddings.embedding(text, "text-embedding-3-small", 1536) for text in texts]
    assert all(math.dist(*pair) < 1e-9 for pair in zip(vectors, expected, strict=True))


def test_numbers_are_asked_for_as_numbers_and_the_size_only_where_it_isnt_the_models_own(vendor, settings):
    for model, dimensions in (("text-embedding-3-small", 1536), ("text-embedding-3-large", 1024), (OTHER, 64)):
        choose(settings, model, dimensions)
        embedder().embed(["да"], seconds=5)

    assert vendor.asked == [
        {"model": "text-embedding-3-small", "input": ["да"], "encoding_format": "float"},
        {"model": "text-embedding-3-large", "input": ["да"], "encoding_format": "float", "dimensions": 1024},
        {"model": OTHER, "input": ["да"], "encoding_format": "float"},
    ]


@pytest.mark.parametrize("mode", SPOILT)
def test_an_answer_that_cant_be_used_is_a_problem_and_no_vector(vendor, mode):
    vendor.mode = mode

    with pytest.raises(BadAnswer) as told:
        embedder().embed(["один", "два", "три"], seconds=5)

    assert "один" not in str(told.value) and "127.0.0.1" not in str(told.value)


@pytest.mark.parametrize("mode", ERRORS)
def test_an_error_says_whether_waiting_helps_and_nothing_secret(vendor, mode):
    vendor.mode = mode

    with pytest.raises((TemporaryProblem, LastingProblem)) as told:
        embedder().embed(["один"], seconds=5)

    assert isinstance(told.value, TemporaryProblem) == (mode in {"busy", "broken"})
    assert str(ERRORS[mode][0]) in str(told.value)
    assert "sk-" not in str(told.value) and "127.0.0.1" not in str(told.value)
    assert len(vendor.asked) == 1  # repeats are ours


def test_a_vendor_that_asks_for_patience_is_heard(vendor):
    vendor.mode = "busy"

    with pytest.raises(TemporaryProblem) as told:
        embedder().embed(["один"], seconds=5)

    assert told.value.retry_after == 7


def test_a_silent_vendor_and_a_closed_door_are_told_apart(vendor, settings):
    vendor.mode = "hang"
    with pytest.raises(NoAnswer):
        embedder().embed(["один"], seconds=0.2)

    settings.OPENAI_BASE_URL = "http://127.0.0.1:1/v1"
    with pytest.raises(TemporaryProblem) as told:
        embedder().embed(["один"], seconds=0.2)

    assert not isinstance(told.value, NoAnswer)


def test_an_answer_that_drips_ends_with_its_time(vendor):
    vendor.mode = "drip"

    with pytest.raises(NoAnswer):
        within(0.5, lambda: embedder().embed(["один"], seconds=0.4))


def test_the_drip_ends_without_help_from_outside_too(vendor):
    """The silence is never as long as the time-out of HTTP: the clock of the whole call strikes."""
    vendor.mode = "drip"
    started = time.monotonic()

    with pytest.raises(NoAnswer):
        embedder().embed(["один"], seconds=0.4)

    assert time.monotonic() - started < 0.8


@pytest.mark.parametrize(
    "name", ["openai/text-embedding-3-small/1537", "openai/x/0", "openai//64", "openai/x", "nobody/x/8"]
)
def test_a_name_that_means_no_embedder_finds_none(vendor, name):
    assert registry.by_name(name) is None


def test_without_a_key_there_is_no_embedder(vendor, settings):
    settings.OPENAI_API_KEY = ""

    assert embedder() is None


@pytest.mark.parametrize("text", ["ё" * 9000, "🙂" * 5000, "слово " * 3000])
def test_the_longest_text_is_cut_to_what_one_request_may_hold(vendor, text):
    cut = protocol.cut(text, openai.LIMITS)

    embedder().embed([cut], seconds=5)

    assert 7000 < len(cut.encode()) <= 8000
    assert vendor.faults == []


def test_an_empty_text_is_never_sent():
    assert protocol.cut(" \n", openai.LIMITS) == "–"


def test_the_stand_in_itself_notices_what_breaks_the_contract():
    good = {"model": "text-embedding-3-small", "input": ["да"]}

    assert request_faults(good, "/v1/embeddings", "Bearer sk-1234567") == []
    assert request_faults(good, "/embeddings", "Bearer sk-1234567")
    assert request_faults(good, "/v1/embeddings", "")
    assert request_faults({**good, "input": [""]}, "/v1/embeddings", "Bearer sk-1234567")
    assert request_faults({**good, "input": ["ё" * 5000]}, "/v1/embeddings", "Bearer sk-1234567")
    assert request_faults({**good, "encoding_format": "text"}, "/v1/embeddings", "Bearer sk-1234567")
    assert answer_faults({"object": "list", "model": "m", "data": [{"index": 0}], "usage": {}})


def test_the_stand_in_speaks_base64_too():
    import base64
    import json
    import struct
    import urllib.request

    with OpenAIStandIn() as standin:
        body = {"model": "text-embedding-3-small", "input": "да", "encoding_format": "base64", "dimensions": 16}
        request = urllib.request.Request(
            f"{standin.url}/embeddings", json.dumps(body).encode(), {"Authorization": "Bearer sk-1234567"}
        )
        with urllib.request.urlopen(request) as answer:
            (found,) = json.load(answer)["data"]

    assert len(struct.unpack("<16f", base64.b64decode(found["embedding"]))) == 16
