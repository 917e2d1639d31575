"""What the sweep does for this app, without Celery or Valkey."""

from datetime import datetime

from channels_app import arrivals, deliveries
from channels_app.telegram import inbox as telegram


def sweep(*, now: datetime) -> int:
    return arrivals.sweep(now=now) + deliveries.sweep(now=now) + telegram.sweep(now=now)
