"""The embedded default: PostgreSQL, Valkey and keys for whoever has set none.

`ensure` is what `manage.py` calls, `temporary` is for the tests. Nothing here needs Django or the settings.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from config.embedded import processes
from config.embedded.processes import ServerProblem
from config.embedded.servers import EmbeddedPostgres, EmbeddedValkey
from config.embedded.state import folder, postgres_home, secrets, state_dir

__all__ = ["EmbeddedPostgres", "EmbeddedValkey", "ServerProblem", "Servers", "ensure", "known", "temporary"]


class Servers:
    """The servers of one state folder that `env` doesn't already name, and who uses them.

    The lock file `in-use` tells it: every command that uses the servers holds it shared, `make run` holds it alone,
    and the kernel lets go for one that dies. Who can take it alone when he leaves was the last one and stops them.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self.state = state_dir(env)
        self.postgres = None if _given(env, "DATABASE_URL") else EmbeddedPostgres(postgres_home(self.state))
        self.valkey = None if _given(env, "REDIS_URL") else EmbeddedValkey(folder(self.state / "valkey"))
        self._in_use = -1

    @property
    def needed(self) -> bool:
        """Whether there is any server to start."""
        return self.postgres is not None or self.valkey is not None

    def addresses(self) -> dict[str, str]:
        """Return `DATABASE_URL` and `REDIS_URL` of the servers, also while they aren't running."""
        found = {}
        if self.postgres is not None:
            found["DATABASE_URL"] = self.postgres.url
        if self.valkey is not None:
            found["REDIS_URL"] = self.valkey.url
        return found

    def running(self) -> bool:
        """Say whether every server answers."""
        return all(server.running() for server in (self.postgres, self.valkey) if server is not None)

    def take_alone(self) -> bool:
        """Become the only user, as `make run` is; False when a command uses the servers just now."""
        return self._lock(fcntl.LOCK_EX)

    def join(self, *, seconds: float = 60) -> None:
        """Use the servers: those that `make run` or another command has running, else start them."""
        deadline = time.monotonic() + seconds
        while not self._lock(fcntl.LOCK_SH):
            if self.running():  # `make run` holds them, and keeps them after we are gone
                return
            if time.monotonic() > deadline:
                raise ServerProblem(
                    f"The servers of {self.state} are being started by another command, but don't answer."
                )
            time.sleep(0.1)
        with self._starting():
            self.start()

    def leave(self) -> None:
        """Stop using the servers; the last one stops them."""
        if self._in_use >= 0:
            try:
                if self._lock(fcntl.LOCK_EX):
                    self.stop()
            finally:
                os.close(self._in_use)
                self._in_use = -1

    def start(self, *, tied: bool = False) -> None:
        """Start what isn't running; what an earlier crash left running is adopted."""
        for server in (self.postgres, self.valkey):
            if server is not None:
                server.start(tied=tied)

    def stop(self) -> None:
        """Stop what is running, whoever started it."""
        for server in (self.valkey, self.postgres):
            if server is not None:
                server.stop()

    def lock_handle(self) -> int:
        """Return the lock's file handle, for a child that shall hold it on when we die."""
        return self._in_use

    def _lock(self, kind: int) -> bool:
        if self._in_use < 0:
            self._in_use = os.open(self.state / "in-use", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._in_use, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @contextmanager
    def _starting(self) -> Iterator[None]:
        handle = os.open(self.state / "starting", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def known(env: Mapping[str, str]) -> dict[str, str]:
    """Return keys and addresses that `env` doesn't have, and `STATE_DIR`, without starting anything."""
    return _place(env) if in_production(env) else _missing(env, Servers(env))


def in_production(env: Mapping[str, str]) -> bool:
    """Say whether nothing may be made up here: production's keys and servers are named, or it doesn't start."""
    return env.get("ENVIRONMENT") == "production"


def ensure(env: Mapping[str, str]) -> dict[str, str]:
    """Return keys and addresses that `env` doesn't have, and `STATE_DIR`, with the servers behind them running.

    Servers that this process starts end with it, also by SIGTERM or SIGINT, unless another command uses them then.
    """
    if in_production(env):
        return _place(env)
    servers = Servers(env)
    if servers.needed:
        _end_by_exit(signal.SIGTERM)
        _end_by_exit(signal.SIGHUP)
        owner = os.getpid()
        # a forked child shares our lock and must not let go of it
        atexit.register(lambda: servers.leave() if os.getpid() == owner else None)
        servers.join()
    return _missing(env, servers)


@contextmanager
def temporary(place: Path) -> Iterator[dict[str, str]]:
    """Run a fresh pair of servers in `place`, fast instead of crash-safe; yield the two addresses.

    They end with the block, and by the kernel's hand when this process is killed.
    """
    env = {"STATE_DIR": str(place / "state")}
    servers = Servers(env)
    assert servers.postgres is not None and servers.valkey is not None
    servers.postgres.fast = True
    try:
        servers.start(tied=True)
        yield servers.addresses()
    finally:
        servers.stop()
        # these may be outside of `place`, and no later command will look there
        for folder_ in (servers.postgres.sockets, servers.valkey.socket.parent, servers.postgres.home):
            processes.remove(folder_)


def _missing(env: Mapping[str, str], servers: Servers) -> dict[str, str]:
    found = servers.addresses() | secrets(servers.state)
    missing = {name: value for name, value in found.items() if not _given(env, name)}
    return missing | _place(env)


def _place(env: Mapping[str, str]) -> dict[str, str]:
    # absolute: a relative one means the checkout, whatever folder a command is called from
    return {"STATE_DIR": str(state_dir(env))}


def _given(env: Mapping[str, str], name: str) -> bool:
    # the settings also take a value from the file that NAME_FILE names
    return bool(env.get(name) or env.get(f"{name}_FILE"))


def _end_by_exit(number: int) -> None:
    # the default action ends a process without its exit handlers, and the servers would stay behind
    def leave(signal_number: int, frame: FrameType | None) -> None:
        sys.exit(128 + signal_number)

    if signal.getsignal(number) is signal.SIG_DFL:
        signal.signal(number, leave)
