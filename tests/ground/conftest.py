"""A state folder outside of the run's own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import Servers


@pytest.fixture(scope="module")
def _born() -> Iterator[Path]:
    """The files of an empty database, as the first start makes them."""
    path = Path(tempfile.mkdtemp(prefix="ground-"))
    path.chmod(0o711)
    servers = Servers({"STATE_DIR": str(path / "state")})
    assert servers.postgres is not None
    servers.postgres.prepare()
    yield servers.postgres.data
    shutil.rmtree(servers.postgres.home, ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def begun(folder: Path, _born: Path) -> Path:
    """A folder whose state has seen its first start: to make a database's files takes longer than all that follows."""
    servers = Servers({"STATE_DIR": str(folder / "state")})
    assert servers.postgres is not None
    subprocess.run(["cp", "-a", str(_born), str(servers.postgres.data)], check=True)
    return folder


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
