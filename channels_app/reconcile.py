"""What the sweep does for this app, without Celery or Valkey."""

from datetime import datetime

from channels_app import arrivals, deliveries, troubles
from channels_app.auto_replies import speaking
from channels_app.avito import items_sync, polling, promotion
from channels_app.telegram import inbox as telegram


def sweep(*, now: datetime) -> int:
    carried = arrivals.sweep(now=now) + deliveries.sweep(now=now) + troubles.sweep(now=now) + telegram.sweep(now=now)
    carried += polling.sweep(now=now)
    return carried + speaking.sweep(now=now) + items_sync.sweep(now=now) + promotion.sweep(now=now)
