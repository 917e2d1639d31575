"""The state folder: where the embedded servers keep their data, and the keys made on the first start.

Importable before Django is configured, and by the set-up before anything is installed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets as randomness
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_STATE = Path("/var/lib/ai-sales")
# the kernel takes 108 bytes for a unix socket's path (104 on macOS), and PostgreSQL adds `.s.PGSQL.5432.lock`
LONGEST_FOLDER = 80


def state_dir(env: Mapping[str, str]) -> Path:
    """Return the state folder (`STATE_DIR`, else `.state` in the checkout), made when it is not there."""
    named = Path(env.get("STATE_DIR") or ".state").expanduser()
    path = Path(os.path.abspath(named if named.is_absolute() else ROOT / named))
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)  # two commands may begin at once
        # root's database server runs as another account, which has to pass through but not to look around
        path.chmod(0o711 if as_root() else 0o700)
    return path


def folder(path: Path) -> Path:
    """Return `path`, made as a folder of ours alone when it is not there."""
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def as_root() -> bool:
    """Say whether this process runs as root, which PostgreSQL refuses to do."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def closed_to_others(path: Path) -> bool:
    """Say whether another account can't pass through `path` or a folder above it."""
    return any(folder.exists() and not folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def postgres_home(state: Path) -> Path:
    """Return the folder for the database's files: `postgres` in the state folder, or a link there that leads out.

    As root the server runs as an account of its own. Where that account could not reach the state folder (a home of
    mode 700), the files go below the system's state folder, so that nobody's home has to be opened.
    """
    home = state / "postgres"
    if home.is_symlink() or home.is_dir():
        return Path(os.path.realpath(home))
    if as_root() and closed_to_others(state):
        # random: a state folder that was deleted and made anew has new keys, so it must not find the old data
        target = SYSTEM_STATE / f"{digest(state)}-{randomness.token_hex(3)}"
        target.mkdir(parents=True)
        SYSTEM_STATE.chmod(0o711)
        target.chmod(0o711)
        try:
            home.symlink_to(target)
        except FileExistsError:  # another command was quicker
            target.rmdir()
        return Path(os.path.realpath(home))
    home.mkdir(exist_ok=True)
    home.chmod(0o711 if as_root() else 0o700)
    return home


def socket_dir(home: Path, *, owner: int | None) -> Path:
    """Return a folder for a server's unix socket: short enough for the kernel, open to `owner` (else us) alone."""
    path = home / "socket"
    if len(os.fsencode(path)) > LONGEST_FOLDER:
        # not tempfile.gettempdir(): TMPDIR may differ between two commands that must meet at one socket
        path = Path("/tmp") / f"ai-sales-{os.getuid()}-{digest(home)}"
    found = folder(path).lstat()
    if (
        not stat.S_ISDIR(found.st_mode)
        or found.st_mode & 0o077
        or found.st_uid not in {os.getuid(), os.getuid() if owner is None else owner}
    ):
        raise PermissionError(f"{path} is not ours alone: remove it.")
    return path


def digest(path: Path) -> str:
    """Return twelve letters and digits that stand for a path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def secrets(state: Path) -> dict[str, str]:
    """Return the installation's keys, made on the first call and kept in `keys.json` (mode 0600)."""
    path = state / "keys.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        pass
    made = {
        "SECRET_KEY": randomness.token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS": f"1:{_key()}",
        "BLIND_INDEX_KEY": _key(),
    }
    write_once(path, json.dumps(made, indent=1) + "\n")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def write_once(path: Path, text: str) -> None:
    """Write a file of mode 0600 that appears whole or not at all; the first of several writers wins."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(name, path)
        except FileExistsError:
            return
    finally:
        os.unlink(name)


def _key() -> str:
    return base64.b64encode(randomness.token_bytes(32)).decode("ascii")
