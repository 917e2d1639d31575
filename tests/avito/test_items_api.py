"""The staff's API for Avito: who may do what, and what it says."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from channels_app.avito.models import AvitoItem, AvitoItemChange, AvitoItemDay, AvitoPurchase, AvitoSyncRun, Outcome
from common.promise import State
from sales.models import User
from tests.standins.avito_api import AvitoAPI
from tests.standins.avito_listings import Listings

pytestmark = pytest.mark.django_db

ROOT = "/api/v1/avito"
ITEM = 3000000001


@pytest.fixture
def shop(avito: AvitoAPI) -> Listings:
    return Listings(avito)


@pytest.fixture
def item(db: None) -> AvitoItem:
    return AvitoItem.objects.create(pk=ITEM, title="ИИ-менеджер", status="active", price=Decimal(30000))


class Api:
    """Calls with the token of one person."""

    def __init__(self, user: User) -> None:
        self.headers = {"Authorization": f"Bearer {AccessToken.for_user(user)}"}

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        data = "" if body is None else json.dumps(body)
        return Client().generic(
            method.upper(), f"{ROOT}{path}", data, content_type="application/json", headers=self.headers
        )


@pytest.fixture
def api(operator: User) -> Api:
    return Api(operator)


def somebody(*rights: str, staff: bool = True) -> Api:
    user = User.objects.create_user(username=uuid.uuid4().hex, password="x", is_staff=staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return Api(user)


def order(**more: Any) -> dict[str, Any]:
    return {"slugs": ["xl"], "price": "150.00", "confirm": True, "request_id": str(uuid.uuid4()), **more}


def test_listings_are_paged_and_filtered(api: Api, item: AvitoItem):
    AvitoItem.objects.create(pk=ITEM + 1, title="ИИ-юрист", status="old")

    everything = api("get", "/items").json()
    assert (everything["count"], set(everything)) == (2, {"count", "next", "previous", "results"})
    assert [row["id"] for row in api("get", "/items?status=active").json()["results"]] == [ITEM]
    assert [row["id"] for row in api("get", "/items?title=юрист").json()["results"]] == [ITEM + 1]
    assert [row["id"] for row in api("get", "/items?price_from=100").json()["results"]] == [ITEM]
    assert api("get", f"/items/{ITEM}").json()["price"] == "30000.00"
    assert api("get", "/items/999").status_code == 404
    assert api("get", "/items/" + "9" * 30).status_code == 404
    assert api("get", "/items?status=nonsense").status_code == 400


def test_a_listings_days_come_newest_first(api: Api, item: AvitoItem):
    today = timezone.localdate()
    for back in range(4):
        AvitoItemDay.objects.create(item=item, day=today - timedelta(days=back), views=back, leads=1)
    AvitoItemChange.objects.create(item=item, field="price", before="1.00", after="2.00")

    found = api("get", f"/items/{ITEM}/stats?from={today - timedelta(days=2)}&to={today}&page_size=2").json()

    assert (found["count"], [row["views"] for row in found["results"]]) == (3, [0, 1])
    assert found["results"][0] == {
        "day": today.isoformat(),
        "views": 0,
        "contacts": 0,
        "favourites": 0,
        "messages": 0,
        "leads": 1,
        "quotes": 0,
        "spendings": None,
    }
    assert api("get", f"/items/{ITEM}/stats?from=yesterday").status_code == 400
    assert api("get", f"/items/{ITEM}/changes").json()["results"][0]["after"] == "2.00"


def test_prices_are_shown_and_a_confirmed_purchase_at_that_price_is_made(api: Api, shop: Listings, item: AvitoItem):
    offered = api("get", f"/items/{ITEM}/vas").json()
    price = next(each["price"] for each in offered["services"] if each["slug"] == "xl")
    body = order(price=price)

    first, again = api("post", f"/items/{ITEM}/vas", body), api("post", f"/items/{ITEM}/vas", body)

    assert (first.status_code, first.json()["outcome"], first.json()["operations"]) == (201, "bought", {"xl": 1000})
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert len(shop.bought) == 1
    assert api("get", "/purchases?outcome=bought").json()["count"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"confirm": False},
        {"confirm": None},
        {"slugs": []},
        {"slugs": ["no_such"]},
        {"price": "-1"},
        {"price": None},
        {"request_id": "x"},
        {"slugs": "xl"},
        {"stickers": [0]},
    ],
)
def test_without_a_confirmation_or_with_nonsense_nothing_is_bought(
    api: Api, shop: Listings, item: AvitoItem, change: dict[str, Any]
):
    assert api("post", f"/items/{ITEM}/vas", order(**change)).status_code == 400
    assert shop.bought == []


def test_another_price_is_told_and_nothing_bought(api: Api, shop: Listings, item: AvitoItem):
    answer = api("post", f"/items/{ITEM}/vas", order(price="149.00"))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "price_changed")
    assert "150.00" in answer.json()["detail"]
    assert shop.bought == []


def test_an_uncertain_purchase_blocks_the_next_and_is_settled_by_a_person(api: Api, shop: Listings, item: AvitoItem):
    shop.avito.trouble("vas_buy", "accepted_then_cut")
    first = api("post", f"/items/{ITEM}/vas", order())
    second = api("post", f"/items/{ITEM}/vas", order())

    assert (first.status_code, first.json()["outcome"]) == (202, "uncertain")
    assert (second.status_code, second.json()["errors"][0]["code"]) == (409, "still_open")
    number = first.json()["id"]
    assert api("post", f"/purchases/{number}/settle", {"bought": True}).json()["outcome"] == "bought"
    assert api("post", f"/purchases/{number}/settle", {"bought": False}).status_code == 409


def test_money_needs_a_right_of_its_own(shop: Listings, item: AvitoItem):
    looker, buyer = somebody("view_avitoitem", "change_avitoitem"), somebody("promote_avitoitem", "view_avitoitem")

    assert looker("get", f"/items/{ITEM}/vas").status_code == 200
    assert looker("post", f"/items/{ITEM}/vas", order()).status_code == 403
    assert somebody("view_avitopurchase")("post", f"/purchases/{uuid.uuid4()}/settle", {}).status_code == 403
    assert shop.bought == []
    assert buyer("post", f"/items/{ITEM}/vas", order()).status_code == 201


READS = ["/items", f"/items/{ITEM}", f"/items/{ITEM}/stats", f"/items/{ITEM}/changes", f"/items/{ITEM}/vas"]
READS += ["/sync", "/sync/runs", "/webhook", "/account", "/balance", "/purchases"]
WRITES = [("post", f"/items/{ITEM}/vas"), ("post", "/sync/start"), ("post", "/sync/stop"), ("post", "/sync/now")]
WRITES += [("post", "/webhook"), ("delete", "/webhook")]


@pytest.mark.parametrize(("method", "path"), [*(("get", path) for path in READS), *WRITES])
def test_only_staff_with_the_right_come_in(avito: AvitoAPI, item: AvitoItem, method: str, path: str):
    stranger = Client().generic(method.upper(), f"{ROOT}{path}")

    assert stranger.status_code == 401
    assert somebody(staff=False)(method, path).status_code == 403
    assert somebody()(method, path).status_code == 403
    if method != "get":
        assert somebody("view_avitosync", "view_avitoitem")(method, path).status_code == 403
    assert (avito.asked, AvitoSyncRun.objects.count()) == ([], 0)


def test_reading_is_started_run_and_stopped(api: Api, shop: Listings):
    assert api("get", "/sync").json()["is_on"] is False

    started = api("post", "/sync/start", {"every_minutes": 30})
    assert (started.status_code, started.json()["is_on"], started.json()["every_minutes"]) == (200, True, 30)
    now = api("post", "/sync/now")
    assert (now.status_code, now.json()["id"]) == (202, started.json()["last_run"]["id"])
    stopped = api("post", "/sync/stop").json()
    assert (stopped["is_on"], stopped["last_run"]["state"]) == (False, State.DROPPED)
    assert api("get", "/sync/runs?state=dropped").json()["count"] == 1
    assert api("post", "/sync/start", {"every_minutes": 1}).status_code == 400
    assert api("get", "/sync/now").status_code == 405


def test_the_webhook_is_registered_shown_and_removed_without_telling_its_secret(
    api: Api, avito: AvitoAPI, settings: Any
):
    settings.PUBLIC_URL = "https://bot.example.ru"
    avito.subscriptions.append({"url": "https://other.example/hook/secret", "version": "3"})

    assert api("get", "/webhook").json() == {
        "stands": False,
        "reachable": True,
        "old": 0,
        "foreign": ["other.example"],
    }
    registered = api("post", "/webhook")
    assert (registered.status_code, registered.json()["stands"]) == (201, True)
    assert "sss" not in registered.content.decode()
    assert len(avito.subscriptions) == 2
    assert api("delete", "/webhook").json()["stands"] is False
    settings.AVITO_WEBHOOK_SECRETS = []
    assert api("post", "/webhook").status_code == 409


def test_account_and_balance(api: Api, avito: AvitoAPI):
    assert api("get", "/account").json()["name"] == "Наша компания"
    assert api("get", "/balance").json() == {"real": "1500.00", "bonus": "100.00"}


def test_what_the_vendor_refuses_and_a_vendor_that_is_away_are_told(
    api: Api, avito: AvitoAPI, item: AvitoItem, settings: Any
):
    avito.trouble("balance", "forbidden")
    assert api("get", "/balance").json()["errors"][0]["code"] == "vendor_refuses"
    avito.trouble("self", "broken", times=3)
    assert api("get", "/account").status_code == 503
    settings.AVITO_CLIENT_ID = ""
    for method, path in (("get", "/account"), ("post", "/sync/start"), ("post", f"/items/{ITEM}/vas")):
        answer = api(method, path, order() if "vas" in path else None)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "off")
    assert api("get", "/items").json()["count"] == 1
    assert AvitoPurchase.objects.exclude(outcome=Outcome.BOUGHT).count() == 0
