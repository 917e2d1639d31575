"""A channel of a vendor to send over, and a conversation on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from sales.models import Conversation, User
from sales.operations import open_conversation
from tests.channels.conformance import Driver
from tests.channels.post import Office, Post


@pytest.fixture
def post(settings: Any) -> Iterator[Post]:
    settings.CHANNELS = {**settings.CHANNELS, "post": "tests.channels.post.channel"}
    Office.post = Post()
    yield Office.post
    Office.post = None


@pytest.fixture
def chat(post: Post, db: None) -> Conversation:
    return open_conversation(channel="post", external_id="chat-1", now=timezone.now())


@pytest.fixture
def driver(request: Any, settings: Any, db: None) -> Iterator[Driver]:
    made = request.param(settings)
    yield made
    made.stop()


@pytest.fixture
def colleague_here(db: None) -> User:
    return User.objects.create(username="anna")
