"""A piece of a text that is somebody's."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import NamedTuple

#: all kinds of marks; whoever reads, stands in for, or watches over marks takes them from here
KINDS = ("ТЕЛЕФОН", "ПОЧТА", "КАРТА", "ДОКУМЕНТ", "ИМЯ", "ТЕКСТ", "АДРЕС", "ДАТА", "АККАУНТ")


class Found(NamedTuple):
    """Where it stands, what kind it is, and what makes two of them the same.

    ``value`` is what tools are given where that isn't what was written: a number in words becomes digits.
    """

    start: int
    end: int
    kind: str
    key: str
    value: str = ""


class Taken:
    """The places of a text that are taken: they don't overlap."""

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self._spans = sorted(spans)

    def is_free(self, start: int, end: int) -> bool:
        """Whether nothing stands between ``start`` and ``end``."""
        place = bisect_left(self._spans, (end,))
        return place == 0 or self._spans[place - 1][1] <= start

    def take(self, start: int, end: int) -> bool:
        """Take the place, if it is free."""
        free = self.is_free(start, end)
        if free:
            insort(self._spans, (start, end))
        return free


def apart(pieces: Iterable[Found]) -> list[Found]:
    """The pieces that don't overlap; what comes first wins."""
    taken = Taken()
    return [each for each in pieces if taken.take(each.start, each.end)]
