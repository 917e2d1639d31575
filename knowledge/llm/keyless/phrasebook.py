"""Finds the phrases of a lexicon in a message. Phrases are written as people say them and match any inflection.

``a|b`` are alternatives for one word, ``=word`` matches that very form only, ``stem*`` a beginning,
``..`` stands for up to three words between, ``#`` for a number in digits.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from knowledge.llm.keyless import morphology
from knowledge.llm.keyless.morphology import Word
from knowledge.words import distance

#: how many words ``..`` may stand for
_GAP = 3
#: unknown words of one message that are looked up by likeness; more of them are no message in our language
_CORRECTED_MOST = 30


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase found: what it means, and its first and last word."""

    kind: str
    name: str
    first: int
    last: int

    def covers(self, other: Match) -> bool:
        """Whether the other stands inside this one and is shorter."""
        inside = self.first <= other.first and other.last <= self.last
        return inside and (self.last - self.first) > (other.last - other.first)


@dataclass(frozen=True, slots=True)
class _Step:
    """One word of a phrase."""

    lemmas: frozenset[str] = frozenset()
    forms: frozenset[str] = frozenset()
    stems: tuple[str, ...] = ()
    number: bool = False
    gap: bool = False

    def fits(self, word: Word, lemma: str) -> bool:
        if self.number and word.kind == "number":
            return True
        if lemma in self.lemmas or word.raw in self.forms:
            return True
        return bool(self.stems) and (lemma.startswith(self.stems) or word.raw.startswith(self.stems))


@dataclass(frozen=True, slots=True)
class _Phrase:
    kind: str
    name: str
    steps: tuple[_Step, ...]


class Phrasebook:
    """Many phrases, looked for in one pass over a message."""

    def __init__(self, phrases: Iterable[tuple[str, str, str]], answers: Iterable[str] = ()) -> None:
        """``phrases`` are (kind, name, words); ``answers`` are words that are known beside them."""
        self._by_word: dict[str, list[_Phrase]] = defaultdict(list)
        self._others: list[_Phrase] = []
        vocabulary: set[str] = {word for word in answers if len(word) >= 4}
        for kind, name, words in phrases:
            phrase = _Phrase(kind, name, tuple(_step(word) for word in words.split()))
            first = phrase.steps[0]
            if first.stems or first.number:
                self._others.append(phrase)
            for key in first.lemmas | first.forms:
                self._by_word[key].append(phrase)
            for step in phrase.steps:
                vocabulary |= {word for word in step.lemmas if len(word) >= 4}
        self._vocabulary = frozenset(vocabulary)
        self._by_sound: dict[str, str] = {}
        for word in sorted(vocabulary, key=len, reverse=True):  # of two that sound alike the shorter is the commoner
            self._by_sound[morphology.sound(word)] = word
        self._nearest = lru_cache(maxsize=10_000)(self._find_nearest)

    def lemmas(self, words: Sequence[Word]) -> list[str]:
        """Their dictionary forms; for a word that no dictionary has, the nearest one that the book knows."""
        lemmas = [word.lemma for word in words]
        strange = [
            place
            for place, word in enumerate(words)
            if word.kind == "word" and len(word.raw) >= 4 and not morphology.is_known(word.raw)
        ]
        for place in strange[:_CORRECTED_MOST]:
            lemmas[place] = self._nearest(words[place].raw, words[place].lemma)
        return lemmas

    def find(self, words: Sequence[Word], lemmas: Sequence[str]) -> list[Match]:
        """Every phrase in these words, in order; a phrase doesn't reach over the end of a sentence."""
        found: set[Match] = set()
        for place, word in enumerate(words):
            phrases = self._by_word.get(lemmas[place], ())
            if word.raw != lemmas[place]:
                phrases = [*phrases, *self._by_word.get(word.raw, ())]
            for phrase in [*phrases, *self._others]:
                last = _match(phrase.steps, words, lemmas, place)
                if last is not None:
                    found.add(Match(phrase.kind, phrase.name, place, last))
        return sorted(found, key=lambda match: (match.first, -match.last, match.kind, match.name))

    def _find_nearest(self, raw: str, lemma: str) -> str:
        if lemma in self._vocabulary:
            return lemma
        alike = self._alike(raw)
        if alike:
            return alike
        best, fewest = lemma, 3
        for known in self._vocabulary:
            if known[0] != raw[0]:
                continue
            most = min(fewest - 1, 1 if len(known) < 8 else 2)
            wrong = min(distance(form, known, most) for form in (raw, lemma)) if most else 1
            if wrong <= most and (wrong, known) < (fewest, best):
                best, fewest = known, wrong
        return best

    def _alike(self, raw: str) -> str:
        """The known word that sounds like a misspelt one, whatever its ending: «атчетов» is «отчет»."""
        heard = morphology.sound(raw)
        if len(heard) < 4 or raw.isascii():
            return ""
        if heard in self._by_sound:
            return self._by_sound[heard]
        if len(heard) < 5:
            return ""
        near = (
            sound
            for sound in self._by_sound
            if sound[0] == heard[0] and len(sound) >= 5 and distance(sound, heard, 1) <= 1
        )
        found = min(near, key=lambda sound: (abs(len(sound) - len(heard)), sound), default="")
        return self._by_sound.get(found, "")


def phrases(table: Mapping[str, str], *, kind: str) -> Iterator[tuple[str, str, str]]:
    """The rows of a lexicon's table, whose phrases stand between slashes."""
    for name, words in table.items():
        for phrase in words.split("/"):
            # a table's line may break inside a list of alternatives
            phrase = re.sub(r"\s*\|\s*", "|", phrase.strip())
            if phrase:
                yield kind, name, phrase


def _step(word: str) -> _Step:
    if word == "..":
        return _Step(gap=True)
    lemmas, forms, stems = set(), set(), []
    number = False
    for part in word.split("|"):
        part = morphology.spell(part)
        if part == "#":
            number = True
        elif part.startswith("="):
            forms.add(part[1:])
        elif part.endswith("*"):
            stems.append(part[:-1])
        else:
            lemmas.add(morphology.lemma(part))
    return _Step(frozenset(lemmas), frozenset(forms), tuple(stems), number)


def _match(steps: Sequence[_Step], words: Sequence[Word], lemmas: Sequence[str], place: int) -> int | None:
    """The last word of the phrase when it begins at ``place``; of several readings the shortest."""
    sentence = words[place].sentence
    for index, step in enumerate(steps):
        if step.gap:
            rest = steps[index + 1 :]
            reach = range(place, min(place + _GAP + 1, len(words)))
            ends = (_match(rest, words, lemmas, at) for at in reach if words[at].sentence == sentence)
            return next((end for end in ends if end is not None), None)
        if place >= len(words) or words[place].sentence != sentence or not step.fits(words[place], lemmas[place]):
            return None
        place += 1
    return place - 1
