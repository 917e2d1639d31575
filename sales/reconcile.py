"""What the sweep does for this app, without Celery or Valkey."""

from datetime import datetime

from sales.assistant import turn


def sweep(*, now: datetime) -> int:
    return turn.sweep(now=now)
