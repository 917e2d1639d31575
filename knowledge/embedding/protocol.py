"""What an embedder is, and what of its answers we take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from common.problems import TemporaryProblem

#: numbers in a stored vector. Shorter ones are filled up with zeros, which changes no angle; longer ones are refused
WIDTH = 1536

#: as many numbers as the embedder's ``dimensions``, of length one
Vector = list[float]


class NoAnswer(TemporaryProblem):
    """The embedder is silent: asking again at once would cost the same wait again."""


class BadAnswer(TemporaryProblem):
    """The embedder's answer can't be used: vectors are missing, or of another size, or no numbers."""


@dataclass(frozen=True)
class Limits:
    """What may go into one request: so many texts, of so many bytes each and together.

    Bytes, since no tokenizer makes more tokens of a text than it has bytes: what is within is within for any model.
    """

    texts: int
    bytes_each: int
    bytes_together: int


class Embedder(Protocol):
    """Whoever turns texts into vectors. ``name`` is unlike any whose vectors can't be compared with these."""

    name: str
    dimensions: int
    limits: Limits

    def embed(self, texts: Sequence[str], *, seconds: float) -> list[Vector]:
        """A vector for each text, in their order; one request, never repeated.

        Raises ``TemporaryProblem`` (``BadAnswer`` among them) or ``LastingProblem``, with words fit for ``/ready``: no
        text, no address, no key. ``seconds`` is how long the vendor may be silent.
        """
        ...


def checked(given: dict[int, Any], *, count: int, dimensions: int) -> list[Vector]:
    """The vectors by their places, each of length one; all of them or ``BadAnswer``."""
    if len(given) != count or any(place not in given for place in range(count)):
        raise BadAnswer(f"{len(given)} vectors came for {count} texts")
    return [_unit(given[place], dimensions) for place in range(count)]


def _unit(numbers: Any, dimensions: int) -> Vector:
    if not isinstance(numbers, list):
        raise BadAnswer("a vector is no list of numbers")
    if len(numbers) != dimensions:
        raise BadAnswer(f"a vector has {len(numbers)} numbers instead of {dimensions}")
    try:
        length = math.hypot(*numbers)
    except (TypeError, OverflowError):
        raise BadAnswer("a vector holds what is no number") from None
    if not 0 < length < math.inf:  # false for NaN too
        raise BadAnswer("a vector is zero or not finite")
    return [number / length for number in numbers]


def cut(text: str, limits: Limits) -> str:
    """As much of the text's beginning as one request takes; an empty one, which vendors refuse, becomes a dash."""
    return text.encode()[: limits.bytes_each].decode(errors="ignore").strip() or "–"


def literal(vector: Vector) -> str:
    """The vector as PostgreSQL reads it, filled up to the width of the column."""
    numbers = [f"{number:.5g}" for number in vector]
    return f"[{','.join(numbers + ['0'] * (WIDTH - len(numbers)))}]"
