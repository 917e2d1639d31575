"""The log of a real server and a real worker: what happened by name and id, and nothing of what came in."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)

PHONE, EMAIL, NAME, TEXT = "+79161234567", "anna.k@example.com", "Анна Аркадьевна", "меня бросил муж и нужен юрист"
SECRET = "s3cr3t-of-the-webhook-0123456789"
PLANTED = [PHONE, "9161234567", EMAIL, NAME, TEXT, "бросил муж", SECRET, "secret-of-a-link", "curl-of-anna"]


def environment(kind: str) -> dict[str, str]:
    url, _, options = os.environ["DATABASE_URL"].partition("?")
    database = f"{url.rsplit('/', 1)[0]}/{connection.settings_dict['NAME']}"
    return {
        **os.environ,
        "PROCESS_KIND": kind,
        "DATABASE_URL": f"{database}?{options}" if options else database,
        "AVITO_WEBHOOK_SECRET": SECRET,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[tuple[int, Path]]:
    """Daphne on a free port, its log in a file."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    command = [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port), "config.asgi:application"]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment("web"), stdout=stream, stderr=stream)
    try:
        deadline = time.monotonic() + 40
        while True:
            try:
                ask(port, "GET", "/health")
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.2)
        yield port, log
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def ask(port: int, method: str, path: str, body: str | bytes | None = None, **headers: str) -> int:
    talk = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        talk.request(method, path, body.encode() if isinstance(body, str) else body, headers)
        return talk.getresponse().status
    finally:
        talk.close()


def test_a_real_server_logs_routes_and_ids_and_nothing_that_was_sent(server):
    port, log = server
    personal = json.dumps({"consent": True, "name": NAME, "text": TEXT, "phone": PHONE, "email": EMAIL})
    sent = {"Content-Type": "application/json", "User-Agent": "curl-of-anna", "Authorization": f"Bearer {SECRET}"}

    ask(port, "POST", "/api/v1/chat/sessions", personal, **sent)
    ask(port, "POST", "/api/v1/pricing/quotes", personal, **sent)
    ask(port, "POST", "/api/v1/auth/token", json.dumps({"username": EMAIL, "password": TEXT}), **sent)
    ask(port, "POST", f"/api/v1/webhooks/avito/messages/{SECRET}", personal, **sent)
    ask(port, "GET", f"/documents/secret-of-a-link/x.pdf?phone={PHONE}", **sent)
    ask(port, "GET", f"/api/v1/leads?search={PHONE}", **sent)
    ask(port, "GET", f"/nowhere/{EMAIL}", **sent)
    ask(port, "POST", "/api/v1/auth/token", b"\xff\xfe" + TEXT.encode(), **sent)
    ask(port, "GET", "/admin/", Host=f"{SECRET}.example.com")
    time.sleep(0.3)

    written = log.read_text()
    lines = [json.loads(line) for line in written.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert len(requests) >= 9
    assert {"token", "unmatched"} <= {line["route"] for line in requests}
    assert all({"request_id", "method", "route", "status", "ms"} <= set(line) for line in requests)
    assert len({line["request_id"] for line in requests}) == len(requests)
    assert [planted for planted in PLANTED if planted in written] == []


def test_a_real_server_with_its_pool_is_ready_and_counts(server):
    port, _ = server

    assert [ask(port, "GET", "/ready") for _ in range(20)] == [200] * 20
    assert ask(port, "GET", "/metrics") == 200
    assert ask(port, "GET", "/metrics", **{"X-Forwarded-For": "127.0.0.1"}) == 404


def test_a_real_worker_logs_its_tasks_failure_without_what_it_quoted(tmp_path: Path):
    log = tmp_path / "log"
    code = f"""
from config.celery import app
@app.task(name="test.fail")
def fail(): raise ValueError({TEXT!r} + {PHONE!r})
app.worker_main(["worker", "--pool", "solo", "-Q", "test-log", "--without-gossip", "--without-mingle", "-l", "INFO"])
"""
    with log.open("wb") as stream:
        worker = subprocess.Popen(
            [sys.executable, "-c", code], cwd=settings.BASE_DIR, env=environment("worker"), stdout=stream, stderr=stream
        )
    try:
        from config.celery import app

        app.send_task("test.fail", queue="test-log")
        deadline = time.monotonic() + 40
        while "ValueError" not in log.read_text():
            assert worker.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(40)

    written = log.read_text()
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    (failed,) = [line for line in lines if line["event"] == "task_failed"]
    assert failed["exception"]["type"] == "ValueError"
    assert failed["task_id"]
    assert [planted for planted in PLANTED if planted in written] == []
