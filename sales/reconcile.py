"""What the sweep does for this app, without Celery or Valkey."""

from datetime import datetime

from sales.assistant import turn
from sales.qualification import scoring


def sweep(*, now: datetime) -> int:
    return turn.sweep(now=now) + scoring.rescore_due()
