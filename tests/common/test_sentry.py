"""Error reports, received by a stand-in on loopback: what and where, never what was said."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
import textwrap

import brotli
import pytest
from django.conf import settings
from pytest_httpserver import HTTPServer

PHONE, EMAIL, NAME = "+7 916 123-45-67", "anna.k@example.com", "Анна Аркадьевна"
TEXT = "меня бросил муж и мне нужен юрист"
SECRET = "s3cr3t-of-the-webhook-0123456789"

#: a process of its own: Sentry hooks itself into whatever it starts in
SCENARIO = """
import logging, sys
import django
django.setup()
from django.conf import settings
import sentry_sdk
from django.test import Client
from django.urls import path
from django.http import HttpResponse
import types

def fail(request, secret):
    phone, name, text = sys.argv[1], sys.argv[2], sys.argv[3]
    logging.getLogger("sales").warning("before " + phone)
    try:
        int(text)
    except ValueError as problem:
        raise RuntimeError(f"could not answer {name}, {phone}: {text}") from problem

urls = types.ModuleType("sentry_urls")
urls.urlpatterns = [path("documents/<str:secret>/x.pdf", fail, name="document")]
sys.modules["sentry_urls"] = urls
settings.ROOT_URLCONF = "sentry_urls"
settings.ALLOWED_HOSTS = ["testserver"]
client = Client(raise_request_exception=False)
client.cookies["session"] = "cookie-value-0123456789"
client.post(
    f"/documents/{sys.argv[4]}/x.pdf?phone={sys.argv[1]}",
    {"text": sys.argv[3]},
    headers={"Authorization": "Bearer jwt-0123456789"},
)
private = {"text": sys.argv[3], "lead_id": "7"}
logging.getLogger("sales").error("could not save %s of %s", sys.argv[3], sys.argv[1], extra=private)
sentry_sdk.add_breadcrumb(message=sys.argv[3], data={"url": sys.argv[4]}, category="chat")
try:
    raise KeyError(sys.argv[2])
except KeyError as problem:
    sentry_sdk.capture_exception(problem)
sentry_sdk.flush(5)
"""


def events(server: HTTPServer) -> list[dict]:
    found = []
    for request, _ in server.log:
        body = request.get_data()
        body = {"gzip": gzip.decompress, "br": brotli.decompress}.get(request.headers.get("Content-Encoding"), bytes)(
            body
        )
        for line in body.splitlines():
            row = json.loads(line)
            if "event_id" in row and "platform" in row:
                found.append(row)
    return found


@pytest.fixture
def reported(httpserver: HTTPServer):
    httpserver.expect_request("/api/1/envelope/", method="POST").respond_with_json({})
    environment = {
        **os.environ,
        "SENTRY_DSN": f"http://publickey@127.0.0.1:{httpserver.port}/1",
        "AVITO_WEBHOOK_SECRET": SECRET,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCENARIO), PHONE, NAME, TEXT, SECRET],
        env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return events(httpserver), done.stderr


def test_reports_arrive_with_types_places_and_routes_and_nothing_private(reported):
    found, stderr = reported
    raised = {value["type"]: value for event in found for value in event.get("exception", {}).get("values", ())}
    everything = json.dumps(found, ensure_ascii=False)

    assert set(raised) >= {"RuntimeError", "ValueError", "KeyError"}
    assert raised["RuntimeError"]["stacktrace"]["frames"][-1]["function"] == "fail"
    assert [event for event in found if (event.get("logentry") or {}).get("message") == "could not save %s of %s"]
    assert {event["extra"].get("lead_id") for event in found} == {None, "7"}
    assert not any(event["transaction"].startswith("/") for event in found)
    for planted in [PHONE, EMAIL, NAME, TEXT, SECRET, "cookie-value", "jwt-0123456789", "Аркадьевна", "бросил"]:
        assert planted not in everything
        assert planted not in stderr


def test_without_a_dsn_nothing_is_sent():
    import sentry_sdk

    from common import sentry

    assert sentry.start("", environment="test") is False
    assert sentry_sdk.get_client().is_active() is False


def test_a_transaction_keeps_times_and_routes_only():
    from common.sentry import before_send_transaction

    kept = before_send_transaction(
        {
            "type": "transaction",
            "transaction": f"/documents/{SECRET}/x.pdf",
            "transaction_info": {"source": "url"},
            "request": {"method": "GET", "url": f"http://x/documents/{SECRET}", "query_string": PHONE, "data": TEXT},
            "user": {"ip_address": "203.0.113.9", "email": EMAIL},
            "contexts": {"trace": {"trace_id": "t", "span_id": "s", "data": {"url": SECRET}}},
            "spans": [{"span_id": "a", "op": "db", "description": f"SELECT '{PHONE}'", "data": {"db.text": TEXT}}],
        },
        {},
    )

    assert kept == {
        "type": "transaction",
        "transaction": "unmatched",
        "transaction_info": {"source": "url"},
        "request": {"method": "GET"},
        "extra": {},
        "breadcrumbs": {"values": []},
        "contexts": {"trace": {"trace_id": "t", "span_id": "s"}},
        "spans": [{"span_id": "a", "op": "db"}],
    }


def test_logging_still_works_with_sentry_absent(caplog):
    logging.getLogger("sales").error("gave up")

    assert caplog.messages == ["gave up"]
