"""What a word is, taken by itself: by the dictionary, and by the list of names that it doesn't have."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from common.masking.lists import DOUBTFUL_NAMES, FIRST_NAMES, LATIN_BRANDS
from common.russian import analyzer

TOKEN = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
SURNAME_END = re.compile(
    r"(?:[оеё]в|[иы]н|[оеё]в[аы]|[оеё]в(?:ой|ым|у)|[иы]н(?:ой|ым|у)|[иы]на|ск(?:ий|ая|ой|ого|ому|им)|цк(?:ий|ая"
    r"|ой|ого|ому|им)|енко|[аоуя]вич|[ая]н|швили|дзе)$"
)
SPACES = re.compile(r"[ \t\u00a0]{1,3}")
_NO_SPEECH = frozenset({"VERB", "INFN", "PREP", "CONJ", "PRCL", "NPRO", "ADVB", "GRND", "INTJ", "PRED", "NUMR", "COMP"})
#: a word is a name in most of its readings; it may be one; a surname
SURE, MAYBE, SURNAME = 0.6, 0.05, 0.3
#: endings of cases, and what a name may have had instead of them
_CASES = re.compile(r"(?:[аеиоуыюя]|[ео]м|[ео]й)$")
_FOND = re.compile(
    r"(?:(?:[оеи]чк|ул|юл|уш|юш|ун|юн|ушк|юшк|ус|юс|юх|ух|ах|ях|еньк|оньк|к)(?:[аеуия]|[ое]й|ю)"
    r"|(?:усик|юсик|асик|чик|ик|ок|ёк|ян|он|ос)(?:[аеуи]|ом)?)$"
)
#: what names of Central Asia and the Caucasus end with
_EASTERN = re.compile(
    r"[а-я]{2}(?:джан|жан|жон|бек|бай|гуль|хан|улла|улло|[иу][дт]{2}ин|муд{1,2}ин|мур[ао]д|назар|з[ао]да|бону|нис[ао]|биби|гельды|берды|али"
    r"|магомед|сул[ую])(?:а|у|ом|е|и|ы|ой|ю)?$"
)
_NOT_EASTERN = re.compile(r"(?:ма[нн]и|к[еэ]ш|фид|плей|фл[еэ]ш|кам|ролл?|к[еэ]т|драйв)бек")
_LATIN = re.compile(r"[a-z]")
_ALL_RUSSIAN = re.compile(r"[а-яё]+")
#: Latin letters that look like Russian ones
_LOOKALIKES = str.maketrans("aceopxykmth", "асеорхукмтн")
_BARE = ("", "а", "я", "ь", "й")


#: how Latin letters stand for Russian ones, the longest first
_READ_AS = tuple(
    pair.split(":")
    for pair in [
        "shch:щ",
        "sch:щ",
        "sh:ш",
        "ch:ч",
        "zh:ж",
        "kh:х",
        "ts:ц",
        "yu:ю",
        "iu:ю",
        "ya:я",
        "ia:ия",
        "yo:ё",
        "ye:е",
        "iy:ий",
        "ey:ей",
        "ay:ай",
        "oy:ой",
        "x:кс",
        "a:а",
        "b:б",
        "c:к",
        "d:д",
        "e:е",
        "f:ф",
        "g:г",
        "h:х",
        "i:и",
        "j:дж",
        "k:к",
        "l:л",
        "m:м",
        "n:н",
        "o:о",
        "p:п",
        "q:к",
        "r:р",
        "s:с",
        "t:т",
        "u:у",
        "v:в",
        "w:в",
        "y:ы",
        "z:з",
    ]
)


#: no name has more letters, and the dictionary takes long over words without end
LONGEST = 40


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


@cache
def _listed() -> tuple[frozenset[str], frozenset[str]]:
    """First names that the dictionary doesn't have, and those in Latin letters."""
    text = (Path(__file__).parent / "first_names.txt").read_text(encoding="utf-8")
    _, _, names = text.partition("[cyrillic]")
    russian, _, latin = names.partition("[latin]")
    return frozenset(russian.split()), frozenset(latin.split())


