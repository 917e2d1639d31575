"""What a group may not do in the back office, and what its first page says and costs."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from common.promise import Promise
from config.groups import make_groups
from sales import operations
from sales.enums import HandoverReason
from sales.models import Conversation, User

pytestmark = pytest.mark.django_db
MAKE_SUPER = {"username": "member", "is_active": "on", "is_staff": "on", "is_superuser": "on"}


def member_of(group: str) -> tuple[User, Client]:
    make_groups()
    user = User.objects.create_user(username="member", is_staff=True)  # a password costs a third of a second
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return user, client


def test_administrator_cannot_make_themselves_superuser() -> None:
    user, client = member_of("Администратор")

    answer = client.post(f"/admin/sales/user/{user.pk}/change/", {**MAKE_SUPER, "first_name": "Анна"})

    user.refresh_from_db()
    assert (answer.status_code, user.first_name, user.is_superuser) == (302, "Анна", False)


def test_superuser_can_make_one(operator: User) -> None:
    user, _client = member_of("Администратор")
    client = Client()
    client.force_login(operator)

    client.post(f"/admin/sales/user/{user.pk}/change/", MAKE_SUPER)

    user.refresh_from_db()
    assert user.is_superuser


@pytest.mark.parametrize("page", ["password", "delete"])
def test_administrator_cannot_touch_a_superuser(operator: User, page: str) -> None:
    _user, client = member_of("Администратор")
    forms = {
        "password": {"password1": "another pass phrase", "password2": "another pass phrase"},
        "delete": {"post": "yes"},
    }

    answer = client.post(f"/admin/sales/user/{operator.pk}/{page}/", forms[page])
    client.post(f"/admin/sales/user/{operator.pk}/change/", {"username": "renamed"})
    client.post("/admin/sales/user/", {"action": "delete_selected", "_selected_action": operator.pk, "post": "yes"})

    kept = User.objects.get(pk=operator.pk)
    assert (answer.status_code, kept.username) == (403, operator.username)
    assert kept.check_password("a long pass phrase")


def test_administrator_works_with_people_and_groups() -> None:
    _user, client = member_of("Администратор")
    other = User.objects.create_user(username="other")

    pages = [f"user/{other.pk}/change/", f"user/{other.pk}/password/", "user/add/"]

    assert [client.get(f"/admin/sales/{page}").status_code for page in pages] == [200, 200, 200]
    assert "| смотреть" in client.get(f"/admin/auth/group/{Group.objects.first().pk}/change/").content.decode()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("group", "sees"),
    [
        ("Продажи", (True, True)),
        ("Редактор цен", (False, False)),
        ("Бухгалтер", (False, False)),
        ("Администратор", (True, True)),
    ],
)
def test_first_page_shows_a_group_what_it_may_see(
    conversation: Conversation, group: str, sees: tuple[bool, ...]
) -> None:
    operations.save_contact(lead_id=conversation.lead_id, now=timezone.now(), by="t", name="Анна")
    operations.call_person(conversation_id=conversation.pk, now=timezone.now(), reason=HandoverReason.ASKED)
    _user, client = member_of(group)

    page = client.get("/admin/")

    text = page.content.decode()
    assert (page.status_code, "Анна" in text, "Застряло сейчас" in text) == (200, *sees)


def test_first_page_costs_the_same_for_one_who_waits_and_for_many(
    conversation: Conversation, django_assert_max_num_queries: Any
) -> None:
    _user, client = member_of("Продажи")
    client.get("/admin/")
    talks = [conversation]
    talks += [
        operations.open_conversation(channel="webchat", external_id=uuid.uuid4().hex, now=timezone.now())
        for _ in range(9)
    ]
    for talk in talks:
        operations.call_person(conversation_id=talk.pk, now=timezone.now(), reason=HandoverReason.ASKED)

    kinds = sum(issubclass(model, Promise) for model in apps.get_models())
    with django_assert_max_num_queries(18 + kinds):  # one for each kind of promise
        page = client.get("/admin/").content.decode()

    assert page.count("позвали человека") == 10


def test_operator_who_left_a_question_open_is_reminded(conversation: Conversation, operator: User) -> None:
    _user, client = member_of("Продажи")
    operations.take_over(conversation_id=conversation.pk, by=operator, now=timezone.now())
    before = client.get("/admin/").content.decode()
    operations.receive(conversation_id=conversation.pk, external_id="1", text="Вы здесь?", now=timezone.now())

    after = client.get("/admin/").content.decode()

    assert ("ждёт ответа" in before, "ждёт ответа" in after) == (False, True)


def test_link_to_a_page_one_may_not_read_is_words_alone(conversation: Conversation) -> None:
    _user, client = member_of("Бухгалтер")

    page = client.get(f"/admin/sales/lead/{conversation.lead_id}/change/").content.decode()

    assert str(conversation) in page
    assert f"/admin/sales/conversation/{conversation.pk}" not in page


@pytest.mark.parametrize(("address", "looser"), [("/admin/login/", True), ("/api/docs", True), ("/", False)])
def test_policy_is_looser_only_where_pages_of_others_need_it(address: str, looser: bool) -> None:
    policy = Client().get(address)["Content-Security-Policy"]

    assert ("'unsafe-eval'" in policy, "style-src 'self' 'unsafe-inline'" in policy) == (looser, looser)
    assert "default-src 'self'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
