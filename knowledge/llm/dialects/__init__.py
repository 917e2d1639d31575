"""How vendors of language models are spoken to. A vendor that speaks a known dialect is options, not a class."""

from __future__ import annotations

from functools import cache

from knowledge.llm.chat import Dialect

#: what a profile's ``dialect`` may be
NAMES = ("openai", "anthropic", "yandexgpt", "gigachat")


@cache
def by_name(name: str) -> Dialect:
    """The dialect called ``name``. The first time takes as long as reading its SDK does: up to a second."""
    if name == "anthropic":
        from knowledge.llm.dialects.anthropic import Anthropic  # slow

        return Anthropic()
    if name == "gigachat":
        from knowledge.llm.dialects.gigachat import GigaChat  # slow

        return GigaChat()
    if name in NAMES:
        from knowledge.llm.dialects.openai import OpenAI  # slow

        return OpenAI(name)
    raise LookupError(f"There is no dialect {name!r}: {', '.join(NAMES)} are known.")
