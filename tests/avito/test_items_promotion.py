"""Promotion is bought once, at the price that was shown, and what nobody knows is never bought again."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from channels_app.avito import promotion
from channels_app.avito.models import AvitoItem, AvitoPurchase, Outcome
from sales import notices
from sales.enums import NoticeKind
from sales.models import User
from tests.standins.avito_api import AvitoAPI
from tests.standins.avito_listings import Listings

pytestmark = pytest.mark.django_db

ITEM = 3000000001


@pytest.fixture
def shop(avito: AvitoAPI) -> Listings:
    return Listings(avito)


@pytest.fixture
def item(shop: Listings) -> AvitoItem:
    return AvitoItem.objects.create(pk=ITEM, title="ИИ-менеджер", status="active")


@pytest.fixture
def buy(item: AvitoItem, operator: User) -> Any:
    def buy(*slugs: str, price: int = 150, request_id: uuid.UUID | None = None) -> AvitoPurchase:
        return promotion.buy(
            item=item,
            slugs=slugs or ("xl",),
            price=Decimal(price),
            request_id=request_id or uuid.uuid4(),
            by=operator,
            now=timezone.now(),
        )

    return buy


def look(row: AvitoPurchase, *, after: float) -> str:
    """Let the sweep look, as if so many minutes had gone by."""
    promotion.sweep(now=timezone.now() + timedelta(minutes=after))
    row.refresh_from_db()
    return row.outcome


def test_what_is_bought_has_its_operations(shop: Listings, buy: Any, operator: User):
    row = buy("xl", "x5_7", price=1050)

    assert (row.outcome, row.operations, row.asked_by) == (Outcome.BOUGHT, {"xl": 1000, "x5_7": 1001}, operator)
    assert shop.bought == [(ITEM, ["xl", "x5_7"])]


def test_another_price_than_was_shown_buys_nothing(shop: Listings, buy: Any):
    with pytest.raises(promotion.PriceChanged) as caught:
        buy("xl", price=100)

    assert (caught.value.price, shop.bought, AvitoPurchase.objects.count()) == (150, [], 0)


def test_what_is_not_on_offer_buys_nothing(shop: Listings, buy: Any):
    with pytest.raises(promotion.NotOffered):
        buy("xl", "x99_9")

    assert shop.bought == []


def test_the_same_request_again_is_the_same_purchase(shop: Listings, buy: Any):
    request_id = uuid.uuid4()

    assert buy(request_id=request_id) == buy(request_id=request_id)
    assert len(shop.bought) == 1


@pytest.mark.parametrize("status", [400, 500])
def test_a_known_code_is_a_refusal(shop: Listings, buy: Any, status: int):
    shop.refusal = (status, {"code": 1009})

    assert buy().outcome == Outcome.REFUSED


@pytest.mark.parametrize("trouble", ["accepted_then_cut", "accepted_then_broken", "empty", "page"])
def test_what_nobody_knows_is_uncertain_is_not_asked_again_and_is_settled_by_looking(
    shop: Listings, buy: Any, trouble: str
):
    shop.avito.trouble("vas_buy", trouble)

    row = buy()

    assert (row.outcome, shop.avito.calls("vas_buy")) == (Outcome.UNCERTAIN, 1)
    told = notices.about(NoticeKind.PURCHASE, str(row.pk))
    assert [each.seen_at for each in told] == [None]
    with pytest.raises(promotion.StillOpen):
        buy()
    arrived = trouble.startswith("accepted")
    assert look(row, after=1) == Outcome.UNCERTAIN
    look(row, after=3)
    assert look(row, after=9) == (Outcome.BOUGHT if arrived else Outcome.NOT_BOUGHT)
    assert (shop.avito.calls("vas_buy"), len(shop.bought)) == (1, int(arrived))
    assert told.get().seen_at is not None


def test_an_unknown_code_is_uncertain(shop: Listings, buy: Any):
    shop.refusal = (500, {"code": 1000})
    assert buy().outcome == Outcome.UNCERTAIN


def test_what_looking_cannot_tell_is_left_to_a_person(shop: Listings, buy: Any, operator: User):
    shop.avito.trouble("vas_buy", "accepted_then_cut")
    row = buy("x5_7", price=900)

    for minutes in (3, 10, 30, 120, 500):
        assert look(row, after=minutes) == Outcome.UNCERTAIN
    assert row.look_at is None

    promotion.decide(row, bought=True, by=operator, now=timezone.now())
    row.refresh_from_db()
    assert (row.outcome, row.settled_by) == (Outcome.BOUGHT, operator)
    promotion.decide(row, bought=False, by=operator, now=timezone.now())
    row.refresh_from_db()
    assert row.outcome == Outcome.BOUGHT


def test_a_process_that_died_in_the_call_leaves_a_doubt_that_is_settled(
    shop: Listings, buy: Any, monkeypatch: pytest.MonkeyPatch
):
    class Died(BaseException):
        pass

    def dies(*args: Any, **kwargs: Any) -> None:
        shop.vas[ITEM] = [{"vas_id": "xl", "finish_time": "2026-03-01T00:00:00Z"}]
        raise Died

    monkeypatch.setattr(promotion.items_client, "buy", dies)
    with pytest.raises(Died):
        buy()
    row = AvitoPurchase.objects.get()

    assert (row.outcome, look(row, after=0.5)) == (Outcome.UNDER_WAY, Outcome.UNDER_WAY)
    assert look(row, after=2) == Outcome.BOUGHT


def test_a_service_that_stood_there_before_proves_nothing(shop: Listings, buy: Any):
    shop.vas[ITEM] = [{"vas_id": "xl", "finish_time": "2026-02-01T00:00:00Z"}]
    shop.avito.trouble("vas_buy", "cut")
    row = buy()

    look(row, after=3)
    assert look(row, after=10) == Outcome.NOT_BOUGHT


def test_a_vendor_that_is_busy_has_not_sold(shop: Listings, buy: Any):
    shop.avito.trouble("vas_buy", "busy", retry_after="60")

    assert (buy().outcome, shop.bought) == (Outcome.NOT_BOUGHT, [])
    assert buy().outcome == Outcome.BOUGHT
