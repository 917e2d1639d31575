"""The parts whose sum is a score. Each is BM25 over one kind of mark, either of the text or of one question.

A posting keeps what depends on the passage alone: how often the mark is in it, and how long it is. Weights, rarity and
average lengths come in when somebody asks. So a change of an article touches its own postings only, and nothing has to
be indexed anew when averages move or weights are tuned.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from knowledge.enums import Kind
from knowledge.words import Word, split

MarkKind = Literal["stem", "prefix", "run"]

#: marks of questions are those of texts with these bits turned, so that both can be counted apart
_IN_QUESTION = 0x5A5A_5A5A

_ASKING = frozenset(
    """
    как какой какая какое какие каким каких что чем чего где куда откуда когда зачем почему сколько кто кому чей можно
    могу может нужно надо ли есть если нет не я мне мой хочу how what where when why who which can do does is are
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a score: what is compared, where, how much it counts, and BM25's two constants."""

    name: str
    marks: MarkKind
    kind: Kind
    weight: float
    k1: float
    b: float


PARTS = (
    Part("stem", "stem", Kind.BODY, 1.0, 1.2, 0.75),
    Part("prefix", "prefix", Kind.BODY, 0.5, 1.2, 0.75),
    Part("run", "run", Kind.BODY, 0.1, 1.2, 0.75),
    Part("question_stem", "stem", Kind.QUESTION, 1.0, 1.2, 0.5),
    Part("question_run", "run", Kind.QUESTION, 0.1, 1.2, 0.5),
)
#: what a title counts that asks nothing: it says what the text is about, but not what somebody wants to know
TITLE_SHARE = 0.35
PARTS_OF = {kind: tuple(part for part in PARTS if part.kind == kind) for kind in Kind}


def marks_of(each: Word, part: Part) -> Iterable[int]:
    """The marks that a word leaves in a part."""
    if part.kind == Kind.BODY:
        if part.marks == "run":
            return each.text_runs
        return (each.stem_mark if part.marks == "stem" else each.prefix_mark,)
    if part.marks == "run":
        return [mark ^ _IN_QUESTION for mark in each.question_runs]
    return ((each.stem_mark if part.marks == "stem" else each.prefix_mark) ^ _IN_QUESTION,)


def asks(text: str) -> bool:
    """Whether a title is a question, with its mark or without."""
    return text.rstrip().endswith("?") or any(each in _ASKING for each in split(text)[:2])


def rarity(passages: int, total: int) -> float:
    """BM25's idf of a mark that is in ``passages`` of ``total``; never below zero."""
    return math.log(1 + (total - passages + 0.5) / (passages + 0.5))
