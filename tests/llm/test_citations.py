"""What a model cites: only what it was shown, never behind words that know no answer, never seen by a customer."""

from __future__ import annotations

import random
import uuid

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.llm.prompting.citations import Cited, Unmarked, look, read, says_unknown, without
from knowledge.models import Article
from knowledge.reading import label
from sales.assistant.protocol import Reply, ToolRequest, ToolResult, TurnContext
from sales.assistant.tools import TOOLS, ToolContext
from tests.knowledge.conftest import write

__all__ = ["write"]


def found(*articles: str, failed: bool = False) -> ToolResult:
    hits = [{"article": each, "title": each.title(), "text": "…"} for each in articles]
    return ToolResult("1", "knowledge__search", "", {"hits": hits}, failed=failed)


def test_what_was_shown_and_named_is_cited_in_the_order_of_its_naming():
    text = "Данные хранятся в России [#data-location]. Есть договор [#contract] и NDA [#data-location][#nda]."

    assert read(text, [found("contract", "data-location"), found("nda", "prices")]) == (
        "Данные хранятся в России. Есть договор и NDA.",
        ("data-location", "contract", "nda"),
    )


def test_nothing_is_cited_that_no_search_of_this_turn_has_brought():
    cited = look("Да [#invented]. И ещё [#refused].", [found("prices"), found("refused", failed=True)])

    assert cited == Cited("Да. И ещё.", (), unknown=2)


def test_statements_without_markers_have_no_sources_whatever_was_found():
    assert read("Данные хранятся в России.", [found("data-location")]) == ("Данные хранятся в России.", ())


@pytest.mark.parametrize(
    "text",
    [
        "Точного ответа у меня нет [#prices].",
        "К сожалению, я этого не знаю. [#prices]",
        "В базе знаний об этом ничего нет [#prices]",
        "Информации о работе в Казахстане у нас нет [#prices].",
        "Не нашёл ответа на этот вопрос [#prices].",
        "I don't have an answer to that [#prices].",
        "We could not find this [#prices].",
    ],
)
def test_words_that_know_no_answer_have_no_source(text: str):
    cited = look(text, [found("prices")])

    assert (cited.sources, cited.unproved) == ((), 1)


@pytest.mark.parametrize(
    "text",
    [
        "Возврата за неполный месяц нет [#prices].",
        "Бесплатного периода мы не предлагаем [#prices].",
        "We do not have a free trial [#prices].",
        "Данных клиентов у модели нет [#prices].",
        "Скидки не складываются больше 45 % [#prices].",
    ],
)
def test_a_no_that_an_article_says_is_a_statement_with_its_source(text: str):
    assert look(text, [found("prices")]).sources == ("prices",)


def test_half_an_answer_keeps_the_source_of_the_half_that_is_known():
    text = "Интеграция с amoCRM есть [#amo]. Про Salesforce точного ответа нет [#crm]."

    assert read(text, [found("amo", "crm")])[1] == ("amo",)


@pytest.mark.parametrize(
    ("text", "words", "sources"),
    [
        ("Да [#a, #b].", "Да.", ("a", "b")),
        ("Да [#a; #b].", "Да.", ("a", "b")),
        ("Да [ #a #b ].", "Да.", ("a", "b")),
        ("Да 【#a】.", "Да.", ("a",)),
        ("Да.[#a] Нет.", "Да. Нет.", ("a",)),
        ("Да. [#a]\n\nНет.", "Да.\n\nНет.", ("a",)),
        ("[#a] Да.", "Да.", ("a",)),
        ("- раз [#a]\n- два [#b]", "- раз\n- два", ("a", "b")),
        ("раз\n[#a]\nдва", "раз\nдва", ("a",)),
        ("- раз [#a]\n  - два", "- раз\n  - два", ("a",)),
        ("**важно [#a]** и нет", "**важно** и нет", ("a",)),
        ("| раз [#a] | два |", "| раз | два |", ("a",)),
        ("раз[#a] два", "раз два", ("a",)),
        ("[Сайт](https://a.ru) и [ТЕЛЕФОН_1] [#a]", "[Сайт](https://a.ru) и [ТЕЛЕФОН_1]", ("a",)),
        ("пункт [1] и [a], # и [#", "пункт [1] и [a], # и [#", ()),
        ("[#a", "[#a", ()),
        ("[#" + "x" * 900 + "] нет", "[#" + "x" * 900 + "] нет", ()),
    ],
)
def test_markers_as_models_write_them(text: str, words: str, sources: tuple[str, ...]):
    assert read(text, [found("a", "b")]) == (words, sources)