def _is_diminutive(word: str) -> bool:
    """«Вадька», «Димасик», «Ленуся»: a first name with an ending of fondness, which dictionaries have few of."""
    ending = _FOND.search(word)
    if ending is None or ending.start() < 3:
        return False
    stem = word[: ending.start()]
    for bare in (stem, stem[:-1] if stem.endswith("ь") else stem):
        for end in ("", "а", "я", "ий", "ья", "ия", "й"):
            parses = analyzer().parse(bare + end)[:2]
            if any("Name" in each.tag and each.is_known and "nomn" in each.tag for each in parses):
                return True
    return False


@lru_cache(maxsize=10_000)
def is_latin_name(word: str) -> bool:
    """Whether a word in small Latin letters is a first name and nothing else, or a Russian one in them."""
    if word in _listed()[1]:
        return True
    return len(word) > 4 and word not in LATIN_BRANDS and word.isascii() and is_pure(_in_russian(word))


def _in_russian(word: str) -> str:
    for latin, russian in _READ_AS:
        word = word.replace(latin, russian)
    return word


def _is_listed(word: str) -> bool:
    names = _listed()[0]
    word = word.replace("ё", "е")
    if word in names:
        return True
    if (_EASTERN.search(word) and not _NOT_EASTERN.search(word)) or _is_diminutive(word):
        return True
    ending = _CASES.search(word)
    return ending is not None and ending.start() > 3 and any(word[: ending.start()] + each in names for each in _BARE)


@lru_cache(maxsize=50_000)
def kind_of(word: str) -> Kind:
    """What the dictionary says of a word in small letters."""
    if not CYRILLIC.search(word) or len(word) > LONGEST:
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
    if not known and _is_listed(word):
        return Kind(1.0, 0, 0, 0, 0, True, False)
    if word in FIRST_NAMES or called & FIRST_NAMES:
        return Kind(1.0, surname, patronymic, 0, 0, True, False)
    if word in DOUBTFUL_NAMES or called & DOUBTFUL_NAMES:
        return Kind(min(max(name, SURNAME), 0.5), surname, patronymic, place, max(other, 0.5), True, False)
    return Kind(name, surname, patronymic, place, other, known, functional > 0.5)


@lru_cache(maxsize=50_000)
def is_pure(word: str) -> bool:
    """Whether a word in small letters is a first name and nothing else, in this very form."""
    if len(word) > LONGEST:
        return False
    kind = kind_of(word)
    if word == "яна":
        return False  # «я на»
    if not kind.known or kind.name < 0.9 or kind.other >= 0.1 or kind.place:
        return False
    if word in FIRST_NAMES or not analyzer().word_is_known(word):
        return True
    names = [each for each in analyzer().parse(word) if "Name" in each.tag]
    if any(each.normal_form in FIRST_NAMES for each in names):
        return sum(each.score for each in names) >= SURNAME
    return sum(each.score for each in analyzer().parse(word) if not each.tag.grammemes & {"Name", "Surn"}) < 0.1


@lru_cache(maxsize=10_000)
def is_called(word: str) -> bool:
    """Whether a name stands as somebody is called by it."""
    if len(word) > LONGEST:
        return False
    if word in FIRST_NAMES or word in DOUBTFUL_NAMES or (not analyzer().word_is_known(word) and _is_listed(word)):
        return True
    return any("Name" in each.tag and each.tag.case in {"nomn", "voct"} for each in analyzer().parse(word))


def token_of(match: re.Match[str]) -> Token:
    """A word of a text."""
    word = match[0].casefold().replace("’", "'")
    if not word.isascii() and _LATIN.search(word):
        alike = word.translate(_LOOKALIKES)
        word = alike if _ALL_RUSSIAN.fullmatch(alike) else word
    return Token(match.start(), match.end(), word, match[0][0].isupper())


def ends_as_surname(word: str) -> bool:
    """Whether a word looks like a surname."""
    return len(word) > 4 and SURNAME_END.search(word) is not None
