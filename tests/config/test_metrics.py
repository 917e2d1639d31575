"""/metrics: for whom, what, and added up over all processes."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from common import metrics
from common.promise import State
from sales.models import Turn

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "peer, headers, status",
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.1.2.3", {}, 200),
        ("203.0.113.5", {}, 404),
        ("203.0.113.5", {"X-Forwarded-For": "127.0.0.1"}, 404),
        # a proxy on this machine that nobody told us of: everybody would be loopback
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.5"}, 404),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.5"}, 404),
        ("", {}, 404),
    ],
)
def test_only_loopback_and_named_networks_may_ask(client, settings, peer, headers, status):
    settings.METRICS_ALLOWED_NETWORKS = [ip_network("10.0.0.0/8")]

    assert client.get("/metrics", REMOTE_ADDR=peer, headers=headers).status_code == status


@pytest.mark.parametrize(
    "forwarded, status",
    [("203.0.113.5", 404), ("127.0.0.1, 203.0.113.5", 404), ("10.1.2.3", 200), ("203.0.113.5, 10.1.2.3", 200)],
)
def test_behind_a_known_proxy_the_asker_counts(client, settings, forwarded, status):
    settings.TRUSTED_PROXIES = 1
    settings.METRICS_ALLOWED_NETWORKS = [ip_network("10.0.0.0/8")]

    answer = client.get("/metrics", REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": forwarded})

    assert answer.status_code == status


def numbers(client) -> dict[str, float]:
    text = client.get("/metrics").content.decode()
    rows = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in rows}


def test_what_happens_is_counted(client):
    before = numbers(client).get('messages_total{author="customer",channel="webchat"}', 0)
    metrics.messages_total.labels(channel="webchat", author="customer").inc()

    assert numbers(client)['messages_total{author="customer",channel="webchat"}'] == before + 1


def test_requests_are_counted_by_route_never_by_path(client):
    client.get("/documents/a-secret-of-a-link/x.pdf")
    client.get("/nowhere/secret-path")
    client.get("/health")

    found = numbers(client)

    assert found['http_requests_total{route="health",status="200"}'] >= 1
    assert found['http_requests_total{route="unmatched",status="404"}'] >= 1
    assert not [name for name in found if "secret" in name]


def test_what_is_owed_is_read_from_the_rows(client, conversation):
    now = timezone.now()
    Turn.objects.create(conversation=conversation, state=State.DUE, due_at=now - timedelta(seconds=30))

    found = numbers(client)

    assert found['promises_due{kind="sales.turn"}'] == 1
    assert 29 < found['promises_oldest_seconds{kind="sales.turn"}'] < 40
    assert found['promises_stuck{kind="sales.turn"}'] == 0
    assert found["database_up"] == 1


def test_without_the_database_the_page_still_answers(client, monkeypatch):
    from django.db import DatabaseError

    from config import metrics as page

    def away() -> list:
        raise DatabaseError

    monkeypatch.setattr(page, "promise_models", away)

    assert numbers(client)["database_up"] == 0


def test_processes_that_share_a_folder_are_added_up(tmp_path: Path):
    def run(code: str) -> str:
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        command = [sys.executable, "-c", f"from common import metrics\n{code}"]
        return subprocess.run(
            command, env=environment, cwd=django_settings.BASE_DIR, capture_output=True, text=True, check=True
        ).stdout

    for _ in range(3):
        run("metrics.turns_total.labels(outcome='answered').inc(2); metrics.turn_seconds.observe(0.3)")
    shown = run("from prometheus_client import generate_latest; print(generate_latest(metrics.registry()).decode())")

    assert 'turns_total{outcome="answered"} 6.0' in shown
    assert "turn_seconds_count 3.0" in shown

    metrics.forget(tmp_path)
    shown = run("from prometheus_client import generate_latest; print(generate_latest(metrics.registry()).decode())")
    assert "turns_total" not in shown


def test_long_lived_processes_share_the_folder_of_the_state(tmp_path: Path):
    def folder(kind: str) -> str:
        environment = {**os.environ, "STATE_DIR": str(tmp_path), "PROCESS_KIND": kind}
        environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
        code = "import os, config.settings; print(os.environ.get('PROMETHEUS_MULTIPROC_DIR', ''))"
        return subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=django_settings.BASE_DIR, capture_output=True, text=True,
            check=True,
        ).stdout.strip()  # fmt: skip

    assert folder("web") == folder("sweep") == str(tmp_path / "metrics")
    assert folder("command") == ""
