"""The signature of Avito's webhooks: it comes, and nobody outside knows how it is made.

So some deliveries are kept as they came, sealed, and ``manage.py avito signature`` tries the ways that are guessed.
When one of them fits real deliveries it can be asked for by ``AVITO_SIGNATURE``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.conf import settings
from django.core.cache import cache

from common import keyring

HEADER = "X-Avito-Messenger-Signature"
#: where deliveries are kept, how many, how long, and how often one is added by each process
_PLACE, KEPT, KEPT_SECONDS, EVERY = "avito:deliveries", 20, 90 * 86_400, 60.0
_added_at = -EVERY

_KEYS: dict[str, Callable[[], str]] = {
    "client_secret": lambda: settings.AVITO_CLIENT_SECRET,
    "client_id": lambda: settings.AVITO_CLIENT_ID,
    "webhook_secret": lambda: (settings.AVITO_WEBHOOK_SECRETS or [""])[0],
    "user_id": lambda: str(settings.AVITO_USER_ID or ""),
}


def ways() -> dict[str, Callable[[bytes], str]]:
    """The ways that are guessed, by name."""
    found: dict[str, Callable[[bytes], str]] = {"sha256:body": lambda body: hashlib.sha256(body).hexdigest()}
    for name, key in _KEYS.items():
        found[f"hmac-sha256:{name}"] = partial(_hmac, key)
        found[f"sha256:body+{name}"] = partial(_hash, key)
    return found


def _hmac(key: Callable[[], str], body: bytes) -> str:
    return hmac.new(key().encode(), body, hashlib.sha256).hexdigest()


def _hash(key: Callable[[], str], body: bytes) -> str:
    return hashlib.sha256(body + key().encode()).hexdigest()


def is_taken(signature: str, body: bytes) -> bool:
    """Whether a delivery with this signature is taken, by what is asked for."""
    wanted = settings.AVITO_SIGNATURE
    if not wanted:
        return True
    if wanted == "present":
        return bool(signature)
    way = ways().get(wanted)
    return way is not None and hmac.compare_digest(way(body).encode(), signature.lower().encode("utf-8", "replace"))


def keep_some(signature: str, body: bytes, *, now: datetime) -> None:
    """Keep a delivery now and then, with its signature or without. Its place may be away: then it isn't kept."""
    global _added_at
    if time.monotonic() - _added_at < EVERY or len(body) > 20_000:
        return
    _added_at = time.monotonic()
    rows = [*kept(), (now.isoformat(), signature, body.decode("utf-8", "replace"))][-KEPT:]
    sealed = keyring.ring().seal(json.dumps(rows).encode(), _PLACE.encode())
    cache.set(_PLACE, sealed, timeout=KEPT_SECONDS)


def kept() -> list[tuple[str, str, str]]:
    """Deliveries as they came, oldest first: when, signature, body."""
    sealed = cache.get(_PLACE)
    if not isinstance(sealed, bytes):
        return []
    try:
        return [tuple(row) for row in json.loads(keyring.ring().open(sealed, _PLACE.encode()))]
    except (keyring.BadToken, ValueError, TypeError):
        return []


def fitting() -> dict[str, int]:
    """Of each way, how many of the kept deliveries it fits."""
    rows = [(signature, body.encode()) for _when, signature, body in kept() if signature]
    return {name: sum(way(body) == signature.lower() for signature, body in rows) for name, way in ways().items()}
