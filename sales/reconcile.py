"""What the sweep does for this app, without Celery or Valkey."""

from datetime import datetime

from sales import abandoned
from sales.assistant import turn
from sales.duty import calls
from sales.qualification import scoring


def sweep(*, now: datetime) -> int:
    return turn.sweep(now=now) + scoring.rescore_due() + abandoned.sweep(now=now) + calls.sweep(now=now)
