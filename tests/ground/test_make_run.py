"""`make run` as a person meets it: in a checkout of its own, in a terminal's session, down to the last process.

The tests share one installation and go through its life in their order: first start, use, Ctrl-C, second start, crash.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from config.embedded import Servers
from config.embedded.processes import remove
from config.embedded.supervisor import Control, control_socket
from tests.ground.support import Running, alive, checkout, family, finish, free_port, get, running, until

MAKE = ["make", "--no-print-directory", "run", f"PYTHON={sys.executable}"]
APPLICATION = {"worker", "beat", "sweep", "daphne"}
PROGRAMS = {"postgres", "valkey", *APPLICATION}
# a machine that does other things beside is slow, not broken
pytestmark = pytest.mark.timeout(400)
PASSWORD = "korrekt-horse-battery"
# the promise is fifteen seconds; a busy machine gets a little more before we call it broken
SECONDS_TO_STOP = 18


class Installation:
    """A checkout with its state, and the `make run` that is on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.state = folder / ".state"
        self.command: Running | None = None
        self.kept: dict[str, Any] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> float:
        """Start it, wait until it says that it is ready, and return the seconds this took."""
        assert self.command is None
        self.command = Running(MAKE, cwd=self.folder)
        return self.command.says("Stop with Ctrl-C", seconds=300)

    def everything(self) -> list[psutil.Process]:
        """All processes of the running installation, PostgreSQL's own included."""
        assert self.command is not None
        found = family(self.command.child.pid)
        assert len(found) > len(PROGRAMS)
        return found

    def stopped(self) -> Running:
        """Give the ended command back and forget it."""
        assert self.command is not None
        ended, self.command = self.command, None
        return ended

    def programs(self) -> dict[str, tuple[str, int]]:
        return Control(control_socket(self.state)).state()

    def post(self, path: str, token: str = "", **data: Any) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(f"{self.address}{path}", json.dumps(data).encode(), headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return dict(json.load(answer))


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="ground-"))
    folder.chmod(0o711)
    here = Installation(checkout(folder / "app"))
    (here.folder / ".env").write_text(f"# of a test\nPORT={here.port}\nADMIN_PASSWORD='{PASSWORD}'\nRATE_LIMITS=off\n")
    yield here
    if here.command is not None:
        left = family(here.command.child.pid)
        here.command.child.terminate()
        try:
            here.command.child.wait(20)
        except subprocess.TimeoutExpired:
            here.command.child.kill()
        for process in left:
            if process.is_running():
                process.kill()
    servers = Servers({"STATE_DIR": str(here.state)})
    servers.stop()
    assert servers.postgres is not None
    remove(servers.postgres.home)
    remove(folder)


def token(installation: Installation) -> str:
    return str(installation.post("/api/v1/auth/token", username="admin", password=PASSWORD)["access"])


def test_the_first_start_shows_its_steps_and_ends_ready(installation: Installation) -> None:
    seconds = installation.start()
    assert installation.command is not None
    output = installation.command.output

    assert [f"[{number}/7]" in output for number in range(1, 8)] == [True] * 7
    assert f"{installation.address}/admin/" in output
    assert PASSWORD not in output
    assert get(f"{installation.address}/health") == 200
    assert get(f"{installation.address}/ready") == 200
    assert seconds < 300


def test_the_account_and_the_catalogue_are_there(installation: Installation) -> None:
    request = {"products": [{"product": "ai_manager", "volume": 1800}], "services": [], "billing_period": "year"}

    installation.kept["token"] = token(installation)
    quote = installation.post("/api/v1/pricing/quotes", **request)
    installation.kept["quote"] = quote

    assert quote["number"]
    assert float(quote["total"]) > 0


def test_state_and_keys_are_closed_to_others(installation: Installation) -> None:
    modes = {path.name: path.stat().st_mode & 0o077 for path in installation.state.iterdir() if path.is_file()}

    assert {"keys.json", "in-use", "supervisor.conf"} <= set(modes)
    assert [name for name, mode in modes.items() if mode] == []
    keys = json.loads((installation.state / "keys.json").read_text())
    assert [name for name, key in keys.items() if key in (installation.state / "supervisor.conf").read_text()] == []


