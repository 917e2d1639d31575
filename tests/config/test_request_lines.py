"""The ids on log lines: of the request, and of the conversation whose turn is being taken."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
import structlog
from django.test import AsyncClient
from django.utils import timezone

from common.promise import State
from sales.assistant import turn as turns
from sales.models import Turn

pytestmark = pytest.mark.django_db


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, int]]:
    return [
        (record.method, record.route, record.status) for record in caplog.records if record.name == "common.requests"
    ]


def test_a_request_has_one_line_with_its_routes_name(client, caplog):
    caplog.set_level(logging.INFO)

    client.get("/nowhere/at-all")
    client.post("/api/v1/auth/token", "{", content_type="application/json")
    client.generic("BREW", "/api/schema")

    assert lines(caplog) == [("GET", "unmatched", 404), ("POST", "token", 400), ("other", "schema", 405)]


async def test_an_asynchronous_request_has_its_line_too(caplog):
    caplog.set_level(logging.INFO)

    await AsyncClient().get("/nowhere")

    assert lines(caplog) == [("GET", "unmatched", 404)]


def test_probes_that_succeed_are_not_worth_a_line(client, caplog):
    caplog.set_level(logging.INFO)

    client.get("/health")

    assert lines(caplog) == []


def test_nothing_of_one_request_stays_for_the_next(client):
    client.get("/health")

    assert structlog.contextvars.get_contextvars() == {}


def test_lines_of_a_turn_carry_its_conversation(conversation, monkeypatch):
    seen = []
    monkeypatch.setattr(turns, "fulfil", lambda turn: seen.append(structlog.contextvars.get_contextvars()))
    now = timezone.now()
    turn = Turn.objects.create(conversation=conversation, state=State.DUE, due_at=now - timedelta(seconds=1))

    turns.keep(turn, now=now)

    assert seen == [{"conversation_id": conversation.pk, "turn_id": turn.pk}]
    assert structlog.contextvars.get_contextvars() == {}
