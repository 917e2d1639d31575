"""What the product leans on, and how it is. Each app may have a ``health.py`` with ``health() -> list[Dependency]``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from importlib.util import find_spec
from time import monotonic
from typing import Any, Literal

import redis
from django.apps import apps
from django.conf import settings
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from common.promise import Promise

#: seconds that all checks together may take; what hasn't answered by then is down
BUDGET = 2.0
#: a promise that is due for longer than this means that nobody keeps promises
LATE = timedelta(seconds=60)

State = Literal["ok", "off", "down"]


@dataclass(frozen=True)
class Dependency:
    """One thing we lean on. ``off`` is what isn't configured; ``detail`` is public, so no address and no secret.

    Without what is ``required`` we aren't ready.
    """

    name: str
    state: State
    detail: str = ""
    required: bool = False


@dataclass
class _Checks:
    """Checks run apart from the request, so that a hanging one costs its budget and not the answer."""

    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, thread_name_prefix="health"))
    running: dict[str, Future[list[Dependency]]] = field(default_factory=dict)


_checks = _Checks()
_migrated = False


def look(budget: float = BUDGET) -> list[Dependency]:
    """Every dependency of every app, in the order of the apps; takes no longer than ``budget`` seconds."""
    deadline = monotonic() + budget
    asked = {name: _ask(name, check) for name, check in _all_checks()}
    found: list[Dependency] = []
    for name, future in asked.items():
        try:
            found += future.result(timeout=max(0.0, deadline - monotonic()))
        except NoAnswer:
            found.append(Dependency(name, "down", f"no answer in {budget:g} s", required=name in _REQUIRED))
        except Exception as problem:  # a check that fails is an answer too; its words might hold an address
            found.append(Dependency(name, "down", type(problem).__name__, required=name in _REQUIRED))
    return found


def _ask(name: str, check: Callable[[], list[Dependency]]) -> Future[list[Dependency]]:
    running = _checks.running.get(name)
    if running is None or running.done():  # one that still hangs is not asked a second time
        running = _checks.running[name] = _checks.pool.submit(_apart, check)
    return running


def _apart(check: Callable[[], list[Dependency]]) -> list[Dependency]:
    try:
        return check()
    finally:
        connections.close_all()  # of this thread: a pooled one goes back, a kept one must not outlive a restart


def _all_checks() -> list[tuple[str, Callable[[], list[Dependency]]]]:
    own = [("postgresql", postgresql), ("migrations", migrations), ("valkey", valkey), ("promises", promises)]
    return [*own, *_checks_of_apps()]


@cache
def _checks_of_apps() -> list[tuple[str, Callable[[], list[Dependency]]]]:
    found = []
    for app in apps.get_app_configs():
        # config.health is the page that shows all this, and others' modules of that name mean something else
        if app.name not in {"common", "config"} and "site-packages" not in app.path and find_spec(f"{app.name}.health"):
            found.append((app.name, importlib.import_module(f"{app.name}.health").health))
    return found


_REQUIRED = {"postgresql", "migrations"}


def postgresql() -> list[Dependency]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return [Dependency("postgresql", "ok", required=True)]


def migrations() -> list[Dependency]:
    global _migrated
    if not _migrated:  # once true it stays true for this process: new code is a new process
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if waiting:
            return [Dependency("migrations", "down", f"{len(waiting)} not applied", required=True)]
        _migrated = True
    return [Dependency("migrations", "ok", required=True)]


def valkey() -> list[Dependency]:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)
    try:
        client.ping()
    finally:
        client.close()
    return [Dependency("valkey", "ok")]


def promises() -> list[Dependency]:
    """Whether what is due gets done: a dead worker and a dead sweep show here, whatever killed them."""
    before = timezone.now() - LATE
    late = [
        f"{model._meta.label_lower}: {count}"
        for model in promise_models()
        if (count := model._default_manager.filter(state__in=["due", "taken"], due_at__lt=before).count())
    ]
    if late:
        return [Dependency("promises", "down", f"overdue: {', '.join(late)}")]
    return [Dependency("promises", "ok")]


def promise_models() -> list[type[Any]]:
    return [model for model in apps.get_models() if issubclass(model, Promise) and not model._meta.proxy]