def test_nothing_listens_but_the_one_port(installation: Installation) -> None:
    pids = {process.pid for process in installation.everything()}
    listening = {
        connection.laddr.port
        for connection in psutil.net_connections(kind="inet")
        if connection.pid in pids and connection.status == psutil.CONN_LISTEN
    }

    assert listening == {installation.port}


def test_commands_use_the_running_servers_and_leave_them_running(installation: Installation) -> None:
    before = installation.programs()

    done = finish([sys.executable, "manage.py", "migrate", "--check"], cwd=installation.folder, seconds=120)

    assert (done.returncode, done.stdout) == (0, "")
    assert installation.programs() == before


def test_a_second_start_of_the_same_installation_is_refused(installation: Installation) -> None:
    second = finish(MAKE, cwd=installation.folder, seconds=60)

    assert second.returncode == 2
    assert "It is running already" in second.stderr
    assert "Traceback" not in second.stderr
    assert get(f"{installation.address}/health") == 200


def test_a_busy_port_is_refused_in_a_sentence(installation: Installation, folder: Path) -> None:
    other = finish(MAKE, cwd=installation.folder, seconds=60, STATE_DIR=str(folder / "state"))

    assert other.returncode == 2
    assert f"Port {installation.port} is busy" in other.stderr
    assert "Traceback" not in other.stderr


@pytest.mark.parametrize(
    "name",
    [
        "postgres",
        "valkey",
        "worker",
        # the supervisor has the same words for these as for the worker
        *(pytest.param(name, marks=pytest.mark.proof) for name in sorted(APPLICATION - {"worker"})),
    ],
)
def test_what_is_killed_is_started_again(installation: Installation, name: str) -> None:
    _, pid = installation.programs()[name]
    os.kill(pid, signal.SIGKILL)

    def back() -> bool:
        state, another = installation.programs()[name]
        return state == "RUNNING" and another not in (0, pid)

    until(back, seconds=15, what=f"{name} runs again")
    until(lambda: get(f"{installation.address}/ready") == 200, seconds=120, what="the product answers again")


def test_ctrl_c_ends_everything_in_time(installation: Installation) -> None:
    assert installation.command is not None
    everything = installation.everything()
    begin = time.monotonic()

    installation.command.send(signal.SIGINT, group=True)  # the terminal sends it to make and to all its children
    installation.command.wait(SECONDS_TO_STOP)
    seconds = time.monotonic() - begin
    output = installation.stopped().output

    assert seconds < SECONDS_TO_STOP
    assert alive(everything) == []
    assert "Stopped. The data is kept" in output
    assert "Traceback" not in output


def test_commands_start_and_stop_the_servers_themselves_when_nothing_runs(installation: Installation) -> None:
    done = finish([sys.executable, "manage.py", "migrate", "--check"], cwd=installation.folder, seconds=120)
    servers = Servers({"STATE_DIR": str(installation.state)})
    assert servers.postgres is not None and servers.valkey is not None

    assert (done.returncode, done.stdout) == (0, "")
    assert (servers.postgres.process(), servers.valkey.process()) == (None, None)


def test_help_starts_no_server(installation: Installation) -> None:
    log = installation.state / "postgres" / "postgres.log"
    before = log.stat().st_size

    done = finish([sys.executable, "manage.py", "migrate", "--help"], cwd=installation.folder)

    assert done.returncode == 0
    assert log.stat().st_size == before


def test_the_second_start_keeps_the_data(installation: Installation) -> None:
    first_keys = (installation.state / "keys.json").read_text()

    installation.start()
    assert installation.command is not None
    again = token(installation)
    request = {"products": [{"product": "ai_manager", "volume": 1800}], "services": [], "billing_period": "year"}
    quote = installation.post("/api/v1/pricing/quotes", **request)

    assert again
    assert quote["total"] == installation.kept["quote"]["total"]
    assert quote["number"] != installation.kept["quote"]["number"]
    assert (installation.state / "keys.json").read_text() == first_keys
    assert "loading" not in installation.command.output


def test_nothing_survives_a_killed_supervisor(installation: Installation) -> None:
    everything = installation.everything()
    supervisor = [process for process in everything if "supervisor.supervisord" in process.cmdline()]

    supervisor[0].kill()

    until(lambda: alive(everything) == [], seconds=SECONDS_TO_STOP, what="everything ends")
    assert "The supervisor ended by itself" in installation.stopped().output


