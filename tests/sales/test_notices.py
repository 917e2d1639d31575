"""Staff are told once a day for each subject, see it on the first page, and say when they have seen it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from config.groups import make_groups
from sales import notices
from sales.enums import NoticeKind
from sales.models import Notice, User

pytestmark = pytest.mark.django_db


def test_the_same_thing_is_told_once_a_day(now: datetime) -> None:
    def tell(subject: str, at: datetime) -> bool:
        return notices.tell(NoticeKind.BUDGET, subject=subject, text="Бюджет исчерпан.", now=at)

    news = [tell("day", now), tell("day", now), tell("month", now), tell("day", now + timedelta(days=1))]

    assert news == [True, False, True, True]
    assert Notice.objects.count() == 3


def test_first_page_shows_a_notice_until_somebody_has_seen_it(now: datetime, operator: User, client: Client) -> None:
    notices.tell(NoticeKind.MODEL_RETIRED, subject="openai", text="Такой модели больше нет.", now=now)
    client.force_login(operator)
    before = client.get("/admin/").content.decode()

    answer = client.post(f"/admin/sales/notice/{Notice.objects.get().pk}/seen/")

    after = client.get("/admin/").content.decode()
    assert answer.status_code == 302
    assert ("Такой модели больше нет." in before, "Такой модели больше нет." in after) == (True, False)
    assert Notice.objects.get().seen_by == operator


def test_list_of_notices_marks_them_as_seen(now: datetime, operator: User, client: Client) -> None:
    for subject in ("a", "b"):
        notices.tell(NoticeKind.KEY_REFUSED, subject=subject, text="Ключ не принят.", now=now)
    client.force_login(operator)
    pks = list(Notice.objects.values_list("pk", flat=True))

    client.post("/admin/sales/notice/", {"action": "mark_seen", "_selected_action": pks})

    pages = [client.get(f"/admin/sales/notice/?seen={seen}").content.decode() for seen in ("no", "yes")]
    assert ["Ключ не принят." in page for page in pages] == [False, True]
    assert client.get(f"/admin/sales/notice/{pks[0]}/change/").status_code == 200


@pytest.mark.parametrize(("group", "status"), [("Продажи", 302), ("Бухгалтер", 403)])
def test_who_may_say_seen(now: datetime, client: Client, group: str, status: int) -> None:
    make_groups()
    notices.tell(NoticeKind.BUDGET, subject="day", text="Бюджет исчерпан.", now=now)
    user: Any = User.objects.create_user(username="member", password="a long pass phrase", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)

    page = client.get("/admin/").content.decode()
    answer = client.post(f"/admin/sales/notice/{Notice.objects.get().pk}/seen/")

    assert ("Бюджет исчерпан." in page, answer.status_code) == (status == 302, status)
