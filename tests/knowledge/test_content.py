"""The articles that come with the product: complete, alive, found, and without a typed price."""

from __future__ import annotations

from collections import Counter
from io import StringIO

import pytest
from django.core.management import call_command

from knowledge import figures, links, reading
from knowledge.importing import _from_markdown
from knowledge.models import Article
from knowledge.operations import Draft
from knowledge.passages import cut
from knowledge.search import search
from pricing import placeholders
from pricing.queries import current_rules
from tests.knowledge.conftest import ARTICLES

FILES = sorted(ARTICLES.rglob("*.md"))
#: what a buyer and a support desk ask about, each with articles that must be there
AREAS = {
    "products": {"ai-manager", "ai-lawyer", "ai-analyst", "compare-products", "what-counts"},
    "onboarding": {"onboarding", "onboarding-prepare", "knowledge-base", "training"},
    "integrations": {"integrations", "integration-amocrm", "integration-bitrix24", "website-chat", "avito"},
    "security": {"security", "personal-data", "data-location", "data-ownership", "own-server", "nda", "ai-model"},
    "prices": {"prices", "prices-ai-manager", "choose-tier", "enterprise", "services", "trial"},
    "discounts": {"discounts", "startup-discount", "annual-payment"},
    "limits": {"over-limit", "change-tier"},
    "documents": {"contract", "proposal", "closing-documents", "vat"},
    "payment": {"payment", "refund"},
    "cases": {"case-furniture", "case-school", "case-contracts", "case-analytics", "case-wholesale"},
    "support": {"support", "priority-support", "outage"},
    "objections": {"objection-expensive", "accuracy", "vs-chatbot", "vs-chatgpt", "vs-employee", "we-have-crm"},
    "audience": {"sectors", "small-business", "languages", "guarantees"},
}
#: characters of a section as a visitor sees it: as much as the assistant quotes at once
SECTION_MOST = 700
LEAD_MOST = 400


def read(path) -> Draft:
    found = _from_markdown(path, ARTICLES)
    assert found.draft is not None, found.problem
    return found.draft


def test_there_are_articles_for_every_area_and_product():
    names = {path.stem for path in FILES}

    assert len(FILES) >= 42
    assert {area: wanted - names for area, wanted in AREAS.items() if wanted - names} == {}
    assert {read(path).product for path in FILES} == {"", "ai_manager", "ai_lawyer", "ai_analyst"}
    assert {(read(path).status, read(path).language) for path in FILES} == {("published", "ru")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_article_has_several_questions_and_begins_with_an_answer(path):
    draft = read(path)

    assert 5 <= len(draft.questions) <= 10
    lead = cut(draft.body)[0]
    assert lead.heading == ""
    assert 40 <= len(lead.text.split("\n\n")[0]) <= LEAD_MOST


def test_no_question_and_no_title_is_in_two_articles():
    drafts = [read(path) for path in FILES]
    asked = Counter(
        words for draft in drafts for words in {each.lower().strip(" ?") for each in (draft.title, *draft.questions)}
    )

    assert [question for question, times in asked.items() if times > 1] == []


def test_no_price_discount_or_volume_is_typed(catalogue):
    rules = current_rules()
    typed = {
        path.stem: figures.in_words(found)
        for path in FILES
        if (found := figures.typed(f"{read(path).title}\n{read(path).body}", rules, own=read(path).own_figures))
    }

    assert typed == {}


def test_only_made_up_examples_have_figures_of_their_own(catalogue):
    rules = current_rules()
    cases = {path.stem: path.read_text() for path in FILES if path.stem.startswith("case-")}

    assert len(cases) >= 3
    assert all("Показательный пример" in text and "вымышлены" in text for text in cases.values())
    assert {path.stem for path in FILES if read(path).own_figures} <= set(cases)
    for path in FILES:
        needed = {figures.plain(each.text) for each in figures.typed(read(path).body, rules)}
        assert {figures.plain(each) for each in read(path).own_figures} == needed


def test_every_placeholder_is_filled_and_every_link_leads_to_an_article(catalogue):
    texts = {path.stem: f"{read(path).title}\n{read(path).body}" for path in FILES}

    assert [name for text in texts.values() for name in placeholders.problems(text)] == []
    assert [name for text in texts.values() for name in links.problems(text, known=set(texts).intersection)] == []
    shown = [reading.for_visitor(text) for text in texts.values()]
    assert [text for text in shown if "{{" in text or "article:" in text or "уточнит менеджер" in text] == []


def test_every_section_is_short_enough_to_be_quoted_whole(catalogue):
    long = [
        (path.stem, piece.heading, size)
        for path in FILES
        for piece in cut(read(path).body)
        if (size := len(reading.for_visitor(piece.text))) > SECTION_MOST
        and "|---" not in reading.for_visitor(piece.text)  # a table is read as one
    ]

    assert long == []


def test_they_come_in_without_a_warning(catalogue):
    err = StringIO()

    call_command("import_articles", str(ARTICLES), stdout=StringIO(), stderr=err)

    assert err.getvalue() == ""
    assert Article.objects.published().count() == len(FILES)


def test_every_article_answers_its_own_questions(demo):
    ranks = Counter()
    missed = []
    for article in Article.objects.prefetch_related("questions"):
        for question in article.questions.all():
            names = [hit.article.external_id for hit in search(question.text, limit=3)]
            rank = names.index(article.external_id) + 1 if article.external_id in names else 0
            ranks[rank] += 1
            if rank != 1:
                missed.append((rank, question.text, article.external_id, names))
    total = sum(ranks.values())
    print(f"{total} questions: {ranks[1] / total:.1%} first", *missed, sep="\n")

    assert [each for each in missed if not each[0]] == []
    assert ranks[1] >= 0.97 * total
