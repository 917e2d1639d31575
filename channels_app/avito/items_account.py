"""The account whose listings are read, as the environment names it."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from channels_app.avito.client import Client


def is_on() -> bool:
    """Whether the environment has the account's keys."""
    return bool(getattr(settings, "AVITO_CLIENT_ID", "") and getattr(settings, "AVITO_CLIENT_SECRET", ""))


def client() -> Client:
    """The account. Where the environment doesn't name its number the vendor is asked once."""
    root = getattr(settings, "AVITO_API_URL", "") or "https://api.avito.ru"
    keys = (root, settings.AVITO_CLIENT_ID, settings.AVITO_CLIENT_SECRET)
    named = str(getattr(settings, "AVITO_USER_ID", "") or "")
    return Client(*keys, int(named) if named.isascii() and named.isdigit() and int(named) else _number(*keys))


@lru_cache(maxsize=4)
def _number(root: str, client_id: str, client_secret: str) -> int:
    return int(Client(root, client_id, client_secret).me().get("id") or 0)
