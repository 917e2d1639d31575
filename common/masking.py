"""Hiding personal data from a language model, so that it can still be spoken of.

Phones, e-mails, cards, identity documents and known names become ``[ТЕЛЕФОН_1]``, ``[ПОЧТА_1]``, ``[КАРТА_1]``,
``[ДОКУМЕНТ_1]``, ``[ИМЯ_1]``; inside one ``Masker`` the same value has the same mark, and ``unmask`` puts the values
back. Marks that somebody typed by hand are hidden too, as ``[ТЕКСТ_1]``, so nobody can ask for another's value by
writing its mark.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import phonenumbers
from stdnum.luhn import is_valid as luhn_is_valid
from stdnum.ru import inn

from common.blind_index import normalize_email, normalize_phone

# what people and messengers put between the digits of one number; zero-width characters too
_GAP = "[ \t\u00a0\u202f\u2009.()\u2010-\u2015\\-\u00ad\u200b-\u200f\u2060\ufeff]"
_DIGITS = re.compile(r"\d")
#: a text without this many digits close together holds no phone, card or document
_DENSE = re.compile(r"\d(?:[^\d\n]{0,3}\d){4}")
#: a mark as it is written, of these kinds or of others that are hidden beside them
WRITTEN_MARK = re.compile(r"\[[А-ЯЁ]+_\d+\]")
#: a mark as somebody may type it
_MARK = re.compile(r"\[\s*(ТЕЛЕФОН|ПОЧТА|КАРТА|ДОКУМЕНТ|ИМЯ|ТЕКСТ)[_ \\-]*(\d+)\s*\]", re.IGNORECASE)

_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+%'-]{1,64}(?:@|\s?(?:\(at\)|\[at\]|\(собака\)|\bсобака\b)\s?)[\w-]+(?:\.[\w-]+)*\.[^\W\d_][\w-]{1,24}",
    re.IGNORECASE,
)
_CARD = re.compile(
    r"(?<![\d+])(?:[2-6]\d{3}(?P<gap>[ \u00a0-]?)\d{4}(?P=gap)\d{4}(?P=gap)\d{3,4}(?:(?P=gap)\d{1,3})?"
    r"|3[47]\d{2}[ -]?\d{6}[ -]?\d{5})(?!\d)"
)
#: a slip of the pen makes a card no less secret where the word stands before it
_NAMED_CARD = re.compile(
    r"\b(?:карт[аыеу]|картой|card)\b[^\d\n]{0,20}(?P<value>\d(?:[ \u00a0-]?\d){14,18})(?!\d)", re.IGNORECASE
)
_EXTENSION = r"(?:[ ,]{0,2}(?:доб(?:авочный)?|внутр(?:енний)?|ext)\.?\s?\d{1,5})?"
_RU_PHONE = re.compile(
    rf"(?<![\d\w+])(?:\+{_GAP}{{0,2}}7|[78]){_GAP}{{0,3}}(?:\d{_GAP}{{0,3}}){{9}}\d(?!\d){_EXTENSION}", re.IGNORECASE
)
_BARE_PHONE = re.compile(rf"(?<![\d\w+])[3489](?:{_GAP}{{0,3}}\d){{9}}(?!\d){_EXTENSION}", re.IGNORECASE)
# numbers abroad have no one length: where another number follows without a comma, both are hidden as one
_FOREIGN_PHONE = re.compile(rf"(?<![\d\w])(?:\+|00){_GAP}{{0,2}}[1-9](?:{_GAP}{{0,3}}\d){{7,40}}")
_SHORT_PHONE = re.compile(
    r"\b(?:тел(?:ефон)?|моб(?:ильный)?|номер телефона|phone)\b[^\d\n]{0,12}?(?P<value>\d(?:[ -]?\d){4,6})(?!\d)",
    re.IGNORECASE,
)
_PASSPORT = re.compile(
    r"(?:паспорт|passport|серия)[^\d\n]{0,40}(?P<value>\d{2}[ -]?\d{2}[^\d\n]{0,12}\d{3}[ ]?\d{3})(?!\d)", re.IGNORECASE
)
_SNILS_WRITTEN = re.compile(r"(?<!\d)\d{3}-\d{3}-\d{3}[ -]\d{2}(?!\d)")
_SNILS = re.compile(r"(?:снилс|snils)[^\d\n]{0,20}(?P<value>\d(?:[ -]?\d){10})(?!\d)", re.IGNORECASE)
#: a person's has twelve digits; a company's has ten and is public
_INN = re.compile(r"\bинн\b[^\d\n]{0,20}(?P<value>\d(?:[ ]?\d){11})(?!\d)", re.IGNORECASE)
#: accounts of private persons by the Bank of Russia's chart; a company's account is no secret
_ACCOUNT = re.compile(r"(?<!\d)(?:40817|40820|423|426)(?:[ ]?\d){15,17}(?!\d)")

_MONEY_FOLLOWS = re.compile(
    r"\s*(?:[.,]\d{1,2}\s*)?(?:₽|руб|р\.|\$|€|%|тыс|млн|диалог|сообщ|запрос|документ|rub\b)", re.IGNORECASE
)
_THOUSANDS = re.compile(r"\d{1,3}(?:[ \u00a0\u202f\u2009]\d{3})+")

#: words that people type where a name is asked and that no one is called by
_NOT_NAMES = """
    менеджер директор руководитель клиент покупатель гость тест проверка компания фирма бот чат имя аноним владелец
    manager director client customer guest test company name user admin bot chat owner
