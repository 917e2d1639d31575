"""Whether the channels of vendors are switched on, and whether Avito is still asked for unread chats."""

from __future__ import annotations

from channels_app import registry
from channels_app.avito import polling
from common.health import Dependency


def health() -> list[Dependency]:
    """Each channel that needs a vendor."""
    found = []
    for name in registry.names():
        channel = registry.by_name(name)
        if channel is None or channel.capabilities.pulls:
            continue
        if not channel.is_on():
            found.append(Dependency(name, "off", "its variables are empty"))
        elif name == polling.NAME and (silent := polling.silent_for()) is not None and silent > polling.SILENT:
            found.append(Dependency(name, "down", "not polled for more than five minutes"))
        else:
            found.append(Dependency(name, "ok"))
    return found
