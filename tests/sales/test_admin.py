"""The back office of leads and conversations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from common.promise import State
from sales import operations
from sales.models import Conversation, Lead, Turn, User

pytestmark = pytest.mark.django_db
ATTACK = "<script>alert(1)</script>"


@pytest.fixture
def office(operator: Any) -> Client:
    client = Client()
    client.force_login(operator)
    return client


@pytest.mark.parametrize("page", ["lead", "conversation", "consent", "turn", "user", "conversation/stuck"])
def test_page_opens(office: Client, conversation: Conversation, page: str) -> None:
    assert office.get(f"/admin/sales/{page}/").status_code == 200


def test_lead_is_found_by_phone_only_as_a_whole(office: Client, conversation: Conversation) -> None:
    operations.save_contact(lead_id=conversation.lead_id, now=timezone.now(), by="t", name="Анна", phone="89161234567")

    whole = office.get("/admin/sales/lead/", {"q": "+7 916 123-45-67"}).content.decode()
    part = office.get("/admin/sales/lead/", {"q": "916123"}).content.decode()

    assert ("Анна" in whole, "Анна" in part) == (True, False)


def test_conversation_is_read_whole_and_customers_text_stays_text(office: Client, conversation: Conversation) -> None:
    operations.receive(conversation_id=conversation.pk, external_id="1", text=ATTACK, now=timezone.now())

    page = office.get(f"/admin/sales/conversation/{conversation.pk}/change/").content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert ATTACK not in page


def test_operator_leads_from_the_page(office: Client, conversation: Conversation) -> None:
    base = f"/admin/sales/conversation/{conversation.pk}"

    office.post(f"{base}/do/take-over/")
    office.post(f"{base}/do/say/", {"text": "Это человек"})

    conversation.refresh_from_db()
    assert (conversation.mode, conversation.messages.get().text) == ("operator", "Это человек")
    office.post(f"{base}/do/give-back/")
    conversation.refresh_from_db()
    assert conversation.mode == "assistant"


def test_neither_name_nor_phone_stands_in_the_log_of_the_admin(office: Client, conversation: Conversation) -> None:
    lead = conversation.lead
    form = {
        "name": "Тайная Персона",
        "phone": "+79161234567",
        "email": "",
        "company": "",
        "stage": "new",
        "manager": "",
    }

    answer = office.post(f"/admin/sales/lead/{lead.pk}/change/", form)

    assert answer.status_code == 302
    assert Lead.objects.get(pk=lead.pk).name == "Тайная Персона"
    entry = LogEntry.objects.get()
    assert "Тайная" not in f"{entry.object_repr}{entry.change_message}{entry}"
    assert "9161234567" not in f"{entry.object_repr}{entry.change_message}{entry}"


def test_what_is_stuck_can_be_tried_again(office: Client, conversation: Conversation) -> None:
    turn = Turn.objects.create(conversation=conversation, state=State.BROKEN, problem="the model is away", attempts=5)

    page = office.get("/admin/sales/conversation/stuck/").content.decode()
    office.post("/admin/sales/conversation/stuck/", {"row": f"sales.turn:{turn.pk}"})

    turn.refresh_from_db()
    assert "the model is away" in page
    assert (turn.state, turn.attempts) == (State.DUE, 0)


def test_what_is_merely_due_is_not_called_stuck(office: Client, conversation: Conversation) -> None:
    Turn.objects.create(conversation=conversation, due_at=timezone.now() - timedelta(seconds=30), problem="waiting")

    assert "waiting" not in office.get("/admin/sales/conversation/stuck/").content.decode()


def test_staff_without_rights_sees_no_conversation(conversation: Conversation) -> None:
    client = Client()
    client.force_login(User.objects.create_user("clerk", is_staff=True))

    assert client.get(f"/admin/sales/conversation/{conversation.pk}/change/").status_code == 403
    assert client.post(f"/admin/sales/conversation/{conversation.pk}/do/take-over/").status_code == 403
    assert client.get("/admin/sales/conversation/stuck/").status_code == 403
