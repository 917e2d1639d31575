"""/health and /ready: alive, and what we lean on, told in time whatever hangs."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from common import health
from common.health import Dependency, look
from common.promise import State
from sales.models import Turn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _afresh(monkeypatch):
    monkeypatch.setattr(health, "_migrated", False)
    monkeypatch.setattr(health, "_checks", health._Checks())


def states(client, status: int = 200) -> dict[str, str]:
    answer = client.get("/ready")
    assert answer.status_code == status, answer.content
    return {name: each["state"] for name, each in answer.json()["dependencies"].items()}


def test_alive_asks_nobody(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/health")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer.headers["Cache-Control"]


def test_ready_names_each_dependency_with_its_state(client):
    found = states(client)

    assert {name: found[name] for name in ["postgresql", "migrations", "valkey", "promises"]} == {
        "postgresql": "ok",
        "migrations": "ok",
        "valkey": "ok",
        "promises": "ok",
    }


def test_without_valkey_we_are_ready_and_say_so(client, settings):
    settings.REDIS_URL = "redis://:a-password-that-nobody-may-see@127.0.0.1:1/0"

    answer = client.get("/ready")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["dependencies"]["valkey"]["state"] == "down"
    assert "nobody-may-see" not in answer.content.decode() and "127.0.0.1" not in answer.content.decode()


def test_without_postgresql_we_are_not_ready(client, monkeypatch):
    def away() -> list[Dependency]:
        raise ConnectionError("connection to server at 10.1.2.3 failed: password of sales is secret")

    monkeypatch.setattr(health, "postgresql", away)

    answer = client.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["status"] == "down"
    assert answer.json()["dependencies"]["postgresql"] == {"state": "down", "detail": "ConnectionError"}


def test_a_real_connection_that_is_refused_is_down_too(client, monkeypatch):
    # the checks run in threads of their own, so this test's own connection lives on
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")

    assert states(client, 503)["postgresql"] == "down"


def test_with_migrations_waiting_we_are_not_ready(client, monkeypatch):
    monkeypatch.setattr("django.db.migrations.executor.MigrationExecutor.migration_plan", lambda self, leaves: [1, 2])

    answer = client.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["dependencies"]["migrations"] == {"state": "down", "detail": "2 not applied"}


def test_a_check_that_hangs_costs_its_budget_and_not_the_answer(monkeypatch):
    asked = []

    def hang() -> list[Dependency]:
        asked.append(1)
        time.sleep(1.5)
        return [Dependency("valkey", "ok")]

    monkeypatch.setattr(health, "valkey", hang)
    started = time.monotonic()
    found = {each.name: each for each in look(budget=0.3)}
    again = {each.name: each for each in look(budget=0.3)}

    assert time.monotonic() - started < 1.2
    assert found["valkey"] == again["valkey"] == Dependency("valkey", "down", "no answer in 0.3 s")
    assert found["postgresql"].state == "ok"
    assert len(asked) == 1


def test_promises_that_nobody_keeps_are_told(client, conversation):
    now = timezone.now()
    Turn.objects.create(conversation=conversation, state=State.DUE, due_at=now - timedelta(minutes=5))

    answer = client.get("/ready")

    assert answer.status_code == 200
    assert answer.json()["dependencies"]["promises"] == {"state": "down", "detail": "overdue: sales.turn: 1"}


def test_asking_leaves_no_connection_behind(client):
    def connections() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            return cursor.fetchone()[0]

    client.get("/ready")
    before = connections()
    for _ in range(5):
        client.get("/ready")

    deadline = time.monotonic() + 5  # a backend is listed for a moment after its connection was closed
    while connections() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert connections() <= before
