"""Schemas of tools: what pydantic says, reduced to what every vendor accepts."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field

from knowledge.llm.dialects.schemas import DESCRIPTION_MOST, can_be_strict, portable, specs, strictly
from sales.assistant.tools import TOOLS, Tool


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Item(BaseModel):
    """One thing."""

    model_config = ConfigDict(extra="forbid")

    code: str
    size: Size = Size.SMALL
    many: int | None = None


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    items: list[Item]
    first: Item
    kind: Literal["new"]
    until: date | None
    price: Decimal | None = None
    note: Annotated[str, Field(max_length=5, description="A word.", examples=["x"])] = ""
    either: int | str = 0


def _everything(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(each for part in inner for each in _everything(part))]


def test_references_titles_and_alternatives_of_nothing_are_gone():
    made = portable(Order.model_json_schema())

    assert made == {
        "type": "object",
        "additionalProperties": False,
        "required": ["items", "first", "kind", "until"],
        "properties": {
            "items": {"type": "array", "items": _item()},
            "first": _item(),
            "kind": {"type": "string", "enum": ["new"]},
            "until": {"type": ["string", "null"], "format": "date"},
            "price": {"type": "number"},
            "note": {"type": "string", "maxLength": 5, "description": "A word.", "default": ""},
            "either": {"anyOf": [{"type": "integer"}, {"type": "string"}], "default": 0},
        },
    }


def _item() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "One thing.",
        "additionalProperties": False,
        "required": ["code"],
        "properties": {
            "code": {"type": "string"},
            "size": {"type": "string", "enum": ["small", "large"], "default": "small"},
            "many": {"type": "integer"},
        },
    }


def test_a_property_may_be_called_title():
    class Book(BaseModel):
        title: str

    assert portable(Book.model_json_schema())["properties"] == {"title": {"type": "string"}}


def test_a_schema_that_holds_itself_is_refused():
    with pytest.raises(ValueError, match="holds itself"):
        portable(Tree.model_json_schema())


class Tree(BaseModel):
    branches: list[Tree]


def test_strict_is_only_what_has_all_its_words_required():
    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid")

        code: Annotated[str, Field(max_length=5)]

    schema = portable(Strict.model_json_schema())

    assert can_be_strict(schema) and not can_be_strict(portable(Order.model_json_schema()))
    assert strictly(schema)["properties"] == {"code": {"type": "string"}}
    assert strictly({"type": "object", "properties": {}, "additionalProperties": False})["required"] == []


def test_tools_come_by_their_names_with_the_same_bytes_each_time():
    tools = dict(reversed(TOOLS.items()))

    first, again = specs(TOOLS), specs(tools)

    assert [spec.name for spec in first] == sorted(TOOLS)
    assert json.dumps([spec.schema for spec in first]) == json.dumps([spec.schema for spec in again])


def test_a_long_description_is_cut_at_a_word():
    tool = Tool("x__y", "слово " * 500, Item, lambda **given: None)  # type: ignore[arg-type,return-value]

    (spec,) = specs({"x__y": tool})

    assert len(spec.description) <= DESCRIPTION_MOST and spec.description.endswith("слово…")


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_each_tool_of_ours_can_be_told_to_every_vendor(name):
    (spec,) = specs({name: TOOLS[name]})

    Draft202012Validator.check_schema(dict(spec.schema))
    assert spec.name.replace("_", "").isalnum() and spec.name[0].isalpha() and len(spec.name) <= 64
    assert spec.description
    assert spec.schema["type"] == "object" and spec.schema["additionalProperties"] is False
    parts = [part for part in _everything(spec.schema) if isinstance(part, dict)]
    assert not [part for part in parts if {"$ref", "$defs", "oneOf", "allOf", "const", "discriminator"} & set(part)]
    assert TOOLS[name].arguments.model_json_schema().get("required", []) == spec.schema.get("required", [])
