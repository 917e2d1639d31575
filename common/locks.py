"""Session advisory locks: held by a live process, freed by the kernel when it dies.

A lease alone lets a worker that froze between "claimed" and "sent" do the work twice. A session lock can't be
outlived by its holder's death, and a frozen holder still has it. Each thread keeps one connection of its own for
its locks, apart from Django's: a lock taken on a pooled connection would survive the connection's return.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import psycopg
from django.db import connection

_mine = threading.local()


def lock_key(name: str) -> int:
    """The signed 64-bit number that stands for ``name`` among PostgreSQL's advisory locks."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


@contextmanager
def session_lock(name: str) -> Iterator[bool]:
    """Try to hold the lock called ``name``; yields whether it was free. Never waits."""
    key = lock_key(name)
    held = _take(key)
    try:
        yield held
    finally:
        if held:
            _release(key)


@contextmanager
def session_lock_where_possible(name: str) -> Iterator[bool]:
    """``session_lock`` for what is better done twice than not at all: without a database nobody is kept out."""
    with ExitStack() as stack:
        try:
            held = stack.enter_context(session_lock(name))
        except psycopg.Error:
            held = True
        yield held


def transaction_lock(name: str) -> None:
    """Wait for the lock called ``name`` and hold it, on Django's connection, until its transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key(name)])


def is_free(name: str) -> bool:
    """Whether nobody holds the lock at this moment; only a hint, since it may be taken right after."""
    with session_lock(name) as held:
        return held


def end_holder(name: str) -> bool:
    """Close the database session that holds the lock: its worker has outlived its lease, so it is frozen."""
    key = lock_key(name) & 0xFFFFFFFFFFFFFFFF
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
            " AND classid = %s AND objid = %s AND granted AND pid <> pg_backend_pid()"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [key >> 32, key & 0xFFFFFFFF],
        )
        return bool(cursor.fetchone()[0])


def close() -> None:
    """Close this thread's lock connection, and with it every lock that it holds."""
    kept, _mine.connection = getattr(_mine, "connection", None), None
    if kept is not None:
        with suppress(psycopg.Error):
            kept.close()


def _take(key: int) -> bool:
    if key in _held():  # session locks are re-entrant in PostgreSQL; ours are not
        return False
    for attempt in (1, 2):
        try:
            row = _connection().execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
        except psycopg.OperationalError:  # the server was restarted since the last use
            close()
            _held().clear()
            if attempt == 2:
                raise
        else:
            held = bool(row and row[0])
            if held:
                _held().add(key)
            return held
    return False


def _release(key: int) -> None:
    _held().discard(key)
    try:
        _connection().execute("SELECT pg_advisory_unlock(%s)", [key])
    except psycopg.Error:
        close()


def _held() -> set[int]:
    if not hasattr(_mine, "held"):
        _mine.held = set()
    return _mine.held


def _connection() -> psycopg.Connection[Any]:
    params = connection.get_connection_params()
    wanted = (params.get("host"), params.get("port"), params.get("dbname"))
    kept = getattr(_mine, "connection", None)
    if kept is None or kept.closed or _mine.where != wanted:
        close()
        _held().clear()
        known = {
            key: params[key] for key in ("host", "port", "dbname", "user", "password", "sslmode") if params.get(key)
        }
        _mine.connection = psycopg.connect(
            **known, autocommit=True, connect_timeout=5, application_name="lock", keepalives_idle=10
        )
        _mine.where = wanted
    return _mine.connection
