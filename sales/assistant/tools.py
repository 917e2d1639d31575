"""What the assistant can do. Each app offers its abilities in a ``tools.py`` that is found by its name.

A tool is a typed function with a docstring; its arguments become a JSON schema. It runs in one transaction with its
journal row, so it happens once even when the turn runs twice. It gets its subject (conversation, lead) from the
context and never from the model.
"""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from common.masking import Masker
from sales.assistant.protocol import Privacy


class ToolFailed(Exception):
    """The tool refuses; the message is words for the model, and says what to do instead.

    ``notice`` is words for the customer that the reply must hold all the same; ``data`` is for a program.
    """

    def __init__(self, words: str, *, notice: str = "", data: Mapping[str, Any] | None = None) -> None:
        super().__init__(words)
        self.notice = notice
        self.data = dict(data or {})


@dataclass(frozen=True)
class ToolContext:
    """On whose behalf a tool runs. Ids are UUIDs, ``now`` is UTC."""

    conversation_id: uuid.UUID
    lead_id: uuid.UUID
    turn_id: uuid.UUID | None
    now: datetime
    language: Literal["ru", "en"] = "ru"
    #: who asks for it: the slug of a model
    model: str = ""
    #: hides this conversation's personal data from whomever a tool asks outside
    privacy: Privacy = field(default_factory=Masker, repr=False, compare=False)


@dataclass(frozen=True)
class ToolOutput:
    """What a tool gives back: words for the model, the same as data, and what the reply shows beside its text."""

    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    cards: Sequence[Mapping[str, Any]] = ()
    citations: Sequence[Mapping[str, Any]] = ()
    #: words for the customer that the reply must hold, whatever the model says
    notice: str = ""
    #: what later turns of this conversation should know, by topic: ``{"quote": {…}}``, ``{"documents": [kind]}``
    remember: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Tool:
    """One ability: its public name, what it is for, its arguments, and the function."""

    name: str
    description: str
    arguments: type[BaseModel]
    function: Callable[..., ToolOutput]

    @property
    def schema(self) -> dict[str, Any]:
        """The arguments as JSON Schema."""
        return self.arguments.model_json_schema()

    def run(self, context: ToolContext, arguments: Mapping[str, Any]) -> ToolOutput:
        """Check the arguments and call the function. Raises ``ToolFailed`` with words for the model."""
        try:
            checked = self.arguments.model_validate(dict(arguments))
        except ValidationError as problem:
            places = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problem.errors())
            raise ToolFailed(f"The arguments of {self.name} are wrong: {places}") from None
        given = {name: getattr(checked, name) for name in type(checked).model_fields}
        return self.function(context=context, **given)


TOOLS: dict[str, Tool] = {}


def tool(function: Callable[..., ToolOutput]) -> Callable[..., ToolOutput]:
    """Offer ``function(*, context, …)`` to the assistant under ``<app>__<function>``."""
    app = function.__module__.split(".", 1)[0]
    name = f"{app}__{function.__name__}"
    hints = get_type_hints(function)
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "context":
            continue
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    arguments = create_model(f"{name}_arguments", __config__=ConfigDict(extra="forbid"), **fields)
    TOOLS[name] = Tool(name, inspect.getdoc(function) or "", arguments, function)
    return function
