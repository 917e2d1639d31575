"""Names of people in what is said: by the words before them, by their form, and by the dictionary.

A name that is also a word (Вера, Роман) or a town needs words before it that leave no doubt. A name that has been
found is known from then on, in all its cases.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from common.masking import talk
from common.masking.found import Found
from common.masking.lists import (
    ANSWERS_NO_NAME,
    BRANDS,
    COMPANIES,
    INTRODUCED,
    INTRODUCTIONS,
    NO_NAMES,
    ROLES,
    ROLES_LATIN,
    SELVES,
    TRADES,
    WEAK,
)
from common.masking.words import (
    CYRILLIC,
    MAYBE,
    SPACES,
    SURE,
    SURNAME,
    TOKEN,
    Kind,
    Token,
    ends_as_surname,
    kind_of,
    token_of,
)

_CAPITAL = re.compile(r"[А-ЯЁ]")
_PATRONYMIC = re.compile(
    r"(?:[оеь]вич|[ыь]ич|[аеиоу]ныч|[а-я]лыч|ьич|овн|евн|ичн|иничн)(?:а|у|ем|ом|е|ы|ой|ою|ей)?$|[а-я]{2}(?:ныч"
    r"|лыч|рыч|лич|сеич|геич|дреич|енич)$"
)
_AFTER_PATRONYMICS = frozenset({"кызы", "гызы", "кизи", "оглы", "углы", "оглу", "заде"})
_INITIALS = re.compile(
    r"(?<![\w.])(?:[А-ЯЁ][а-яё]+(?:-[А-ЯЁ][а-яё]+)?\s{1,2}[А-ЯЁ]\.\s?[А-ЯЁ]\."
    r"|[А-ЯЁ]\.\s?[А-ЯЁ]\.\s?[А-ЯЁ][а-яё]+(?:-[А-ЯЁ][а-яё]+)?"
    r"|[А-ЯЁ]\.\s?[А-ЯЁ][а-яё]+(?:ов|ев|ин|ова|ева|ина|ский|ская|енко)(?:а|у|ой|ым)?)(?!\w)"
)
_CONTACT_MARK = re.compile(r"\[(?:ТЕЛЕФОН|ПОЧТА)_\d+\]")
#: whoever asks for a name gets one, even in small letters
_ASKS_NAME = re.compile(
    r"зовут|ваше имя|обращаться|представ(?:ьтесь|иться)|(?:как|кто)\s+вы\b|имя и|your name|call you|who am i",
    re.IGNORECASE,
)
#: as many words as may stand before a name to tell that it is one
_BEFORE_MOST = 5
#: longest text that is read for names
_READ_MOST = 20_000


def find_people(text: str, beside: Sequence[Found] = ()) -> list[tuple[int, int]]:
    """Where names stand. ``beside`` are phones and addresses: who writes a name next to one means its owner."""
    if len(text) > _READ_MOST:
        text = text[:_READ_MOST]
    tokens = [token_of(match) for match in TOKEN.finditer(text)]
    if not tokens:
        return []
    reader = Reader(text, tokens)
    reader.introduced()
    introduced = set(reader.found)
    reader.formed()
    reader.beside(beside)
    talk.read(reader)
    every = [
        each
        for each in reader.found
        if each in introduced or each in reader.certain or not _is_of_famous(text[slice(*each)])
    ]
    return _joined(text, sorted(every))


def _is_of_famous(name: str) -> bool:
    words = name.casefold().split()
    return len(words) < 3 and not any(kind_of(each).patronymic for each in words) and talk.is_famous(words[-1])


def _joined(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Words of one name that were found each by itself are one name."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and (start < joined[-1][1] or SPACES.fullmatch(text, joined[-1][1], start)):
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def answered_with(question: str, answer: str) -> list[tuple[int, int]]:
    """The name in an answer that is nothing else, to a question for it."""
    if not _ASKS_NAME.search(question):
        return []
    tokens = [token_of(match) for match in TOKEN.finditer(answer[:120])]
    if not 1 <= len(tokens) <= 4 or re.search(r"[\d?]", answer):
        return []
    named = any(kind_of(each.word).name >= MAYBE for each in tokens)
    if not all(_may_be_called(each) or (named and ends_as_surname(each.word)) for each in tokens):
        return []
    if any(each.word in ANSWERS_NO_NAME for each in tokens):
        return []
    return [(each.start, each.end) for each in tokens]


def _may_be_called(token: Token) -> bool:
    """After «меня зовут» nearly anything is a name: not a known word, though, that isn't one."""
    if token.word in NO_NAMES or len(token.word) < 2:
        return False
    if not CYRILLIC.search(token.word):
        return token.word not in WEAK
    kind = kind_of(token.word)
    if kind.functional and kind.name < MAYBE:
        return False
    if kind.name >= MAYBE or kind.surname >= SURNAME or kind.patronymic or not kind.known:
        return True
    return token.capital and not kind.functional


