"""What the sweep does for this app, without Celery or Valkey."""

from datetime import date, datetime

from channels_app import arrivals, continuing, deliveries, troubles
from channels_app.auto_replies import speaking
from channels_app.avito import items_sync, polling, promotion
from channels_app.telegram import inbox as telegram

_tidied_on: date | None = None


def sweep(*, now: datetime) -> int:
    _tidy_once_a_day(now)
    carried = arrivals.sweep(now=now) + deliveries.sweep(now=now) + troubles.sweep(now=now) + telegram.sweep(now=now)
    carried += polling.sweep(now=now)
    return carried + speaking.sweep(now=now) + items_sync.sweep(now=now) + promotion.sweep(now=now)


def _tidy_once_a_day(now: datetime) -> None:
    """Each process that sweeps does it on the first look at a new day: twice a day does no harm."""
    global _tidied_on
    if _tidied_on != now.date():
        arrivals.tidy(now=now)
        telegram.tidy(now=now)
        continuing.tidy(now=now)
        _tidied_on = now.date()
