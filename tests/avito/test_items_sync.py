"""Our listings on Avito are read into rows, whatever happens on the way."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from channels_app.avito import items_sync
from channels_app.avito.models import AvitoItem, AvitoItemChange, AvitoItemDay, AvitoSync, AvitoSyncRun, Step
from channels_app.models import Thread
from common.promise import State
from sales import operations
from sales.models import Conversation, ToolCall, Turn, User
from tests.standins.avito_api import AvitoAPI
from tests.standins.avito_listings import Listings

pytestmark = pytest.mark.django_db

ITEM = 3000000001


@pytest.fixture
def shop(avito: AvitoAPI) -> Listings:
    return Listings(avito)


def read() -> AvitoSyncRun:
    """A whole run by the sweep, as if its waits were over."""
    items_sync.run_now(by=None, now=timezone.now())
    for _ in range(60):
        AvitoSync.objects.update(spendings_free_at=timezone.now())
        AvitoSyncRun.objects.filter(state=State.DUE).update(due_at=timezone.now() - timedelta(seconds=1))
        items_sync.sweep(now=timezone.now())
        run = items_sync.last_run()
        assert run is not None
        if run.state not in {State.DUE, State.TAKEN}:
            return run
    raise AssertionError("the run doesn't end")


def ask_about(item: int = ITEM, *, chat: str = "u2i-1") -> Conversation:
    conversation = operations.open_conversation(channel="avito", external_id=chat, now=timezone.now())
    Thread.objects.create(conversation=conversation, data={"item": {"id": item, "title": "ИИ-менеджер"}})
    operations.receive(conversation_id=conversation.pk, external_id="m1", text="Сколько?", now=timezone.now())
    return conversation


def test_listings_and_their_days_become_rows(shop):
    today = timezone.localdate()
    shop.add(ITEM, "ИИ-менеджер", price=30000)
    shop.add(ITEM + 1, "ИИ-юрист", price=None, status="old")
    shop.counts[ITEM, today.isoformat()] = (10, 2, 1)
    shop.counts[ITEM, (today - timedelta(days=200)).isoformat()] = (7, 1, 0)
    shop.spent[ITEM, today.isoformat()] = 12345

    run = read()

    assert (run.state, run.items_seen, run.days_written, run.problem) == (State.KEPT, 2, 2, "")
    item = AvitoItem.objects.get(pk=ITEM)
    assert (item.title, item.price, item.status, item.category) == (
        "ИИ-менеджер",
        Decimal(30000),
        "active",
        "Предложения услуг",
    )
    day = AvitoItemDay.objects.get(item=ITEM, day=today)
    assert (day.views, day.contacts, day.favourites, day.spendings) == (10, 2, 1, Decimal("123.45"))
    assert AvitoItemDay.objects.filter(item=ITEM).count() == 2


def test_what_changed_is_kept_and_what_comes_no_more_stays(shop):
    row = shop.add(ITEM, price=30000)
    shop.add(ITEM + 1)
    read()
    first = AvitoItem.objects.get(pk=ITEM).first_seen_at
    row["price"], row["status"] = 35000, "blocked"
    shop.avito.items.pop()

    read()
    read()

    changes = AvitoItemChange.objects.filter(item=ITEM).order_by("field").values_list("field", "before", "after")
    assert list(changes) == [("price", "30000.00", "35000.00"), ("status", "active", "blocked")]
    assert AvitoItem.objects.get(pk=ITEM).first_seen_at == first
    assert AvitoItem.objects.count() == 2
    assert AvitoItemChange.objects.filter(item=ITEM + 1).count() == 0


def test_pages_and_statistics_keep_to_the_vendors_sizes(shop):
    for number in range(250):
        shop.add(ITEM + number)
        shop.counts[ITEM + number, timezone.localdate().isoformat()] = (1, 0, 0)

    run = read()

    assert (run.items_seen, AvitoItem.objects.count(), AvitoItemDay.objects.count()) == (250, 250, 250)
    assert (shop.avito.calls("items"), shop.avito.calls("stats")) == (3, 2)


def test_a_run_waits_between_pages_and_a_minute_between_spendings(shop):
    for number in range(100):
        shop.add(ITEM + number)
    items_sync.run_now(by=None, now=timezone.now())

    items_sync.go_on()
    run = items_sync.last_run()
    assert (run.step, run.cursor, shop.avito.calls("items")) == (Step.ITEMS, {"page": 2}, 1)
    assert 2 < (run.due_at - timezone.now()).total_seconds() < 4

    AvitoSyncRun.objects.update(due_at=timezone.now())
    items_sync.go_on()
    run = items_sync.last_run()
    assert (run.step, shop.avito.calls("spendings")) == (Step.SPENDINGS, 1)
    assert 55 < (run.due_at - timezone.now()).total_seconds() < 62


def test_a_vendor_that_fails_is_asked_again_and_then_the_run_ends(shop):
    shop.add(ITEM)
    shop.avito.trouble("items", "forbidden", times=1)
    assert read().state == State.BROKEN

    shop.avito.trouble("items", "busy", retry_after="7")
    items_sync.run_now(by=None, now=timezone.now())
    items_sync.sweep(now=timezone.now())
    run = items_sync.last_run()
    assert (run.state, run.failures) == (State.DUE, 1)
    assert (run.due_at - timezone.now()).total_seconds() > 4
    assert read().state == State.KEPT


def test_without_the_right_to_spendings_the_rest_is_read(shop):
    shop.add(ITEM)
    shop.counts[ITEM, timezone.localdate().isoformat()] = (1, 1, 1)
    shop.avito.trouble("spendings", "forbidden")

    run = read()

    assert (run.state, run.days_written) == (State.KEPT, 1)
    assert AvitoItemDay.objects.get().spendings is None


def test_what_became_of_the_chats_is_counted(shop):
    shop.add(ITEM)
    conversation = ask_about()
    operations.receive(conversation_id=conversation.pk, external_id="m2", text="А?", now=timezone.now())
    turn = Turn.objects.get(conversation=conversation)
    for name, failed in (("pricing__quote", False), ("pricing__quote", True), ("knowledge__search", False)):
        ToolCall.objects.create(turn=turn, key=f"{name}{failed}", name=name, failed=failed)

    read()
    read()

    day = AvitoItemDay.objects.get(item=ITEM, day=timezone.localdate())
    assert (day.messages, day.leads, day.quotes, day.views) == (2, 1, 1, 0)


def test_a_chat_about_a_listing_that_is_not_read_yet_makes_it_known(shop):
    ask_about(ITEM + 7)
    shop.add(ITEM)

    read()

    assert AvitoItemDay.objects.get(item=ITEM + 7).messages == 1
    assert AvitoItem.objects.get(pk=ITEM + 7).status == ""


def test_counts_of_ours_and_of_the_vendor_leave_each_other_alone(shop):
    shop.add(ITEM)
    shop.counts[ITEM, timezone.localdate().isoformat()] = (5, 1, 0)
    ask_about()

    read()
    read()

    day = AvitoItemDay.objects.get(item=ITEM)
    assert (day.views, day.messages, day.leads) == (5, 1, 1)


def test_started_it_runs_by_itself_and_stopped_it_rests(shop, operator: User):
    now = timezone.now()
    shop.add(ITEM)
    items_sync.start(by=operator, now=now, every_minutes=30)
    assert AvitoSyncRun.objects.count() == 1
    AvitoSyncRun.objects.update(state=State.KEPT)

    assert not items_sync.begin_if_due(now=now + timedelta(minutes=29))
    assert items_sync.begin_if_due(now=now + timedelta(minutes=31))
    assert not items_sync.begin_if_due(now=now + timedelta(minutes=31))
    assert AvitoSyncRun.objects.count() == 2

    items_sync.stop(by=operator, now=now)
    assert items_sync.last_run().state == State.DROPPED
    assert not items_sync.begin_if_due(now=now + timedelta(days=1))


def test_a_run_that_is_open_is_the_run_that_is_asked_for(shop, operator: User):
    first = items_sync.run_now(by=operator, now=timezone.now())

    assert items_sync.run_now(by=operator, now=timezone.now()) == first


def test_without_keys_nothing_begins(db: None, settings: Any, operator: User):
    settings.AVITO_CLIENT_ID = ""

    with pytest.raises(items_sync.Off):
        items_sync.start(by=operator, now=timezone.now())
    assert not items_sync.begin_if_due(now=timezone.now())
