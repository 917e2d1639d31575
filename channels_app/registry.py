"""The channels there are, by name. Settings name them by dotted path, so that none is imported before it is used."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from channels_app.contract import Channel


def by_name(name: str) -> Channel | None:
    """The channel called so; None for conversations that no channel carries (the terminal, an evaluation)."""
    path = settings.CHANNELS.get(name)
    return import_string(path)() if path else None


def names() -> list[str]:
    return list(settings.CHANNELS)
