"""The doorbell: ask a worker to look now. Losing a ring costs hurry, never the work.

What is owed stands in the database and a sweep fulfils what nobody rang for, so ringing must not be able to fail a
request: it happens after the commit, publishes once without retry, and a broker that is away is counted and passed.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Any

from django.db import transaction

from common import metrics

logger = logging.getLogger(__name__)

#: seconds for which nobody tries a broker that has just been found away: each try may cost half a second
QUIET_AFTER_FAILURE = 2.0
_quiet_until = 0.0


def ring(task: Any, *ids: Any) -> None:
    """After the commit, ask ``task`` (a Celery task) to look at the rows with these ids."""
    transaction.on_commit(partial(_publish, task, [str(each) for each in ids]), robust=True)


def _publish(task: Any, ids: list[str]) -> None:
    global _quiet_until
    if time.monotonic() < _quiet_until:
        metrics.rings_failed_total.labels(task=task.name).inc()
        return
    try:
        task.apply_async(args=ids, retry=False, ignore_result=True)
    except Exception as problem:  # any broker trouble at all: the sweep will do it
        _quiet_until = time.monotonic() + QUIET_AFTER_FAILURE
        metrics.rings_failed_total.labels(task=task.name).inc()
        logger.warning("ring failed", extra={"task": task.name, "problem": type(problem).__name__})
