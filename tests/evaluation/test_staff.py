"""One click makes a case of a real conversation: masked, with what was answered as the expectation, and runnable."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from common.promise import State
from config.groups import make_groups
from knowledge.evaluation import staff
from knowledge.evaluation.models import EvaluationCase, EvaluationTurn
from sales import operations
from sales.assistant import turn as turns
from sales.models import Conversation, Turn, User


def talk(*said: str | list[str], operator: User | None = None) -> Conversation:
    """A conversation of the web chat in which each of ``said`` got its answer."""
    made = operations.open_conversation(channel="webchat", external_id=uuid.uuid4().hex, now=timezone.now())
    for each in said:
        for text in [each] if isinstance(each, str) else each:
            operations.receive(conversation_id=made.pk, external_id=uuid.uuid4().hex, text=text, now=timezone.now())
        Turn.objects.filter(conversation=made, state=State.DUE).update(due_at=timezone.now())
        turns.answer(made.pk, wait=lambda seconds: None)
    return made


@pytest.fixture
def story(shop: None) -> Conversation:
    made = talk(
        ["Здравствуйте, это Аглая", "AI-менеджер на 1800 диалогов\n\nза год"],
        "Меня зовут Аглая Кукушкина из ООО «Полынь», +7 916 123-45-67, aglaya@example.com. Пришлите КП для Полынь",
        "позовите человека, спросите Аглаю",
    )
    operations.save_contact(
        lead_id=made.lead_id, now=timezone.now(), by="test", name="Аглая Кукушкина", company="ООО «Полынь»"
    )
    return made


@pytest.fixture
def seller(client: Client) -> Client:
    """A browser in which a member of the sales group is logged in."""
    make_groups()
    user = User.objects.create_user(username="seller", password="a long pass phrase", is_staff=True)
    user.groups.add(Group.objects.get(name="Продажи"))
    client.force_login(user)
    return client


def click(browser: Client, conversation: Conversation) -> Any:
    return browser.post(reverse("admin:knowledge_case_from", args=[conversation.pk]), follow=True)


def test_a_case_has_what_was_said_and_what_came_of_it(story: Conversation, now: Any) -> None:
    case, created = staff.add_from(conversation_id=story.pk, by=None, now=now)

    assert created
    found = [(turn.say, turn.outcome, turn.total, turn.tools) for turn in case.turns.order_by("position")]
    assert found == [
        (
            "Здравствуйте, это [ИМЯ_1]\n\nAI-менеджер на 1800 диалогов\nза год",
            "answer",
            Decimal("335040.00"),
            "sales__save_contact\npricing__quote",
        ),
        (
            "Меня зовут [ИМЯ_2] из [КОМПАНИЯ_1], [ТЕЛЕФОН_1], [ПОЧТА_1]. Пришлите КП для [КОМПАНИЯ_1]",
            "answer",
            None,
            "sales__save_contact\nbilling__prepare_proposal",
        ),
        ("позовите человека, спросите [ИМЯ_3]", "handover", None, "sales__call_person"),
    ]


def test_no_personal_data_stands_in_a_case_or_its_export_nor_any_word_in_the_clear(
    story: Conversation, now: Any
) -> None:
    case, _created = staff.add_from(conversation_id=story.pk, by=None, now=now)

    exported = staff.as_dataset(staff.cases_of([case]))

    private = ("Аглая", "Аглаю", "Кукушкин", "Полынь", "916", "aglaya")
    assert [word for word in private if word.lower() in exported.lower()] == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM knowledge_evaluationturn t")
        stored = " ".join(row for (row,) in cursor.fetchall())
    assert "диалогов" not in stored
    assert "диалогов" in exported


def test_a_case_made_of_a_conversation_passes_as_it_is(
    story: Conversation, now: Any, evaluate: Callable[..., Any]
) -> None:
    staff.add_from(conversation_id=story.pk, by=None, now=now)

    ended = evaluate()

    assert (ended.code, ended.report["failures"]) == (0, [])
    assert ended.report["by_tag"] == {"staff": {"run": 1, "passed": 1, "rate": 1.0}}


def test_what_staff_put_right_is_what_is_expected(story: Conversation, now: Any, evaluate: Callable[..., Any]) -> None:
    case, _created = staff.add_from(conversation_id=story.pk, by=None, now=now)
    turn = case.turns.order_by("position")[0]
    turn.must, turn.total = "скидка\nдевяносто", Decimal("1.00")
    turn.save()

    (failure,) = evaluate(staff=True).report["failures"]

    assert [(missed["kind"], missed["wanted"]) for missed in failure["missed"]] == [
        ("must", "скидка"),
        ("must", "девяносто"),
        ("total", "1.00"),
    ]
    EvaluationCase.objects.update(is_active=False)
    assert evaluate().code == 2


def test_messages_that_a_person_answered_expect_nothing(shop: None, operator: User, now: Any) -> None:
    made = talk("AI-юрист на 40 договоров")
    operations.send_as_operator(conversation_id=made.pk, text="Это человек", by=operator, now=now)
    operations.receive(conversation_id=made.pk, external_id="later", text="о, здравствуйте", now=now)

    case, _created = staff.add_from(conversation_id=made.pk, by=operator, now=now)

    assert [(turn.say, turn.outcome) for turn in case.turns.all()] == [
        ("AI-юрист на 40 договоров", "answer"),
        ("о, здравствуйте", ""),
    ]


def test_an_export_is_a_dataset(story: Conversation, now: Any, evaluate: Callable[..., Any], tmp_path: Path) -> None:
    staff.add_from(conversation_id=story.pk, by=None, now=now)
    path = tmp_path / "out.jsonl"

    assert evaluate(export=path).report == {}
    assert evaluate(path).report["cases"] == {"run": 1, "passed": 1, "rate": 1.0}


# --- the back office --------------------------------------------------------------------------------------------


def test_one_click_on_the_conversations_page_makes_the_case_once(story: Conversation, seller: Client) -> None:
    page = seller.get(reverse("admin:sales_conversation_change", args=[story.pk])).content.decode()
    assert reverse("admin:knowledge_case_from", args=[story.pk]) in page

    first, second = click(seller, story), click(seller, story)

    case = EvaluationCase.objects.get()
    address = reverse("admin:knowledge_evaluationcase_change", args=[case.pk])
    assert [answer.redirect_chain[0][0] for answer in (first, second)] == [address, address]
    assert (first.status_code, case.turns.count(), case.created_by.username) == (200, 3, "seller")
    page = seller.get(reverse("admin:sales_conversation_change", args=[story.pk])).content.decode()
    assert address in page
    assert reverse("admin:knowledge_case_from", args=[story.pk]) not in page


def test_a_conversation_in_which_nothing_was_said_makes_no_case(conversation: Conversation, seller: Client) -> None:
    answer = click(seller, conversation)

    assert answer.redirect_chain[0][0] == reverse("admin:sales_conversation_change", args=[conversation.pk])
    assert EvaluationCase.objects.count() == 0


def test_who_may_not_add_cases_sees_no_button_and_gets_none(story: Conversation, client: Client) -> None:
    make_groups()
    user = User.objects.create_user(username="reader", password="a long pass phrase", is_staff=True)
    user.groups.add(Group.objects.get(name="Бухгалтер"))
    client.force_login(user)

    assert client.post(reverse("admin:knowledge_case_from", args=[story.pk])).status_code == 403
    assert client.get(reverse("admin:knowledge_case_from", args=[story.pk])).status_code == 403
    assert EvaluationCase.objects.count() == 0


def test_a_click_without_the_forms_token_does_nothing(story: Conversation, operator: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(operator)

    assert browser.post(reverse("admin:knowledge_case_from", args=[story.pk])).status_code == 403
    assert EvaluationCase.objects.count() == 0


def test_staff_edit_a_case_on_its_page(story: Conversation, seller: Client) -> None:
    click(seller, story)
    case = EvaluationCase.objects.get()
    data = form_of(case)
    data["turns-0-must"] = "  335 040 \n\n скидка "
    data["turns-0-tools"] = "pricing__quote"
    data["turns-2-DELETE"] = "on"
    data |= {"name": "polyn", "note": "важный", "tags": "prices, big", "is_active": "on"}

    answer = seller.post(reverse("admin:knowledge_evaluationcase_change", args=[case.pk]), data)

    assert answer.status_code == 302, answer.context["errors"]
    (read,) = staff.active_cases()
    assert (read.id, read.tags, read.note, len(read.turns)) == ("polyn", ("staff", "prices", "big"), "важный", 2)
    assert [each.text for each in read.turns[0].must] == ["335 040", "скидка"]


def test_a_tool_that_does_not_exist_is_refused(story: Conversation, seller: Client) -> None:
    click(seller, story)
    case = EvaluationCase.objects.get()

    answer = seller.post(
        reverse("admin:knowledge_evaluationcase_change", args=[case.pk]), form_of(case) | {"turns-0-tools": "price"}
    )

    assert "Инструмента price нет" in answer.content.decode()


def test_cases_are_exported_from_the_list(story: Conversation, seller: Client) -> None:
    click(seller, story)
    case = EvaluationCase.objects.get()

    answer = seller.post(
        reverse("admin:knowledge_evaluationcase_changelist"), {"action": "export", "_selected_action": [str(case.pk)]}
    )

    assert answer["Content-Disposition"] == 'attachment; filename="evaluation-cases.jsonl"'
    assert json.loads(answer.content)["id"] == case.name


def form_of(case: EvaluationCase) -> dict[str, Any]:
    """What the browser would send back of the case's page."""
    rows = list(EvaluationTurn.objects.filter(case=case).order_by("position"))
    data: dict[str, Any] = {
        "name": case.name,
        "note": case.note,
        "tags": case.tags,
        "is_active": "on",
        "turns-TOTAL_FORMS": len(rows),
        "turns-INITIAL_FORMS": len(rows),
    }
    for number, row in enumerate(rows):
        fields = ("position", "say", "outcome", "total", "must", "must_not", "tools")
        data |= {f"turns-{number}-{name}": getattr(row, name) or "" for name in fields}
        data |= {f"turns-{number}-id": row.pk, f"turns-{number}-case": case.pk}
    return data
