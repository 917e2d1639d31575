"""Names of people in what is said: by the words before them, by their form, and by the dictionary.

A name that is also a word (Вера, Роман) or a town needs words before it that leave no doubt. A name that has been
found is known from then on, in all its cases.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from common.masking.found import Found
from common.masking.lists import (
    ANSWERS_NO_NAME,
    COMPANIES,
    DOUBTFUL_NAMES,
    FIRST_NAMES,
    INTRODUCED,
    INTRODUCTIONS,
    NO_NAMES,
    ROLES,
    ROLES_LATIN,
    SELVES,
    WEAK,
)
from common.russian import analyzer

_TOKEN = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_CAPITAL = re.compile(r"[А-ЯЁ]")
_PATRONYMIC = re.compile(
    r"(?:[оеь]вич|[ыь]ич|[аеиоу]ныч|[а-я]лыч|ьич|овн|евн|ичн|иничн)(?:а|у|ем|ом|е|ы|ой|ою|ей)?$|[а-я]{3}(?:ныч|лыч|рыч)$"
)
_SURNAME_END = re.compile(
    r"(?:[оеё]в|[иы]н|[оеё]ва|[иы]на|ск(?:ий|ая|ой)|цк(?:ий|ая|ой)|енко|[аоуя]вич|[ая]н|швили|дзе)$"
)
_INITIALS = re.compile(
    r"(?<![\w.])(?:[А-ЯЁ][а-яё]+(?:-[А-ЯЁ][а-яё]+)?\s{1,2}[А-ЯЁ]\.\s?[А-ЯЁ]\.|[А-ЯЁ]\.\s?[А-ЯЁ]\.\s?[А-ЯЁ][а-яё]+(?:-[А-ЯЁ][а-яё]+)?"
    r"|[А-ЯЁ]\.\s?[А-ЯЁ][а-яё]+(?:ов|ев|ин|ова|ева|ина|ский|ская|енко)(?:а|у|ой|ым)?)(?!\w)"
)
_CONTACT_MARK = re.compile(r"\[(?:ТЕЛЕФОН|ПОЧТА)_\d+\]")
#: whoever asks for a name gets one, even in small letters
_ASKS_NAME = re.compile(
    r"зовут|ваше имя|обращаться|представ(?:ьтесь|иться)|(?:как|кто)\s+вы\b|имя и|your name|call you|who am i",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[ \t\u00a0]{1,3}")
_NO_SPEECH = frozenset({"VERB", "INFN", "PREP", "CONJ", "PRCL", "NPRO", "ADVB", "GRND", "INTJ", "PRED", "NUMR", "COMP"})
#: a word is a name in most of its readings; it may be one; a surname
SURE, MAYBE, SURNAME = 0.6, 0.05, 0.3
#: as many words as may stand before a name to tell that it is one
_BEFORE_MOST = 5
#: longest text that is read for names
_READ_MOST = 20_000


class Kind(NamedTuple):
    """How likely a word is to be what; ``other`` is the share of readings that are no part of a name."""

    name: float
    surname: float
    patronymic: float
    place: float
    other: float
    known: bool
    functional: bool


class Token(NamedTuple):
    """A word with its place. ``capital`` for Анна and АННА."""

    start: int
    end: int
    word: str
    capital: bool


@lru_cache(maxsize=50_000)
def kind_of(word: str) -> Kind:
    """What the dictionary says of a word in small letters."""
    if not _CYRILLIC.search(word):
        return Kind(0, 0, 0, 0, 0, False, False)
    name = surname = patronymic = place = other = functional = 0.0
    called: set[str] = set()
    for parse in analyzer().parse(word):
        tag, score = parse.tag.grammemes, parse.score
        if "Name" in tag:
            name += score
        elif "Surn" in tag:
            surname += score
        elif "Patr" in tag:
            patronymic += score
        else:
            other += score
            place += score * ("Geox" in tag)
            functional += score * bool(tag & _NO_SPEECH)
        if "Name" in tag and "sing" in tag:
            called.add(parse.normal_form)
    known = bool(analyzer().word_is_known(word))
    if word in FIRST_NAMES or called & FIRST_NAMES:
        return Kind(1.0, surname, patronymic, 0, 0, True, False)
    if word in DOUBTFUL_NAMES or called & DOUBTFUL_NAMES:
        return Kind(min(max(name, SURNAME), 0.5), surname, patronymic, place, max(other, 0.5), True, False)
    return Kind(name, surname, patronymic, place, other, known, functional > 0.5)


def find_people(text: str, beside: Sequence[Found] = ()) -> list[tuple[int, int]]:
    """Where names stand. ``beside`` are phones and addresses: who writes a name next to one means its owner."""
    if len(text) > _READ_MOST:
        text = text[:_READ_MOST]
    tokens = [_token(match) for match in _TOKEN.finditer(text)]
    if not tokens:
        return []
    reader = _Reader(text, tokens)
    reader.introduced()
    reader.formed()
    reader.beside(beside)
    return sorted(reader.found)


def answered_with(question: str, answer: str) -> list[tuple[int, int]]:
    """The name in an answer that is nothing else, to a question for it."""
    if not _ASKS_NAME.search(question):
        return []
    tokens = [_token(match) for match in _TOKEN.finditer(answer[:120])]
    if not 1 <= len(tokens) <= 4 or re.search(r"[\d?]", answer):
        return []
    named = any(kind_of(each.word).name >= MAYBE for each in tokens)
    if not all(_may_be_called(each) or (named and _ends_as_surname(each.word)) for each in tokens):
        return []
    if any(each.word in ANSWERS_NO_NAME for each in tokens):
        return []
    return [(each.start, each.end) for each in tokens]


def _token(match: re.Match[str]) -> Token:
    word = match[0]
    return Token(match.start(), match.end(), word.casefold().replace("’", "'"), word[0].isupper())


def _may_be_called(token: Token) -> bool:
    """After «меня зовут» nearly anything is a name: not a known word, though, that isn't one."""
    if token.word in NO_NAMES or len(token.word) < 2:
        return False
    if not _CYRILLIC.search(token.word):
        return token.word not in WEAK
    kind = kind_of(token.word)
    if kind.functional and kind.name < MAYBE:
        return False
    if kind.name >= MAYBE or kind.surname >= SURNAME or kind.patronymic or not kind.known:
        return True
    return token.capital and not kind.functional


