"""The parts whose sum is a score. Each is BM25 over one kind of mark, either of the text or of one question.

A factor is the half of BM25 that depends on the passage alone (how often the mark is in it, how long it is) and is
stored; the other half (the part's weight and the mark's rarity) is known when somebody asks. So a change of an
article touches its own postings only, and weights may be changed without indexing anew.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from knowledge.enums import Kind
from knowledge.words import QUESTION_RUNS, TEXT_RUNS, Word, count_runs, split, word

MarkKind = Literal["stem", "prefix", "run"]

#: marks of questions are those of texts with these bits turned, so that both can be counted apart
_IN_QUESTION = 0x5A5A_5A5A_5A5A_5A5A


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


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long a passage is, or how long passages are on the average: words, and runs of characters."""

    words: float
    runs: float

    def of(self, marks: MarkKind) -> float:
        return self.runs if marks == "run" else self.words


def measure(text: str, kind: Kind) -> Lengths:
    """The lengths of a passage, without looking at a single word closely."""
    words = split(text)
    return Lengths(len(words), count_runs(words, TEXT_RUNS if kind == Kind.BODY else QUESTION_RUNS))


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


@dataclass(frozen=True, slots=True)
class Vector:
    """A passage as the index keeps it: its lengths, its factor for each mark, and the letters of its stems' marks."""

    lengths: Lengths
    factors: dict[int, float]
    stems: dict[int, str]


def vector(text: str, kind: Kind, average: Lengths, share: float = 1.0) -> Vector:
    """The passage's vector, scaled by the average lengths of its kind."""
    counts = Counter(split(text))
    known = [(word(form), count) for form, count in counts.items()]
    runs = sum(len(each.text_runs if kind == Kind.BODY else each.question_runs) * count for each, count in known)
    lengths = Lengths(sum(counts.values()), runs)
    factors: dict[int, float] = {}
    for part in PARTS_OF[kind]:
        found: dict[int, int] = {}
        for each, count in known:
            for mark in marks_of(each, part):
                found[mark] = found.get(mark, 0) + count
        scale = part.k1 * (1 - part.b + part.b * lengths.of(part.marks) / (average.of(part.marks) or 1.0))
        by_count = {count: share * count * (part.k1 + 1) / (count + scale) for count in set(found.values())}
        for mark, count in found.items():
            factors[mark] = by_count[count]
    turned = 0 if kind == Kind.BODY else _IN_QUESTION
    return Vector(lengths, factors, {each.stem_mark ^ turned: each.stem for each, _count in known})


def rarity(passages: int, total: int) -> float:
    """BM25's idf of a mark that is in ``passages`` of ``total``; never below zero."""
    return math.log(1 + (total - passages + 0.5) / (passages + 0.5))
