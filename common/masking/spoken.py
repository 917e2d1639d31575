"""Phones and e-mail addresses that are written as they are spoken."""

from __future__ import annotations

import re
from collections.abc import Iterator

from common.blind_index import normalize_email, normalize_phone
from common.masking.found import Found

_ONES = "ноль один два три четыре пять шесть семь восемь девять десять".split()  # noqa: SIM905
_TEENS = "одиннадцать двенадцать тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
_TENS = "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто"
_HUNDREDS = "сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот"
_ENGLISH = "zero one two three four five six seven eight nine"
_VALUES: dict[str, int] = {
    **{word: number for number, word in enumerate(_ONES)},
    **{word: number for number, word in enumerate(_TEENS.split(), 11)},
    **{word: number * 10 for number, word in enumerate(_TENS.split(), 2)},
    **{word: number * 100 for number, word in enumerate(_HUNDREDS.split(), 1)},
    **{word: number for number, word in enumerate(_ENGLISH.split())},
    "нуль": 0,
    "нолик": 0,
    "одна": 1,
    "две": 2,
    "раз": 1,
    "пийсят": 50,
    "шисят": 60,
    "шесят": 60,
    "семьсят": 70,
    "восемьсят": 80,
}
_MAYBE_NUMBER = tuple(
    "ноль один два две три четыр пят шест семь семьс семьд восем девят десят дцат сорок сто плюс".split()  # noqa: SIM905
)
_MAYBE_NUMBER += ("eight", "seven", "nine", "plus")
_RUN = re.compile(r"[^\W\d_]+|\d+")
#: what may stand between the parts of one number
_BETWEEN = re.compile(r"[\s,.()+–—-]{0,4}")
#: as many parts as a number of eleven digits can have
_PARTS_MOST = 12

_AT = re.compile(
    r"\s*(?:@|[(\[{]\s*(?:at|собак\w|собачк\w|эт)\s*[)\]}]|\b(?:собак[аиу]|собачк[аиу]|at|эт"
    r"|dog)\b)\s*",
    re.IGNORECASE,
)
_DOT = r"(?:\s*[.,]\s*|\s?[(\[](?:dot|точка)[)\]]\s?|\s+(?:точка|тчк|dot)\s+)"
_TLD = r"(?:ру|рф|ком|нет|орг|su|ru|com|net|org|info|io|by|kz|ua|uz|biz|pro|online|store|shop|site|me|tech|example)"
_DOMAIN = re.compile(rf"(?P<name>[\w-]{{2,40}}(?:{_DOT}[\w-]{{1,40}}){{0,2}}?){_DOT}(?P<top>{_TLD})\b", re.IGNORECASE)
_KNOWN_DOMAIN = re.compile(
    r"(?P<name>e?mail|gmail|яндекс|yandex|ya|мейл|маил|мэйл|джимейл|gmeil|bk|бк|list|лист|inbox|инбокс|rambler"
    r"|рамблер|icloud|айклауд|гмейл|гмаил|жмейл|аутлук|хотмейл"
    r"|outlook|hotmail)\s?(?P<top>ru|ру|com|ком)?\b",
    re.IGNORECASE,
)
#: words and signs in turn, so that there is one way to read it
_LOCAL = re.compile(
    r"(?<![^\W_])[^\W_]+(?:(?:\s?[._+%'-]{1,3}\s?|\s?[(\[](?:dot|точка)[)\]]\s?|\s+(?:точка|тчк|dot|тире|дефис"
    r"|минус|нижнее подч[её]ркивание"
    r"|подч[её]ркивание|underscore|андерскор)\s+)[^\W_]+){0,6}$",
    re.IGNORECASE,
)
#: «ivan_98 на мейл ру»
_ON_HOST = re.compile(
    r"(?<![\w.+-])[a-z0-9][\w.+-]{1,40}\s+на\s+(?:мейл|маил|мэйл|gmail|mail|гмейл|яндекс|yandex|рамблер|rambler"
    r"|инбокс|inbox|бк|bk|лист|list)"
    r"(?:[ .,]{1,3}(?:точка\s)?(?:ру|ru|ком|com))?(?!\w)",
    re.IGNORECASE,
)
_SPELT = re.compile(r"(?<![\w.])(?:[\w.+-] ){2,30}@(?: [\w.-]){4,30}(?!\w)")
_LOCAL_MOST, _DOMAIN_MOST = 80, 80
_SIGNS = (
    (re.compile(r"\s*[(\[](?:dot|точка)[)\]]\s*", re.IGNORECASE), "."),
    (re.compile(r"\s*(?:\bточка\b|\bтчк\b|\bdot\b|,)\s*", re.IGNORECASE), "."),
    (re.compile(r"\s*(?:\bнижнее подч[её]ркивание\b|\bподч[её]ркивание\b|\bunderscore\b)\s*", re.IGNORECASE), "_"),
    (re.compile(r"\s*(?:\bтире\b|\bдефис\b|\bминус\b)\s*", re.IGNORECASE), "-"),
)
_TOPS = {"ру": "ru", "ком": "com", "нет": "net", "орг": "org"}
_NAMES = {"яндекс": "yandex", "мейл": "mail", "маил": "mail", "мэйл": "mail", "джимейл": "gmail", "рамблер": "rambler"}
_NAMES |= {
    "инбокс": "inbox",
    "бк": "bk",
    "лист": "list",
    "гмейл": "gmail",
    "гмаил": "gmail",
    "жмейл": "gmail",
    "айклауд": "icloud",
}


