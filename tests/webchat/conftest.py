"""The running product, once for all tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stack import Stack, running


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Real processes with a model that repeats what it reads."""
    with running(settings="tests.webchat.parrot") as started:
        yield started
