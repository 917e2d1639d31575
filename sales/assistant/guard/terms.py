"""Terms in a draft: how long something takes and by when it is done, as a passage says it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from sales.assistant.guard.denial import denied
from sales.assistant.guard.evidence import Known, Segment, stems, unmarked
from sales.assistant.guard.numbers import Amount, amounts
from sales.assistant.guard.verdict import Finding, Kind
from sales.assistant.guard.words_of_numbers import listed

_I = re.IGNORECASE
_WHY = "no passage found in this conversation gives this term; look it up with knowledge__search or leave it out"

_UNITS = (
    ("minute", r"минут\w*|мин|minutes?"),
    ("hour", r"час(?:а|ов|ам|ами|у|е)?|hours?"),
    ("day", r"д(?:ень|ня|ней|ням|нями|не)|сут(?:ки|ок|кам)|рабочи[хей]\w*|календарны\w+|days?|business|working"),
    ("week", r"недел\w*|weeks?"),
    ("month", r"месяц\w*|months?"),
    ("year", r"год(?:а|у|ом)?|лет|years?"),
)
#: «4 500 ₽ за час»: a price, no term
_PER_UNIT = re.compile(r"(?:₽|руб\w*\.?|рубл\w+)\s*$", _I)
_UNIT = {name: re.compile(words, _I) for name, words in _UNITS}
_ONE = re.compile(
    r"\b(?:за|в течение|через|within(?: an?)?|in an?)\s+(?:один\s+|одну\s+|одного\s+|одной\s+|полный\s+"
    r"|рабоч\w+\s+)?(?P<unit>минут[уы]|час(?:а)?|день|дня|сутки|суток|недел[юи]"
    r"|minute|hour|day|week)\b|\b(?P<half>полчаса|получаса|пол-?дня)\b|\bпар[уы] (?P<pair>минут|часов|дней"
    r"|недель)\b|\bнесколько (?P<some>минут|часов|дней|недель)\b",
    _I,
)
#: what is done for a customer, so that a time beside it is a promise
_DOES = re.compile(
    r"\b(?:запуст|запуск|подключ|внедр|настро|сдела|начн|успе|готов|верн|возврат|ответ|отвеч|пришл|вышл|отправ"
    r"|выполн|интегр|позвон|перезвон|свяж|реш|исправ|достав"
    r"|подготов|приед|приступ|заработ|занима|займ|потреб|уйд|уход|перевед|оформ|согласу|доступ|откро|deliver"
    r"|launch|set ?up|connect|ready|done|take|repl|answer|call|refund|start)\w*",
    _I,
)
_SOON = re.compile(
    r"\bсегодня же\b|\bсегодня\b|\bзавтра\b|\bпослезавтра\b|\bв тот же (?:\w+ )?день\b|\bнемедленно\b"
    r"|\bмгновенно\b|\bмоментально\b|\bпрямо сейчас\b|\bк (?:понедельник|вторник|сред|четверг|пятниц"
    r"|суббот|воскресень)\w*|\bк (?:утру|вечеру|обеду|концу)\b|\b(?:до|к) конц[ау] (?:дня|недели|месяца|года)\b"
    r"|\bв ближайш\w+ (?:час|минут|врем|дни|день)\w*|\bс минуты на минуту\b"
    r"|\btomorrow\b|\btoday\b|\btonight\b|\bby (?:monday|tuesday|wednesday|thursday|friday)\b|\bimmediately\b"
    r"|\basap\b|\bright away\b|\bинстант\w*|\bсразу же\b",
    _I,
)
_WILL = re.compile(
    r"\b(?:запуст|подключ|внедр|настро|сдела|начн|успе|верн|ответ|пришл|вышл|отправ|выполн|интегрир|позвон"
    r"|перезвон|свяж|реш|исправ|достав|подготов|приед|приступ|заработа|получ|откро|оформ)"
    r"\w*(?:им|ем|ём|ю|у|ит|ет|ёт|ят|ут|ют|имся|емся|ишь|ите|ете)\b|\bбуд(?:ет|ут) готов\w*|\b(?:will|we['’]ll"
    r"|i['’]ll)\b|\bвсё сделаем\b",
    _I,
)
_MONTHS = listed("январ феврал март апрел ма[йя] июн июл август сентябр октябр ноябр декабр")
_DATE = re.compile(
    rf"\b(?P<day>\d{{1,2}})(?:-го)?\s+(?P<month>{'|'.join(_MONTHS)})\w*"
    rf"|\b(?P<d>\d{{1,2}})\.(?P<m>\d{{2}})(?:\.(?:20)?\d{{2}})?\b(?!\s*(?:₽|руб|%|тыс))"
    r"|\b(?P<ed>\d{1,2})(?:st|nd|rd|th)? (?P<em>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*"
    r"|\b20\d\d-(?P<im>\d\d)-(?P<id>\d\d)\b",
    _I,
)
_ENGLISH = listed("jan feb mar apr may jun jul aug sep oct nov dec")
_VALID = re.compile(r"\b(?:действ\w+|до|срок\w*|не позднее|не позже|к|valid|until|by)\s+(?:\w+\s+){0,2}$", _I)


@dataclass(frozen=True)
class Term:
    """A duration; both ends are one where no range is said."""

    low: Decimal
    high: Decimal
    unit: str


@dataclass(frozen=True)
class _Place:
    term: Term
    piece: str
    start: int
    end: int
    at_most: bool = False


def check(sentence: str, known: Known) -> Iterator[Finding]:
    """Findings on one sentence: durations, «сегодня же», dates until which something holds."""
    text = unmarked(sentence)
    asks = text.rstrip(' »"*)').endswith("?")
    does = _DOES.search(text) is not None
    for place in _durations(text):
        unit = place.term.unit
        if asks or denied(text, place.start, place.end) or (unit in {"month", "year"} and not _WILL.search(text)):
            continue
        if not does and (unit in {"month", "year"} or place.term in _spoken(known)):
            continue
        if not does and unit == "day" and place.term.high in {7, 30, 31}:
            continue
        if not _given(place, text, known):
            yield Finding(Kind.PROMISE, place.piece, _WHY)
    if not asks and _WILL.search(text):
        for found in _SOON.finditer(text):
            if not denied(text, *found.span()) and not _soon_given(found[0], text, known):
                yield Finding(Kind.PROMISE, found[0], _WHY)
    for found in _DATE.finditer(text):
        bound = _VALID.search(text[: found.start()]) or _WILL.search(text)
        if bound and not asks and not denied(text, *found.span()):
            day = _day(found)
            if day and day not in _dates(known):
                yield Finding(Kind.PROMISE, found[0], _WHY)


def _durations(text: str) -> Iterator[_Place]:
    waiting: list[Amount] = []
    for amount in amounts(text):
        if amount.unit:
            waiting = []
            continue
        unit = _unit(amount.noun) if amount.noun else ""
        waiting = [each for each in waiting if amount.start - each.end <= 5]
        if unit and not _is_clock(text, amount.start, amount.end):
            first = waiting[-1] if waiting else amount
            piece = f"{text[first.start : amount.end].strip() or amount.piece} {amount.noun}"
            at_most = bool(_AT_MOST.search(text[: first.start]))
            term = Term(min(first.value, amount.value), max(first.value, amount.value), unit)
            yield _Place(term, piece, first.start, amount.end, at_most)
            waiting = []
        else:
            waiting.append(amount)
    for match in _ONE.finditer(text):
        if _PER_UNIT.search(text[: match.start()]):
            continue
        if match["half"]:
            number, unit = Decimal(30), "minute"
        elif match["some"] or match["pair"]:
            number, unit = Decimal(0 if match["some"] else 2), _unit(match["some"] or match["pair"])
        else:
            number, unit = Decimal(1), _unit(match["unit"].lower())
        yield _Place(Term(number, number, unit), match[0], *match.span())


def _is_clock(text: str, start: int, end: int) -> bool:
    """«в 18 часов»: a time of the day."""
    return bool(re.search(r"\b(?:в|с|до|к|at|from)\s+$", text[max(0, start - 6) : start], _I)) and bool(
        re.match(r"\s*час", text[end:], _I)
    )


def _unit(word: str) -> str:
    return next((name for name, pattern in _UNIT.items() if pattern.fullmatch(word)), "")


def _given(place: _Place, text: str, known: Known) -> bool:
    """Whether a sentence that proves has this term, of something that is spoken of here too."""
    wanted = stems(text) - _TIMES
    if wanted & _ROLL_OUT:
        wanted |= _ROLL_OUT
    for segment in known.segments:
        same = any(
            place.term == term
            or (place.at_most and place.term.unit == term.unit and place.term.low == place.term.high == term.high)
            for term in _terms(segment)
        )
        if same and (not wanted or not re.search("[а-яё]", text, _I) or wanted & segment.wide):
            return True
    return False


#: one thing by many names
_ROLL_OUT = stems("внедрение запуск подключение настройка")
_AT_MOST = re.compile(r"\b(?:до|не больше|не более|максимум|at most|up to)\s+$", _I)
_TIMES = stems(
    "дней день дня часов часа недели недель неделя рабочих минут месяц месяца обычно около примерно после всего вашего"
    " ваших можно течение занимает это один два две три четыре пять шесть семь восемь девять десять двадцать"
)


def _terms(segment: Segment) -> frozenset[Term]:
    if not re.search(r"минут|час|д[ен]|сут|недел|месяц|год|лет|minute|hour|day|week|month|year", segment.plain):
        return frozenset()
    return _terms_of(segment.text)


@lru_cache(maxsize=2048)
def _terms_of(text: str) -> frozenset[Term]:
    return frozenset(place.term for place in _durations(text))


def _spoken(known: Known) -> frozenset[Term]:
    return frozenset(place.term for text in known.customers for place in _durations(unmarked(text)))


def _soon_given(piece: str, text: str, known: Known) -> bool:
    own = stems(piece)
    wanted = stems(text) - own
    return any(own <= segment.stems and wanted & segment.stems for segment in known.segments) if own else False


def _day(found: re.Match[str]) -> tuple[int, int] | None:
    if found["day"]:
        month = next(at for at, stem in enumerate(_MONTHS, 1) if re.match(stem, found["month"], _I))
        return int(found["day"]), month
    if found["ed"]:
        return int(found["ed"]), _ENGLISH.index(found["em"].lower()) + 1
    day, month = int(found["d"] or found["id"]), int(found["m"] or found["im"])
    return (day, month) if 1 <= day <= 31 and 1 <= month <= 12 else None


def _dates(known: Known) -> set[tuple[int, int]]:
    return {day for found in _DATE.finditer(known.everything) if (day := _day(found))}
