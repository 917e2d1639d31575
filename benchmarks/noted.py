"""A model that remembers what it was shown, so that its thinking can be measured alone.

A module of its own, so that ``settings.ASSISTANT_MODEL`` can name it also when a benchmark is ``__main__``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: what the model was shown, in order, since somebody last emptied it
shown: list[dict[str, Any]] = []


class Noted:
    """The keyless model with a witness."""

    def __init__(self, behind: Any) -> None:
        self.behind = behind
        self.name = behind.name

    def reply(self, *, context: Any, log: Sequence[Any], tools: Mapping[str, Any], hear: Any = None) -> Any:
        """Answer as the model behind does."""
        shown.append({"context": context, "log": log, "tools": tools})
        return self.behind.reply(context=context, log=log, tools=tools)


def model() -> Noted:
    """The model for the next turn."""
    from knowledge.llm import router

    return Noted(router.model())
