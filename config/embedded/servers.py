"""The embedded PostgreSQL and Valkey: real servers from wheels, each behind a unix socket in the state folder.

We run the wheels' programs ourselves. Their Python wrappers open every folder above the data to all accounts, leave
the server behind when we are killed, and run it in the background, where a supervisor can't hold it.
"""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import quote

import psutil

from config.embedded import processes
from config.embedded.processes import ServerProblem
from config.embedded.state import socket_dir

POSTGRES_VERSION = "18"
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": "30s",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "jit": "off",  # it costs more than it gives at the size of our queries
    "timezone": "UTC",
    "log_timezone": "UTC",
    # no statement, parameter or row may stand in the log: they hold personal data
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
}
# a database that lives as long as one run of the tests
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
VALKEY_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "databases": "16",
    "set-proc-title": "no",  # so that the command line tells whose server a process is
    "save": "",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
}


class EmbeddedPostgres:
    """PostgreSQL 18 with pgvector, its files in `home`, one database `postgres` of one user `postgres`."""

    def __init__(self, home: Path, *, fast: bool = False) -> None:
        self.home = home
        self.data = home / "data"
        self.log = home / "postgres.log"
        self.fast = fast
        self._sockets: Path | None = None

    @property
    def sockets(self) -> Path:
        """The folder with the server's socket."""
        if self._sockets is None:
            account = processes.server_account()
            self._sockets = socket_dir(self.home, owner=account and account.pw_uid)
        return self._sockets

    @property
    def url(self) -> str:
        """The address as `DATABASE_URL` takes it."""
        return f"postgresql://postgres@/postgres?host={quote(str(self.sockets), safe='')}"

    def prepare(self) -> None:
        """Make the database's files when they are not there. Raises ServerProblem for files of another version."""
        account = processes.server_account()
        version = self.data / "PG_VERSION"
        if version.exists():
            found = version.read_text().strip()
            if found != POSTGRES_VERSION:
                raise ServerProblem(
                    f"{self.data} was written by PostgreSQL {found}, this is PostgreSQL {POSTGRES_VERSION}: "
                    "start the version that wrote it, or move the folder away."
                )
            return
        # initdb that was killed leaves a folder without a version, which it refuses to fill
        draft = self.home / "data.new"
        processes.remove(draft)
        draft.mkdir(mode=0o700)
        processes.give_to(account, draft)
        command = [str(processes.postgres_programs() / "initdb"), "--pgdata", str(draft), "--username", "postgres"]
        command += ["--auth", "trust", "--encoding", "UTF8", "--locale", processes.locale_name()]
        # PostgreSQL's own table of letters: the same on every system, Cyrillic included
        command += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions", "--no-sync"]
        processes.run(command, account=account, cwd=draft)
        draft.rename(self.data)

    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground."""
        settings = POSTGRES_SETTINGS | (FAST_SETTINGS if self.fast else {})
        words = [str(processes.postgres_programs() / "postgres"), "-D", str(self.data), "-k", str(self.sockets)]
        for name, value in settings.items():
            words += ["-c", f"{name}={value}"]
        return words

    def start(self, *, tied: bool = False) -> None:
        """Start the server, or adopt the one that an earlier process left, and wait until it answers."""
        if not self.running():
            self.stop()  # one that hangs half dead
            self.prepare()
            account = self._make_ready()
            child = processes.spawn(self.command(), account=account, cwd=self.data, log=self.log, tied=tied)
            processes.wait_until(
                lambda: self.running() or _ended(child), seconds=60, what=f"PostgreSQL doesn't answer, see {self.log}."
            )
            if child.returncode is not None and not self.running():
                raise ServerProblem(f"PostgreSQL stopped at once, see {self.log}.")

    def exec(self) -> None:
        """Become the server: this process is replaced by it, for a supervisor that holds it in the foreground."""
        self.stop()
        self.prepare()
        account = self._make_ready()
        os.chdir(self.data)
        processes.become(account)
        processes.end_with_parent(signal.SIGINT)
        command = self.command()
        os.execve(command[0], command, processes.environment())

    def stop(self) -> None:
        """End the server cleanly, whoever started it; a socket and a lock file of a dead one are removed."""
        process = self.process()
        if process is not None:
            processes.end(process, (signal.SIGINT, 8), (signal.SIGQUIT, 3), (signal.SIGKILL, 2))
        # left by a power cut: the pid in it may belong to another process by now, which stops PostgreSQL's start
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def process(self) -> psutil.Process | None:
        """Return the server's process, None when it isn't there."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return processes.find(pid, program="postgres", mention=str(self.data))

    def running(self) -> bool:
        """Say whether the server answers a connection."""
        if self.process() is None:
            return False
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_ready(self) -> pwd.struct_passwd | None:
        account = processes.server_account()
        self.log.touch(mode=0o600)
        processes.give_to(account, self.sockets)
        return account


class EmbeddedValkey:
    """Valkey with an append-only file in `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home / "valkey.log"

    @property
    def socket(self) -> Path:
        """The path of the server's socket."""
        return socket_dir(self.home, owner=None) / "valkey.sock"

    @property
    def url(self) -> str:
        """The address as `REDIS_URL` takes it."""
        return f"unix://{quote(str(self.socket))}"

    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground."""
        words = [str(processes.valkey_program()), "--unixsocket", str(self.socket), "--dir", str(self.home)]
        words += ["--pidfile", str(self.home / "valkey.pid")]
        for name, value in VALKEY_SETTINGS.items():
            words += [f"--{name}", value]
        return words

    def start(self, *, tied: bool = False) -> None:
        """Start the server, or adopt the one that an earlier process left, and wait until it answers."""
        if not self.running():
            self.stop()
            child = processes.spawn(self.command(), account=None, cwd=self.home, log=self.log, tied=tied)
            processes.wait_until(
                lambda: self.running() or _ended(child), seconds=60, what=f"Valkey doesn't answer, see {self.log}."
            )
            if child.returncode is not None and not self.running():
                raise ServerProblem(f"Valkey stopped at once, see {self.log}.")

    def exec(self) -> None:
        """Become the server: this process is replaced by it, for a supervisor that holds it in the foreground."""
        self.stop()
        processes.end_with_parent(signal.SIGINT)
        os.chdir(self.home)
        command = self.command()
        os.execve(command[0], command, processes.environment())

    def stop(self) -> None:
        """End the server cleanly, whoever started it."""
        process = self.process()
        if process is not None:
            processes.end(process, (signal.SIGTERM, 8), (signal.SIGKILL, 2))
        self.socket.unlink(missing_ok=True)

    def process(self) -> psutil.Process | None:
        """Return the server's process, None when it isn't there."""
        try:
            pid = int((self.home / "valkey.pid").read_text())
        except (OSError, ValueError):
            return None
        return processes.find(pid, program="valkey-server", mention=str(self.home))

    def running(self) -> bool:
        """Say whether the server answers a PING."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(5)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(64).startswith(b"+PONG")  # while it reads its file it answers -LOADING
        except OSError:
            return False


def _ended(child: subprocess.Popen[bytes]) -> bool:
    return child.poll() is not None
