"""The price list of the catalogue in force, as a paper and as a file of a storage."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest
from django.core.files.storage import storages
from django.utils import timezone

from billing.models import Document
from billing.operations import make_pdf, prepare_price_list
from pricing.models import Tier
from sales.assistant.tools import TOOLS, ToolContext
from tests.billing.reading import text_of

pytestmark = pytest.mark.django_db(transaction=True)


def made() -> Document:
    document = prepare_price_list(now=timezone.now())
    document.keep(make_pdf, now=timezone.now())
    document.refresh_from_db()
    return document


def test_it_has_every_price_of_the_catalogue(shop):
    document = made()

    said = text_of(bytes(document.pdf.content))
    assert (document.kind, document.state) == ("price_list", "kept")
    for tier in Tier.objects.exclude(price_month=None):
        assert f"{tier.price_month:,.2f}".replace(",", " ").replace(".", ",") in said.replace("\u00a0", " ")


def test_everybody_gets_the_same_until_a_price_changes(shop):
    first = prepare_price_list(now=timezone.now())
    assert prepare_price_list(now=timezone.now()) == first

    tier = Tier.objects.exclude(price_month=None).first()
    assert tier is not None
    tier.price_month += Decimal(100)
    tier.save()

    assert prepare_price_list(now=timezone.now()).number != first.number


def test_the_assistant_gives_it_with_a_card(talk):
    context = ToolContext(
        conversation_id=talk.pk, lead_id=talk.lead_id, turn_id=uuid.uuid4(), now=timezone.now(), language="ru"
    )

    output = TOOLS["billing__prepare_price_list"].run(context, {})

    [card] = output.cards
    assert card["title"].startswith("Прайс-лист №")
    assert output.text.startswith("Вот прайс-лист. Прайс-лист №")


def test_a_paper_is_a_file_of_a_storage_once_it_is_made(shop):
    document = prepare_price_list(now=timezone.now())
    papers = storages["documents"]
    with pytest.raises(FileNotFoundError):
        papers.open(str(document.pk))

    document.keep(make_pdf, now=timezone.now())

    with papers.open(str(document.pk)) as opened:
        assert opened.read().startswith(b"%PDF")
    with pytest.raises(FileNotFoundError):
        papers.open("../../etc/passwd")
