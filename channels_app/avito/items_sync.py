"""Our listings on Avito are read into rows: what changed when, and what each day brought.

A run is a promise made in bites of one call of the vendor each, so that it keeps within the vendor's limits, holds up
nobody in the sweep, and goes on after a crash where it was. Its steps: the list page by page, the counts by day, the
spendings of yesterday and today a minute apart, and what we know ourselves: messages, leads and quotes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.module_loading import import_string

from channels_app.avito import items_client, own_counts
from channels_app.avito.account import client, is_on
from channels_app.avito.items_client import Listing
from channels_app.avito.models import AvitoItem, AvitoItemChange, AvitoItemDay, AvitoSync, AvitoSyncRun, Step
from common import promise as promises
from common.bell import ring
from common.problems import LastingProblem
from common.promise import State
from sales.models import User

#: between two pages of the list: 25 are allowed a minute
BETWEEN_PAGES = timedelta(seconds=3)
#: between two requests for spendings: one is allowed a minute
BETWEEN_SPENDINGS = timedelta(seconds=61)
#: pages of one run at most: ten thousand listings
PAGES_MOST = 101
#: days that are read again, since the vendor corrects them later
AGAIN = 7
#: fields whose changes are kept
WATCHED = ("title", "price", "url", "status", "category")
#: what a page of the back office or a program may set
EVERY_LEAST, EVERY_MOST = 10, 24 * 60


class Off(Exception):
    """Avito's variables are empty."""


# --- what people do ---------------------------------------------------------------------------------------------


def state() -> AvitoSync:
    """The one row that says whether listings are read by themselves."""
    row, _made = AvitoSync.objects.get_or_create(pk=1)
    return row


@transaction.atomic
def start(*, by: User | None, now: datetime, every_minutes: int | None = None) -> AvitoSync:
    """Read listings by themselves from now on, beginning at once. Raises ``Off``."""
    if not is_on():
        raise Off
    row = AvitoSync.objects.select_for_update(of=("self",)).get(pk=state().pk)
    if every_minutes is not None:
        row.every_minutes = min(max(every_minutes, EVERY_LEAST), EVERY_MOST)
    row.is_on, row.changed_at, row.changed_by = True, now, by
    row.next_at = now + timedelta(minutes=row.every_minutes)
    row.save()
    _begin(by=by, now=now)
    return row


@transaction.atomic
def stop(*, by: User | None, now: datetime) -> AvitoSync:
    """Read them no more by themselves; a run that is under way ends after its bite."""
    row = AvitoSync.objects.select_for_update(of=("self",)).get(pk=state().pk)
    row.is_on, row.changed_at, row.changed_by = False, now, by
    row.save()
    open_runs = AvitoSyncRun.objects.filter(state__in=[State.DUE, State.TAKEN])
    open_runs.update(state=State.DROPPED, finished_at=now)
    return row


@transaction.atomic
def run_now(*, by: User | None, now: datetime) -> AvitoSyncRun:
    """Begin a run, whether they are read by themselves or not; one that is open already is that run. Raises ``Off``."""
    if not is_on():
        raise Off
    return _begin(by=by, now=now)


def last_run() -> AvitoSyncRun | None:
    return AvitoSyncRun.objects.select_related("asked_by").order_by("-created_at", "-pk").first()


def _begin(*, by: User | None, now: datetime) -> AvitoSyncRun:
    try:
        with transaction.atomic():
            run = AvitoSyncRun.objects.create(due_at=now, created_at=now, asked_by=by)
    except IntegrityError:
        return AvitoSyncRun.objects.get(state__in=[State.DUE, State.TAKEN])
    # what an earlier one could not read, this one reads: nobody has to look at it any more
    AvitoSyncRun.objects.filter(state=State.BROKEN).update(state=State.DROPPED)
    ring(import_string("channels_app.tasks.read_avito_listings"))
    return run


# --- what happens by itself -------------------------------------------------------------------------------------


