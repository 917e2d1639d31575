"""A checkout of one's own, commands run in it, and a close look at what processes they leave."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from config.embedded.state import ROOT

# the code comes with its bytecode: to translate it anew takes longer than to start
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".state", ".env", ".*_cache", ".hypothesis", "node_modules", "tests", "docs", "benchmarks"
)
# what tells a process of ours where to go; a command under test gets none of it
OURS = {
    "DATABASE_URL",
    "REDIS_URL",
    "STATE_DIR",
    "SECRET_KEY",
    "FIELD_ENCRYPTION_KEYS",
    "BLIND_INDEX_KEY",
    "RATE_LIMITS",
    "TEST_RUN_STATE",
    "PROMETHEUS_MULTIPROC_DIR",
    "PROCESS_KIND",
    "PORT",
    "ADMIN_PASSWORD",
    "MAKELEVEL",
    "MAKEFLAGS",
}


def environment(**more: str) -> dict[str, str]:
    """The environment of a person's terminal, with what the test adds."""
    return {name: value for name, value in os.environ.items() if name not in OURS} | more


def checkout(folder: Path) -> Path:
    """A copy of the code, with this environment's packages, passable for root's database account."""
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    folder.chmod(0o711)
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def finish(words: list[str], *, cwd: Path, seconds: float = 60, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        words, cwd=cwd, env=environment(**env), capture_output=True, text=True, timeout=seconds, check=False
    )


def until(true: Callable[[], object], *, seconds: float, what: str) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def alive(processes: list[psutil.Process]) -> list[str]:
    """Those of the processes that still run, in words."""
    left = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                left.append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
        except psutil.NoSuchProcess:
            continue
    return left


def family(pid: int) -> list[psutil.Process]:
    """A process and all that descend from it."""
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def get(address: str) -> int:
    """The status of an address; 0 when nobody answers."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code
    except OSError:
        return 0


def _hear_all() -> None:
    """A new process's first act: to be ended by what ends one in a terminal, as Python sees to for Ctrl-C."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


class Running:
    """A command that goes on, in a session of its own as a terminal gives one, with what it has printed so far."""

    def __init__(self, words: list[str], *, cwd: Path, **env: str) -> None:
        self.began = time.monotonic()
        self.child = subprocess.Popen(
            words,
            cwd=cwd,
            env=environment(**env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # a terminal gives a command all its signals; whoever runs the tests may have been told to ignore some
            preexec_fn=_hear_all,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def says(self, text: str, *, seconds: float) -> float:
        """Wait until it has printed `text`; return the seconds since its start."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert self.child.poll() is None, f"it ended with {self.child.returncode}:\n{self.output}"
            assert time.monotonic() < deadline, f"not within {seconds} s: {text!r} in\n{self.output}"
            time.sleep(0.05)
        return time.monotonic() - self.began

    def send(self, number: int, *, group: bool) -> None:
        """Send a signal to it, or as the terminal does to everything in the foreground."""
        if group:
            os.killpg(self.child.pid, number)
        else:
            self.child.send_signal(number)

    def release(self) -> None:
        """Close its input: the commands of these tests take that as their work's end."""
        assert self.child.stdin is not None
        self.child.stdin.close()

    def wait(self, seconds: float) -> int:
        status = self.child.wait(seconds)
        self._reader.join(5)
        return status

    def _read(self) -> None:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            self.lines.append(line)


@contextmanager
def running(words: list[str], *, cwd: Path, **env: str) -> Iterator[Running]:
    """A command that goes on while the block does."""
    command = Running(words, cwd=cwd, **env)
    try:
        yield command
    finally:
        relatives = family(command.child.pid)
        if command.child.poll() is None:
            command.child.terminate()
            try:
                command.child.wait(20)
            except subprocess.TimeoutExpired:
                command.child.kill()
        for process in relatives:
            if process.is_running():
                process.kill()
