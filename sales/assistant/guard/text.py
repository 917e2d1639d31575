"""A text as a reader sees it: what hides a digit or a letter from a program is taken away before anything is judged."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

#: nothing in it has to be looked at letter by letter
_PLAIN = re.compile(r"[\n\t\x20-\x7eА-яЁё«»–—„“”…₽№€\u00a0\u202f]*")
_SPACES = str.maketrans(dict.fromkeys("\u00a0\u202f\u2007\u2008\u2009\u200a\u2000\u2002\u2003\u2005\t\u3000", " "))
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−﹣－➖", "–"))
_KEPT = "№™…"
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>\n]{0,80}>", re.DOTALL)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|\w{2,31});")
_CITATION = re.compile(r"\[#[\w.:-]{1,80}\]")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\((?:[^()\n]|\([^()\n]*\)){0,500}\)")
_MARKDOWN = re.compile(r"[*`~\\]+")
_UNDERSCORES = re.compile(r"(?<=[\dа-яё])_+(?=[\dа-яё])|(?<!\w)_+|_+(?!\w)", re.IGNORECASE)
_SPELT_OUT = re.compile(r"(?<![^\W\d_])(?:[^\W\d_][ .]){3,}[^\W\d_](?![^\W\d_])")
_TOKEN = re.compile(r"[^\W_]+")

#: Latin letters that look like Cyrillic ones, and the other way round
_TO_CYRILLIC = str.maketrans("ABCEHKMOPTXYaceopxykmubn", "АВСЕНКМОРТХУасеорхукмиьп")
_TO_LATIN = str.maketrans("АВСЕНКМОРТХУасеорхук", "ABCEHKMOPTXYaceopxyk")
#: what looks like a digit inside a number
_AS_DIGIT = str.maketrans("OОoоЗзlIІіБбВBSЅ", "0000331111668855")
_MOSTLY_DIGITS = re.compile(r"(?<![^\W_])[\dOОoоЗзlIІіБбВBSЅ]*\d[\dOОoоЗзlIІіБбВBSЅ]*(?![^\W_])")
#: nothing but such letters, where money follows: «4 ЗОО руб.», «З ООО ₽»
_LIKE_DIGITS = r"[\dOОoоЗзlIІіБбВBSЅ]"
_BEFORE_MONEY = re.compile(
    rf"(?<![^\W_])(?:{_LIKE_DIGITS}{{1,3}}(?: {_LIKE_DIGITS}{{3}})+|{_LIKE_DIGITS}{{2,9}})(?=\s*(?:₽|руб|р\.|р\b|rub))",
    re.IGNORECASE,
)


@lru_cache(maxsize=256)
def flat(text: str) -> str:
    """The words of a text without what can't be seen: one kind of space, dash and digit, no Markdown, no entities."""
    if "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    if "<" in text:
        text = _TAG.sub("", text)
    if not _PLAIN.fullmatch(text):
        text = unicodedata.normalize("NFC", "".join(_seen(each) for each in text))
    text = text.translate(_SPACES).translate(_DASHES)
    if "[" in text:
        text = _LINK.sub(r"\1", _CITATION.sub("", text))
    text = _MARKDOWN.sub("", text)
    if "_" in text:
        text = _UNDERSCORES.sub("", text)
    text = _SPELT_OUT.sub(_joined, text)
    return _TOKEN.sub(_one_script, text) if _MIXED.search(text) else text


def as_numbers(text: str) -> str:
    """A flat text with letters that stand for digits read as digits: «З5 0ОО ₽»."""
    return _BEFORE_MONEY.sub(_digits, _MOSTLY_DIGITS.sub(_digits, text))


def plain(text: str) -> str:
    """A flat text to be compared: small letters, е for ё, single spaces."""
    return re.sub(r"\s+", " ", flat(text).lower().replace("ё", "е"))


_MIXED = re.compile(r"[A-Za-z][А-яЁё]|[А-яЁё][A-Za-z]")


def _one_script(found: re.Match[str]) -> str:
    """«pуб» with a Latin p is «руб»: a word is of one script, that of most of its letters."""
    word = found[0]
    latin = sum(each.isascii() and each.isalpha() for each in word)
    cyrillic = sum("а" <= each.lower() <= "я" or each in "ёЁ" for each in word)
    if not latin or not cyrillic:
        return word
    return word.translate(_TO_CYRILLIC if cyrillic >= latin else _TO_LATIN)


def _joined(found: re.Match[str]) -> str:
    letters = re.sub(r"[ .]", "", found[0])
    return letters if len(letters) >= 4 else found[0]


def _digits(found: re.Match[str]) -> str:
    return found[0].translate(_AS_DIGIT)


@lru_cache(maxsize=4096)
def _seen(character: str) -> str:
    """The character as it looks; nothing for what has no width and for marks above letters and keycaps."""
    if character in _KEPT or character < "\x7f":
        return character
    category = unicodedata.category(character)
    if category in {"Cf", "Me"} or "\ufe00" <= character <= "\ufe0f":
        return ""
    if category == "Mn":
        return character if character in "\u0306\u0308" else ""  # й and ё may come in two pieces
    if category in {"Nd", "No"} and (digit := unicodedata.digit(character, None)) is not None:
        return str(digit)
    if character == "💯":
        return "100"
    return unicodedata.normalize("NFKC", character)