"""
_NO_NAMES = frozenset(_NOT_NAMES.split())


class Masker:
    """Masks texts of one conversation and puts the values back; not to be shared between conversations."""

    def __init__(self, known_names: Iterable[str] = ()) -> None:
        self._names = _names_pattern(known_names)
        self._marks: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def mask(self, text: str) -> str:
        """A text that somebody wrote, with marks in place of personal data."""
        return self._masked(text, self._find(text))

    def hide(self, text: str) -> str:
        """A text that may have been masked before, with marks in place of what personal data is left in it."""
        return self._masked(text, (each for each in self._find(text) if each[2] != "ТЕКСТ"))

    def reveal(self, value: Any) -> Any:
        """The same as ``unmask``."""
        return self.unmask(value)

    def _masked(self, text: str, pieces: Iterable[tuple[int, int, str, str]]) -> str:
        found: list[tuple[int, int, str, str]] = []
        for start, end, kind, key in pieces:
            if all(end <= other[0] or start >= other[1] for other in found):
                found.append((start, end, kind, key))
        if not found:
            return text
        parts, at = [], 0
        for start, end, kind, key in sorted(found):
            parts += [text[at:start], self._mark(kind, key, text[start:end])]
            at = end
        return "".join([*parts, text[at:]])

    def unmask(self, value: Any) -> Any:
        """A text, or JSON with texts in it, with the values put back; unknown marks stay as they are."""
        if isinstance(value, str):
            return _MARK.sub(self._value, value) if "[" in value else value
        if isinstance(value, dict):
            return {key: self.unmask(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.unmask(each) for each in value]
        return value

    def _mark(self, kind: str, key: str, value: str) -> str:
        mark = self._marks.get((kind, key))
        if mark is None:
            self._counts[kind] = number = self._counts.get(kind, 0) + 1
            mark = self._marks[kind, key] = f"[{kind}_{number}]"
            self._values[mark] = value
        return mark

    def _value(self, match: re.Match[str]) -> str:
        return self._values.get(f"[{match[1].upper()}_{int(match[2])}]", match[0])

    def _find(self, text: str) -> Iterator[tuple[int, int, str, str]]:
        """Where something is: start, end, kind, and what makes two of them the same. What comes first wins."""
        if "[" in text:
            for match in _MARK.finditer(text):
                yield match.start(), match.end(), "ТЕКСТ", match[0]
        yield from find_personal(text)
        if self._names is not None:
            for match in self._names.finditer(text):
                yield match.start(), match.end(), "ИМЯ", match[0].casefold()


def find_personal(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Personal data that shows by its form: (start, end, kind, key), the surest kinds first."""
    if "@" in text or "собака" in text or "(at)" in text or "[at]" in text:
        for found in _EMAIL.finditer(text):
            yield found.start(), found.end(), "ПОЧТА", normalize_email(found[0]) or found[0].casefold()
    if not _DENSE.search(text):
        return
    rest = text
    for pattern, kind, holds in _TABLE:
        at = 0
        while match := pattern.search(rest, at):
            start, end = match.span("value") if "value" in pattern.groupindex else match.span()
            value = text[start:end]
            if holds(value, text[end : end + 16]):
                yield start, end, kind, _key(kind, value)
                # what is found is out of the others' way: digits of two neighbours could make a third number
                rest = rest[:start] + "\n" * (end - start) + rest[end:]
                at = end
            else:
                at = match.start() + 1  # a number may begin inside what wasn't one


