"""What the assistant gets when it searches."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest
from django.utils import timezone

from pricing.models import Tier
from sales.assistant.tools import TOOLS, ToolContext, ToolFailed


def run(query: str, language: str = "ru"):
    context = ToolContext(uuid.uuid4(), uuid.uuid4(), None, timezone.now(), language)  # type: ignore[arg-type]
    return TOOLS["knowledge__search"].run(context, {"query": query})


def test_passages_come_with_prices_of_this_moment_and_their_sources(demo):
    Tier.objects.filter(product__code="ai_manager", code="business").update(price_month=Decimal("12345.00"))

    output = run("что умеет AI-менеджер и сколько стоит тариф бизнес")

    hit = next(each for each in output.data["hits"] if each["article"] == "ai-manager")
    assert set(hit) - {"body", "question", "questions"} == {
        "article",
        "title",
        "passage",
        "text",
        "score",
        "share",
        "product",
    }
    assert hit["product"] == "ai_manager"
    assert "{{" not in output.text
    assert any("12\u00a0345" in each["text"] for each in output.data["hits"])
    assert [each["article"] for each in output.citations] == [each["article"] for each in output.data["hits"]]
    assert output.citations[0].keys() == {"article", "title", "version"}


def test_the_best_articles_come_whole_in_one_query(demo, django_assert_max_num_queries):
    run("скидка за год")
    with django_assert_max_num_queries(6):  # three for the search, one for the articles, two for the prices
        output = run("скидка за год")

    assert ["body" in each for each in output.data["hits"]] == [True, True, True, False, False]
    assert len(output.data["hits"][0]["body"]) > len(output.data["hits"][0]["text"])


def test_nothing_found_is_said(db):
    output = run("единорог")

    assert (output.data, output.citations) == ({"hits": []}, ())


def test_an_empty_query_is_refused_with_words_for_the_model(db):
    with pytest.raises(ToolFailed):
        run("  ")


def test_a_query_of_any_length_is_searched(demo):
    assert run("сколько стоит внедрение " * 2000).data["hits"]
