"""Listings in the back office: what they bring, the buttons and who may press them."""

from __future__ import annotations

import re
import uuid
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from channels_app.auto_replies.models import AutoReply
from channels_app.avito import items_sync
from channels_app.avito.models import (
    AvitoItem,
    AvitoItemChange,
    AvitoItemDay,
    AvitoPurchase,
    AvitoSyncRun,
    Outcome,
)
from sales.models import User
from tests.standins.avito_api import AvitoAPI
from tests.standins.avito_listings import Listings

pytestmark = pytest.mark.django_db

LIST = "/admin/channels_app/avitoitem/"
ITEM = 3000000001


@pytest.fixture
def boss(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def item(db: None) -> AvitoItem:
    item = AvitoItem.objects.create(pk=ITEM, title="ИИ-менеджер", status="active", price=Decimal(30000))
    today = timezone.localdate()
    for back in range(3):
        AvitoItemDay.objects.create(
            item=item, day=today - timedelta(days=back), views=10 * back, messages=2, leads=1, spendings=Decimal("1.50")
        )
    AvitoItemChange.objects.create(item=item, field="status", before="old", after="active")
    return item


def member(*rights: str) -> Client:
    user = User.objects.create_user(username=uuid.uuid4().hex, password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


def test_the_list_sums_a_month_up_and_the_page_draws_it(boss: Client, item: AvitoItem):
    listed = boss.get(LIST).content.decode()
    page = boss.get(f"{LIST}{ITEM}/change/").content.decode()

    assert "ИИ-менеджер" in listed
    assert "4.50" in listed
    rows = re.findall(r'data-kind="(\w+)".*?<b>(\d+)</b>.*?</svg>', page, re.S)
    assert rows == [("views", "30"), ("contacts", "0"), ("messages", "6"), ("leads", "3"), ("quotes", "0")]
    assert len(re.findall(r"<rect ", page)) == 5 * 30
    assert all(re.fullmatch(r"\d+\.\d\d", x) for x in re.findall(r'<rect x="([^"]+)"', page))
    assert "действует" in page
    assert len(re.findall(r"<rect ", boss.get(f"{LIST}{ITEM}/change/?days=90").content.decode())) == 5 * 90
    assert boss.get(f"{LIST}{ITEM}/change/?days=x").status_code == 200
    assert boss.get(f"{LIST}?status=active&q={ITEM}").content.decode().count("ИИ-менеджер") >= 1


def test_lists_cost_the_same_for_one_and_for_many(boss: Client, item: AvitoItem, django_assert_max_num_queries: Any):
    for number in range(1, 20):
        AvitoItem.objects.create(pk=ITEM + number, title=f"№ {number}")

    with django_assert_max_num_queries(16):
        assert boss.get(LIST).status_code == 200


def test_reading_is_started_run_and_stopped_by_buttons(boss: Client, avito: AvitoAPI):
    page = boss.get(LIST).content.decode()
    assert f"{LIST}sync/start/" in page

    boss.post(f"{LIST}sync/start/")
    assert items_sync.state().is_on
    assert f"{LIST}sync/stop/" in boss.get(LIST).content.decode()
    boss.post(f"{LIST}sync/stop/")
    assert not items_sync.state().is_on
    boss.post(f"{LIST}sync/now/")
    assert AvitoSyncRun.objects.count() == 2
    assert boss.get(f"{LIST}sync/now/").status_code == 403
    assert boss.post(f"{LIST}sync/else/").status_code == 404
    assert boss.get("/admin/channels_app/avitosyncrun/").status_code == 200


def test_who_may_only_look_has_no_buttons(avito: AvitoAPI, item: AvitoItem):
    looker = member("view_avitoitem")

    assert "/sync/" not in looker.get(LIST).content.decode()
    assert looker.post(f"{LIST}sync/start/").status_code == 403
    assert (items_sync.state().is_on, AvitoSyncRun.objects.count()) == (False, 0)
    assert member().get(LIST).status_code == 403


def test_switched_off_avito_is_said(boss: Client, settings: Any):
    settings.AVITO_CLIENT_ID = ""

    assert "выключ" in boss.get(LIST).content.decode()
    boss.post(f"{LIST}sync/now/")
    assert AvitoSyncRun.objects.count() == 0


def test_an_uncertain_purchase_is_settled_by_who_may_spend(boss: Client, item: AvitoItem):
    row = AvitoPurchase.objects.create(
        request_id=uuid.uuid4(), item=item, slugs=["x5_7"], price=900, outcome=Outcome.UNCERTAIN
    )
    place = f"/admin/channels_app/avitopurchase/{row.pk}"
    looker = member("view_avitopurchase", "change_avitopurchase", "view_avitoitem")

    assert "settle" not in looker.get(f"{place}/change/").content.decode()
    assert looker.post(f"/admin/channels_app/avitopurchase/{row.pk}/settle/bought/").status_code == 403
    assert "settle/bought" in boss.get(f"{place}/change/").content.decode()
    boss.post(f"{place}/settle/bought/")
    row.refresh_from_db()
    assert row.outcome == Outcome.BOUGHT
    assert boss.get("/admin/channels_app/avitopurchase/").status_code == 200


def test_promotion_is_chosen_confirmed_and_bought_once(boss: Client, avito: AvitoAPI, item: AvitoItem):
    shop = Listings(avito)
    place = f"{LIST}{ITEM}/promotion/"
    assert place in boss.get(f"{LIST}{ITEM}/change/").content.decode()
    assert 'value="xl"' in boss.get(place).content.decode()

    asked = boss.post(place, {"slug": ["xl", "highlight"]}).content.decode()
    form = {"slug": ["xl", "highlight"], "confirm": "yes"} | dict(
        re.findall(r'name="(price|request_id)" value="([^"]+)"', asked)
    )
    assert (form["price"], shop.bought) == ("250.00", [])
    shop.prices["xl"] = 170
    changed = boss.post(place, form).content.decode()
    assert ('value="270.00"' in changed, shop.bought) == (True, [])
    shop.prices["xl"] = 150
    assert boss.post(place, form).status_code == 302
    assert boss.post(place, form).status_code == 302
    assert shop.bought == [(ITEM, ["xl", "highlight"])]
    assert AvitoPurchase.objects.get().outcome == Outcome.BOUGHT

    looker = member("view_avitoitem", "change_avitoitem")
    assert place not in looker.get(f"{LIST}{ITEM}/change/").content.decode()
    assert (looker.get(place).status_code, looker.post(place, form).status_code) == (403, 403)
    avito.trouble("vas_prices", "forbidden")
    assert boss.get(place).status_code == 200
    assert boss.post(place, {**form, "request_id": "x"}).status_code == 403


def test_a_rule_is_written_and_listed(boss: Client):
    form = {
        "title": "Ночью",
        "situation": "out_of_hours",
        "silence_hours": "",
        "channel": "telegram",
        "text": "Ответим утром",
        "weekdays": ["0", "4"],
        "from_time": "09:00",
        "until_time": "18:00",
        "is_active": "on",
    }
    place = "/admin/channels_app/autoreply/"

    answer = boss.post(f"{place}add/", form)

    assert answer.status_code == 302, re.findall(r"errorlist.*?</ul>", answer.content.decode(), re.S)
    rule = AutoReply.objects.get()
    assert (rule.weekdays, rule.from_time, rule.is_active) == ([0, 4], time(9), True)
    assert rule.active_since is not None
    listed = boss.get(place).content.decode()
    assert "понедельник, пятница, 09:00–18:00" in listed
    assert boss.get(f"{place}{rule.pk}/change/").status_code == 200
    refused = boss.post(f"{place}add/", {**form, "situation": "silence"})
    assert (refused.status_code, AutoReply.objects.count()) == (200, 1)
    assert boss.get("/admin/channels_app/autoreplysent/").status_code == 200
    boss.post(f"{place}{rule.pk}/change/", {name: value for name, value in form.items() if name != "is_active"})
    rule.refresh_from_db()
    assert rule.active_since is None
