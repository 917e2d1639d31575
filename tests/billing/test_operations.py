"""Issuing papers: once, from the right quote, in the right name; and what becomes of them afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from billing import links, operations
from billing.health import health
from billing.models import Document, DocumentLink, Manager, Pdf, Seller
from billing.operations import make_pdf, prepare_proposal, set_default_seller
from common.promise import State
from pricing.models import Quote, VatMode
from pricing.operations import VatModeNotAllowed, make_quote
from sales.enums import Stage
from sales.models import User
from sales.operations import open_conversation
from tests.billing.conftest import STORY

pytestmark = pytest.mark.django_db(transaction=True)


def test_asked_twice_the_same_document_is_returned(talk: Any, quoted: Callable[..., Quote]) -> None:
    quote = quoted()

    first = prepare_proposal(quote_number=quote.number, conversation_id=talk.pk, now=timezone.now())
    again = prepare_proposal(
        quote_number=quote.number, conversation_id=talk.pk, now=timezone.now() + timedelta(days=90)
    )

    assert again == first
    assert Document.objects.count() == DocumentLink.objects.count() == 1


def test_another_quote_gets_the_next_number(issued: Callable[..., Document]) -> None:
    year = timezone.localdate().year

    assert [issued().number, issued(startup=False).number] == [f"{year}-0001", f"{year}-0002"]


def test_document_is_due_until_its_pdf_is_there(issued: Callable[..., Document]) -> None:
    document = issued()
    before = (document.state, document.sha256, document.size)

    document.keep(make_pdf, now=timezone.now())

    document.refresh_from_db()
    assert before == (State.DUE, "", None)
    assert (document.state, document.size) == (State.KEPT, len(document.pdf.content))


def test_quote_of_another_conversation_is_refused(talk: Any, quoted: Callable[..., Quote]) -> None:
    quote = quoted()
    stranger = open_conversation(channel="webchat", external_id=uuid.uuid4().hex, now=timezone.now())

    with pytest.raises(operations.QuoteNotHere):
        prepare_proposal(quote_number=quote.number, conversation_id=stranger.pk, now=timezone.now())

    assert not Document.objects.exists()


def test_quote_without_a_conversation_is_refused(talk: Any) -> None:
    quote = make_quote(data=STORY, now=timezone.now())

    with pytest.raises(operations.QuoteNotHere):
        prepare_proposal(quote_number=quote.number, conversation_id=talk.pk, now=timezone.now())


def test_quote_that_has_ended_is_refused(talk: Any, quoted: Callable[..., Quote]) -> None:
    quote = quoted()

    with pytest.raises(operations.QuoteOver):
        prepare_proposal(quote_number=quote.number, conversation_id=talk.pk, now=timezone.now() + timedelta(days=60))


def test_quote_under_another_vat_mode_is_refused(shop: Seller, talk: Any, quoted: Callable[..., Quote]) -> None:
    quote = quoted()
    Seller.objects.update(vat_mode=VatMode.objects.get(code="rate_22"))

    with pytest.raises(operations.QuoteOver):
        prepare_proposal(quote_number=quote.number, conversation_id=talk.pk, now=timezone.now())


def test_made_up_seller_issues_nothing_in_production(settings: Any, issued: Callable[..., Document]) -> None:
    settings.IS_PRODUCTION = True

    with pytest.raises(operations.SellerMadeUp):
        issued()


def test_made_up_manager_issues_nothing_in_production(
    settings: Any, shop: Seller, issued: Callable[..., Document]
) -> None:
    settings.IS_PRODUCTION = True
    Seller.objects.update(is_demo=False)

    with pytest.raises(operations.SellerMadeUp):
        issued()


def test_real_seller_issues_in_production(settings: Any, shop: Seller, issued: Callable[..., Document]) -> None:
    settings.IS_PRODUCTION = True
    Seller.objects.update(is_demo=False)
    Manager.objects.update(is_demo=False)

    assert issued().number.endswith("-0001")


def test_nothing_is_issued_without_a_manager(shop: Seller, issued: Callable[..., Document]) -> None:
    Manager.objects.update(is_active=False)

    with pytest.raises(operations.SellerNotReady):
        issued()


def test_nothing_is_issued_without_a_default_seller(shop: Seller, issued: Callable[..., Document]) -> None:
    Seller.objects.update(is_default=False)

    with pytest.raises(operations.SellerNotReady):
        issued()


def test_refused_paper_takes_no_number(settings: Any, shop: Seller, issued: Callable[..., Document]) -> None:
    settings.IS_PRODUCTION = True
    with pytest.raises(operations.SellerNotReady):
        issued()
    settings.IS_PRODUCTION = False

    assert issued().serial == 1


def test_manager_of_the_lead_stands_in_the_proposal(
    shop: Seller, talk: Any, operator: User, issued: Callable[..., Document]
) -> None:
    Manager.objects.create(seller=shop, name="Другой Менеджер", phone="+7 1", email="b@example.com", user=operator)
    talk.lead.manager = operator
    talk.lead.save(update_fields={"manager"})

    assert issued().snapshot["manager"]["name"] == "Другой Менеджер"


def test_lead_moves_to_the_stage_of_proposals(talk: Any, issued: Callable[..., Document]) -> None:
    issued()

    talk.lead.refresh_from_db()
    assert talk.lead.stage == Stage.PROPOSAL


def test_won_lead_stays_won(talk: Any, issued: Callable[..., Document]) -> None:
    talk.lead.stage = Stage.WON
    talk.lead.save(update_fields={"stage"})

    issued()

    talk.lead.refresh_from_db()
    assert talk.lead.stage == Stage.WON


def test_default_seller_brings_its_vat_mode_into_force(shop: Seller) -> None:
    other = Seller.objects.get(pk=shop.pk)
    other.pk, other.is_default, other.name, other.vat_mode = None, False, "Второй", VatMode.objects.get(code="rate_22")
    other.save()

    set_default_seller(seller_id=other.pk, by=None, now=timezone.now())

    assert VatMode.objects.get(in_force=True).code == "rate_22"
    assert [seller.name for seller in Seller.objects.filter(is_default=True)] == ["Второй"]


def test_seller_with_a_vat_mode_of_the_past_does_not_become_the_default(shop: Seller) -> None:
    other = Seller.objects.get(pk=shop.pk)
    other.pk, other.is_default, other.vat_mode = None, False, VatMode.objects.get(code="rate_20")
    other.save()

    with pytest.raises(VatModeNotAllowed):
        set_default_seller(seller_id=other.pk, by=None, now=timezone.now())

    assert Seller.objects.get(is_default=True) == shop


def test_loading_the_made_up_seller_twice_makes_one(shop: Seller) -> None:
    from django.core.management import call_command

    call_command("load_demo_seller")

    assert (Seller.objects.count(), Manager.objects.count()) == (1, 1)
    assert shop.is_demo
    assert shop.warnings() == {}
    shop.full_clean()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("inn", "7701234561"),
        ("inn", "770123456703"),
        ("ogrn", "1027700132196"),
        ("kpp", ""),
        ("kpp", "77"),
        ("bic", "4"),
    ],
)
def test_seller_with_impossible_requisites_is_refused(field: str, value: str, shop: Seller) -> None:
    setattr(shop, field, value)

    with pytest.raises(ValidationError) as refused:
        shop.full_clean()

    assert list(refused.value.message_dict) == [field]


@pytest.mark.parametrize(
    ("field", "value"), [("account", "40702810300000000001"), ("corr_account", "30101810500000000225")]
)
def test_bank_key_that_does_not_fit_is_a_warning_with_the_field(field: str, value: str, shop: Seller) -> None:
    setattr(shop, field, value)

    shop.full_clean()

    assert list(shop.warnings()) == [field]


def test_making_the_pdf_again_leaves_the_file_as_it_was(printed: Callable[..., Document]) -> None:
    document = printed()
    before = (document.sha256, Pdf.objects.get().pk, document.rendered_at)

    owed = operations.make_again(document_id=document.pk, by=None, now=timezone.now())
    document.refresh_from_db()
    document.keep(make_pdf, now=timezone.now())

    document.refresh_from_db()
    assert owed
    assert (document.state, document.problem) == (State.KEPT, "")
    assert (document.sha256, Pdf.objects.get().pk, document.rendered_at) == before


def test_file_that_was_issued_stays_when_the_new_one_differs(printed: Callable[..., Document]) -> None:
    document = printed()
    before = document.pdf.content
    document.snapshot = {**document.snapshot, "number": "2026-9999"}
    document.save(update_fields=["snapshot"])
    operations.make_again(document_id=document.pk, by=None, now=timezone.now())
    document.refresh_from_db()

    document.keep(make_pdf, now=timezone.now())

    document.refresh_from_db()
    assert Pdf.objects.get().content == before
    assert document.state == State.KEPT
    assert document.problem != ""


def test_links_can_be_revoked_and_given_anew(issued: Callable[..., Document]) -> None:
    document, now = issued(), timezone.now()
    first = links.address(document, now=now)

    count = operations.revoke_links(document_id=document.pk, by=None, now=now)
    between = links.address(document, now=now)
    operations.give_link(document_id=document.pk, by=None, now=now)

    assert count == 1
    assert between == ""
    assert links.address(document, now=now) not in {"", first}


def test_link_ends_after_its_days(issued: Callable[..., Document]) -> None:
    document, now = issued(), timezone.now()
    token = links.address(document, now=now).split("/")[2]

    assert links.find(token, now=now) is not None
    assert links.find(token, now=now + links.LIVES + timedelta(seconds=1)) is None


def test_link_still_opens_after_the_secret_key_changed(settings: Any, issued: Callable[..., Document]) -> None:
    document, now = issued(), timezone.now()
    token = links.address(document, now=now).split("/")[2]

    settings.SECRET_KEY = "another key that is long enough for a test"

    assert links.find(token, now=now) is not None
    assert links.address(document, now=now) == ""


def test_token_is_long_and_kept_nowhere(issued: Callable[..., Document]) -> None:
    document = issued()
    token = links.address(document, now=timezone.now()).split("/")[2]

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(l::text, ' ') || (SELECT string_agg(d::text, ' ') FROM billing_document d)"
            " FROM billing_documentlink l"
        )
        (stored,) = cursor.fetchone()
    assert len(token) == 43
    assert token not in stored


def test_name_of_the_customer_lies_nowhere_in_the_clear(printed: Callable[..., Document]) -> None:
    document = printed()
    assert "Щукин" in document.snapshot["buyer"]["name"]

    with connection.cursor() as cursor:
        cursor.execute("SELECT d::text FROM billing_document d")
        (row,) = cursor.fetchone()
        cursor.execute("SELECT content FROM billing_pdf")
        (content,) = cursor.fetchone()
    assert "Щукин" not in row
    assert "Щукин".encode().hex() not in row
    assert b"%PDF" not in bytes(content)


def test_health_says_what_documents_lean_on(shop: Seller, settings: Any) -> None:
    states = {each.name: each.state for each in health()}
    settings.IS_PRODUCTION = True
    in_production = {each.name: each.state for each in health()}

    assert states == {"seller": "ok", "pdf": "ok"}
    assert in_production == {"seller": "down", "pdf": "ok"}
