"""`make run`: start the servers, bring the database up to date, load the demo, start the rest, wait for Ctrl-C."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import psutil

from common.env import BadEnvironment, number
from config.embedded import Servers, dotenv, known
from config.embedded.processes import ServerProblem, end_with_parent, remove
from config.embedded.programs import on_one_machine
from config.embedded.state import ROOT, folder
from config.embedded.supervisor import Control, configuration, control_socket

STEPS = 7
SECONDS_TO_STOP = 14
SECONDS_TO_ANSWER = 300
TRIES = 4
# each takes a processor for seconds while it starts: what a visitor waits for goes first
FIRST = ("daphne", "worker")
THEN = ("sweep", "beat")


class Refused(Exception):
    """The product can't start; the text is one sentence for the person at the terminal."""


class Stopped(Exception):
    """A signal asked us to stop."""


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def run() -> int:
    """Serve until Ctrl-C, SIGTERM or SIGHUP; return 0 after a clean stop, 2 when something has to be put right."""
    for number_ in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number_, _stop)
    if "MAKELEVEL" in os.environ:
        end_with_parent()  # also when make itself is killed
    supervisor: subprocess.Popen[bytes] | None = None
    servers: Servers | None = None
    status = 0
    try:
        dotenv.load(ROOT / ".env", os.environ)
        servers = Servers(os.environ)
        os.environ.update(_environment())
        port = _port()
        _alone(servers, port=port)
        supervisor = _start_supervisor(servers, port=port)
        _bring_up(supervisor, servers, port=port)
        status = _watch(supervisor)
    except Stopped:
        pass
    except (Refused, ServerProblem, BadEnvironment, dotenv.BadLine, OSError) as problem:
        print(f"\n{problem}", file=sys.stderr, flush=True)
        status = 2
    finally:
        _ignore_signals()
        if supervisor is not None:
            say("\nStopping …")
            _end(supervisor)
            if servers is not None:
                servers.stop()  # a killed supervisor leaves them to us
            say("Stopped. The data is kept; start again with: make run")
    return status


def _stop(number_: int, frame: FrameType | None) -> None:
    _ignore_signals()  # one request is enough: a second one must not cut the stopping short
    raise Stopped


def _ignore_signals() -> None:
    for number_ in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number_, signal.SIG_IGN)


def _environment() -> dict[str, str]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:  # a websocket is an open file
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 65536, hard))
    found = known(os.environ)
    found.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    return found | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}


def _port() -> int:
    port = number("PORT", default=8000, least=1, most=65535)
    import config.settings  # noqa: F401 - a bad value anywhere in the environment is said now, in one sentence

    return port


def _alone(servers: Servers, *, port: int) -> None:
    deadline = time.monotonic() + 20
    while not servers.take_alone():
        if (servers.state / "supervisor" / "supervisord.pid").exists() and servers.running():
            raise Refused(
                f"It is running already with the state folder {servers.state}: stop it first, or set STATE_DIR."
            )
        if time.monotonic() > deadline:
            raise Refused(f"Another command is using the servers of {servers.state}: let it end first.")
        time.sleep(0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Refused(
                f"Port {port} is busy: stop what uses it, or choose another, e.g. PORT={port + 1} make run"
            ) from None


def _start_supervisor(servers: Servers, *, port: int) -> subprocess.Popen[bytes]:
    state = servers.state
    logs = folder(state / "logs")
    ours = (("postgres", servers.postgres), ("valkey", servers.valkey))
    own = [name for name, server in ours if server is not None]
    say(f"[4/{STEPS}] starting the servers ({', '.join(own) or 'none: both are given'}) …")
    if servers.postgres is not None:
        servers.postgres.prepare()
    remove(state / "metrics")  # counted by processes that are gone; their numbers may be used again
    path = state / "supervisor.conf"
    path.write_text(configuration(state=state, servers=own, programs=on_one_machine(port=port)), encoding="utf-8")
    path.chmod(0o600)
    control_socket(state).unlink(missing_ok=True)
    with (logs / "supervisord.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(path)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us, and we stop it in order
            preexec_fn=end_with_parent,
            pass_fds=(servers.lock_handle(),),  # the state folder stays taken as long as the supervisor lives
        )


def _bring_up(supervisor: subprocess.Popen[bytes], servers: Servers, *, port: int) -> None:
    state = servers.state
    logs = state / "logs"
    _wait(servers.running, supervisor, seconds=60, what=f"The servers don't answer: see {logs}")
    _prepare_database(log=logs / "set-up.log")
    say(f"[7/{STEPS}] starting the application …")
    control = Control(control_socket(state))
    for name in FIRST:
        control.start(f"app:{name}")
    _wait_for_answer(supervisor, control, port=port, log=logs / "daphne.log")
    for name in THEN:
        control.start(f"app:{name}")
    say(
        f"\n  Ready.\n\n"
        f"  Site and chat    http://127.0.0.1:{port}/\n"
        f"  Back office      http://127.0.0.1:{port}/admin/   login: admin\n"
        f"  API              http://127.0.0.1:{port}/api/docs\n"
        f"  Logs             {logs}\n\n"
        f"  Stop with Ctrl-C.\n"
    )


def _prepare_database(*, log: Path) -> None:
    """Migrate and load in a process of its own; its answers go to the terminal, its log to the file."""
    told: list[str] = []
    with log.open("a", encoding="utf-8") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", "config.embedded.database", str(STEPS)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C is for us
            preexec_fn=end_with_parent,
        )
        assert child.stderr is not None
        try:
            for line in child.stderr:
                file.write(line)
                told.append(line)
            status = child.wait()
        except BaseException:
            child.terminate()
            child.wait()
            raise
    words = "".join(told).strip()
    if status == 2 and words:
        raise Refused(words.splitlines()[-1])
    if status:
        raise Refused(f"{words[-4000:]}\n\nThe database can't be prepared; the lines above say why (also in {log}).")


def _wait(ready: Callable[[], bool], supervisor: subprocess.Popen[bytes], *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if supervisor.poll() is not None or time.monotonic() > deadline:
            raise Refused(what)
        time.sleep(0.1)


def _wait_for_answer(supervisor: subprocess.Popen[bytes], control: Control, *, port: int, log: Path) -> None:
    """Wait for the first answer; a slow machine gets its time, a server that dies again and again doesn't."""
    seen: set[int] = set()
    begin = shown = time.monotonic()

    def answers() -> bool:
        nonlocal shown
        seen.add(control.state()["daphne"][1])
        if len(seen - {0}) >= TRIES:
            raise Refused(f"The web server ends as soon as it is started: see {log}")
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            say(f"      {shown - begin:.0f} s")
        return _healthy(port)

    _wait(answers, supervisor, seconds=SECONDS_TO_ANSWER, what=f"The web server doesn't answer: see {log}")


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _watch(supervisor: subprocess.Popen[bytes]) -> int:
    supervisor.wait()
    print("The supervisor ended by itself; see logs/supervisord.log in the state folder.", file=sys.stderr)
    return 1


def _end(supervisor: subprocess.Popen[bytes]) -> None:
    try:
        family = psutil.Process(supervisor.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    supervisor.terminate()
    try:
        supervisor.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        for process in family:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        supervisor.kill()
        supervisor.wait()
