"""What every test may use: the servers of the run, an operator, a conversation."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils import timezone

from common import locks
from tests import flushing


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The test database as pytest-django makes it; what tests commit is taken away more cheaply than by Django."""
    with django_db_blocker.unblock():
        flushing.install()


@pytest.fixture(scope="session", autouse=True)
def _passwords_cost_nothing() -> None:
    """The product's way to keep passwords with few of its rounds: half a second for each account goes nowhere else."""
    PBKDF2PasswordHasher.iterations = 1000


@pytest.fixture(autouse=True)
def _no_lock_outlives_its_test() -> Any:
    """Close this thread's lock connection, or the test database could not be dropped."""
    yield
    locks.close()


@pytest.fixture
def now() -> Any:
    return timezone.now()


@pytest.fixture
def operator(db: Any) -> Any:
    """A member of staff who may do everything."""
    from sales.models import User

    return User.objects.create_superuser(username=f"boss-{uuid.uuid4().hex[:8]}", password="a long pass phrase")


@pytest.fixture
def conversation(db: Any) -> Any:
    """An empty conversation of a new lead."""
    from sales.operations import open_conversation

    return open_conversation(channel="webchat", external_id=uuid.uuid4().hex, now=timezone.now())
