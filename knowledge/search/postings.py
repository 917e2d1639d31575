"""Postings as they are stored: for each mark, a list of the passages that have it, four bytes each.

The passages' ids fall into ranges of ``SPAN``; a row holds the list of one mark in one range, so that a list can grow
without being written whole. A posting has, from its highest bit on:

=========  ====  ==================================================================
offset      14   the passage's place in its range
light        1   whether it counts for less: a title that asks nothing
count        5   how often the mark is in the passage, at most ``COUNT_MOST``
length      12   the passage's length in marks of this kind, at most ``LENGTH_MOST``
=========  ====  ==================================================================

A row a posting, as one would first think of, takes thirteen times the room and ten times the time to write.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from knowledge.enums import Kind
from knowledge.search.parts import PARTS_OF, marks_of
from knowledge.words import Word, split, word

SPAN = 1 << 14
#: where the parts of a posting begin, in bits
COUNT_AT, LIGHT_AT, OFFSET_AT = 12, 17, 18
LIGHT = 1 << LIGHT_AT
COUNT_MOST = (1 << 5) - 1
LENGTH_MOST = (1 << COUNT_AT) - 1

#: as they lie in the database, whatever the machine
POSTING = np.dtype("<u4")
MARK = np.dtype("<i4")

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Given:
    """A passage to be indexed. Ids go up from one to the next."""

    id: int
    kind: Kind
    light: bool
    text: str


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists of postings: ``bytes_of(i)`` is what the row of ``marks[i]`` and ``ranges[i]`` holds (or gets besides)."""

    marks: Numbers
    ranges: Numbers
    ends: Numbers
    postings: NDArray[np.uint32]

    def rows(self) -> Iterator[tuple[int, int, bytes]]:
        start = 0
        for mark, place, end in zip(self.marks.tolist(), self.ranges.tolist(), self.ends.tolist(), strict=True):
            yield mark, place, self.postings[start:end].tobytes()
            start = end


@dataclass(frozen=True, slots=True)
class Made:
    """What some passages give: postings, for each passage its marks and lengths, and the letters of stems."""

    lists: Lists
    marks_of_passages: list[bytes]
    words: list[int]
    runs: list[int]
    stems: dict[int, str]


def make(passages: Sequence[Given]) -> Made:
    """Count the words of all passages at once. Touches no database."""
    vocabulary: dict[str, int] = {}
    who, what, often = [], [], []
    for place, each in enumerate(passages):
        counts = Counter(split(each.text))
        what.append([vocabulary.setdefault(form, len(vocabulary)) for form in counts])
        often.append(list(counts.values()))
        who.append(repeat(place, len(counts)))
    words = [word(form) for form in vocabulary]
    flat_who, flat_what, flat_often = (_numbers(chain.from_iterable(each)) for each in (who, what, often))
    question = np.array([each.kind == Kind.QUESTION for each in passages], dtype=bool)
    lengths_in_words = np.bincount(flat_who, flat_often, minlength=len(passages)).astype(np.int64)
    runs_of_words = _numbers(len(each.text_runs) for each in words), _numbers(len(each.question_runs) for each in words)
    runs_each = np.where(question[flat_who], runs_of_words[1][flat_what], runs_of_words[0][flat_what])
    lengths_in_runs = np.bincount(flat_who, flat_often * runs_each, minlength=len(passages)).astype(np.int64)

    ids = _numbers(each.id for each in passages)
    light = _numbers(each.light for each in passages)
    found_marks, found_places, found_postings = [], [], []
    for kind, parts in PARTS_OF.items():
        mine = question[flat_who] == (kind == Kind.QUESTION)
        triples = flat_who[mine], flat_what[mine], flat_often[mine]
        for part in parts:
            lengths = lengths_in_runs if part.marks == "run" else lengths_in_words
            marks, places, times = _spread([list(marks_of(each, part)) for each in words], *triples)
            found_marks.append(marks)
            found_places.append(places)
            found_postings.append(
                (ids[places] % SPAN << OFFSET_AT)
                | light[places] * LIGHT
                | (np.minimum(times, COUNT_MOST) << COUNT_AT)
                | np.minimum(lengths[places], LENGTH_MOST)
            )
    marks, places, postings = map(np.concatenate, (found_marks, found_places, found_postings))
    return Made(
        lists=_lists(marks, ids[places], postings.astype(POSTING)),
        marks_of_passages=_by_passage(marks, places, len(passages)),
        words=lengths_in_words.tolist(),
        runs=lengths_in_runs.tolist(),
        stems=_stems(words, flat_what, question[flat_who]),
    )


