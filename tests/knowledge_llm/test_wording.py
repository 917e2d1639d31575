"""Phrases and the code that reads them back have to agree."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from knowledge.llm.keyless import wording
from knowledge.llm.keyless.needs import asked_about, offered_in
from knowledge.llm.keyless.understanding import understand
from tests.knowledge_llm.stage import CATALOGUE

CODE = "\n".join(path.read_text(encoding="utf-8") for path in Path(wording.__file__).parent.glob("*.py"))


def fields(phrase: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(phrase) if name}


@pytest.mark.parametrize("name", wording.PHRASES)
def test_phrase_has_the_same_values_in_both_languages(name: str) -> None:
    values = [fields(way) for way in wording.variants_of(name)]

    assert all(each == values[0] for each in values)


@pytest.mark.parametrize("name", wording.PHRASES)
def test_phrase_is_used(name: str) -> None:
    kinds = {"phone_incomplete", "email_incomplete"}  # named by the field that is incomplete

    assert name in kinds or re.search(rf"""["']{name}["'](?!:)""", CODE)


@pytest.mark.parametrize(
    ("phrase", "offer"),
    [
        ("offer_proposal", "proposal"),
        ("offer_person", "person"),
        ("offer_year", "year"),
        ("offer_period", "year"),
        ("what_else", None),
    ],
)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_offer_is_read_back_from_its_own_words(phrase: str, offer: str | None, language: wording.Language) -> None:
    ways = [way.format(percent="20 %") if "{" in way else way for way in wording.ways_of(phrase, language)]

    assert [offered_in(f"Цена названа. {way}") for way in ways] == [offer] * len(ways)


@pytest.mark.parametrize("phrase", ["ask_volume", "ask_volume_of", "ask_volume_to_price"])
@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("product", CATALOGUE.products, ids=lambda product: product.code)
def test_question_about_a_size_is_read_back(phrase: str, language: wording.Language, product: object) -> None:
    words = {"unit": product.unit.in_language(language), "product": product.name.in_language(language)}

    assert asked_about(wording.say(phrase, language, **words), CATALOGUE) == product.code


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("name", [name for name in wording.PHRASES if name.startswith("chip_")])
def test_every_button_is_a_message_that_is_understood(name: str, language: wording.Language) -> None:
    product = CATALOGUE.products[1]
    service = CATALOGUE.service("training").name.in_language(language)
    words = {"product": product.name.in_language(language), "tier": "Бизнес", "what": wording.inside(service)}

    understood = understand(wording.say(name, language, **words), CATALOGUE)

    meant = {
        "chip_what": bool(understood.questions) and understood.topics == ("ai_lawyer",),
        "chip_price": understood.means("price") and understood.products[:1] != (),
        "chip_year": understood.period == "year",
        "chip_month": understood.period == "month",
        "chip_take_year": understood.period == "year",
        "chip_take_month": understood.period == "month",
        "chip_tier": [(each.product, each.tier) for each in understood.products] == [("ai_lawyer", "business")],
        "chip_add": tuple(understood.services) == ("training",),
        "chip_with": [each.product for each in understood.products] == ["ai_lawyer"],
        "chip_compare_periods": [question.kind for question in understood.questions] == ["periods"],
        "chip_startup": understood.startup is True,
        "chip_discounts": [question.kind for question in understood.questions] == ["discount"],
        "chip_unsure": understood.means("unsure"),
        "chip_proposal": understood.means("proposal"),
        "chip_person": understood.means("person"),
    }
    assert meant[name]
