"""A promise is kept once, whoever dies or freezes, and says how it went."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from common import locks, promise
from common.problems import LastingProblem, TemporaryProblem, UnknownOutcome
from common.promise import State, Superseded
from sales.models import Conversation, Turn


@pytest.fixture
def owed(conversation: Conversation) -> Turn:
    """A turn stands for any promise: it has nothing that the abstract one hasn't, but its lock's name."""
    return Turn.objects.create(conversation=conversation, due_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_kept_promise_is_not_kept_again(owed: Turn) -> None:
    done: list[int] = []

    first = owed.keep(lambda row: done.append(row.attempts), now=timezone.now())
    again = Turn.objects.get(pk=owed.pk).keep(lambda row: done.append(row.attempts), now=timezone.now())

    assert (first, again, done) == (True, False, [1])
    assert Turn.objects.get(pk=owed.pk).state == State.KEPT


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("problem", "state"),
    [
        (LastingProblem("the address is gone"), State.BROKEN),
        (UnknownOutcome("cut after sending"), State.UNCERTAIN),
        (TemporaryProblem("busy"), State.DUE),
        (ValueError("a bug"), State.DUE),
    ],
)
def test_problem_decides_what_becomes_of_a_promise(owed: Turn, problem: Exception, state: State) -> None:
    def fail(row: Any) -> None:
        raise problem

    owed.keep(fail, now=timezone.now())

    owed.refresh_from_db()
    # what a bug says may hold personal data, so only its kind is kept
    assert (owed.state, owed.problem) == (state, "ValueError" if isinstance(problem, ValueError) else str(problem))


@pytest.mark.django_db
def test_promise_is_broken_after_its_last_try(owed: Turn) -> None:
    def fail(row: Any) -> None:
        raise TemporaryProblem("busy")

    for _ in range(len(Turn.WAITS) + 1):
        Turn.objects.filter(pk=owed.pk).update(due_at=timezone.now())
        Turn.objects.get(pk=owed.pk).keep(fail, now=timezone.now())

    assert Turn.objects.get(pk=owed.pk).state == State.BROKEN


@pytest.mark.django_db
def test_retry_after_of_the_other_side_is_honoured(owed: Turn) -> None:
    def fail(row: Any) -> None:
        raise TemporaryProblem("slow down", retry_after=120)

    owed.keep(fail, now=timezone.now())

    owed.refresh_from_db()
    assert owed.due_at > timezone.now() + timedelta(seconds=110)


@pytest.mark.django_db
def test_fence_stops_a_worker_that_was_superseded(owed: Turn) -> None:
    owed.take(now=timezone.now())
    Turn.objects.filter(pk=owed.pk).update(attempts=2)

    with pytest.raises(Superseded), owed.fenced():
        pytest.fail("the fence let it through")


def race(pk: Any, *, workers: int) -> int:
    """Let workers keep one promise at once, each on its own connections; returns how often it was done."""
    done: list[int] = []
    start = threading.Barrier(workers)

    def work() -> None:
        row = Turn.objects.get(pk=pk)
        start.wait(10)
        try:
            row.keep(lambda row: done.append(1), now=timezone.now())
        finally:
            locks.close()
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return len(done)


@pytest.mark.django_db(transaction=True)
def test_twelve_workers_keep_a_promise_once(owed: Turn) -> None:
    assert race(owed.pk, workers=12) == 1


@pytest.mark.django_db(transaction=True)
def test_without_lock_and_claim_it_is_kept_many_times(owed: Turn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin of the test above: with the guards off the race must show, or the test above proves nothing."""

    def take_anyway(self: Turn, *, now: Any) -> bool:
        return True

    class Free:
        def __init__(self, name: str) -> None: ...
        def __enter__(self) -> bool:
            return True

        def __exit__(self, *problem: object) -> None: ...

    monkeypatch.setattr(promise, "session_lock", Free)
    monkeypatch.setattr(Turn, "take", take_anyway)

    assert race(owed.pk, workers=12) > 1


@pytest.mark.django_db(transaction=True)
def test_row_of_a_dead_worker_is_taken_at_once_and_of_a_living_one_not(owed: Turn) -> None:
    Turn.objects.filter(pk=owed.pk).update(state=State.TAKEN, due_at=timezone.now() + timedelta(minutes=1), attempts=1)
    holding, release = threading.Event(), threading.Event()

    def live() -> None:
        with locks.session_lock(owed.lock_name):
            holding.set()
            release.wait(20)
        locks.close()

    worker = threading.Thread(target=live)
    worker.start()
    holding.wait(10)
    done: list[int] = []
    while_alive = Turn.objects.get(pk=owed.pk).keep(lambda row: done.append(1), now=timezone.now())
    release.set()
    worker.join(10)

    after_death = Turn.objects.get(pk=owed.pk).keep(lambda row: done.append(1), now=timezone.now())

    assert (while_alive, after_death, done) == (False, True, [1])


@pytest.mark.django_db(transaction=True)
def test_frozen_worker_loses_its_lock_after_the_lease_and_can_change_nothing(owed: Turn) -> None:
    frozen, thaw = threading.Event(), threading.Event()
    wrote: list[str] = []

    def freeze() -> None:
        def slow(row: Turn) -> None:
            frozen.set()
            thaw.wait(20)
            with row.fenced():
                wrote.append("frozen")

        try:
            Turn.objects.get(pk=owed.pk).keep(slow, now=timezone.now())
        finally:
            locks.close()
            connection.close()

    worker = threading.Thread(target=freeze)
    worker.start()
    frozen.wait(10)
    Turn.objects.filter(pk=owed.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    first_look = promise.sweep(Turn.objects.all(), lambda row: wrote.append("sweep"), now=timezone.now())
    second_look = promise.sweep(Turn.objects.all(), lambda row: wrote.append("sweep"), now=timezone.now())
    thaw.set()
    worker.join(20)

    assert (first_look, second_look, wrote) == (0, 1, ["sweep"])
    assert Turn.objects.get(pk=owed.pk).state == State.KEPT


@pytest.mark.django_db(transaction=True)
def test_lock_is_not_reentrant_and_is_free_after_use() -> None:
    with locks.session_lock("a room") as first, locks.session_lock("a room") as second:
        pass

    assert (first, second, locks.is_free("a room")) == (True, False, True)
