"""A state folder outside of the run's own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import Servers


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that root's database account may pass through; servers left in it are stopped."""
    path = Path(tempfile.mkdtemp(prefix="ground-"))
    path.chmod(0o711)
    yield path
    for state in path.rglob("keys.json"):
        servers = Servers({"STATE_DIR": str(state.parent)})
        servers.stop()
        assert servers.postgres is not None
        shutil.rmtree(servers.postgres.home, ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)
