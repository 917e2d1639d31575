"""Prompt templates: a folder for each version, in Django's template language, reviewed like code.

``system.md`` is the instructions and ``turn.md`` what is known in this turn. A version that has spoken to customers
isn't changed any more, since traces name it: a change is a new folder, and ``VERSION`` says which is in force.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine, Template

from pricing.calculator import Rules

FOLDER = Path(__file__).parent / "prompts"
#: the version that speaks to customers
VERSION = "1"

_chosen: ContextVar[str] = ContextVar("prompt_version", default="")


class NoSuchVersion(Exception):
    """There is no folder of prompts by this name."""


def versions() -> list[str]:
    """The versions there are, oldest first."""
    names = [folder.name for folder in FOLDER.iterdir() if (folder / "system.md").is_file()]
    return sorted(names, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0, name))


def version() -> str:
    """The version to speak with: the one in force unless ``using`` has chosen another."""
    return _chosen.get() or VERSION


@contextmanager
def using(name: str) -> Iterator[None]:
    """Speak with another version inside: for an evaluation, or an answer asked for again. Raises ``NoSuchVersion``."""
    if name not in versions():
        raise NoSuchVersion(f"There is no version {name!r} of the prompts; there are {', '.join(versions())}.")
    token = _chosen.set(name)
    try:
        yield
    finally:
        _chosen.reset(token)


def fingerprint(name: str = "") -> str:
    """Twelve digits by which two texts of one version can be told apart."""
    digest = hashlib.sha256()
    for file in sorted((FOLDER / (name or version())).glob("*.md")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def system_text(rules: Rules, name: str = "") -> str:
    """The instructions, equal for all conversations: they change with the catalogue and the version only."""
    return _system(name or version(), _goods(rules))


@lru_cache(maxsize=8)
def _system(name: str, goods: str) -> str:
    return render(name, "system.md", {"goods": goods})


def render(name: str, file: str, values: Mapping[str, Any]) -> str:
    """One template with its values put in. Nothing is escaped: it isn't HTML."""
    return _template(name, file).render(Context(dict(values), autoescape=False)).strip()


@lru_cache(maxsize=32)
def _template(name: str, file: str) -> Template:
    text = (FOLDER / name / file).read_text(encoding="utf-8")
    return Engine(autoescape=False).from_string(text)


def _goods(rules: Rules) -> str:
    """What is on sale by its codes, a line each, without prices: those come from a tool only."""
    lines = []
    for product in rules.products:
        tiers = ", ".join(
            f"{tier.code} («{tier.name.ru}»{f', до {tier.up_to}' if tier.up_to is not None else ''})"
            for tier in product.tiers
        )
        lines.append(f"- продукт {product.code}: {_names(product.name)}; {product.unit.ru}; тарифы: {tiers}")
    lines += [
        f"- услуга {service.code}: {_names(service.name)}; за единицу: {service.unit.ru}" for service in rules.services
    ]
    return "\n".join(" ".join(line.split()) for line in lines)


def _names(name: Any) -> str:
    return f"{name.ru} ({name.en})" if name.en and name.en != name.ru else str(name.ru)