def _numbers(values: object) -> Numbers:
    return np.fromiter(values, dtype=np.int64)  # type: ignore[call-overload,no-any-return]


def _spread(marks: Sequence[Sequence[int]], who: Numbers, what: Numbers, often: Numbers) -> tuple[Numbers, ...]:
    """From how often words are in passages to how often marks are: marks, passages, counts, by mark and passage."""
    many = _numbers(len(each) for each in marks)
    starts = np.cumsum(many) - many
    flat = _numbers(chain.from_iterable(marks))
    each_many = many[what]
    source = np.repeat(np.arange(len(what)), each_many)
    within = np.arange(len(source)) - np.repeat(np.cumsum(each_many) - each_many, each_many)
    # one number for mark and passage: one sort and one comparison
    keys = (flat[starts[what[source]] + within] << 32) + who[source]
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], often[source][order]
    first = np.flatnonzero(np.diff(keys, prepend=-1 if not len(keys) else keys[0] - 1))
    keys = keys[first]
    return keys >> 32, keys & 0xFFFF_FFFF, np.add.reduceat(counts, first) if len(first) else counts


def _lists(marks: Numbers, ids: Numbers, postings: NDArray[np.uint32]) -> Lists:
    order = np.lexsort((ids, marks))
    marks, ranges, postings = marks[order], ids[order] // SPAN, postings[order]
    changes = np.flatnonzero((np.diff(marks) != 0) | (np.diff(ranges) != 0))
    ends = np.append(changes + 1, len(marks)) if len(marks) else np.array([], dtype=np.int64)
    last = ends - 1
    return Lists(marks[last], ranges[last], ends, postings)


def _by_passage(marks: Numbers, places: Numbers, number: int) -> list[bytes]:
    order = np.argsort(places, kind="stable")
    ends = np.cumsum(np.bincount(places, minlength=number)).tolist()
    mine = marks[order].astype(MARK)
    return [mine[start:end].tobytes() for start, end in zip([0, *ends], ends, strict=False)]


def _stems(words: Sequence[Word], what: Numbers, in_question: NDArray[np.bool_]) -> dict[int, str]:
    stems: dict[int, str] = {}
    for kind, mine in ((Kind.BODY, ~in_question), (Kind.QUESTION, in_question)):
        (part,) = (each for each in PARTS_OF[kind] if each.marks == "stem")
        for place in np.unique(what[mine]).tolist():
            for mark in marks_of(words[place], part):
                stems[mark] = words[place].stem
    return stems


def count(marks: Sequence[bytes]) -> Counter[int]:
    """How many passages have each mark, of passages that have these."""
    if not marks:
        return Counter()
    found, counts = np.unique(np.frombuffer(b"".join(marks), dtype=MARK), return_counts=True)
    return Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))


def places_of(passages: Sequence[tuple[int, bytes]]) -> tuple[list[int], list[int]]:
    """The rows (mark, range) that hold the postings of passages, given as id and marks."""
    found: set[tuple[int, int]] = set()
    for passage_id, marks in passages:
        found.update(zip(np.frombuffer(marks, dtype=MARK).tolist(), repeat(passage_id // SPAN)))
    marks_, ranges = zip(*sorted(found), strict=True) if found else ((), ())
    return list(marks_), list(ranges)


def without(rows: Sequence[tuple[int, int, bytes]], gone: Sequence[int]) -> Iterator[tuple[int, int, bytes]]:
    """The lists as they are without the passages that are gone; an empty one is to be deleted."""
    if not rows:
        return
    lengths = _numbers(len(data) // POSTING.itemsize for _mark, _range, data in rows)
    postings = np.frombuffer(b"".join(data for _mark, _range, data in rows), dtype=POSTING)
    ids = np.repeat(_numbers(place for _mark, place, _data in rows), lengths) * SPAN + (postings >> OFFSET_AT)
    stay = ~np.isin(ids, np.array(gone))
    ends = np.cumsum(lengths)
    for (mark, place, _data), start, end in zip(rows, (ends - lengths).tolist(), ends.tolist(), strict=True):
        yield mark, place, postings[start:end][stay[start:end]].tobytes()
