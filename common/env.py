"""Loud typed readers of the environment. Only ``config.settings`` may use them.

Every reader also accepts ``NAME_FILE``: the path of a file that holds the value, as container secrets do. An error
names the variable and says what to do; the value itself never appears in it.
"""

from __future__ import annotations

import base64
import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit


class BadEnvironment(Exception):
    """A variable has a value that can't be used; the message says which and what to do."""


def text(name: str, default: str = "") -> str:
    """The value of ``name``, or of the file that ``name_FILE`` points to, without white space around it."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError:
            raise BadEnvironment(f"{name}_FILE names a file that can't be read. Check the path.") from None
    value = os.environ.get(name, "").strip()
    return value or default


def required(name: str) -> str:
    value = text(name)
    if not value:
        raise BadEnvironment(f"{name} is empty. Set it in the environment or in .env; .env.example tells how.")
    return value


def flag(name: str, *, default: bool) -> bool:
    """``on`` or ``off`` (also true/false, yes/no, 1/0)."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"on", "true", "yes", "1"}:
        return True
    if value in {"off", "false", "no", "0"}:
        return False
    raise BadEnvironment(f"{name} must be on or off.")


def number(name: str, *, default: int, least: int = 0, most: int = 2**31) -> int:
    value = text(name)
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        raise BadEnvironment(f"{name} must be a whole number from {least} to {most}.")
    return int(value)


def beginning(prefix: str) -> dict[str, str]:
    """Every variable whose name begins with ``prefix`` and that isn't empty; ``_FILE`` works here too."""
    names = {name.removesuffix("_FILE") for name in os.environ if name.startswith(prefix)}
    return {name: value for name in sorted(names) if (value := text(name))}


def words(name: str, default: str = "") -> list[str]:
    """A list separated by commas."""
    return [each.strip() for each in text(name, default).split(",") if each.strip()]


def url(name: str, default: str = "", *, schemes: tuple[str, ...] = ("http", "https")) -> str:
    """An address without a slash at its end."""
    value = text(name, default)
    if value and (urlsplit(value).scheme not in schemes):
        raise BadEnvironment(f"{name} must be an address that begins with {' or '.join(s + '://' for s in schemes)}.")
    return value.rstrip("/")


def networks(name: str, default: str = "") -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(each, strict=False) for each in words(name, default)]
    except ValueError:
        raise BadEnvironment(f"{name} must be a list of networks such as 10.0.0.0/8,192.0.2.7/32.") from None


def keys(name: str) -> dict[int, bytes]:
    """A key ring ``2:base64,1:base64``, newest first; each key has 32 bytes."""
    ring: dict[int, bytes] = {}
    for each in words(name):
        number_, _, encoded = each.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
            key_id = int(number_)
        except ValueError:
            raise BadEnvironment(f"{name} must look like 2:BASE64,1:BASE64, newest first.") from None
        if len(key) != 32 or not 1 <= key_id <= 65535 or key_id in ring:
            raise BadEnvironment(f"{name}: each key needs a number of its own from 1 to 65535 and 32 bytes in base64.")
        ring[key_id] = key
    if not ring:
        raise BadEnvironment(f"{name} is empty. Make a key with: openssl rand -base64 32, and write 1:THE_KEY.")
    return ring


def key(name: str) -> bytes:
    """One key in base64, at least 32 bytes."""
    try:
        value = base64.b64decode(required(name), validate=True)
    except ValueError:
        raise BadEnvironment(f"{name} must be base64. Make one with: openssl rand -base64 32") from None
    if len(value) < 32:
        raise BadEnvironment(f"{name} is too short: 32 bytes in base64. Make one with: openssl rand -base64 32")
    return value
