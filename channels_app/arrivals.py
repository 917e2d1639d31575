"""Chats that are owed a look, because somebody says that something has happened there.

The word of a webhook is never taken: the chat is read back through the vendor's API, and what is new is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from channels_app import registry
from channels_app.models import Arrival
from common import promise as promises
from common.bell import ring
from common.problems import TemporaryProblem


def owe(*, channel: str, chat: str, now: datetime) -> None:
    """Owe a chat a look; one that is owed already covers this too. One statement: a webhook waits for it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO channels_app_arrival (channel, chat, state, due_at, attempts, problem, created_at)"
            " VALUES (%s, %s, 'due', %s, 0, '', %s)"
            " ON CONFLICT (channel, chat) WHERE state = 'due' DO UPDATE SET due_at ="
            " least(channels_app_arrival.due_at, excluded.due_at) RETURNING id",
            [channel, chat, now, now],
        )
        (arrival,) = cursor.fetchone()
    ring(import_string("channels_app.tasks.look"), arrival)


def keep(arrival_id: int | str) -> None:
    """Look, unless somebody else does or it is done."""
    arrival = Arrival.objects.filter(pk=arrival_id).first()
    if arrival is not None:
        arrival.keep(fulfil, now=timezone.now())


def sweep(*, now: datetime) -> int:
    """Look where nobody was rung for, or a worker died."""
    return promises.sweep(Arrival.objects.all(), fulfil, now=now)


def fulfil(arrival: Arrival) -> None:
    """Read the chat back and store what is new. Safe to repeat."""
    channel: Any = registry.by_name(arrival.channel)
    if channel is None or not channel.is_on():
        raise TemporaryProblem(f"{arrival.channel} is off: its variables are empty")
    read_back: Callable[..., None] = channel.read_back
    read_back(arrival.chat, now=timezone.now())


def tidy(*, now: datetime) -> int:
    """Forget looks that were had a week ago."""
    return Arrival.objects.filter(state="kept", created_at__lt=now - timedelta(days=7)).delete()[0]
