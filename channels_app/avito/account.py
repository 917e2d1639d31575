"""Which account is ours, by the settings; its number is asked for once where they don't say it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from django.conf import settings
from django.core.cache import cache

from channels_app.avito.client import Client

#: by keys, the number of their account
_numbers: dict[str, int] = {}


def is_on() -> bool:
    return bool(settings.AVITO_CLIENT_ID and settings.AVITO_CLIENT_SECRET)


def client() -> Client:
    """The client of our account. Asks the vendor whose the keys are when nobody has said so yet."""
    made = bare()
    number = known_number()
    if not number:
        number = int(made.me()["id"])
        _numbers[_keys()] = number
        cache.set(f"avito:number:{_keys()}", number, timeout=86_400)
    return replace(made, user_id=number)


def bare() -> Client:
    """A client that can ask who it is."""
    return Client(settings.AVITO_API_URL, settings.AVITO_CLIENT_ID, settings.AVITO_CLIENT_SECRET)


def known_number() -> int:
    """The number of our account without asking the vendor; 0 where nobody has asked yet."""
    if settings.AVITO_USER_ID:
        return int(settings.AVITO_USER_ID)
    if _keys() not in _numbers:
        found = cache.get(f"avito:number:{_keys()}")
        if isinstance(found, int):
            _numbers[_keys()] = found
    return _numbers.get(_keys(), 0)


def _keys() -> str:
    told = "\n".join((settings.AVITO_API_URL, settings.AVITO_CLIENT_ID, settings.AVITO_CLIENT_SECRET))
    return hashlib.blake2b(told.encode(), digest_size=12).hexdigest()