def _key(kind: str, value: str) -> str:
    digits = "".join(_DIGITS.findall(value))
    return (normalize_phone(value) if kind == "ТЕЛЕФОН" and len(digits) <= 12 else "") or digits


def _is_card(value: str, after: str) -> bool:
    digits = "".join(_DIGITS.findall(value))
    return luhn_is_valid(digits) and not _MONEY_FOLLOWS.match(after)


def _is_document(value: str, after: str) -> bool:
    return not _MONEY_FOLLOWS.match(after)


def _is_inn(value: str, after: str) -> bool:
    return inn.is_valid(value.replace(" ", ""))


def _is_phone(value: str, after: str) -> bool:
    if _THOUSANDS.fullmatch(value):
        return False  # an amount: nobody writes a phone in threes from the end
    return bool(normalize_phone("".join(_DIGITS.findall(value.partition(",")[0])[:11])))


def _is_foreign_phone(value: str, after: str) -> bool:
    digits = "".join(_DIGITS.findall(value)).removeprefix("00")
    return any(int(digits[:size]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE for size in (1, 2, 3))


_TABLE: tuple[tuple[re.Pattern[str], str, Callable[[str, str], bool]], ...] = (
    (_ACCOUNT, "ДОКУМЕНТ", _is_document),
    (_CARD, "КАРТА", _is_card),
    (_NAMED_CARD, "КАРТА", _is_document),
    (_PASSPORT, "ДОКУМЕНТ", _is_document),
    (_SNILS_WRITTEN, "ДОКУМЕНТ", _is_document),
    (_SNILS, "ДОКУМЕНТ", _is_document),
    (_INN, "ДОКУМЕНТ", _is_inn),
    (_RU_PHONE, "ТЕЛЕФОН", _is_phone),
    (_FOREIGN_PHONE, "ТЕЛЕФОН", _is_foreign_phone),
    (_BARE_PHONE, "ТЕЛЕФОН", _is_phone),
    (_SHORT_PHONE, "ТЕЛЕФОН", _is_document),
)


def _names_pattern(known_names: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern of whole names and of their words, with the endings that Russian cases give them."""
    wholes: set[str] = set()
    stems: set[str] = set()
    for name in known_names:
        words = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", name)
        if len(words) > 1:
            wholes.add(r"\s+".join(re.escape(word) for word in words))
        for word in words:
            if len(word) >= 3 and word.casefold() not in _NO_NAMES:
                stems.add(_any_e(re.escape(_stem(word))))
    if not wholes and not stems:
        return None
    endings = r"(?:[а-яё]{0,3}|'?s)"
    forms = [
        *sorted(wholes, key=len, reverse=True),
        *(f"{stem}{endings}" for stem in sorted(stems, key=len, reverse=True)),
    ]
    return re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)", re.IGNORECASE)


def _stem(word: str) -> str:
    """The word without the vowel that changes: Мария, Марии, Марией; short words keep what makes them theirs."""
    stem = re.sub(r"(?:ий|ый|ой|ия|ая|[аяоеёийьыуюэ])$", "", word, flags=re.IGNORECASE)
    return stem if len(stem) >= 3 else word


def _any_e(pattern: str) -> str:
    return re.sub("[её]", "[её]", pattern, flags=re.IGNORECASE)
