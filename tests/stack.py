"""The product's real processes for a test: daphne, the Celery worker and the sweep, as `make run` starts them.

They share the PostgreSQL server of the test run, with a database of their own, and have a Valkey of their own, so that
a test may kill it. ``with running(demo=True) as stack: ...`` gives ``stack.url``; ``stack.kill("worker")``,
``stack.start("worker")`` and ``stack.log("worker")`` do what they say.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from config.embedded import EmbeddedValkey
from config.embedded.processes import end_with_parent
from config.embedded.programs import Program, sweep, web, worker
from config.embedded.state import ROOT

APP = ("daphne", "worker", "sweep")


class Stack:
    """The running processes. ``settings`` names another settings module, ``env`` adds to the environment."""

    def __init__(
        self,
        *,
        demo: bool = False,
        programs: tuple[str, ...] = APP,
        settings: str = "config.settings",
        **env: str,
    ) -> None:
        self.demo = demo
        self.folder = Path(tempfile.mkdtemp(prefix="stack-"))
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws = f"ws://127.0.0.1:{self.port}"
        self.database = f"stack_{uuid.uuid4().hex[:12]}"
        self.database_url = _address_of(self.database)
        self.valkey = EmbeddedValkey(self.folder)
        self.programs: dict[str, Program] = {
            "daphne": web(host="127.0.0.1", port=self.port),
            "worker": worker(concurrency=8),
            "sweep": sweep(),
        }
        self.env = {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.valkey.url,
            "STATE_DIR": str(self.folder / "state"),
            "PORT": str(self.port),
            "PUBLIC_URL": self.url,
            "DJANGO_SETTINGS_MODULE": settings,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            **env,
        }
        self._wanted = programs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._line: psycopg.Connection[tuple[object, ...]] | None = None

    def up(self) -> None:
        """Make the database, start everything, wait until the site answers."""
        self.valkey.start(tied=True)
        template = _template(demo=self.demo, valkey=self.valkey.url)
        _administer(f'CREATE DATABASE "{self.database}" TEMPLATE "{template}"')
        for name in self._wanted:
            self._spawn(name)
        if "daphne" in self._wanted:
            self._until_healthy()

    def start(self, name: str) -> None:
        """Start a process that was killed; daphne and Valkey answer when this returns."""
        if name == "valkey":
            self.valkey.start(tied=True)
            return
        self._spawn(name)
        if name == "daphne":
            self._until_healthy()

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """End a process as a crash does, and wait until it is gone."""
        if name == "valkey":
            process = self.valkey.process()
            if process is not None:
                process.send_signal(number)
                process.wait(10)
            return
        child = self._running.pop(name)
        child.send_signal(number)
        child.wait(15)

    def pid(self, name: str) -> int:
        """The process's id, for a closer look."""
        return self._running[name].pid

    def log(self, name: str) -> str:
        """What the process has written so far, over all its lives."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def manage(self, *words: str, **env: str) -> str:
        """Run a management command against this stack; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.env | env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def sql(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Rows straight from the stack's database."""
        # one line for all questions: tests ask many times a second until something is true
        if self._line is None or self._line.closed:
            self._line = psycopg.connect(self.database_url, autocommit=True)
        try:
            found = self._line.execute(query, values)  # type: ignore[arg-type]
        except psycopg.OperationalError:  # a test has cut it, or the server has died: the next question has a new one
            self._line.close()
            raise
        return found.fetchall() if found.description else []

    def stop(self) -> None:
        """End everything and leave nothing behind. How processes end in good order is no matter of a stack's tests."""
        for child in self._running.values():
            child.kill()
        for child in self._running.values():
            child.wait(15)
        self._running.clear()
        self.valkey.stop()
        if self._line is not None:
            self._line.close()
        _administer(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
        shutil.rmtree(self.folder, ignore_errors=True)

    def _spawn(self, name: str) -> None:
        program = self.programs[name]
        words = [str(Path(sys.executable).with_name(program.words[0])), *program.words[1:]]
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                words,
                cwd=ROOT,
                env=self.env | {"PROCESS_KIND": program.kind},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: end_with_parent(signal.SIGTERM),
            )

    def _until_healthy(self) -> None:
        def healthy() -> bool:
            assert self._running["daphne"].poll() is None, self.log("daphne")
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                    return answer.status == 200
            except (urllib.error.URLError, OSError):
                return False

        try:
            until(healthy, seconds=90, what="daphne answers")
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.log('daphne')[-4000:]}") from None


@contextmanager
def running(
    *, demo: bool = False, programs: tuple[str, ...] = APP, settings: str = "config.settings", **env: str
) -> Iterator[Stack]:
    """The product runs while the block does; with ``demo`` it has all that a first start loads."""
    stack = Stack(demo=demo, programs=programs, settings=settings, **env)
    try:
        stack.up()
        yield stack
    finally:
        stack.stop()


def until(true: Callable[[], object], *, seconds: float, what: str) -> float:
    """Wait for something to become true; returns the seconds it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - began


def _template(*, demo: bool, valkey: str) -> str:
    """The database to copy; made once for all the processes of a test run, whoever comes first."""
    name = f"stack_template_{'demo' if demo else 'bare'}"
    mark = Path(os.environ["TEST_RUN_STATE"]) / name
    with mark.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            _make_template(name, demo=demo, valkey=valkey)
            mark.touch()
    return name


def _make_template(name: str, *, demo: bool, valkey: str) -> None:
    _administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    _administer(f'CREATE DATABASE "{name}"')
    steps = [["migrate", "--no-input", "--verbosity", "0"], *([["first_start"]] if demo else [])]
    for step in steps:
        done = subprocess.run(
            [sys.executable, "manage.py", *step],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": _address_of(name),
                "REDIS_URL": valkey,
                "PROCESS_KIND": "command",
                "ADMIN_PASSWORD": "a long pass phrase",
            },
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{step}: {done.stdout}{done.stderr}"


def _administer(statement: str) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(statement)  # type: ignore[arg-type]


def _address_of(database: str) -> str:
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
