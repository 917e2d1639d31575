"""One conversation's masks: what was hidden, under which mark, and how it comes back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from common.masking.forms import find_personal
from common.masking.found import KINDS, Found, Taken, apart
from common.masking.known import KnownNames
from common.masking.literals import Literals
from common.masking.people import answered_with, find_people, names_in

#: a mark as it is written, of these kinds or of others that are hidden beside them
WRITTEN_MARK = re.compile(r"\[[А-ЯЁ]+_\d+\]")
#: a mark as somebody may type it
_MARK = re.compile(rf"\[\s*({'|'.join(KINDS)})[_ \\-]*(\d+)\s*\]", re.IGNORECASE)
#: the beginning of a mark whose end hasn't come yet
_HALF_MARK = re.compile(r"\[\s*[а-яё]{0,8}[_ \\-]*\d{0,6}\s*$", re.IGNORECASE)
#: what is left of a value in the messages after the one that it begins in
_REST = "…"
#: how much of a burst is read as one text
_BURST_MOST = 2_000
#: texts whose pieces one masker remembers: those of one turn
_REMEMBERED = 400
#: what is kept between turns: so many marks and names, values of so many characters
_KEPT_MOST, _VALUE_MOST = 300, 300


class Masker:
    """Masks texts of one conversation and puts the values back; not to be shared between conversations.

    ``state`` is what an earlier masker of the same conversation kept: values keep their marks then, and names that
    were said long ago stay known.
    """

    def __init__(self, known_names: Iterable[str] = (), state: Mapping[str, Any] | None = None) -> None:
        self._names = KnownNames()
        self._literals = Literals()
        self._marks: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._remembered: dict[str, tuple[int, list[Found]]] = {}
        for kind, key, value in (state or {}).get("marks", ()):
            self._mark(kind, key, value)
            self._literals.add(kind, key, value)
        for name in [*(state or {}).get("names", ()), *known_names]:
            self._names.add(name)

    # --- hiding --------------------------------------------------------------------------------------------------

    def mask(self, text: str) -> str:
        """A text that somebody wrote, with marks in place of personal data."""
        return self._written(text, self._typed(text) + self._pieces(text))

    def hide(self, text: str) -> str:
        """A text that may have been masked before, with marks in place of what personal data is left in it."""
        return self._written(text, self._pieces(text))

    def mask_conversation(self, said: Sequence[tuple[str, str]]) -> list[str]:
        """The texts of a conversation, given with their authors in order, all masked.

        Knows more than ``mask`` does of each: a name that is told later hides where it was said before, an answer to
        «как вас зовут?» is a name, and a number may be split over the messages of a burst.
        """
        for (asker, question), (author, text) in pairwise(said):
            if asker != author:
                for name in names_in(text, answered_with(question, text)):
                    self._names.add(name)
        for _ in range(2):  # the second time with all names of the first
            for _author, text in said:
                self._pieces(text)
        masked: list[str] = []
        for _author, burst in groupby(said, key=lambda each: each[0]):
            masked += self._burst([text for _, text in burst])
        return masked

    def _burst(self, texts: list[str]) -> list[str]:
        pieces = [self._typed(text) + self._pieces(text) for text in texts]
        if len(texts) > 1:
            for place, piece in self._across(texts):
                pieces[place] = apart([piece, *pieces[place]])
        return [self._written(text, found) for text, found in zip(texts, pieces, strict=True)]

    def _across(self, texts: list[str]) -> Iterable[tuple[int, Found]]:
        """What begins in one message of a burst and ends in a later one: a piece for each message."""
        starts, at = [], 0
        for text in texts:
            starts.append(at)
            at += len(text) + 1
        joined = " ".join(texts)
        if at > _BURST_MOST and max(map(len, texts)) > 200:
            return
        for found in apart(find_personal(joined[:_BURST_MOST])):
            inside = [
                place
                for place, start in enumerate(starts)
                if found.start < start + len(texts[place]) and found.end > start
            ]
            if len(inside) < 2 or not self._may_replace(texts, starts, inside, found):
                continue
            for place in inside:
                start = max(0, found.start - starts[place])
                end = min(len(texts[place]), found.end - starts[place])
                value = found.value or joined[found.start : found.end]
                # the rest of the value has no mark of its own
                kind = found.kind if place == inside[0] else ""
                yield place, Found(start, end, kind, found.key, value)

    def _may_replace(self, texts: list[str], starts: list[int], inside: list[int], found: Found) -> bool:
        """Whether no message has a piece of its own that reaches out of what was found across them."""
        for place in inside:
            for own in self._pieces(texts[place]):
                start, end = own.start + starts[place], own.end + starts[place]
                meets = start < found.end and end > found.start
                if meets and (own.kind == found.kind == "ТЕЛЕФОН" or start < found.start or end > found.end):
                    return False
        return True

    def _written(self, text: str, pieces: Iterable[Found]) -> str:
        parts, at = [], 0
        for each in sorted(apart(pieces)):
            mark = self._mark(each.kind, each.key, each.value or text[each.start : each.end]) if each.kind else _REST
            parts += [text[at : each.start], mark]
            at = each.end
        return "".join([*parts, text[at:]]) if parts else text

    def _mark(self, kind: str, key: str, value: str) -> str:
        mark = self._marks.get((kind, key))
        if mark is None:
            self._counts[kind] = number = self._counts.get(kind, 0) + 1
            mark = self._marks[kind, key] = f"[{kind}_{number}]"
            self._values[mark] = value
        return mark

    def _typed(self, text: str) -> list[Found]:
        """Marks that somebody typed by hand."""
        if "[" not in text:
            return []
        return [Found(*match.span(), "ТЕКСТ", match[0]) for match in _MARK.finditer(text)]

    def _pieces(self, text: str) -> list[Found]:
        """Personal data of a text, apart; names that it tells are known afterwards."""
        known = len(self._names.words) + len(self._literals.known)
        remembered = self._remembered.get(text)
        if remembered is not None and remembered[0] == known:
            return remembered[1]
        marks = Taken(match.span() for match in WRITTEN_MARK.finditer(text)) if "[" in text else Taken()
        forms = [each for each in apart(find_personal(text)) if marks.is_free(each.start, each.end)]
        taken = Taken((each.start, each.end) for each in forms)
        told = [span for span in find_people(text, forms) if taken.is_free(*span) and marks.is_free(*span)]
        for name in names_in(text, told):
            self._names.add(name)
        for each in forms:
            self._literals.add(each.kind, each.key, text[each.start : each.end])
        names = _merged([*told, *(span for span in self._names.find(text) if marks.is_free(*span))])
        again = (each for each in self._literals.find(text) if marks.is_free(each.start, each.end))
        pieces = apart([*forms, *again, *(Found(*span, "ИМЯ", _key_of_name(text[slice(*span)])) for span in names)])
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.pop(next(iter(self._remembered)))
        self._remembered[text] = (len(self._names.words) + len(self._literals.known), pieces)
        return pieces

    # --- bringing back -------------------------------------------------------------------------------------------

    def unmask(self, value: Any) -> Any:
        """A text, or JSON with texts in it, with the values put back; unknown marks stay as they are."""
        if isinstance(value, str):
            return _MARK.sub(self._value, value) if "[" in value else value
        if isinstance(value, dict):
            return {key: self.unmask(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.unmask(each) for each in value]
        return value

    def reveal(self, value: Any) -> Any:
        """The same as ``unmask``."""
        return self.unmask(value)

    def say(self, text: str) -> str:
        """A reply as the customer reads it: the values put back, and marks that stand for nothing left out."""
        if not self.unknown(text):
            return str(self.unmask(text))
        kept = _MARK.sub(lambda match: match[0] if _name_of(match) in self._values else "", text)
        kept = re.sub(r"[ \t]+(?=[ \t,.;:!?)\n]|$)", "", kept)
        return str(self.unmask(re.sub(r"^[\s,.;:!?]+", "", kept)))

    def unknown(self, value: Any) -> list[str]:
        """The marks of a text, or of JSON with texts in it, that stand for nothing in this conversation."""
        if isinstance(value, str):
            marks = map(_name_of, _MARK.finditer(value)) if "[" in value else ()
            return list(dict.fromkeys(each for each in marks if each not in self._values))
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
        return list(dict.fromkeys(mark for each in inside for mark in self.unknown(each)))

    def _value(self, match: re.Match[str]) -> str:
        return self._values.get(_name_of(match), match[0])

    @property
    def names(self) -> list[str]:
        """The words of all names that are known, as they were written."""
        return list(self._names.words)

    # --- between turns -------------------------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any]:
        """What the next masker of this conversation needs: personal data, to be kept as such."""
        marks = [
            [kind, key, self._values[mark]]
            for (kind, key), mark in self._marks.items()
            if len(key) <= _VALUE_MOST and len(self._values[mark]) <= _VALUE_MOST
        ]
        # numbers are given by place: of what is too long for its place nothing behind it of its kind may be kept
        return {"marks": self._in_order(marks)[:_KEPT_MOST], "names": self._names.words[:_KEPT_MOST]}

    def _in_order(self, marks: list[list[str]]) -> list[list[str]]:
        counts: dict[str, int] = {}
        kept = []
        for kind, key, value in marks:
            counts[kind] = counts.get(kind, 0) + 1
            if self._marks[kind, key] == f"[{kind}_{counts[kind]}]":
                kept.append([kind, key, value])
        return kept


class Unmasking:
    """Puts values back into a text that comes piece by piece, and holds back the beginning of a mark."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be said now."""
        text = self._held + piece
        half = _HALF_MARK.search(text[-40:])
        cut = len(text) - len(half[0]) if half is not None else len(text)
        self._held = text[cut:]
        return self._masker.say(text[:cut]) if text[:cut].strip() else text[:cut]

    def rest(self) -> str:
        """What was held back and turned out to be no mark."""
        text, self._held = self._held, ""
        return text


def _name_of(match: re.Match[str]) -> str:
    return f"[{match[1].upper()}_{int(match[2])}]"


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _key_of_name(name: str) -> str:
    return re.sub(r"\s+", " ", name.casefold())
