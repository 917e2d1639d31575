"""Two vendors on loopback in the chain, short times, and a customer to answer."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command

from knowledge.llm.chat import Profile, Prompt, Said
from knowledge.llm.dialects import by_name
from tests.llm.talking import Talk
from tests.standins.anthropic_messages import AnthropicMessages
from tests.standins.openai_chat import OpenAIChat

KEY = "sk-never-in-a-log-5678"


@pytest.fixture
def profiles(db: Any) -> Any:
    """The rows that the migration makes: a test of whole transactions before this one may have emptied the tables."""
    migration = importlib.import_module("knowledge.migrations.0007_model_profiles")
    migration.make(apps, None)
    return apps.get_model("knowledge", "ModelProfile").objects


@pytest.fixture
def shop(db: Any, settings: Any) -> None:
    """The demo catalogue and the demo seller, without articles."""
    call_command("load_catalog", str(settings.BASE_DIR / "pricing" / "data" / "catalog.yaml"), verbosity=0)
    call_command("load_demo_seller", verbosity=0)


def warm(dialect: str, address: str) -> None:
    """Ask once without a clock: an SDK takes its time to be read, and its first client to be made."""
    profile = Profile(slug="warm", dialect=dialect, model="demo", base_url=address, key=KEY)
    by_name(dialect).ask(Prompt("", (Said("user", "."),)), profile=profile, seconds=20, hear=None)


@pytest.fixture(scope="session")
def _openai() -> Iterator[OpenAIChat]:
    with OpenAIChat() as vendor:
        warm("openai", vendor.url)
        yield vendor


@pytest.fixture(scope="session")
def _anthropic() -> Iterator[AnthropicMessages]:
    with AnthropicMessages() as vendor:
        warm("anthropic", vendor.root)
        yield vendor


@pytest.fixture
def openai(_openai: OpenAIChat, profiles: Any, settings: Any) -> Iterator[OpenAIChat]:
    """The first of the chain; its answers are scripted, and whatever is asked of it must keep to the contract."""
    _openai.forget()
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL, settings.OPENAI_MODEL = KEY, _openai.url, "demo-first"
    settings.EMBEDDER = ""
    settings.MODEL_CALL_SECONDS, settings.MODEL_TURN_SECONDS = 0.8, 8
    yield _openai
    assert _openai.faults == []


@pytest.fixture
def anthropic(_anthropic: AnthropicMessages, openai: OpenAIChat, settings: Any) -> Iterator[AnthropicMessages]:
    """The second of the chain."""
    _anthropic.forget()
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, _anthropic.root
    settings.ANTHROPIC_MODEL = "demo-second"
    yield _anthropic
    assert _anthropic.faults == []


@pytest.fixture
def talk(conversation: Any, shop: None) -> Talk:
    """A customer of a shop with prices, and the answers they get."""
    return Talk(conversation)
