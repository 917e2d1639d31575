"""What a commercial proposal says, read back from its PDF."""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pypdf import PdfReader

from billing.enums import LegalForm
from billing.models import Document, Seller
from billing.operations import make_pdf, prepare_proposal, set_default_seller
from billing.rendering import papers
from common.promise import State
from pricing.models import Tier, VatMode
from tests.billing.reading import missing, money, text_of

ALL_SERVICES = [
    {"service": code, "quantity": quantity}
    for code, quantity in [
        ("onboarding", 1),
        ("crm_integration", 2),
        ("knowledge_upload", 1),
        ("training", 3),
        ("custom_dev", 40),
        ("extra_channel", 2),
        ("priority_support", 1),
    ]
]
CASES: dict[str, dict[str, Any]] = {
    "the story": {},
    "one product by the month": {
        "products": [{"product": "ai_manager", "tier": "start"}],
        "services": [],
        "billing_period": "month",
        "startup": False,
    },
    "everything": {
        "products": [{"product": code, "tier": "pro"} for code in ("ai_manager", "ai_lawyer", "ai_analyst")],
        "services": ALL_SERVICES,
    },
    "one of two on request": {
        "products": [{"product": "ai_manager", "tier": "enterprise"}, {"product": "ai_lawyer", "tier": "start"}],
        "services": [],
    },
    "all on request": {"products": [{"product": "ai_manager", "tier": "enterprise"}], "services": []},
    "services only": {"products": [], "services": ALL_SERVICES[:2], "startup": False},
    "a very large quantity": {"products": [], "services": [{"service": "custom_dev", "quantity": 1_000_000}]},
}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("case", CASES)
def test_proposal_says_what_it_has_to(case: str, printed: Callable[..., Document]) -> None:
    document = printed(**CASES[case])

    assert (document.state, document.problem) == (State.KEPT, "")
    assert missing(document) == []


def test_rules_of_the_test_find_what_is_missing(printed: Callable[..., Document]) -> None:
    document = printed()
    document.seller.inn = "7707083893"
    document.number = "2026-9999"

    assert missing(document) == ["title", "seller_inn"]


def test_story_fits_on_one_page_and_comes_to_the_kopeck(printed: Callable[..., Document]) -> None:
    document = printed()

    text = text_of(document.pdf.content)
    assert document.pages == 1
    assert document.total == Decimal("528280.00")
    assert "Итого за год, руб. 528 280,00" in text
    assert "657 600,00" in text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("rate_22", "В том числе НДС (22%): 95 263,61 руб."),
        ("rate_5", "В том числе НДС (5%): 25 156,19 руб."),
        ("none_register", "НДС не облагается пп. 26 п. 2 ст. 149 НК РФ"),
    ],
)
def test_vat_words_are_those_of_the_sellers_mode(
    code: str, words: str, shop: Seller, printed: Callable[..., Document]
) -> None:
    shop.vat_mode = VatMode.objects.get(code=code)
    shop.save()
    set_default_seller(seller_id=shop.pk, by=None, now=timezone.now())

    document = printed()

    assert words in text_of(document.pdf.content)
    assert missing(document) == []


def test_sole_trader_has_no_kpp_on_paper(shop: Seller, printed: Callable[..., Document]) -> None:
    shop.form, shop.name, shop.full_name = LegalForm.SOLE_TRADER, "ИП Примеров П. П.", ""
    shop.inn, shop.kpp, shop.ogrn = "770123456703", "", "326770000000016"
    shop.full_clean()
    shop.save()

    document = printed()

    assert missing(document) == []
    assert "ОГРНИП 326770000000016" in text_of(document.pdf.content)


def test_lead_without_a_name_is_addressed_by_the_request(shop: Seller, conversation: Any) -> None:
    from pricing.operations import make_quote
    from tests.billing.conftest import STORY

    quote = make_quote(data=STORY, now=timezone.now(), conversation_id=conversation.pk)
    document = prepare_proposal(quote_number=quote.number, conversation_id=conversation.pk, now=timezone.now())

    assert "по вашему обращению в чат" in papers.html_of(document)


def test_same_document_gives_the_same_bytes_in_another_process(printed: Callable[..., Document]) -> None:
    from billing.rendering.renderer import Renderer

    document = printed()
    other = Renderer()

    again = [other.render(papers.html_of(document)).pdf for _ in range(2)]
    other.close()

    assert again == [document.pdf.content] * 2


def test_day_of_issue_stands_in_the_metadata(printed: Callable[..., Document]) -> None:
    document = printed()

    about = PdfReader(io.BytesIO(document.pdf.content)).metadata
    assert about is not None
    assert (
        about.title
        == f"Коммерческое предложение № {document.number} от {papers.context_of(document.snapshot)['issued_on']}"
    )
    assert str(about["/CreationDate"]).startswith(f"D:{document.issued_on:%Y%m%d}")


def test_only_our_own_fonts_are_in_the_file(printed: Callable[..., Document]) -> None:
    document = printed()

    names = {
        font.split("+")[-1]
        for page in PdfReader(io.BytesIO(document.pdf.content)).pages
        for fonts in page._get_fonts()
        for font in fonts
    }
    assert names == {"/PT-Sans", "/PT-Sans-Bold"} or names <= {"PT-Sans", "PT-Sans-Bold"}


def test_what_is_issued_does_not_follow_later_changes(shop: Seller, talk: Any, issued: Callable[..., Document]) -> None:
    from sales.operations import save_contact

    document = issued()
    before = papers.html_of(document)
    Tier.objects.update(price_month=1)
    Seller.objects.update(name="Другой", account="40702810138250123017")
    save_contact(lead_id=talk.lead_id, now=timezone.now(), by="test", name="Кто-то ещё")
    document.refresh_from_db()

    assert papers.html_of(document) == before


HOSTILE = [
    '<img src="file:///etc/passwd">',
    "<link rel=attachment href=file:///etc/passwd>",
    "</style><style>@import 'http://127.0.0.1/x.css';</style>",
    "{{ seller.account }}{% include 'admin/base.html' %}",
    "\u202eevil\u202c \u200bздесь",
    "😀 שלום مرحبا 日本語",
    "Ы" * 200,
    '"><script>alert(1)</script>',
    "\u0301" * 60,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_customer_calls_himself_is_text(name: str, talk: Any, issued: Callable[..., Document]) -> None:
    from sales.operations import save_contact

    save_contact(lead_id=talk.lead_id, now=timezone.now(), by="test", name=name, company=name)
    document = issued()

    kept = document.keep(make_pdf, now=timezone.now())

    document.refresh_from_db()
    text = text_of(document.pdf.content)
    shown = "".join(character for character in name if character.isascii() and character.isprintable()).split()
    assert kept
    assert document.state == State.KEPT
    assert document.pages in {1, 2}
    assert all(word in text.replace(" ", "") for word in shown)
    assert "\u202e" not in text
    assert PdfReader(io.BytesIO(document.pdf.content)).attachments == {}


def test_money_is_written_with_spaces_that_do_not_break() -> None:
    from pricing.words import amount

    assert amount(Decimal("1234567.89")) == "1\u00a0234\u00a0567,89"
    assert amount(Decimal("1234567.89")).replace("\u00a0", " ") == money("1234567.89")
