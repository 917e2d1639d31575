"""Which sites may talk to the chat. Pure, and the same rule as CORS: exact origins, no patterns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def origin_of(address: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an address, so that two spellings of one origin are equal; None when it has none."""
    try:
        parts = urlsplit(address.strip().lower())
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host:
        return None
    return parts.scheme, host, port or _PORTS[parts.scheme]


def may_enter(scope: Mapping[str, Any], *, allowed: Collection[str], own: str) -> bool:
    """Whether the page that opens this socket is one of ``allowed`` or our own; with none named, any page is."""
    if not allowed:
        return True
    said = [value for name, value in scope.get("headers", ()) if name == b"origin"]
    if len(said) != 1:
        return False
    origin = origin_of(said[0].decode("latin-1"))
    return origin is not None and origin in {origin_of(each) for each in (*allowed, own)}
