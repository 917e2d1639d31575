"""The back office of sellers, managers and documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from billing import links, panels
from billing.models import Document, Manager, Seller
from common.promise import State
from pricing.models import VatMode
from sales.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def office(operator: Any) -> Client:
    client = Client()
    client.force_login(operator)
    return client


@pytest.mark.parametrize("model", ["seller", "manager", "document"])
def test_pages_open(model: str, office: Client, printed: Callable[..., Document]) -> None:
    row = {"seller": Seller, "manager": Manager, "document": Document}
    printed()

    listed = office.get(reverse(f"admin:billing_{model}_changelist"))
    opened = office.get(reverse(f"admin:billing_{model}_change", args=[row[model].objects.get().pk]))

    assert (listed.status_code, opened.status_code) == (200, 200)


@pytest.mark.parametrize("model", ["seller", "manager"])
def test_history_pages_open(model: str, office: Client, shop: Seller) -> None:
    pk = {"seller": Seller, "manager": Manager}[model].objects.get().pk

    assert office.get(reverse(f"admin:billing_{model}_history", args=[pk])).status_code == 200
    assert office.get(reverse(f"admin:billing_{model}_add")).status_code == 200


def form_of(seller: Seller, **changes: Any) -> dict[str, Any]:
    names = [
        "form",
        "name",
        "full_name",
        "inn",
        "kpp",
        "ogrn",
        "address",
        "phone",
        "email",
        "site",
        "bank",
        "bic",
        "account",
        "corr_account",
        "signatory",
        "signatory_position",
        "signatory_basis",
        "payment_terms",
        "included",
    ]
    return {**{name: getattr(seller, name) for name in names}, "vat_mode": seller.vat_mode_id, **changes}


def test_wrong_inn_is_refused_in_the_form(office: Client, shop: Seller) -> None:
    where = reverse("admin:billing_seller_change", args=[shop.pk])

    answer = office.post(where, form_of(shop, inn="7701234561"))

    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == ["inn"]


def test_bank_key_that_does_not_fit_is_saved_with_a_warning(office: Client, shop: Seller) -> None:
    where = reverse("admin:billing_seller_change", args=[shop.pk])

    with translation.override("en"):
        answer = office.post(where, form_of(shop, account="40702810300000000001"), follow=True)

    warnings = [message for message in answer.context["messages"] if message.level_tag == "warning"]
    shop.refresh_from_db()
    assert len(warnings) == 1
    assert shop.account == "40702810300000000001"
    assert "⚠" in office.get(where).content.decode()


def test_real_data_typed_into_the_made_up_seller_make_it_real(office: Client, shop: Seller) -> None:
    where = reverse("admin:billing_seller_change", args=[shop.pk])

    office.post(where, form_of(shop, name="ООО «Настоящее»", inn="7707083893"))

    shop.refresh_from_db()
    assert (shop.name, shop.is_demo, shop.is_default) == ("ООО «Настоящее»", False, True)


def test_seller_with_its_made_up_number_stays_made_up(office: Client, shop: Seller) -> None:
    where = reverse("admin:billing_seller_change", args=[shop.pk])

    office.post(where, form_of(shop, phone="+7 495 111-11-11"))

    shop.refresh_from_db()
    assert shop.is_demo


def test_vat_mode_of_the_default_seller_is_in_force_at_once(office: Client, shop: Seller) -> None:
    mode = VatMode.objects.get(code="rate_22")

    office.post(reverse("admin:billing_seller_change", args=[shop.pk]), form_of(shop, vat_mode=mode.pk))

    assert VatMode.objects.get(in_force=True) == mode


def test_another_seller_is_made_the_default(office: Client, shop: Seller) -> None:
    office.post(reverse("admin:billing_seller_add"), form_of(shop, name="Второй"))
    second = Seller.objects.get(name="Второй")
    before = second.is_default

    office.post(reverse("admin:billing_seller_changelist"), {"action": "make_default", "_selected_action": [second.pk]})

    second.refresh_from_db()
    assert (before, second.is_default) == (False, True)


def test_document_is_downloaded(office: Client, printed: Callable[..., Document]) -> None:
    document = printed()

    answer = office.get(reverse("admin:billing_document_pdf", args=[document.pk]))

    assert answer.content == document.pdf.content


def test_what_staff_may_do_with_a_document(office: Client, printed: Callable[..., Document]) -> None:
    document = printed()
    first = links.address(document, now=timezone.now())

    for verb in ("revoke-links", "give-link", "make-again"):
        office.post(reverse("admin:billing_document_act", args=[document.pk, verb]))

    document = Document.objects.get()
    assert document.state == State.DUE
    assert links.address(document, now=timezone.now()) not in {"", first}


def test_nothing_is_done_by_reading(office: Client, printed: Callable[..., Document]) -> None:
    document = printed()

    answers = {
        office.get(reverse("admin:billing_document_act", args=[document.pk, verb])).status_code
        for verb in ("revoke-links", "give-link", "make-again")
    }

    assert answers == {403}
    assert document.links.get().revoked_at is None


def test_staff_who_may_only_read_see_the_document_and_no_buttons(printed: Callable[..., Document]) -> None:
    document = printed()
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_document"))
    client = Client()
    client.force_login(reader)

    page = client.get(reverse("admin:billing_document_change", args=[document.pk]))
    act = client.post(reverse("admin:billing_document_act", args=[document.pk, "revoke-links"]))

    assert page.status_code == 200
    assert "revoke-links" not in page.content.decode()
    assert act.status_code == 403


def test_staff_without_permission_get_no_file(printed: Callable[..., Document]) -> None:
    document = printed()
    client = Client()
    client.force_login(User.objects.create_user("other", is_staff=True))

    assert client.get(reverse("admin:billing_document_pdf", args=[document.pk])).status_code == 403


def test_documents_show_on_the_pages_of_lead_and_conversation(issued: Callable[..., Document]) -> None:
    document = issued()

    lines = [*panels.panels(document.lead), *panels.panels(document.conversation)]

    assert len(lines) == 2
    assert all(document.number in line and "528\u00a0280" in line for line in lines)