class _Reader:
    """Reads one text."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text, self.tokens = text, tokens
        self.at = {token.start: place for place, token in enumerate(tokens)}
        self.found: list[tuple[int, int]] = []
        self.taken = [False] * len(tokens)

    # --- what was said before ------------------------------------------------------------------------------------

    def introduced(self) -> None:
        small = self.text.lower()
        if any(word in small for word in INTRODUCED):
            for match in INTRODUCTIONS.finditer(self.text):
                place = self.at.get(match.end())
                if place is not None and _may_be_called(self.tokens[place]):
                    self._take(place, self._rest(place, sure=True))
        for place, token in enumerate(self.tokens):
            if self.taken[place] or not (token.capital or kind_of(token.word).name >= SURE):
                continue
            for latin, pattern in ((False, ROLES), (True, ROLES_LATIN)):
                if self._is_likely(place, latin=latin) and self._stands_before(place, pattern):
                    self._take(place, self._rest(place, sure=False))
                    break

    def _stands_before(self, place: int, pattern: re.Pattern[str]) -> bool:
        start = self.tokens[place].start
        words = self.tokens[max(0, place - _BEFORE_MOST) : place]
        return any(pattern.match(self.text, word.start, start) is not None for word in reversed(words))

    def _is_likely(self, place: int, *, latin: bool) -> bool:
        """After «это», «директор», «с уважением» a name is told from other words by the dictionary."""
        token = self.tokens[place]
        if token.word in NO_NAMES:
            return False
        if latin:
            if _CYRILLIC.search(token.word):
                return False
            return token.capital and len(token.word) > 2 and token.word not in WEAK
        if not _CYRILLIC.search(token.word):
            return False
        kind = kind_of(token.word)
        if not token.capital:
            return len(token.word) > 2 and kind.known and kind.name >= SURE and not kind.place
        if kind.known:
            return kind.name >= MAYBE or kind.surname >= SURNAME or kind.patronymic > 0
        if self._follows_name(place) or kind.surname >= SURNAME:
            return True
        return not kind.functional and self._stands_before(place, SELVES)

    def _follows_name(self, place: int) -> bool:
        if place + 1 >= len(self.tokens) or not self._close(place):
            return False
        after = self.tokens[place + 1]
        kind = kind_of(after.word)
        return after.capital and kind.known and (kind.name >= MAYBE or kind.patronymic > 0 or kind.surname >= SURNAME)

    # --- what shows by itself ------------------------------------------------------------------------------------

    def formed(self) -> None:
        for match in _INITIALS.finditer(self.text):
            start, end = match.span()
            inside = [place for place, token in enumerate(self.tokens) if start <= token.start < end]
            longest = max((self.tokens[place] for place in inside), key=lambda each: len(each.word), default=None)
            if longest is None or longest.word in NO_NAMES:
                continue
            kind = kind_of(longest.word)
            if kind.known and not kind.surname and not kind.name and kind.other >= 1.0 and kind.functional:
                continue
            self.found.append(match.span())
            for place in inside:
                self.taken[place] = True
        for place, token in enumerate(self.tokens):
            if not self.taken[place] and (token.capital or _PATRONYMIC.search(token.word)):
                self._by_form(place, token)

    def _by_form(self, place: int, token: Token) -> None:
        if token.word in NO_NAMES or not _CYRILLIC.search(token.word) or len(token.word) < 2:
            return
        kind = kind_of(token.word)
        if (kind.patronymic or (not kind.known and _PATRONYMIC.search(token.word))) and self._patronymic(place):
            return
        if not token.capital:
            return
        if self._pair(place, kind):
            return
        if not kind.known or kind.name < SURE or kind.name < kind.place * 3 or self._is_brand(place, kind):
            return
        # what begins a sentence has a capital for that
        if kind.other - kind.place < 0.25 or self.text[: token.start].rstrip(' «"')[-1:].isalnum():
            self._take(place, self._rest(place, sure=False))

    def _patronymic(self, place: int) -> bool:
        """A patronymic with the name before it, and the surname on either side."""
        first = place
        if first > 0 and self._close(first - 1) and kind_of(self.tokens[first - 1].word).name >= MAYBE:
            first -= 1
        elif not self.tokens[place].capital:
            return False
        if first < place and first > 0 and self._close(first - 1) and self._is_surname(first - 1, place):
            first -= 1
            self._take(first, place + 1)
            return True
        last = place + 1
        if last < len(self.tokens) and self._close(place) and self._is_surname(last, place):
            last += 1
        self._take(first, last)
        return True

    def _is_surname(self, place: int, beside: int) -> bool:
        token = self.tokens[place]
        if token.word in NO_NAMES or token.capital < self.tokens[beside].capital:
            return False
        kind = kind_of(token.word)
        return kind.surname >= MAYBE or (not kind.known and not kind.functional and token.capital)

    def _pair(self, place: int, kind: Kind) -> bool:
        """A name and a surname side by side, whichever comes first, both with capitals."""
        if place + 1 >= len(self.tokens) or not self._close(place) or self._in_quotes(place):
            return False
        after = self.tokens[place + 1]
        if not after.capital or after.word in NO_NAMES or not _CYRILLIC.search(after.word):
            return False
        other = kind_of(after.word)
        if not _go_together(kind, other) and not _go_together(other, kind):
            return False
        self._take(place, self._rest(place, sure=False))
        return True

    def _is_brand(self, place: int, kind: Kind) -> bool:
        """«Такси «Максим»», «магазин Мария», «ООО Анна»; «из Владимира»."""
        if self._in_quotes(place):
            return True
        if place == 0:
            return False
        before = self.tokens[place - 1].word
        if before in COMPANIES:
            return True
        return bool(kind.place) and before in {"город", "городе", "города", "из", "в", "во", "г", "под"}

    def _in_quotes(self, place: int) -> bool:
        token = self.tokens[place]
        return self.text[token.start - 1 : token.start] in {"«", '"', "“", "„"}

    # --- beside a phone ------------------------------------------------------------------------------------------

    def beside(self, pieces: Sequence[Found]) -> None:
        spans = [(each.start, each.end) for each in pieces if each.kind in {"ТЕЛЕФОН", "ПОЧТА"}]
        spans += [match.span() for match in _CONTACT_MARK.finditer(self.text)]
        for start, end in spans:
            after = next((place for place, token in enumerate(self.tokens) if token.start >= end), None)
            if after is not None and re.fullmatch(r"[\s,:;()—–-]{0,4}", self.text[end : self.tokens[after].start]):
                self._contact(after)
            before = next((p for p in range(len(self.tokens) - 1, -1, -1) if self.tokens[p].end <= start), None)
            if before is None or not re.fullmatch(r"[\s,:;()—–-]{0,4}", self.text[self.tokens[before].end : start]):
                continue
            for place in range(max(0, before - 2), before + 1):
                if all(self._close(each) for each in range(place, before)) and self._contact(place):
                    break

    def _contact(self, place: int) -> bool:
        token = self.tokens[place]
        if self.taken[place]:
            return True
        kind = kind_of(token.word)
        if token.word in NO_NAMES or not kind.known:
            return False
        if kind.name >= MAYBE if token.capital else kind.name >= SURE:
            self._take(place, self._rest(place, sure=not token.capital))
            return True
        return False

    # --- how far it goes -----------------------------------------------------------------------------------------

    def _rest(self, place: int, *, sure: bool) -> int:
        """The end of a name that begins at ``place``: up to four words of it."""
        first = self.tokens[place]
        named = first.capital and kind_of(first.word).name >= SURE  # and the next capital is of the surname
        end = place + 1
        while end < len(self.tokens) and end - place < 4 and self._close(end - 1):
            token = self.tokens[end]
            if token.word in NO_NAMES or token.word in WEAK:
                break
            kind = kind_of(token.word)
            if not _CYRILLIC.search(token.word):
                fits = token.capital or (not first.capital and sure and end == place + 1)
                fits = fits and not _CYRILLIC.search(first.word)
            elif token.capital:
                fits = kind.name >= MAYBE or kind.surname >= MAYBE or kind.patronymic > 0
                fits = fits or (not kind.functional and (named or not kind.known))
                fits = fits or (
                    sure and len(token.word) < 4 and not (kind.functional and kind.known and kind_of(first.word).known)
                )
            else:
                small = not first.capital
                fits = kind.patronymic > 0 or (small and (kind.surname >= SURNAME or kind.name >= SURNAME))
                fits = fits or (
                    small and sure and not kind.functional and (not kind.known or _ends_as_surname(token.word))
                )
            if not fits:
                break
            end += 1
        return end

    def _close(self, place: int) -> bool:
        """Whether nothing but a blank stands between a word and the next."""
        gap = self.text[self.tokens[place].end : self.tokens[place + 1].start]
        return bool(_SPACES.fullmatch(gap))

    def _take(self, first: int, end: int) -> None:
        if any(self.taken[first:end]):
            free = [place for place in range(first, end) if not self.taken[place]]
            if not free:
                return
            first, end = free[0], free[-1] + 1
        for place in range(first, end):
            self.taken[place] = True
        self.found.append((self.tokens[first].start, self.tokens[end - 1].end))


def _ends_as_surname(word: str) -> bool:
    return len(word) > 4 and _SURNAME_END.search(word) is not None


def _go_together(first: Kind, last: Kind) -> bool:
    """Whether one is a first name that the other makes sure of."""
    if not first.known or first.name < MAYBE:
        return False
    return last.surname >= SURNAME or (first.name >= SURE and _rare(last))


def _rare(kind: Kind) -> bool:
    """A word that no dictionary has, or that is a surname."""
    return not kind.functional and (not kind.known or kind.surname >= MAYBE)


# --- names that are known --------------------------------------------------------------------------------------------

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
        for match in _TOKEN.finditer(name[:200]):
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
        tokens = list(_TOKEN.finditer(text))
        sure = [self._is_known(match[0]) for match in tokens]
        for place, match in enumerate(tokens):
            # a name that is a word as well, in small letters: «зосима дребезгов», beside one that is nothing else
            beside = any(
                0 <= other < len(tokens)
                and sure[other]
                and _SPACES.fullmatch(
                    text, min(match.end(), tokens[other].end()), max(match.start(), tokens[other].start())
                )
                for other in (place - 1, place + 1)
            )
            if not sure[place] and not (beside and _plain(match[0].casefold()) in self._forms):
                continue
            if start >= 0 and _SPACES.fullmatch(text, end, match.start()):
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
    if not _CYRILLIC.search(word):
        return len(word) > 3 and word not in WEAK
    kind = kind_of(word)
    return not kind.known or kind.other < 0.2


@lru_cache(maxsize=5_000)
def _forms_of(word: str) -> tuple[tuple[str, bool], ...]:
    """The cases of a name as the dictionary makes them, with all likely endings where it doesn't know the name.

    With each, whether it is nothing but a name: «Марка» may be of Марк.
    """
    if not _CYRILLIC.search(word):
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


def names_in(text: str, spans: Iterable[tuple[int, int]]) -> list[str]:
    """What stands there."""
    return [text[start:end] for start, end in spans]
