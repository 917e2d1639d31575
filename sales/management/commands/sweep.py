"""The plain loop that keeps every promise when nobody rings: no Celery, no Valkey."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from common import locks, metrics
from common.parts import of_apps

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Fulfil what is owed and due, every few seconds, until stopped."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--every", type=float, default=5.0, help="seconds between looks (default 5)")
        parser.add_argument("--once", action="store_true", help="look once and end")

    def handle(self, *args: Any, every: float, once: bool, **options: Any) -> None:
        stop = threading.Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            if threading.current_thread() is threading.main_thread():
                signal.signal(each, lambda *_: stop.set())
        # a thread for each room, so that a slow document can't delay an answer; they end with the process
        loops = [
            threading.Thread(target=_look, args=(name, module, stop, every, once), name=f"sweep-{name}", daemon=True)
            for name, module in of_apps("reconcile")
        ]
        for loop in loops:
            loop.start()
        while not once and not stop.wait(3600):
            pass
        patience = time.monotonic() + 8  # what is cut short by the end of the process is still owed
        for loop in loops:
            loop.join(None if once else max(0.0, patience - time.monotonic()))


def _look(name: str, module: Any, stop: threading.Event, every: float, once: bool) -> None:
    """Sweep one room again and again."""
    while not stop.is_set():
        started = time.monotonic()
        _sweep(name, module)
        metrics.sweep_seconds.observe(time.monotonic() - started)
        if once:
            return
        stop.wait(max(0.0, every - (time.monotonic() - started)))


def _sweep(name: str, module: Any) -> int:
    try:
        return module.sweep(now=timezone.now())
    except (OperationalError, InterfaceError):
        logger.warning("sweep failed: the database is away", extra={"room": name})
    except Exception:
        logger.exception("sweep failed", extra={"room": name})
    finally:
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()
        if connections["default"].connection is None:
            locks.close()
    return 0
