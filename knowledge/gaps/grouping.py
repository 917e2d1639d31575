"""Which group a question belongs to. A question is compared with the groups' faces: their different wordings.

The words of the faces stand in this process's memory only. The database holds their ciphertext and no marks of words,
not even keyed ones: equal marks would tell a thief which customers ask with the same words. A process reads what it
hasn't read yet, so the first question costs the deciphering of all faces, and the next only a look at their ids.
"""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from heapq import nlargest

from django.db import connection

from common.fields import Undecryptable
from common.locks import transaction_lock
from knowledge.gaps.likeness import ALIKE, Asked, Rarity, keys_of_like, likeness, read
from knowledge.gaps.models import GapQuestion

#: wordings by which one group is recognised
FACES_MOST = 8
#: groups' faces that are compared in full, of those that share a word or some letters
_COMPARED = 80
_READ_AT_ONCE = 500


class Faces:
    """What a process knows of all faces, by the marks they share."""

    def __init__(self) -> None:
        self._asked: dict[uuid.UUID, Asked] = {}
        self._by_key: dict[int, set[uuid.UUID]] = defaultdict(set)
        self._one_at_a_time = threading.Lock()

    def near(self, asked: Asked, among: Collection[uuid.UUID] | None = None) -> list[tuple[uuid.UUID, Asked]]:
        """The faces worth comparing with a question, each with its group; ``among`` limits the groups."""
        faces = GapQuestion.objects.filter(face=True, gap__isnull=False)
        if among is not None:
            faces = faces.filter(gap__in=among)
        groups = dict(faces.values_list("pk", "gap_id"))
        with self._one_at_a_time:
            self._read(groups, whole=among is None)
            shared: dict[uuid.UUID, float] = defaultdict(float)
            for key in keys_of_like(asked):
                for face in (holding := self._by_key.get(key, ())):
                    shared[face] += 1 / len(holding)
            best = nlargest(_COMPARED, (face for face in shared if face in groups), key=shared.__getitem__)
            return [(groups[face], self._asked[face]) for face in best]  # type: ignore[misc]

    def _read(self, wanted: Collection[uuid.UUID], *, whole: bool) -> None:
        if whole:
            for gone in self._asked.keys() - set(wanted):
                for key in self._asked.pop(gone).keys:
                    self._by_key[key].discard(gone)
        new = [face for face in wanted if face not in self._asked]
        for start in range(0, len(new), _READ_AT_ONCE):
            for question in GapQuestion.objects.filter(pk__in=new[start : start + _READ_AT_ONCE]):
                self._asked[question.pk] = asked = read_question(question)
                for key in asked.keys:
                    self._by_key[key].add(question.pk)


_faces = Faces()


def read_question(question: GapQuestion) -> Asked:
    """The words of a question; none where it can't be deciphered."""
    try:
        return read(question.text)
    except Undecryptable:
        return Asked(())


def like(asked: Iterable[Asked], among: Collection[uuid.UUID] | None = None) -> list[tuple[uuid.UUID, float]]:
    """The groups that ask for the same as any of these, most alike first, each once; those below ``ALIKE`` too."""
    best: dict[uuid.UUID, float] = {}
    for each in asked:
        near = _faces.near(each, among)
        weight = rarity_of([each, *(face for _, face in near)])
        for gap, face in near:
            best[gap] = max(best.get(gap, 0.0), likeness(each, face, weight))
    return sorted(best.items(), key=lambda found: -found[1])


def rarity_of(questions: Iterable[Asked]) -> Rarity:
    """How rare the words of these questions are in the knowledge base."""
    marks = {each.stem_mark for asked in questions for each in asked.words}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT mark, sum(octet_length(postings)) / 4 FROM knowledge_postinglist WHERE mark = ANY(%s::int[])"
            " GROUP BY mark UNION ALL SELECT NULL, bodies FROM knowledge_yardstick",
            [list(marks)],
        )
        rows = cursor.fetchall()
    counts = {mark: int(passages) for mark, passages in rows if mark is not None}
    return Rarity(sum(passages for mark, passages in rows if mark is None), counts)


def best_of(questions: list[GapQuestion]) -> GapQuestion | None:
    """The question that says best what its group asks: most like the others, and short among equals."""
    if len(questions) < 3:
        return min(questions, key=lambda each: len(_text(each)), default=None)
    asked = {each.pk: read_question(each) for each in questions}
    flat = Rarity()

    def fits(question: GapQuestion) -> tuple[float, int]:
        others = sum(likeness(asked[question.pk], other, flat) for pk, other in asked.items() if pk != question.pk)
        return round(others, 2), -len(_text(question))

    return max(questions, key=fits)


def _text(question: GapQuestion) -> str:
    try:
        return question.text
    except Undecryptable:
        return ""


def lock() -> None:
    """Until the end of this transaction nobody else puts questions into groups: two like ones make no two groups."""
    transaction_lock("knowledge.gaps")


__all__ = ["ALIKE", "FACES_MOST", "best_of", "like", "lock", "rarity_of", "read_question"]