def begin_if_due(*, now: datetime) -> bool:
    """Begin a run where its time has come. Beat asks, and the sweep too: one of them is enough."""
    if not is_on():
        return False
    due = AvitoSync.objects.filter(pk=1, is_on=True, next_at__lte=now)
    row = due.first()
    if row is None:
        return False
    # whoever moves the time on begins the run
    if not due.filter(next_at=row.next_at).update(next_at=now + timedelta(minutes=row.every_minutes)):
        return False
    _begin(by=None, now=now)
    return True


def sweep(*, now: datetime) -> int:
    """A bite of what is due, without Celery or Valkey."""
    begin_if_due(now=now)
    return promises.sweep(AvitoSyncRun.objects.all(), bite, now=now, limit=2)


def go_on(*, seconds: float = 30) -> None:
    """Bites of the open run, one after the other, until one is due later or the time is over."""
    ends = timezone.now() + timedelta(seconds=seconds)
    while (now := timezone.now()) < ends:
        run = AvitoSyncRun.objects.due(now).first()
        if run is None or not run.keep(bite, now=now):
            return


@dataclass(frozen=True)
class Next:
    """Where a run goes on, and when; without a step it is done."""

    step: Step | None
    cursor: dict[str, Any]
    wait: timedelta = timedelta(0)


def bite(run: AvitoSyncRun) -> None:
    """One call of the vendor at most, and its rows. Safe to repeat: rows are written by their keys."""
    if not is_on():
        raise LastingProblem("avito is off: its variables are empty")
    steps: dict[str, Callable[[AvitoSyncRun], Next]] = {
        Step.ITEMS: _items,
        Step.STATS: _stats,
        Step.SPENDINGS: _spendings,
        Step.OURS: _ours,
    }
    then = steps[run.step](run)
    with run.fenced():
        mine = AvitoSyncRun.objects.filter(pk=run.pk)
        if then.step is None:
            mine.update(state=State.KEPT, problem="", failures=0, finished_at=timezone.now())
            return
        mine.update(
            state=State.DUE,
            due_at=timezone.now() + then.wait,
            step=then.step,
            cursor=then.cursor,
            failures=0,
            problem=run.problem if then.step == Step.OURS else "",
        )


def _items(run: AvitoSyncRun) -> Next:
    """A page of the list. What comes no more stays as it was last seen."""
    page = int(run.cursor.get("page", 1))
    found = items_client.listings(client(), page=page)
    with run.fenced():
        store(found, now=timezone.now())
        AvitoSyncRun.objects.filter(pk=run.pk).update(items_seen=F("items_seen") + len(found))
    if len(found) >= items_client.PAGE and page < PAGES_MOST:
        return Next(Step.ITEMS, {"page": page + 1}, BETWEEN_PAGES)
    return Next(Step.STATS, {"after": 0})


def _stats(run: AvitoSyncRun) -> Next:
    """The counts of the next listings, in the order of their numbers: all that the vendor has of those without any."""
    after = int(run.cursor.get("after", 0))
    today = timezone.localdate()
    numbers = list(
        AvitoItem.objects.filter(pk__gt=after)
        .exclude(status="")
        .order_by("pk")
        .values_list("pk", flat=True)[: items_client.STATS_MOST]
    )
    if not numbers:
        return Next(Step.SPENDINGS, {"days": _days(today)})
    known = set(AvitoItemDay.objects.filter(item__in=numbers, views__gt=0).values_list("item", flat=True).distinct())
    back = AGAIN if known.issuperset(numbers) else items_client.DEPTH
    counts = items_client.daily(client(), numbers, since=today - timedelta(days=back - 1), until=today)
    mine = set(numbers)
    rows = [
        AvitoItemDay(
            item_id=each.item, day=each.day, views=each.views, contacts=each.contacts, favourites=each.favourites
        )
        for each in counts
        if each.item in mine
    ]
    with run.fenced():
        _upsert(rows, ["views", "contacts", "favourites"])
        AvitoSyncRun.objects.filter(pk=run.pk).update(days_written=F("days_written") + len(rows))
    return Next(Step.STATS, {"after": numbers[-1]})


