"""Which model takes the turn. The chain has one link today: the model that needs no key."""

from __future__ import annotations

from knowledge.llm.keyless.model import Keyless
from pricing import queries
from sales.assistant.protocol import Model


def model() -> Model:
    """The model for the next turn; ``settings.ASSISTANT_MODEL`` names this function."""
    return Keyless(catalogue=queries.catalogue)
