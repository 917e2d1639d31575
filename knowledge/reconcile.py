"""What the sweep does for the knowledge base, without Celery or Valkey."""

from datetime import datetime

from knowledge import indexing


def sweep(*, now: datetime) -> int:
    return indexing.sweep(now=now)