def _days(today: date) -> list[str]:
    """The days whose spendings are asked: all of the last week at the first time, then yesterday and today."""
    first_time = not AvitoItemDay.objects.filter(spendings__isnull=False).exists()
    return [(today - timedelta(days=back)).isoformat() for back in range(AGAIN if first_time else 2)]


def _spendings(run: AvitoSyncRun) -> Next:
    """What a day cost by listing. An account without the right to know it goes on without."""
    days = list(run.cursor.get("days", []))
    if not days:
        return Next(Step.OURS, {})
    now = timezone.now()
    row = state()
    if row.spendings_free_at > now:
        return Next(Step.SPENDINGS, {"days": days}, row.spendings_free_at - now)
    AvitoSync.objects.filter(pk=row.pk).update(spendings_free_at=now + BETWEEN_SPENDINGS)
    day = date.fromisoformat(days[0])
    try:
        spent = items_client.spendings(client(), day=day)
    except LastingProblem as problem:
        run.problem = str(problem)[:500]
        AvitoSyncRun.objects.filter(pk=run.pk).update(problem=run.problem)
        return Next(Step.OURS, {})
    known = set(AvitoItem.objects.filter(pk__in=list(spent)).values_list("pk", flat=True))
    rows = [AvitoItemDay(item_id=item, day=day, spendings=sum_) for item, sum_ in spent.items() if item in known]
    with run.fenced():
        _upsert(rows, ["spendings"])
    return Next(Step.SPENDINGS, {"days": days[1:]}, BETWEEN_SPENDINGS if days[1:] else timedelta(0))


def _ours(run: AvitoSyncRun) -> Next:
    """Messages, leads and quotes of the last days, from our own rows."""
    since = timezone.localdate() - timedelta(days=items_client.DEPTH - 1 if run.cursor.get("all") else AGAIN - 1)
    linked = own_counts.link_chats()
    if linked and not run.cursor.get("all"):
        return Next(Step.OURS, {"all": True})  # chats that we had not counted may be old
    with run.fenced():
        _upsert(own_counts.rows(since=since), ["messages", "leads", "quotes"])
    return Next(None, {})


def store(found: Iterable[Listing], *, now: datetime) -> None:
    """Keep what the vendor's list says now, and what became different. Within the caller's transaction."""
    listed = {each.id: each for each in found}
    known = {
        row.pk: row
        for row in AvitoItem.objects.select_for_update(of=("self",)).filter(pk__in=list(listed)).order_by("pk")
    }
    changes: list[AvitoItemChange] = []
    for number, each in sorted(listed.items()):
        told = {
            "title": each.title,
            "price": each.price,
            "url": each.url,
            "status": each.status,
            "category_id": each.category_id,
            "category": each.category,
        }
        row = known.get(number)
        if row is None:
            AvitoItem.objects.create(pk=number, first_seen_at=now, last_seen_at=now, **told)
            continue
        if row.status:  # else it was known from a chat only, and all is news
            changes += [
                AvitoItemChange(
                    item=row, seen_at=now, field=name, before=_words(getattr(row, name)), after=_words(told[name])
                )
                for name in WATCHED
                if _words(getattr(row, name)) != _words(told[name])
            ]
        AvitoItem.objects.filter(pk=number).update(last_seen_at=now, **told)
    AvitoItemChange.objects.bulk_create(changes)


def _upsert(rows: list[AvitoItemDay], fields: list[str]) -> None:
    """Write the columns of ``fields``, and leave the others of a row that is there."""
    once = {(row.item_id, row.day): row for row in rows}
    AvitoItemDay.objects.bulk_create(
        list(once.values()), update_conflicts=True, unique_fields=["item", "day"], update_fields=fields, batch_size=500
    )


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return str(value)[:500]
