"""Requests to Avito and its answers, held against the contract that the vendor publishes.

Known defects of the files are passed over by name: a request body that requires a field it doesn't have, messages
declared as a bare list, a path parameter under two names.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

_FILES = ("messenger", "user", "items", "promotion", "cpa", "autoload")
#: where a request's body requires a field that it doesn't have
_WRONG_REQUIRED = "sendMessageRequestBody"


def request_faults(asked: Any, headers: Mapping[str, str]) -> list[str]:
    """What is wrong with a request."""
    faults = [] if headers.get("authorization", "").startswith("Bearer ") else [f"{asked.path}: no token"]
    found = _operation(asked.method, asked.path)
    if found is None:
        return faults if not _contracts() else [*faults, f"{asked.method} {asked.path}: not in the contract"]
    contract, path, operation = found
    shared = contract["paths"][path].get("parameters", [])
    declared = [_resolved(contract, each) for each in [*shared, *operation.get("parameters", [])]]
    known = {each["name"] for each in declared if each.get("in") == "query"}
    faults += [f"{path}: no parameter {name}" for name in asked.query if name not in known and name != "voice_ids"]
    schema = _schema(operation.get("requestBody", {}), contract)
    if schema is None:
        if asked.body is not None:
            faults.append(f"{path}: a body that isn't asked for")
        return faults
    if asked.body is None:
        return faults  # a form: its parts are the stand-in's to look at
    known_fields = set(_resolved(contract, schema).get("properties", asked.body))
    faults += [f"{path}: no field {name}" for name in asked.body if name not in known_fields]
    return faults + _errors(contract, schema, asked.body, path)


def answer_faults(asked: Any, said: Any) -> list[str]:
    """What is wrong with an answer of ours in the vendor's place."""
    found = _operation(asked.method, asked.path)
    if found is None:
        return []
    contract, path, operation = found
    schema = _schema(operation["responses"].get("200", {}), contract)
    if schema is None:
        return []
    if path.endswith("/messages/") and isinstance(said, dict):
        said = said["messages"]
    return _errors(contract, schema, said, f"answer to {path}")


def _errors(contract: Any, schema: Any, value: Any, where: str) -> list[str]:
    from openapi_schema_validator import OAS30Validator

    validator = OAS30Validator({"components": contract["components"], **schema})
    wrong = validator.iter_errors(value)
    return [
        f"{where}: {'/'.join(map(str, each.absolute_path))}: {each.message[:200]}"
        for each in wrong
        if not (each.validator == "required" and _WRONG_REQUIRED in json.dumps(schema))
    ]


def _schema(part: Any, contract: Any) -> Any:
    part = _resolved(contract, part)
    content = part.get("content", {})
    return next((each.get("schema") for kind, each in content.items() if "json" in kind), None)


def _resolved(contract: Any, part: Any) -> Any:
    while isinstance(part, dict) and "$ref" in part:
        found: Any = contract
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


@lru_cache
def _contracts() -> tuple[Any, ...]:
    folder = Path(os.environ.get("CONTRACTS_DIR") or "/nowhere") / "avito"
    files = (folder / f"{name}.openapi.json" for name in _FILES)
    return tuple(json.loads(file.read_text()) for file in files if file.exists())


@lru_cache(maxsize=4096)
def _operation(method: str, path: str) -> tuple[Any, str, Any] | None:
    for contract in _contracts():
        exact = sorted(contract["paths"], key=lambda each: each.count("{"))
        for known in exact:
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(known))
            if re.fullmatch(pattern, path) and method.lower() in contract["paths"][known]:
                return contract, known, contract["paths"][known][method.lower()]
    return None
