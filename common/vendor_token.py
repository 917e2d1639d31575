"""A vendor's short-lived token: one for all processes, renewed early, asked for by one of them at a time."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.core.cache import cache

from common import keyring, locks
from common.problems import TemporaryProblem

#: how often somebody who waits for another's renewal looks whether it is there, and for how long
LOOK, WAIT_MOST = 0.05, 5.0

#: tokens of this process, by account
_memory: dict[str, tuple[str, float]] = {}


class SharedToken:
    """The token of an account.

    ``secret`` says which account it is and never leaves this process. ``renew()`` gives a new token and the seconds
    that it lives; it is renewed ``early`` seconds before its end.
    """

    def __init__(self, vendor: str, secret: str, renew: Callable[[], tuple[str, float]], *, early: float) -> None:
        digest = hashlib.blake2b(secret.encode(), digest_size=12).hexdigest()
        self._name = f"token:{vendor}:{digest}"
        self._vendor = vendor
        self._renew = renew
        self._early = early

    def get(self, *, stale: str = "") -> str:
        """A token that is good for a while yet; ``stale`` is one that the vendor no longer takes."""
        ends = time.monotonic() + WAIT_MOST
        while True:
            if kept := self._kept(stale):
                return kept
            with _lock(self._name) as mine:
                if mine:
                    return self._kept(stale) or self._fresh()
            if time.monotonic() > ends:
                raise TemporaryProblem(f"{self._vendor}: no token in time")
            time.sleep(LOOK)

    def forget(self) -> None:
        """As if none had ever been given."""
        _memory.pop(self._name, None)
        cache.delete(self._name)

    def _kept(self, stale: str) -> str:
        now = time.time()
        here = _memory.get(self._name, ("", 0.0))
        if here[0] and here[0] != stale and now < here[1]:
            return here[0]
        token, until = self._shared()
        if token and token != stale and now < until:
            _memory[self._name] = (token, until)
            return token
        return ""

    def _shared(self) -> tuple[str, float]:
        """What another process has left in Valkey, which may be away."""
        sealed: Any = cache.get(self._name)
        if isinstance(sealed, bytes):
            try:
                token, until = json.loads(keyring.ring().open(sealed, self._name.encode()))
                return str(token), float(until)
            except (keyring.BadToken, ValueError, TypeError):
                pass
        return "", 0.0

    def _fresh(self) -> str:
        token, life = self._renew()
        life = max(1.0, life - min(self._early, life / 2))
        _memory[self._name] = (token, time.time() + life)
        sealed = keyring.ring().seal(json.dumps([token, time.time() + life]).encode(), self._name.encode())
        cache.set(self._name, sealed, timeout=max(1, int(life)))
        return token


@contextmanager
def _lock(name: str) -> Iterator[bool]:
    """A lock among all processes; where the database is away, nobody is kept from going on."""
    try:
        taken = locks.session_lock(name)
        mine = taken.__enter__()
    except psycopg.Error:
        yield True
        return
    try:
        yield mine
    finally:
        taken.__exit__(None, None, None)
