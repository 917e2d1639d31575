"""Words of a message: cut out, spelt one way, and brought to their dictionary form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from common.russian import analyzer
from knowledge.llm.keyless import keyboard
from knowledge.words import stem_of


def wordset(words: str) -> frozenset[str]:
    """A set of words written as one line of text."""
    return frozenset(words.split())


#: what a customer may write in one message; more is not read
CHARACTERS_MOST = 4000

_TOKEN = re.compile(
    r"(?P<mask>\[[А-ЯЁ]+_\d+\])"
    r"|(?P<name>1[сc](?![a-zа-яё\d]))"  # «1С» is a program
    r"|(?P<number>(?<![\d.,])\d{1,3}(?:[ \u00a0\u202f\u2009.,'’]\d{3})+(?!\d)|\d+(?:[.,]\d+)?)"
    r"|(?P<word>[a-zа-яё]+)"
    r"|(?P<mark>[^\s])",
    re.IGNORECASE,
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_GROUPED = re.compile(r"\d{1,3}(?:[ \u00a0\u202f\u2009.,'’]\d{3})+")

#: marks that end a sentence, unless they belong to a shortened word
_STOPS = frozenset(".!?;…\n")
_SHORTENED = wordset("тыс т руб р млн шт мес доп др пр г тел эл ул коп стр св ок")

#: words whose dictionary form is guessed wrong, and the spellings of the street
_FORMS = {
    **dict.fromkeys(("стоят", "стоет", "стоит", "стоют"), "стоить"),
    **dict.fromkeys(("скока", "скок", "скольк", "сколько"), "сколько"),
    **dict.fromkeys(("че", "чо", "шо", "чё"), "что"),
    **dict.fromkeys(("чем", "чего", "чему"), "чем"),
    **dict.fromkeys(("ии", "аи", "ai", "al", "фш"), "ai"),
    **dict.fromkeys(("есть", "имеется"), "быть"),
    **dict.fromkeys(("все", "всех", "всем"), "весь"),
    **dict.fromkeys(("тыщ", "тыща", "тыщи", "тыщу", "тыс", "тысч", "косарь", "косаря", "косарей"), "тысяча"),
    **dict.fromkeys(("млн", "лям", "ляма", "лямов"), "миллион"),
    **dict.fromkeys(("аналитика", "аналитику", "аналитики", "аналитике", "аналитик"), "аналитик"),
    **dict.fromkeys(("плиз", "пжл", "пжлст", "пож", "пожалуста"), "пожалуйста"),
    **dict.fromkeys(("здрасте", "здрасьте", "здраствуйте", "здравствуй", "здрасти"), "здравствуйте"),
    **dict.fromkeys(("спс", "спасиб", "пасиб", "пасибо", "спасибки"), "спасибо"),
    **dict.fromkeys(("доп", "дополнит"), "дополнительный"),
    **dict.fromkeys(("мес", "месяц"), "месяц"),
    **dict.fromkeys(("цены", "цену", "цене", "цен"), "цена"),
    **dict.fromkeys(("почем", "пачем"), "почем"),
    **dict.fromkeys(("могу", "может", "можете", "могут", "можем"), "мочь"),
    **dict.fromkeys(("црм", "crm", "срм"), "crm"),
    **dict.fromkeys(("пдф", "pdf"), "pdf"),
    **dict.fromkeys(("полтысячи", "полтыщи"), "полтысячи"),
    **dict.fromkeys(("счет", "счета", "счету", "счетом"), "счет"),
    **dict.fromkeys(("данные", "данных", "данным"), "данные"),
}

Kind = Literal["word", "number", "mask", "mark"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word, number or mask of a text. ``before`` are the marks between it and the word before."""

    raw: str
    lemma: str
    kind: Kind
    start: int
    end: int
    sentence: int
    before: str = ""


@dataclass(frozen=True)
class Words:
    """A message cut into words. ``asks`` holds the numbers of the sentences that end in a question mark."""

    text: str
    words: tuple[Word, ...]
    asks: frozenset[int]


def spell(word: str) -> str:
    """Lower case, with е for ё: customers use both."""
    return word.lower().replace("ё", "е")


@lru_cache(maxsize=50_000)
def lemma(word: str) -> str:
    """The dictionary form of a word as ``spell`` gives it; Latin words stay as they are."""
    form = _FORMS.get(word)
    if form is not None:
        return form
    if not "а" <= word[:1] <= "я":
        return word
    return spell(analyzer().parse(word)[0].normal_form)


@lru_cache(maxsize=50_000)
def is_known(word: str) -> bool:
    """Whether the dictionary or our own list has the word."""
    return word in _FORMS or bool(analyzer().word_is_known(word))


