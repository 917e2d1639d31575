"""Tools as every vendor's model can be told of them: JSON Schema reduced to what all of them accept.

The same tools give the same bytes each time, in the order of their names: vendors' caches go by the beginning of
a request, and tools stand at its very beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from knowledge.llm.chat import ToolSpec
from sales.assistant.tools import Tool

#: the shortest limit among vendors
DESCRIPTION_MOST = 1024
#: words of pydantic's schemas that say nothing to a model, or that some vendor refuses
_DROPPED = frozenset({"title", "$defs", "discriminator", "examples", "deprecated", "readOnly", "writeOnly"})
#: what strict modes don't know
_NOT_STRICT = frozenset({"default", "format", "pattern", "minLength", "maxLength", "uniqueItems", "propertyNames"})


def specs(tools: Mapping[str, Tool]) -> tuple[ToolSpec, ...]:
    """The tools as a prompt tells of them."""
    return tuple(_spec(tool.name, tool.description, tool.arguments) for _, tool in sorted(tools.items()))


@lru_cache(maxsize=256)
def _spec(name: str, description: str, arguments: type[BaseModel]) -> ToolSpec:
    return ToolSpec(name, _shortened(description), portable(arguments.model_json_schema()))


def _shortened(text: str) -> str:
    if len(text) <= DESCRIPTION_MOST:
        return text
    return text[: DESCRIPTION_MOST - 1].rsplit(" ", 1)[0] + "…"


def portable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without references, titles and alternatives that only say "or nothing"."""
    made = _reduced(schema, schema.get("$defs", {}), ())
    made.pop("description", None)  # of the class of arguments; the tool has its own
    return {"type": "object", "properties": {}, **made}


def _reduced(schema: Mapping[str, Any], shared: Mapping[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in inside:
            raise ValueError(f"{name} holds itself: no vendor takes such a schema")
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _reduced({**shared[name], **rest}, shared, (*inside, name))
    if "allOf" in schema and len(schema["allOf"]) == 1:
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        return _reduced({**schema["allOf"][0], **rest}, shared, inside)
    if "oneOf" in schema:
        schema = {("anyOf" if key == "oneOf" else key): value for key, value in schema.items()}
    if "anyOf" in schema:
        return _alternatives(schema, shared, inside)
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _DROPPED or (key == "default" and value is None):
            continue
        if key == "const":
            made["enum"] = [value]
        elif key == "pattern" and "(?" in value:
            continue  # not all of their engines look around
        elif key == "properties":
            made[key] = {name: _reduced(each, shared, inside) for name, each in value.items()}
        elif key in {"items", "additionalProperties"} and isinstance(value, Mapping):
            made[key] = _reduced(value, shared, inside)
        elif key == "prefixItems":
            made["items"] = _reduced(value[0], shared, inside) if value else {}
        else:
            made[key] = value
    if "enum" in made and "type" not in made:
        made["type"] = _TYPES[type(made["enum"][0])]
    return made


_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}


def _alternatives(schema: Mapping[str, Any], shared: Mapping[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
    """One of several. What may also be nothing can be left out instead: then only the rest is told."""
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    kinds = [each for each in schema["anyOf"] if each.get("type") != "null"]
    nothing = len(kinds) < len(schema["anyOf"])
    if len(kinds) == 1:
        made = _reduced({**kinds[0], **rest}, shared, inside)
        if nothing and "default" not in schema:  # it must be given, even as nothing
            made["type"] = [made["type"], "null"] if isinstance(made.get("type"), str) else made.get("type")
            if "enum" in made:
                made["enum"] = [*made["enum"], None]
        return made
    if [each.get("type") for each in kinds] == ["number", "string"]:  # a decimal: a number will do
        return _reduced({**kinds[0], **rest}, shared, inside)
    told = [_reduced(each, shared, inside) for each in kinds]
    return {**_reduced(rest, shared, inside), "anyOf": told}


def can_be_strict(schema: Mapping[str, Any]) -> bool:
    """Whether a strict mode takes the schema: every object closed, and all that it has required."""
    if schema.get("type") == "object" or "properties" in schema:
        names = set(schema.get("properties", {}))
        if names != set(schema.get("required", ())) or schema.get("additionalProperties") is not False:
            return False
    parts = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    if isinstance(schema.get("items"), Mapping):
        parts.append(schema["items"])
    return all(can_be_strict(each) for each in parts)


def strictly(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without what strict modes don't know; we check all of it ourselves in any case."""
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _NOT_STRICT:
            continue
        if key == "properties":
            made[key] = {name: strictly(each) for name, each in value.items()}
        elif key == "items" and isinstance(value, Mapping):
            made[key] = strictly(value)
        elif key == "anyOf":
            made[key] = [strictly(each) for each in value]
        else:
            made[key] = value
    if "properties" in made:
        made["required"] = list(made["properties"])
    return made
