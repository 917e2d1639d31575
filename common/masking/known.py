"""Names that a conversation has told, in all their cases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from common.masking.lists import NO_NAMES, WEAK
from common.masking.words import CYRILLIC, SPACES, SURNAME, TOKEN, kind_of
from common.russian import analyzer

#: endings that cases give to names that no dictionary has
_ENDINGS = [
    "",
    *"а у е ы и о я ю ь й ой ою ом ем ей ым им ых их ии ию ия ий ого его ому ему ами ями ах ях ая ую".split(),  # noqa: SIM905
]


class KnownNames:
    """The words of known names in all their cases, to be looked up word by word."""

    def __init__(self) -> None:
        #: forms, and whether small letters make no difference
        self._forms: dict[str, bool] = {}
        self._seen: set[str] = set()
        #: as they were written
        self.words: list[str] = []

    def add(self, name: str) -> bool:
        """Know a name's words from now on; whether any is new."""
        new = False
        for match in TOKEN.finditer(name[:200]):
            for word in {match[0], *re.split(r"-", match[0])}:
                small = word.casefold()
                if small in NO_NAMES or small in self._seen or not _worth_knowing(small):
                    continue
                self._seen.add(small)
                self.words.append(word)
                loose = word[:1].islower() or _is_loose(small)
                for form, is_name in _forms_of(small):
                    self._forms[form] = self._forms.get(form, False) or (loose and (is_name or form == small))
                new = True
        return new

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Where known names stand, neighbours together."""
        if not self._forms:
            return
        start = end = -1
        tokens = list(TOKEN.finditer(text))
        sure = [self._is_known(match[0]) for match in tokens]
        for place, match in enumerate(tokens):
            # a name that is a word as well, in small letters: «зосима дребезгов», beside one that is nothing else
            beside = any(
                0 <= other < len(tokens)
                and sure[other]
                and SPACES.fullmatch(
                    text, min(match.end(), tokens[other].end()), max(match.start(), tokens[other].start())
                )
                for other in (place - 1, place + 1)
            )
            if not sure[place] and not (beside and _plain(match[0].casefold()) in self._forms):
                continue
            if start >= 0 and SPACES.fullmatch(text, end, match.start()):
                end = match.end()
                continue
            if start >= 0:
                yield start, end
            start, end = match.span()
        if start >= 0:
            yield start, end

    def _is_known(self, word: str) -> bool:
        small = _plain(word.casefold())
        loose = self._forms.get(small)
        if loose is None and small[-2:] in {"'s", "’s"}:
            loose = self._forms.get(small[:-2])
        if loose is None and "-" in small:
            return any(self._is_known(part) for part in word.split("-") if part)
        return loose is not None and (loose or word[0].isupper())


def _plain(word: str) -> str:
    return word.replace("ё", "е")


def _worth_knowing(word: str) -> bool:
    if len(word) >= 3:
        return True
    return len(word) == 2 and kind_of(word).name >= SURNAME


@lru_cache(maxsize=5_000)
def _is_loose(word: str) -> bool:
    """Whether a name is nothing but a name, so that it is one in small letters too."""
    if not CYRILLIC.search(word):
        return len(word) > 3 and word not in WEAK
    kind = kind_of(word)
    return not kind.known or kind.other < 0.2


@lru_cache(maxsize=5_000)
def _forms_of(word: str) -> tuple[tuple[str, bool], ...]:
    """The cases of a name as the dictionary makes them, with all likely endings where it doesn't know the name.

    With each, whether it is nothing but a name: «Марка» may be of Марк.
    """
    if not CYRILLIC.search(word):
        return ((word, True),)
    forms = {word}
    named = False
    for parse in analyzer().parse(word):
        if parse.tag.grammemes & {"Name", "Surn", "Patr"}:
            named = named or parse.is_known
            forms.update(each.word for each in parse.lexeme)
    if not named:
        stem = re.sub(r"(?:ий|ый|ой|ия|ая|[аяоеёийьыуюэ])$", "", word)
        stem = stem if len(stem) >= 3 else word
        forms.update(stem + ending for ending in _ENDINGS)
    return tuple((_plain(each), kind_of(each).other < 0.2 or not kind_of(each).known) for each in forms - NO_NAMES)