#: a number of which one part is in words has this many in digits
_FIVE_DIGITS = re.compile(r"\d(?:[^\d\n]{0,12}\d){4}")
#: words before a number that is of a paper, not of a phone
_PAPER = re.compile(r"(?:пасп|снилс|\bинн\b|сери[яи]|удостоверени)[^\d\n]{0,30}$", re.IGNORECASE)
_CARD_WORD = re.compile(r"\bкарт\w{0,4}[^\d\n]{0,30}$", re.IGNORECASE)
_MAYBE_AT = ("@", "собак", "собач", " at ", " эт ", "[at]", "(at)", "dog")


def find_spoken(text: str, small: str) -> Iterator[Found]:
    """Numbers of phones and addresses in words, wholly or in part. ``small`` is the text in small letters."""
    if " на " in small:
        for match in _ON_HOST.finditer(text):
            yield Found(*match.span(), "ПОЧТА", match[0].casefold())
    if any(word in small for word in _MAYBE_AT):
        yield from _addresses(text)
    # as many numerals as a phone has parts, or the last words of one that is half in digits
    count = sum(small.count(word) for word in _MAYBE_NUMBER)
    if count >= 2 or (count and _FIVE_DIGITS.search(text)):
        yield from _phones(text)


# --- phones -----------------------------------------------------------------------------------------------------


def _phones(text: str) -> Iterator[Found]:
    run: list[tuple[int, int, str, bool]] = []
    for match in _RUN.finditer(text):
        word = match[0].casefold()
        value = _VALUES.get(word.replace("ё", "е"), -1)
        known = match[0].isdigit() or value >= 0 or word in {"плюс", "plus"}
        if run and (not known or not _BETWEEN.fullmatch(text, run[-1][1], match.start())):
            yield from _in_run(text, run)
            run = []
        if known:
            digits = match[0] if match[0].isdigit() else "" if value < 0 else str(value)
            run.append((match.start(), match.end(), digits, not match[0].isdigit()))
    yield from _in_run(text, run)


