"""Avito on loopback, and the channel switched on as the environment would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from channels_app.avito.client import Client
from common import vendor_token
from common.vendor_http import breaker_of
from tests.standins.avito_api import CLIENT_ID, CLIENT_SECRET, USER_ID, AvitoAPI

SECRET = "s" * 43


@pytest.fixture
def avito(settings: Any) -> Iterator[AvitoAPI]:
    """The stand-in. Whatever is asked of it, and whatever it says, must keep to the contract."""
    with AvitoAPI() as standin:
        settings.AVITO_CLIENT_ID = CLIENT_ID
        settings.AVITO_CLIENT_SECRET = CLIENT_SECRET
        settings.AVITO_USER_ID = USER_ID
        settings.AVITO_API_URL = standin.url
        settings.AVITO_WEBHOOK_SECRETS = [SECRET]
        yield standin
        vendor_token._memory.clear()
        breaker_of.cache_clear()
    assert standin.faults == []


@pytest.fixture
def client(avito: AvitoAPI) -> Client:
    return Client(avito.url, CLIENT_ID, CLIENT_SECRET, USER_ID)
