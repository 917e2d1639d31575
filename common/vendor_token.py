"""A vendor's short-lived token: one for all processes, renewed early, asked for by one of them at a time."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

from django.core.cache import cache

from common import keyring, locks
from common.problems import TemporaryProblem

#: how often somebody who waits for another's renewal looks whether it is there, and for how long unless told; seconds
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
        #: where it stands in Valkey, sealed; says nothing of the secret
        self.place = f"token:{vendor}:{digest}"
        self._vendor = vendor
        self._renew = renew
        self._early = early

    def get(self, *, stale: str = "", within: float = WAIT_MOST) -> str:
        """A token that is good for a while yet; ``stale`` is one that the vendor no longer takes.

        Raises ``TemporaryProblem`` where another's renewal has not come ``within`` so many seconds.
        """
        ends = time.monotonic() + within
        while True:
            if kept := self._kept(stale):
                return kept
            with locks.session_lock_where_possible(self.place) as mine:
                if mine:
                    return self._kept(stale) or self._fresh()
            if time.monotonic() > ends:
                raise TemporaryProblem(f"{self._vendor}: no token in time")
            time.sleep(LOOK)

    def forget(self) -> None:
        """As if none had ever been given."""
        _memory.pop(self.place, None)
        cache.delete(self.place)

    @staticmethod
    def forget_all() -> None:
        """As if no vendor had ever given one to this process."""
        for place in list(_memory):
            cache.delete(place)
        _memory.clear()

    def _kept(self, stale: str) -> str:
        now = time.time()
        here = _memory.get(self.place, ("", 0.0))
        if here[0] and here[0] != stale and now < here[1]:
            return here[0]
        token, until = self._shared()
        if token and token != stale and now < until:
            _memory[self.place] = (token, until)
            return token
        return ""

    def _shared(self) -> tuple[str, float]:
        """What another process has left in Valkey, which may be away."""
        sealed: Any = cache.get(self.place)
        if isinstance(sealed, bytes):
            try:
                token, until = json.loads(keyring.ring().open(sealed, self.place.encode()))
                return str(token), float(until)
            except (keyring.BadToken, ValueError, TypeError):
                pass
        return "", 0.0

    def _fresh(self) -> str:
        token, life = self._renew()
        life = max(1.0, life - min(self._early, life / 2))
        _memory[self.place] = (token, time.time() + life)
        sealed = keyring.ring().seal(json.dumps([token, time.time() + life]).encode(), self.place.encode())
        cache.set(self.place, sealed, timeout=max(1, int(life)))
        return token
