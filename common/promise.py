"""What we owe the outside world, as a row: the row remembers, the worker may forget.

A promise is *due* until a worker takes it; *taken* while the worker lives; then *kept*, *due* again after a
temporary problem, *broken* after a lasting one, or *uncertain* where nobody can know. Taking needs a session lock
(see ``common.locks``) and a conditional update, so a promise is in one pair of hands; every later write is fenced
by the attempt's number, so a worker that thaws after its lease changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.locks import end_holder, session_lock
from common.problems import LastingProblem, TemporaryProblem, UnknownOutcome

logger = logging.getLogger(__name__)


class State(models.TextChoices):
    DUE = "due", _("due")
    TAKEN = "taken", _("being done")
    KEPT = "kept", _("done")
    BROKEN = "broken", _("failed")
    UNCERTAIN = "uncertain", _("uncertain")
    DROPPED = "dropped", _("not needed any more")


class Superseded(Exception):
    """Another worker has this promise now; whatever we did since is rolled back."""


class PromiseQuerySet(models.QuerySet[Any]):
    def due(self, now: datetime) -> Self:
        """What may be taken now, longest owed first."""
        return self.filter(state=State.DUE, due_at__lte=now).order_by("due_at")

    def taken(self) -> Self:
        return self.filter(state=State.TAKEN)

    def stuck(self, now: datetime) -> Self:
        """What a person should look at: failed, uncertain, or long overdue."""
        late = models.Q(state__in=[State.DUE, State.TAKEN], due_at__lt=now - timedelta(minutes=2))
        return self.filter(models.Q(state__in=[State.BROKEN, State.UNCERTAIN]) | late)


class Promise(models.Model):
    """Something owed. ``due_at`` is when it may be taken, or while taken when the lease ends. Times are UTC."""

    #: how long a worker may take before it counts as frozen
    LEASE: ClassVar[timedelta] = timedelta(seconds=45)
    #: waits between tries after temporary problems; after the last one the promise is broken
    WAITS: ClassVar[tuple[timedelta, ...]] = tuple(timedelta(seconds=s) for s in (2, 10, 60, 300))

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DUE)
    due_at = models.DateTimeField(_("due at"), default=timezone.now)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    problem = models.CharField(_("last problem"), max_length=500, blank=True, default="")

    objects = PromiseQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def lock_name(self) -> str:
        """What two workers must not do at once; by default this very row."""
        return f"{self._meta.label_lower}:{self.pk}"

    def keep(self, fulfil: Callable[[Self], None], *, now: datetime) -> bool:
        """Call ``fulfil(promise)`` unless another worker does, and remember how it went.

        Returns whether the promise was taken by this call. ``fulfil`` must bear being run twice.
        """
        with session_lock(self.lock_name) as held:
            if not held:
                return False
            if not self.take(now=now):
                return False
            self.settle(fulfil)
        return True

    def take(self, *, now: datetime) -> bool:
        """Make the row ours. The caller holds the lock, so a row still *taken* had a worker that died."""
        free = models.Q(state=State.DUE, due_at__lte=now) | models.Q(state=State.TAKEN)
        mine = type(self)._default_manager.filter(free, pk=self.pk)
        if not mine.update(state=State.TAKEN, due_at=now + self.LEASE, attempts=models.F("attempts") + 1):
            return False
        self.refresh_from_db()
        return True

    #: what is forgotten of the tries before, when a person owes it anew
    FORGOTTEN: ClassVar[Mapping[str, Any]] = {}

    def owe_anew(self, *, now: datetime) -> None:
        """A person wants it tried again, with all its tries before it; what is done or not needed stays so."""
        rows = type(self)._default_manager.filter(pk=self.pk).exclude(state__in=[State.KEPT, State.DROPPED])
        rows.update(state=State.DUE, due_at=now, attempts=0, **self.FORGOTTEN)

    def settle(self, fulfil: Callable[[Self], None]) -> None:
        """Run ``fulfil`` and write the outcome, fenced by the attempt's number."""
        try:
            fulfil(self)
        except Superseded:
            return
        except LastingProblem as problem:
            outcome = {"state": State.BROKEN, "problem": _words(problem)}
        except UnknownOutcome as problem:
            outcome = {"state": State.UNCERTAIN, "problem": _words(problem)}
        except Exception as problem:  # a bug is a temporary problem until it has happened often enough
            if not isinstance(problem, TemporaryProblem):
                logger.exception("promise failed", extra={"promise": self.lock_name, "attempt": self.attempts})
            outcome = self.later(problem)
        else:
            outcome = {"state": State.KEPT, "problem": ""}
        self._write(outcome)

    def later(self, problem: Exception) -> dict[str, Any]:
        """The row after a problem that may pass: due after the next wait, broken after the last."""
        if self.attempts > len(self.WAITS):
            return {"state": State.BROKEN, "problem": _words(problem)}
        return self.due_again(problem, wait=self.WAITS[self.attempts - 1])

    def due_again(self, problem: Exception, *, wait: timedelta) -> dict[str, Any]:
        """The row due after ``wait``, or later where the other side has asked for that: an hour at most."""
        asked = getattr(problem, "retry_after", None)
        if asked:
            wait = max(wait, timedelta(seconds=min(float(asked), 3600)))
        return {"state": State.DUE, "due_at": timezone.now() + wait, "problem": _words(problem)}

    @contextmanager
    def fenced(self) -> Iterator[None]:
        """A transaction in which this row is locked and still ours; raises ``Superseded`` where it isn't.

        Within a transaction it is part of that one: who is superseded takes back all of it.
        """
        with transaction.atomic(savepoint=False):
            row = (
                type(self)
                ._default_manager.select_for_update(of=("self",))
                .filter(pk=self.pk, state=State.TAKEN, attempts=self.attempts)
            )
            if not row.exists():
                raise Superseded(self.lock_name)
            yield

    def _write(self, outcome: dict[str, Any]) -> None:
        row = type(self)._default_manager.filter(pk=self.pk, state=State.TAKEN, attempts=self.attempts)
        if row.update(**outcome):
            for name, value in outcome.items():
                setattr(self, name, value)


#: a lease that has just run out may be in the hands of one who is writing the outcome
GRACE = timedelta(seconds=1)


def sweep(
    promises: models.QuerySet[Any],
    fulfil: Callable[[Any], None],
    *,
    now: datetime,
    limit: int = 200,
    keep: Callable[..., bool] = Promise.keep,
) -> int:
    """Fulfil what is due, and what a dead worker left taken; unlock what a frozen one holds. Returns how many.

    ``keep(promise, fulfil, now=…)`` is called for each, with the time as it is then: rows before may have taken long.
    """
    done = 0
    for promise in promises.due(now)[:limit]:  # type: ignore[attr-defined]
        done += keep(promise, fulfil, now=max(now, timezone.now()))
    for promise in promises.taken()[:limit]:  # type: ignore[attr-defined]
        if keep(promise, fulfil, now=max(now, timezone.now())):
            done += 1
        elif promise.due_at + GRACE < max(now, timezone.now()):
            end_holder(promise.lock_name)
    return done


def _words(problem: Exception) -> str:
    """What of a problem may be kept: its own words when we wrote them, else only its kind."""
    known = isinstance(problem, LastingProblem | TemporaryProblem | UnknownOutcome)
    return (str(problem) if known else type(problem).__name__)[:500]
