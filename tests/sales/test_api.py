"""The staff's API: leads and conversations, for those who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from sales import operations
from sales.models import Conversation, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(operator: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(operator)
    return client


def test_lead_is_listed_with_what_we_know(staff: APIClient, conversation: Conversation) -> None:
    operations.save_contact(
        lead_id=conversation.lead_id, now=timezone.now(), by="test", name="Анна", phone="8 (916) 123-45-67"
    )

    page = staff.get("/api/v1/leads").json()

    assert (page["count"], page["next"], page["previous"]) == (1, None, None)
    lead = page["results"][0]
    assert (lead["name"], lead["phone"], lead["channel"], lead["status"]) == (
        "Анна",
        "+79161234567",
        "webchat",
        "qualified",
    )


@pytest.mark.parametrize("asked", ["8 916 123 45 67", "+7 (916) 123-45-67", "анна", "АННА петрова", "ромашка"])
def test_lead_is_found_by_phone_and_by_words(staff: APIClient, conversation: Conversation, asked: str) -> None:
    operations.save_contact(
        lead_id=conversation.lead_id,
        now=timezone.now(),
        by="test",
        name="Анна Петрова",
        phone="+79161234567",
        company="ООО «Ромашка»",
    )
    operations.open_conversation(channel="webchat", external_id="another", now=timezone.now(), name="Иван Иванов")

    assert [each["name"] for each in staff.get("/api/v1/leads", {"search": asked}).json()["results"]] == [
        "Анна Петрова"
    ]


def test_operator_takes_over_speaks_and_gives_back(staff: APIClient, conversation: Conversation) -> None:
    address = f"/api/v1/conversations/{conversation.pk}"

    assert staff.post(f"{address}/take_over").json()["mode"] == "operator"
    said = staff.post(f"{address}/messages", {"text": "Это **человек**"}, format="json")
    assert (said.status_code, said.json()["seq"], said.json()["author"]) == (201, 1, "operator")
    assert staff.get(f"{address}/messages").json()["messages"][0]["html"] == "<p>Это <strong>человек</strong></p>"
    assert staff.post(f"{address}/give_back").json()["mode"] == "assistant"


def test_closed_conversation_takes_no_words(staff: APIClient, conversation: Conversation) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(mode="closed")

    said = staff.post(f"/api/v1/conversations/{conversation.pk}/messages", {"text": "Есть кто?"}, format="json")

    assert said.status_code == 400


@pytest.mark.parametrize("path", ["leads", "conversations"])
def test_stranger_and_customer_account_get_nothing(conversation: Conversation, path: str) -> None:
    client = APIClient()
    assert client.get(f"/api/v1/{path}").status_code == 401

    client.force_authenticate(User.objects.create_user("nobody", password="x"))
    assert client.get(f"/api/v1/{path}").status_code == 403


def test_reader_may_read_but_not_lead(conversation: Conversation) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_conversation"))
    client = APIClient()
    client.force_authenticate(reader)

    assert client.get(f"/api/v1/conversations/{conversation.pk}").status_code == 200
    assert client.post(f"/api/v1/conversations/{conversation.pk}/take_over").status_code == 403
    assert client.post(f"/api/v1/conversations/{conversation.pk}/messages", {"text": "x"}).status_code == 403


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9" * 30])
def test_history_from_nonsense_is_refused_in_words(staff: APIClient, conversation: Conversation, after: str) -> None:
    answer = staff.get(f"/api/v1/conversations/{conversation.pk}/messages", {"after": after})

    assert answer.status_code == 400


def test_lists_cost_the_same_queries_for_one_row_and_for_three(
    staff: APIClient, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        operations.open_conversation(channel="webchat", external_id=f"n{number}", now=timezone.now())
        with django_assert_num_queries(2):
            staff.get("/api/v1/leads")
        with django_assert_num_queries(2):
            staff.get("/api/v1/conversations")


def test_one_damaged_value_hides_only_itself(staff: APIClient, conversation: Conversation) -> None:
    for number in range(2):
        operations.receive(
            conversation_id=conversation.pk, external_id=str(number), text=f"слово {number}", now=timezone.now()
        )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sales_message SET text = '\\x01'::bytea WHERE seq = 1")

    messages = staff.get(f"/api/v1/conversations/{conversation.pk}/messages").json()["messages"]

    assert [each["seq"] for each in messages] == [1, 2]
    assert messages[0]["text"].startswith("⚠")
    assert messages[1]["text"] == "слово 1"
