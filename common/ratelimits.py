"""Limits by count, in Valkey: fixed windows that begin with their first use, counted in one atomic step.

They protect from floods, not money. So with Valkey away everything passes, and that is counted; ``RATE_LIMITS=off``
lifts them for load tests on one machine. Keys in Valkey are digests: an address is personal data.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from common import metrics

logger = logging.getLogger(__name__)

#: scope: how many in how many seconds. Offices share an address, so what is counted by address is generous.
LIMITS: dict[str, tuple[int, int]] = {
    "auth": (20, 3600),
    "refresh": (120, 3600),
    "chat.session": (60, 3600),
    "chat.history": (240, 60),
    "chat.message": (60, 60),
    "quote": (120, 60),
    "document": (120, 60),
    "schema": (120, 60),
    "webhook": (1200, 60),
    "staff": (1200, 60),
}

#: seconds for which nobody asks a store that was just found away
QUIET_AFTER_FAILURE = 2.0

_COUNT = """
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}
"""


@dataclass(frozen=True)
class Verdict:
    """Whether one more is allowed, else in how many seconds to ask again."""

    allowed: bool
    retry_after: int = 0

    def __bool__(self) -> bool:
        return self.allowed


_ALLOWED = Verdict(True)
_quiet_until = 0.0


def allow(scope: str, key: Any, limit: int | None = None, period: int | None = None) -> bool:
    """Count one use by ``key`` (an address, an id) and say whether it is within the scope's limit."""
    return bool(count(scope, key, limit, period))


def count(scope: str, key: Any, limit: int | None = None, period: int | None = None) -> Verdict:
    """Like ``allow``, with the seconds to wait. ``limit`` and ``period`` default to the scope's in ``LIMITS``."""
    global _quiet_until
    if not settings.RATE_LIMITS:
        return _ALLOWED
    if limit is None or period is None:
        limit, period = LIMITS[scope]
    if time.monotonic() < _quiet_until:
        metrics.limits_unchecked_total.labels(scope=scope).inc()
        return _ALLOWED
    try:
        used, left = _client().eval(_COUNT, 1, _key(scope, key), period * 1000)  # type: ignore[misc]
    except redis.RedisError:
        _quiet_until = time.monotonic() + QUIET_AFTER_FAILURE
        metrics.limits_unchecked_total.labels(scope=scope).inc()
        logger.warning("rate limits are off: valkey is away", extra={"scope": scope})
        return _ALLOWED
    if used <= limit:
        return _ALLOWED
    metrics.limited_total.labels(scope=scope).inc()
    return Verdict(False, max(1, -(-int(left) // 1000)))


def forgive(scope: str, key: Any) -> None:
    """Forget what ``key`` has used of the scope's limit."""
    _client().delete(_key(scope, key))


def _key(scope: str, key: Any) -> str:
    digest = hmac.digest(settings.BLIND_INDEX_KEY, f"limit\0{scope}\0{key}".encode(), "sha256").hex()[:32]
    return f"limit:{scope}:{digest}"


@cache
def _pool(url: str) -> redis.ConnectionPool:
    return redis.ConnectionPool.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5, max_connections=64)


def _client() -> redis.Redis:
    return redis.Redis(connection_pool=_pool(settings.REDIS_URL))


# --- who asks ---


def client_address(request: Any) -> str:
    """The asker's address, as far as our own proxies vouch for it; ``request`` is Django's or DRF's."""
    return _address(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))


def scope_address(scope: Mapping[str, Any]) -> str:
    """The same for an ASGI scope."""
    forwarded = b", ".join(value for name, value in scope.get("headers", ()) if name == b"x-forwarded-for")
    return _address((scope.get("client") or ("",))[0] or "", forwarded.decode("latin-1"))


def _address(peer: str, forwarded: str) -> str:
    # each of our proxies adds one entry at the right; what stands left of theirs is only said by the asker
    trusted = int(settings.TRUSTED_PROXIES)
    hops = [each.strip() for each in forwarded.split(",") if each.strip()]
    if trusted and hops:
        peer = hops[-min(trusted, len(hops))]
    try:
        found = ipaddress.ip_address(peer.strip("[]"))
    except ValueError:
        return ""
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def network_of(address: str) -> str:
    """What is counted as one asker: an IPv4 address, or the /64 that one IPv6 customer is given."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False))


# --- DRF ---


class AddressThrottle(BaseThrottle):
    """Counts by address. The view says under which scope of ``LIMITS``: ``throttle_scope = "quote"``."""

    scope = ""

    def __init__(self) -> None:
        self._verdict = _ALLOWED

    def allow_request(self, request: Request, view: Any) -> bool:
        scope = self.scope or getattr(view, "throttle_scope", "")
        if scope:
            self._verdict = count(scope, self.asker(request))
        return self._verdict.allowed

    def asker(self, request: Request) -> str:
        return network_of(client_address(request))

    def wait(self) -> float:
        return self._verdict.retry_after


class StaffThrottle(AddressThrottle):
    """Counts by user, and by address before anyone is known."""

    scope = "staff"

    def asker(self, request: Request) -> str:
        user = request.user
        return f"user {user.pk}" if user and user.is_authenticated else super().asker(request)
