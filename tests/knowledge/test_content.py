"""The articles that come with the product: complete, alive, and without a typed price."""

from __future__ import annotations

import re

import pytest

from knowledge.importing import _from_markdown
from knowledge.models import Article
from knowledge.search import search
from pricing import placeholders
from tests.knowledge.conftest import ARTICLES

FILES = sorted(ARTICLES.rglob("*.md"))
#: what prices, percentages and limits look like when somebody types them instead of using a placeholder
TYPED = re.compile(
    r"\d[\d\s\u00a0]*(?:₽|руб|р\.|%|процент|тыс|млн|к\b)"
    r"|\d[\d\s\u00a0]*(?:диалог|документ|отч[её]т)"
    r"|\d{3,}(?!-ФЗ)"
    r"|\b(?:десять|двадцать|пятнадцать|тридцать|сорок|пятьдесят|сто|двести|тысяч\w*) "
    r"(?:процент|рубл|диалог|документ|отч)",
    re.IGNORECASE,
)


def typed(text: str) -> list[str]:
    return [found.group() for found in TYPED.finditer(placeholders.blank(text))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_article_has_no_typed_price_and_questions_as_customers_ask_them(path):
    draft = _from_markdown(path, ARTICLES).draft

    assert draft is not None
    assert typed(f"{draft.title}\n{draft.body}\n" + "\n".join(draft.questions)) == []
    assert 4 <= len(draft.questions) <= 10
    assert len(draft.body) > 250


@pytest.mark.parametrize(
    "text",
    [
        "Стоит 34 900 ₽",
        "за 14900 рублей",
        "скидка 20 %",
        "до 2 000 диалогов",
        "40 документов",
        "в 2024",
        "десять процентов",
    ],
)
def test_a_typed_price_would_be_seen(text):
    assert typed(text)


@pytest.mark.parametrize(
    "text", ["по 152-ФЗ", "из 1С", "Битрикс24", "{{ price:ai_manager.business }}", "1. Раз\n2. Два"]
)
def test_what_is_no_price_is_left_in_peace(text):
    assert typed(text) == []


def test_there_are_articles_for_every_area_and_their_placeholders_are_alive(demo):
    articles = list(Article.objects.all())

    assert len(articles) >= 12
    assert {article.product for article in articles} == {"", "ai_manager", "ai_lawyer", "ai_analyst"}
    assert [name for article in articles for name in placeholders.problems(article.body)] == []


def test_cases_say_that_they_are_examples():
    cases = [path.read_text() for path in FILES if path.stem.startswith("case-")]

    assert len(cases) >= 3
    assert all("Показательный пример" in text and "вымышлены" in text for text in cases)


def test_every_article_answers_its_own_questions(demo):
    missed = [
        (question.text, article.external_id)
        for article in Article.objects.all()
        for question in article.questions.all()
        if article.external_id not in [hit.article.external_id for hit in search(question.text, limit=3)]
    ]

    assert missed == []