def test_ids_of_any_characters_can_be_cited():
    strange = "Мой файл #1; [копия], 50%"

    text = f"Да [#{label(strange)}]."

    assert read(text, [found(strange)]) == ("Да.", (strange,))
    assert label("data-location_2.1:Ё") == "data-location_2.1:Ё"


PIECES = st.sampled_from(
    ["[", "]", "#", "[#a]", "[#a, #b]", " ", "\n", ".", ",", "слово", "**", "【#a】", "[x](y)", "[ТЕЛЕФОН_1]", "9"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=30), st.integers(0, 2**32))
def test_a_stream_cut_anywhere_loses_the_same_markers(words: list[str], seed: int):
    text = "".join(words)
    chance = random.Random(seed)
    stream, said, at = Unmarked(), "", 0
    while at < len(text):
        size = chance.randint(1, 4)
        said += stream.feed(text[at : at + size])
        assert "[#a" not in said
        at += size
    said += stream.finish()

    assert said.strip() == without(text)
    assert read(text, [found("a", "b")])[0] == without(text)


def test_a_stream_holds_back_only_what_may_become_a_marker():
    stream = Unmarked()

    assert stream.feed("Да, [Сайт") == "Да, [Сайт"
    assert stream.feed("](x) [#") == "](x)"
    assert stream.feed("a") == ""
    assert stream.feed("], и") == ", и"
    assert stream.finish() == ""


def test_the_search_tool_shows_the_markers_and_keeps_which_version_was_read(write):
    write("файл 1", "Хранение данных", "Данные хранятся в России.")
    Article.objects.update(version=7)
    context = ToolContext(uuid.uuid4(), uuid.uuid4(), None, timezone.now())

    output = TOOLS["knowledge__search"].run(context, {"query": "где хранятся данные"})

    assert "[#файл%201] Хранение данных" in output.text
    assert output.citations == [{"article": "файл 1", "title": "Хранение данных", "version": 7}]
    result = ToolResult("1", "knowledge__search", output.text, output.data)
    assert read("В России [#файл%201].", [result]) == ("В России.", ("файл 1",))


def test_a_stored_reply_names_the_version_and_the_wire_only_the_title(conversation, write):
    from sales.assistant.journal import Journal, context_of
    from sales.models import Message, Turn
    from sales.operations import receive
    from sales.queries import as_wire

    write("a", "Хранение данных", "Данные хранятся в России.")
    now = timezone.now()
    receive(conversation_id=conversation.pk, external_id="1", text="где хранятся данные", now=now)
    turn = Turn.objects.get(conversation=conversation)
    Turn.objects.filter(pk=turn.pk).update(state="taken")
    turn.refresh_from_db()
    journal = Journal(turn=turn, tools=TOOLS)
    request = ToolRequest("1", "knowledge__search", {"query": "где хранятся данные"})
    result = journal.run(request, context=context_of(turn, context=TurnContext(now, "ru", "webchat"), now=now))
    text, sources = read("В России [#a], а не [#b].", [result])
    reply = Reply(text=text, sources=sources)

    citations = journal.citations(reply.sources)

    assert citations == [{"article": "a", "title": "Хранение данных", "version": 1}]
    message = Message(text=text, author="assistant", citations=citations, created_at=now)
    assert as_wire(message)["citations"] == [{"article": "a", "title": "Хранение данных"}]


def test_i_dont_know_is_told_from_other_words():
    assert says_unknown("Этого я не знаю.")
    assert not says_unknown("Знаю, вот условия.")
