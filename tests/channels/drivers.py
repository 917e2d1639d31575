"""The channels that the conformance suite is run with. A new channel adds its driver here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.channels.conformance import BlindPostDriver, Driver, PostDriver, WebChatDriver
from tests.channels.vendors import AvitoDriver, TelegramDriver

DRIVERS: dict[str, type[Driver]] = {
    "post": PostDriver,
    "blind": BlindPostDriver,
    "web": WebChatDriver,
    "telegram": TelegramDriver,
    "avito": AvitoDriver,
}


def on(*needs: str) -> Callable[[Any], Any]:
    """Run a case with each channel that can all of this."""
    fit = {name: each for name, each in DRIVERS.items() if each.can >= set(needs)}
    return pytest.mark.parametrize("driver", list(fit.values()), ids=list(fit), indirect=True)
