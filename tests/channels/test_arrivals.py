"""A chat that is owed a look gets it, whatever happens meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from channels_app import arrivals
from channels_app.models import Arrival
from common.problems import TemporaryProblem
from common.promise import State
from tests.channels.post import Post


def test_a_look_that_fails_while_another_came_to_be_owed_is_covered_by_that_one(post, db, monkeypatch):
    looks = []

    def read_back(self: Any, chat: str, *, now: Any) -> None:
        looks.append(chat)
        if len(looks) == 1:
            arrivals.owe(channel="post", chat=chat, now=timezone.now())  # a webhook comes while we look
            raise TemporaryProblem("too many")

    monkeypatch.setattr(Post, "read_back", read_back, raising=False)
    arrivals.owe(channel="post", chat="chat-1", now=timezone.now() - timedelta(seconds=1))
    arrivals.owe(channel="post", chat="chat-2", now=timezone.now())

    arrivals.sweep(now=timezone.now())
    arrivals.sweep(now=timezone.now())

    assert looks == ["chat-1", "chat-2", "chat-1"]
    assert set(Arrival.objects.values_list("state", flat=True)) == {State.KEPT, State.DROPPED}
