"""The staff's API for documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from billing import operations
from billing.models import Document
from sales.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(operator: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(operator)
    return client


def test_document_is_listed_with_a_link_that_opens(
    staff: APIClient, client: Client, printed: Callable[..., Document]
) -> None:
    document = printed()

    page = staff.get("/api/v1/documents").json()

    [row] = page["results"]
    assert (page["count"], page["next"], page["previous"]) == (1, None, None)
    assert {name: row[name] for name in ("id", "kind", "number", "total", "lead", "state")} == {
        "id": str(document.pk),
        "kind": "proposal",
        "number": document.number,
        "total": "528280.00",
        "lead": str(document.lead_id),
        "state": "kept",
    }
    assert client.get(row["pdf_url"]).content == document.pdf.content
    assert staff.get(f"/api/v1/documents/{document.pk}").json() == row


def test_staff_get_the_file_also_when_the_link_is_revoked(
    staff: APIClient, client: Client, printed: Callable[..., Document]
) -> None:
    document = printed()
    operations.revoke_links(document_id=document.pk, by=None, now=timezone.now())

    where = staff.get(f"/api/v1/documents/{document.pk}").json()["pdf_url"]

    assert staff.get(where, headers={"Accept": "application/pdf"}).content == document.pdf.content
    assert client.get(where).status_code == 401


def test_file_that_is_not_made_yet_is_not_found(staff: APIClient, issued: Callable[..., Document]) -> None:
    assert staff.get(f"/api/v1/documents/{issued().pk}/pdf").status_code == 404


@pytest.mark.parametrize(
    ("query", "count"),
    [("kind=proposal", 1), ("kind=invoice", 0), ("state=kept", 0), ("issued_after=2100-01-01", 0), ("number=x", 0)],
)
def test_documents_are_filtered(query: str, count: int, staff: APIClient, issued: Callable[..., Document]) -> None:
    issued()

    assert staff.get(f"/api/v1/documents?{query}").json()["count"] == count


@pytest.mark.parametrize("query", ["kind=banana", "lead=banana", "issued_after=banana"])
def test_filter_that_means_nothing_is_refused(query: str, staff: APIClient) -> None:
    assert staff.get(f"/api/v1/documents?{query}").status_code == 400


def test_nothing_can_be_written(staff: APIClient, issued: Callable[..., Document]) -> None:
    where = f"/api/v1/documents/{issued().pk}"

    assert {staff.post("/api/v1/documents", {}).status_code, staff.patch(where, {}).status_code} == {405}
    assert staff.delete(where).status_code == 405


def test_only_staff_with_the_permission_see_documents(issued: Callable[..., Document]) -> None:
    issued()
    user = User.objects.create_user("someone", is_staff=True)
    client = APIClient()
    without = [client.get("/api/v1/documents").status_code]
    client.force_authenticate(user)
    without.append(client.get("/api/v1/documents").status_code)
    user.user_permissions.add(Permission.objects.get(codename="view_document"))
    client.force_authenticate(User.objects.get(pk=user.pk))

    assert (without, client.get("/api/v1/documents").status_code) == ([401, 403], 200)


def test_list_takes_as_many_queries_for_one_row_as_for_three(staff: APIClient, issued: Callable[..., Document]) -> None:
    issued()
    with CaptureQueriesContext(
        connection,
    ) as one:
        staff.get("/api/v1/documents")
    issued(startup=False)
    issued(billing_period="month")
    with CaptureQueriesContext(connection) as three:
        staff.get("/api/v1/documents")

    assert len(three) == len(one)


def test_unknown_document_is_not_found(staff: APIClient) -> None:
    assert staff.get("/api/v1/documents/banana").status_code == 404
    assert staff.get("/api/v1/documents/00000000-0000-4000-8000-000000000000/pdf").status_code == 404
