"""What of this app no customer may be told word for word: the instructions that a language model is given."""

from __future__ import annotations

from functools import lru_cache

from knowledge.llm.prompting.templates import FOLDER, version


def secrets() -> tuple[str, ...]:
    """The instructions of the version in force."""
    return (_instructions(version()),)


@lru_cache(maxsize=8)
def _instructions(name: str) -> str:
    return (FOLDER / name / "system.md").read_text(encoding="utf-8")