def _in_run(text: str, run: list[tuple[int, int, str, bool]]) -> Iterator[Found]:
    """The phones in a run of numerals: each begins with a part, and ends with one."""
    if len(run) < 2 or not any(spoken for *_, spoken in run):
        return
    parts = _joined(run)
    before = text[max(0, run[0][0] - 60) : run[0][0]]
    digits = "".join(each[2] for each in parts)
    if 4 <= len(digits) <= 20 and (
        _PAPER.search(before) or (len(digits) > 11 and _CARD_WORD.search(before)) or len(digits) == 16
    ):
        kind = "ДОКУМЕНТ" if _PAPER.search(before) else "КАРТА"
        yield Found(parts[0][0], parts[-1][1], kind, digits, digits)
        return
    first = 0
    while first < len(parts):
        digits, found = "", None
        for last in range(first, min(len(parts), first + _PARTS_MOST)):
            digits += parts[last][2]
            if len(digits) > 11:
                break
            if parts[last][2] and (number := _number(digits)):
                found = (last, number)
        if found is None or not any(spoken and said for *_, said, spoken in parts[first : found[0] + 1]):
            first += 1
            continue
        last, number = found
        yield Found(parts[first][0], parts[last][1], "ТЕЛЕФОН", number, number)
        first = last + 1


_HUNDREDS_ONLY = re.compile("[1-9]00")


def _number(digits: str) -> str:
    if len(digits) == 11 and digits[0] in "78":
        return normalize_phone(digits)
    return normalize_phone(digits) if len(digits) == 10 and digits[0] in "3489" else ""


def _joined(run: list[tuple[int, int, str, bool]]) -> list[tuple[int, int, str, bool]]:
    """«Сто двадцать три» is one part, 123; «двадцать» after «шестнадцать» begins another."""
    parts: list[tuple[int, int, str, bool]] = []
    for start, end, digits, spoken in run:
        if parts and spoken and digits and parts[-1][3] and parts[-1][2]:
            before, number = int(parts[-1][2]), int(digits)
            fits = (before % 100 == 0 and before >= 100 and 0 < number < 100) or (
                before % 10 == 0 and before % 100 >= 20 and 0 < number < 10
            )
            if fits:
                parts[-1] = (parts[-1][0], end, str(before + number), True)
                continue
        elif parts and not spoken and len(digits) == 2 and parts[-1][3] and _HUNDREDS_ONLY.fullmatch(parts[-1][2]):
            # «девятьсот 55», where the whole of it fits no number otherwise
            joined = str(int(parts[-1][2]) + int(digits))
            if len("".join(each[2] for each in parts)) == 4:
                parts[-1] = (parts[-1][0], end, joined, True)
                continue
        parts.append((start, end, digits, spoken))
    return parts


# --- addresses --------------------------------------------------------------------------------------------------


def _addresses(text: str) -> Iterator[Found]:
    for match in _SPELT.finditer(text):
        written = match[0].replace(" ", "")
        if address := normalize_email(written):
            yield Found(*match.span(), "ПОЧТА", address, address)
    for at in _AT.finditer(text):
        sign = at[0].strip().casefold()
        domain = _domain(text, at.end(), sure=sign not in {"at", "эт", "dog"})
        local = _LOCAL.search(text, max(0, at.start() - _LOCAL_MOST), at.start()) if domain is not None else None
        if domain is None or local is None:
            continue
        end, host = domain
        address = f"{_plain(local[0])}@{host}"
        yield Found(local.start(), end, "ПОЧТА", normalize_email(address) or address, address)


def _domain(text: str, at: int, *, sure: bool) -> tuple[int, str] | None:
    match = _DOMAIN.match(text, at, at + _DOMAIN_MOST)
    # «look at example.com» is no address
    if match is not None and (sure or re.search(r"\b(?:точка|dot)\b", match[0], re.IGNORECASE)):
        top = match["top"].casefold()
        name = _plain(match["name"])
        return match.end(), f"{_NAMES.get(name, name)}.{_TOPS.get(top, top)}"
    match = _KNOWN_DOMAIN.match(text, at, at + _DOMAIN_MOST)
    if match is None:
        return None
    name, top = match["name"].casefold(), (match["top"] or "").casefold()
    name = _NAMES.get(name, name)
    return match.end(), f"{name}.{_TOPS.get(top, top) or ('com' if name == 'gmail' else 'ru')}"


def _plain(text: str) -> str:
    for pattern, sign in _SIGNS:
        text = pattern.sub(sign, text)
    return re.sub(r"\s+", "", text).casefold()