def test_a_database_of_a_newer_version_is_refused_in_a_sentence(installation: Installation) -> None:
    code = (
        "import os, psycopg; from config.embedded import ensure; found = ensure(os.environ)\n"
        "with psycopg.connect(found['DATABASE_URL']) as database:\n"
        '    database.execute("{}")\n'
    )
    insert = "INSERT INTO django_migrations (app, name, applied) VALUES ('sales', '9999_future', now())"
    delete = "DELETE FROM django_migrations WHERE name = '9999_future'"
    done = finish([sys.executable, "-c", code.format(insert)], cwd=installation.folder)
    assert done.returncode == 0, done.stderr

    refused = finish(MAKE, cwd=installation.folder, seconds=120)

    finish([sys.executable, "-c", code.format(delete)], cwd=installation.folder)
    assert refused.returncode == 2
    assert "written by a newer version" in refused.stderr
    assert "sales.9999_future" in refused.stderr
    assert "Traceback" not in refused.stderr + refused.stdout


@pytest.fixture(scope="module")
def bare() -> Iterator[Path]:
    """A checkout that is never started, for one `.env` after another."""
    path = Path(tempfile.mkdtemp(prefix="ground-"))
    path.chmod(0o711)
    yield checkout(path / "app")
    remove(path)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        pytest.param("SECRET_KEY 'planted", ".env, line 2: expected NAME=value", marks=pytest.mark.proof),
        ("SECRET_KEY='planted", ".env, line 2 (SECRET_KEY): the quote ' is never closed"),
        ("PORT=99999", "PORT must be a whole number"),
        pytest.param("PORT=planted", "PORT must be a whole number", marks=pytest.mark.proof),
        pytest.param("RATE_LIMITS=planted", "RATE_LIMITS must be on or off", marks=pytest.mark.proof),
        ("FIELD_ENCRYPTION_KEYS=1:planted", "FIELD_ENCRYPTION_KEYS"),
        ("DATABASE_URL=postgresql://planted@127.0.0.1:1/none", "PostgreSQL"),
    ],
)
def test_a_broken_env_file_is_refused_in_a_sentence(bare: Path, line: str, told: str) -> None:
    here = bare
    (here / ".env").write_text(f"# of a test\n{line}\n")
    port = {} if line.startswith("PORT") else {"PORT": str(free_port())}

    refused = finish(MAKE, cwd=here, seconds=120, **port)
    sentence = [each for each in refused.stderr.splitlines() if each and not each.startswith("make:")]

    assert refused.returncode == 2
    assert len(sentence) == 1, refused.stderr
    assert told in sentence[0]
    assert "planted" not in refused.stderr


def test_a_command_with_a_broken_env_file_is_refused_in_a_sentence(bare: Path) -> None:
    here = bare
    (here / ".env").write_text("WHAT IS THIS\n")

    refused = finish([sys.executable, "manage.py", "migrate"], cwd=here)

    assert refused.returncode == 2
    assert refused.stderr == f"{here / '.env'}, line 1: expected NAME=value.\n"


@pytest.mark.parametrize(
    ("victim", "number"),
    [
        ("terminal", signal.SIGINT),
        pytest.param("make", signal.SIGTERM, marks=pytest.mark.proof),
        pytest.param("make", signal.SIGKILL, marks=pytest.mark.proof),
        ("launcher", signal.SIGKILL),
    ],
)
def test_a_start_that_is_cut_short_leaves_nothing_running(folder: Path, victim: str, number: int) -> None:
    here = checkout(folder / "app")
    with running(MAKE, cwd=here, PORT=str(free_port())) as command:
        command.says("[5/7]", seconds=60)
        everything = family(command.child.pid)
        launcher = [process for process in everything if process.cmdline()[-2:] == ["config.embedded", "run"]]

        if victim == "launcher":
            launcher[0].send_signal(number)
        else:
            command.send(number, group=victim == "terminal")

        until(lambda: alive(everything) == [], seconds=SECONDS_TO_STOP, what="everything ends")

    assert len(everything) >= 5  # make, the launcher, the supervisor, the servers, the database's own
    assert "Traceback" not in command.output
