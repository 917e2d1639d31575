"""An embedder to search with: the stand-in, switched on as a key in the environment would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from knowledge.embedding import asking, keeping, registry
from tests.standins.openai_embeddings import OpenAIStandIn

#: a model of somebody who speaks OpenAI's API, with vectors of another size
OTHER = "other-model"


@pytest.fixture
def vendor(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIStandIn]:
    """The stand-in, with a key set. Whatever is asked of it must keep to the contract."""
    with OpenAIStandIn(models={OTHER: 64}) as standin:
        settings.OPENAI_API_KEY = "sk-never-in-a-log-1234"
        settings.OPENAI_BASE_URL = standin.url
        choose(settings, "text-embedding-3-small", 1536)
        monkeypatch.setattr(keeping, "REPEATS", (0.01, 0.01))
        monkeypatch.setattr(keeping, "_looks", keeping._Looks())
        asking.forget()
        yield standin
        asking.forget()
    assert standin.faults == []


def choose(settings: Any, model: str, dimensions: int) -> None:
    settings.EMBEDDER = f"openai/{model}/{dimensions}"


def embedder() -> Any:
    """The one that is configured."""
    return registry.by_name(registry.configured())