_OPENED = re.compile(r"[«\"“„](?:[^\W\d_]+\s){0,2}$")
_CLOSED = re.compile(r"(?:\s[^\W\d_]+){0,2}[»\"”]")


class Reader:
    """Reads one text."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text, self.tokens = text, tokens
        self.at = {token.start: place for place, token in enumerate(tokens)}
        self.found: list[tuple[int, int]] = []
        #: of these even a name that everybody knows is somebody's here
        self.certain: set[tuple[int, int]] = set()
        self.taken = [False] * len(tokens)

    # --- what was said before ------------------------------------------------------------------------------------

    def introduced(self) -> None:
        small = self.text.lower()
        if any(word in small for word in INTRODUCED):
            for match in INTRODUCTIONS.finditer(self.text):
                place = self.at.get(match.end())
                if place is not None and _may_be_called(self.tokens[place]):
                    self.take(place, self._rest(place, sure=True))
        for place, token in enumerate(self.tokens):
            if self.taken[place] or not (token.capital or kind_of(token.word).name >= SURE):
                continue
            if self.in_quotes(place) and self.text[token.start - 1] not in '«"“„':
                continue  # «У Марины»
            if token.word in BRANDS or self.is_named_so(place):
                continue
            for latin, pattern in ((False, ROLES), (True, ROLES_LATIN)):
                if self._is_likely(place, latin=latin) and self.stands_before(place, pattern):
                    self.take(place, self._rest(place, sure=False))
                    break

    def stands_before(self, place: int, pattern: re.Pattern[str]) -> bool:
        start = self.tokens[place].start
        words = self.tokens[max(0, place - _BEFORE_MOST) : place]
        return any(pattern.match(self.text, word.start, start) is not None for word in reversed(words))

    def _is_likely(self, place: int, *, latin: bool) -> bool:
        """After «это», «директор», «с уважением» a name is told from other words by the dictionary."""
        token = self.tokens[place]
        if token.word in NO_NAMES:
            return False
        if latin:
            if CYRILLIC.search(token.word):
                return False
            return token.capital and len(token.word) > 2 and token.word not in WEAK
        if not CYRILLIC.search(token.word):
            return False
        kind = kind_of(token.word)
        if not token.capital:
            return len(token.word) > 2 and kind.known and kind.name >= SURE and not kind.place
        if kind.known:
            return kind.name >= MAYBE or kind.surname >= SURNAME or kind.patronymic > 0
        if self._follows_name(place) or kind.surname >= SURNAME:
            return True
        return not kind.functional and self.stands_before(place, SELVES)

    def _follows_name(self, place: int) -> bool:
        if place + 1 >= len(self.tokens) or not self.close(place):
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
        if token.word in NO_NAMES or not CYRILLIC.search(token.word) or len(token.word) < 2:
            return
        kind = kind_of(token.word)
        if (kind.patronymic or (not kind.known and _PATRONYMIC.search(token.word))) and self._patronymic(place):
            return
        if not token.capital:
            return
        if self._pair(place, kind):
            return
        if not kind.known or kind.name < SURE or kind.name < kind.place * 3 or self.is_brand(place, kind):
            return
        # what begins a sentence has a capital for that
        if kind.other - kind.place < 0.25 or self.text[: token.start].rstrip(' «"')[-1:].isalnum():
            self.take(place, self._rest(place, sure=False))

    def _patronymic(self, place: int) -> bool:
        """A patronymic with the name before it, and the surname on either side."""
        first = place
        if first > 0 and self.close(first - 1) and kind_of(self.tokens[first - 1].word).name >= MAYBE:
            first -= 1
        elif not self.tokens[place].capital:
            return False
        if first < place and first > 0 and self.close(first - 1) and self._is_surname(first - 1, place):
            first -= 1
            self.take(first, place + 1)
            return True
        last = place + 1
        if last < len(self.tokens) and self.close(place) and self._is_surname(last, place):
            last += 1
        self.take(first, last)
        return True

    def _is_surname(self, place: int, beside: int) -> bool:
        token = self.tokens[place]
        if token.word in NO_NAMES or token.capital < self.tokens[beside].capital:
            return False
        kind = kind_of(token.word)
        return kind.surname >= MAYBE or (not kind.known and not kind.functional and token.capital)

    def _pair(self, place: int, kind: Kind) -> bool:
        """A name and a surname side by side, whichever comes first, both with capitals."""
        if place + 1 >= len(self.tokens) or not self.close(place) or self.in_quotes(place):
            return False
        after = self.tokens[place + 1]
        if self.tokens[place].word in BRANDS or after.word in BRANDS:
            return False
        if not after.capital or after.word in NO_NAMES or not CYRILLIC.search(after.word):
            return False
        other = kind_of(after.word)
        if not _go_together(kind, other) and not _go_together(other, kind):
            return False
        self.take(place, self._rest(place, sure=False))
        return True

    def is_brand(self, place: int, kind: Kind) -> bool:
        """«Такси «Максим»», «магазин Мария», «ООО Анна»; «из Владимира»."""
        if self.tokens[place].word in BRANDS or self.in_quotes(place):
            return True
        if place == 0:
            return False
        before = self.tokens[place - 1].word
        if before in COMPANIES:
            return not self.stands_before(place, TRADES)
        if self.is_named_so(place):
            return True
        return bool(kind.place) and before in {"город", "городе", "города", "из", "в", "во", "г", "под"}

    def is_named_so(self, place: int) -> bool:
        """«Колонка с Алисой», «песня про Катюшу»."""
        return (
            place > 1
            and self.tokens[place - 1].word in {"с", "к", "у", "о", "про"}
            and self.tokens[place - 2].word in COMPANIES
        )

    def in_quotes(self, place: int) -> bool:
        """«Марина», «У Марины»: what has a name of its own, not a person."""
        start, end = self.tokens[place].start, self.tokens[place].end
        return _OPENED.search(self.text, max(0, start - 20), start) is not None and (
            _CLOSED.match(self.text, end, end + 20) is not None or self.text[start - 1] in "«„“"
        )

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
                if all(self.close(each) for each in range(place, before)) and self._contact(place):
                    break

    def _contact(self, place: int) -> bool:
        token = self.tokens[place]
        if self.taken[place]:
            return True
        kind = kind_of(token.word)
        if token.word in NO_NAMES or not (kind.known or (token.capital and CYRILLIC.search(token.word))):
            return False
        surname = kind.surname >= SURNAME or ends_as_surname(token.word) or not kind.known
        if (kind.name >= MAYBE or surname) if token.capital else kind.name >= SURE:
            self.take(place, self._rest(place, sure=not token.capital))
            return True
        return False

    # --- how far it goes -----------------------------------------------------------------------------------------

    def _rest(self, place: int, *, sure: bool) -> int:
        """The end of a name that begins at ``place``: up to four words of it."""
        first = self.tokens[place]
        named = first.capital and kind_of(first.word).name >= SURE  # and the next capital is of the surname
        end = place + 1
        while end < len(self.tokens) and end - place < 4 and self.close(end - 1):
            token = self.tokens[end]
            if token.word in NO_NAMES or token.word in WEAK:
                break
            if token.word in _AFTER_PATRONYMICS:
                end += 1
                break
            kind = kind_of(token.word)
            if not CYRILLIC.search(token.word):
                fits = token.capital or (not first.capital and sure and end == place + 1)
                fits = fits and not CYRILLIC.search(first.word)
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
                    small and sure and not kind.functional and (not kind.known or ends_as_surname(token.word))
                )
            if not fits:
                break
            end += 1
        return end

    def close(self, place: int) -> bool:
        """Whether nothing but a blank stands between a word and the next."""
        gap = self.text[self.tokens[place].end : self.tokens[place + 1].start]
        return bool(SPACES.fullmatch(gap))

    def take_from(self, place: int) -> None:
        """Take a name that begins there, as far as it goes."""
        self.take(place, self._rest(place, sure=False))

    def take_span(self, start: int, end: int) -> None:
        """Take a name with its initials."""
        self.found.append((start, end))
        for place in range(self.place_after(start), len(self.tokens)):
            if self.tokens[place].start >= end:
                break
            self.taken[place] = True

    def place_after(self, start: int) -> int:
        """The first word that begins there or later."""
        return bisect_left(self.tokens, (start,))

    def take(self, first: int, end: int) -> None:
        if any(self.taken[first:end]):
            free = [place for place in range(first, end) if not self.taken[place]]
            if not free:
                return
            first, end = free[0], free[-1] + 1
        for place in range(first, end):
            self.taken[place] = True
        self.found.append((self.tokens[first].start, self.tokens[end - 1].end))


def _go_together(first: Kind, last: Kind) -> bool:
    """Whether one is a first name that the other makes sure of."""
    if not first.known or first.name < MAYBE:
        return False
    return last.surname >= SURNAME or (first.name >= SURE and _rare(last))


def _rare(kind: Kind) -> bool:
    """A word that no dictionary has, or that is a surname."""
    return not kind.functional and (not kind.known or kind.surname >= MAYBE)


def names_in(text: str, spans: Iterable[tuple[int, int]]) -> list[str]:
    """What stands there."""
    return [text[start:end] for start, end in spans]