@lru_cache(maxsize=50_000)
def grammar(word: str) -> frozenset[str]:
    """The grammemes of a word's likeliest reading: ``NOUN``, ``anim``, ``plur``, ``Name``…"""
    parse = analyzer().parse(word)[0]
    return frozenset(parse.tag.grammemes)


@lru_cache(maxsize=50_000)
def is_first_name(word: str) -> bool:
    """Whether a word can be somebody's first name."""
    return any("Name" in parse.tag.grammemes and parse.score > 0.05 for parse in analyzer().parse(word))


_SOUNDS_ALIKE = str.maketrans(
    {"о": "а", "е": "и", "э": "и", "ы": "и", "я": "и", "ю": "у", "щ": "ш", "ъ": "", "ь": "", "й": "и"}
)


@lru_cache(maxsize=50_000)
def sound(word: str) -> str:
    """The stem of a word as it sounds: unstressed vowels fall together, doubled letters count once."""
    said = stem_of(word).translate(_SOUNDS_ALIKE)
    return re.sub(r"(.)\1+", r"\1", said)


@lru_cache(maxsize=10_000)
def counted(unit: str, number: int) -> str:
    """A unit in the form that goes with a number: «диалогов в месяц» with 2 is «диалога в месяц»."""
    word, blank, rest = unit.partition(" ")
    if not word or word.isascii():
        return unit
    inflected = analyzer().parse(word)[0].make_agree_with_number(number)
    return f"{inflected.word if inflected is not None else word}{blank}{rest}"


def tidy(text: str) -> str:
    """The text as it is read: bounded, without what can't be seen, in the keyboard layout that was meant."""
    text = _INVISIBLE.sub("", text[:CHARACTERS_MOST])
    text = _GLUED_NUMBER.sub(r"\1 ", text)
    return keyboard.meant(text) if text.isascii() else text


_GLUED_NUMBER = re.compile(r"(\d)(?=[а-яё]{4,})", re.IGNORECASE)


def cut(text: str) -> Words:
    """Cut a tidied message into words."""
    found: list[Word] = []
    asks: set[int] = set()
    sentence, between = 0, ""
    at = 0
    for match in _TOKEN.finditer(text):
        if "\n" in text[at : match.start()]:
            between += "\n"
        at = match.end()
        kind: Kind = "word" if match.lastgroup == "name" else match.lastgroup  # type: ignore[assignment]
        raw = "1с" if match.lastgroup == "name" else spell(match.group())
        if kind == "mark":
            between += raw
            if raw == "?":
                asks.add(sentence)
            continue
        if found and _ends_sentence(between, found[-1].raw):
            sentence += 1
        if kind == "number":
            raw = _plain_number(raw)
        form = lemma(raw) if kind == "word" else raw
        found.append(Word(raw, form, kind, match.start(), match.end(), sentence, between))
        between = ""
    return Words(text, tuple(_as_meant(found)), frozenset(asks))


def _ends_sentence(between: str, word_before: str) -> bool:
    stops = [mark for mark in between if mark in _STOPS]
    return bool(stops) and not (stops == ["."] and word_before in _SHORTENED)


def _plain_number(raw: str) -> str:
    if _GROUPED.fullmatch(raw):
        return re.sub(r"\D", "", raw)
    return raw.replace(",", ".")


def _as_meant(words: list[Word]) -> Iterator[Word]:
    """«Эй ай», «искусственный интеллект» and «нейроюрист» all name AI."""
    skip = False
    for place, word in enumerate(words):
        if skip:
            skip = False
            continue
        follower = words[place + 1] if place + 1 < len(words) else None
        if follower is not None and (word.raw, follower.lemma) in _SPELT_AI:
            yield replace(word, raw="ai", lemma="ai", end=follower.end)
            skip = True
        elif word.raw in {"ай", "айай", "эйай", "эйаи"}:
            yield replace(word, raw="ai", lemma="ai")
        else:
            yield from _apart(word)


_SPELT_AI = frozenset(
    {("эй", "ай"), ("эй", "аи"), ("эй", "ai"), ("а", "ай"), ("искусственный", "интеллект"), ("ис", "интеллект")}
)
_GLUED = re.compile(r"(?P<ai>нейро|робо|ии|аи|ai|эйай)(?P<rest>[a-zа-я]{4,})")


def _apart(word: Word) -> Iterator[Word]:
    glued = _GLUED.fullmatch(word.raw) if word.kind == "word" and not is_known(word.raw) else None
    if glued is None or not (is_known(glued["rest"]) or glued["rest"].isascii()):
        yield word
        return
    middle = word.start + len(glued["ai"])
    yield replace(word, raw="ai", lemma="ai", end=middle)
    yield replace(word, raw=glued["rest"], lemma=lemma(glued["rest"]), start=middle, before="")
