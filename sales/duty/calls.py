"""Whoever is on duty is called: the first at once, the others on duty later, all at last, until somebody has come.

All calls are owed with the notice; one that comes due when the notice has been seen is not needed any more. An app
above that reaches people has a ``pagers.py`` with ``page(address, text)``, which raises as a channel's sending does.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from common import promise as promises
from common.parts import of_apps
from common.problems import LastingProblem
from common.promise import State
from sales.duty import hours
from sales.duty.models import DutyCall
from sales.models import Notice


def owe(notice: Notice, *, now: datetime) -> int:
    """Owe a notice to those on duty, in the transaction that stores it; at night it waits for the morning."""
    duties = hours.active()
    reachable = [duty for duty in duties if duty.address]
    if not reachable:
        return 0
    begins = now if hours.on_duty(reachable, now) else (hours.next_begin(reachable, now) or now)
    first = hours.on_duty(reachable, begins) or reachable
    step = settings.DUTY_ESCALATES_AFTER
    due = {duty.pk: begins + 2 * step for duty in reachable}
    due |= {duty.pk: begins + step for duty in first[1:]}
    due[first[0].pk] = begins
    calls = [DutyCall(notice=notice, duty=duty, due_at=due[duty.pk], created_at=now) for duty in reachable]
    return len(DutyCall.objects.bulk_create(calls, ignore_conflicts=True))


def sweep(*, now: datetime) -> int:
    return promises.sweep(DutyCall.objects.select_related("notice", "duty"), fulfil, now=now)


def fulfil(call: DutyCall) -> None:
    """Send it, unless somebody has taken the matter."""
    notice, duty = call.notice, call.duty
    if notice.seen_at is not None or not duty.is_active:
        with call.fenced():
            DutyCall.objects.filter(pk=call.pk).update(state=State.DROPPED)
        return
    pagers = of_apps("pagers", without="sales")
    if not pagers:
        raise LastingProblem("nothing reaches people: no app pages")
    address = settings.PUBLIC_URL.rstrip("/") + (notice.address or f"/admin/sales/notice/{notice.pk}/change/")
    pagers[0][1].page(duty.address, f"{notice.get_kind_display().capitalize()}: {notice.text}\n{address}")
    DutyCall.objects.filter(pk=call.pk).update(sent_at=timezone.now())
