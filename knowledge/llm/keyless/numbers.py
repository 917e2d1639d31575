"""Numbers in a message, in digits and in words: «1 800», «2к», «полторы тысячи», «две с половиной тыщи»."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from knowledge.llm.keyless.morphology import Word

_UNITS = {
    "ноль": 0,
    "нуль": 0,
    "один": 1,
    "два": 2,
    "двое": 2,
    "три": 3,
    "трое": 3,
    "четыре": 4,
    "четверо": 4,
    "пять": 5,
    "пятеро": 5,
    "шесть": 6,
    "семь": 7,
    "восемь": 8,
    "девять": 9,
    "десять": 10,
    "одиннадцать": 11,
    "двенадцать": 12,
    "тринадцать": 13,
    "четырнадцать": 14,
    "пятнадцать": 15,
    "шестнадцать": 16,
    "семнадцать": 17,
    "восемнадцать": 18,
    "девятнадцать": 19,
}
_TENS = {
    "двадцать": 20,
    "тридцать": 30,
    "сорок": 40,
    "пятьдесят": 50,
    "шестьдесят": 60,
    "семьдесят": 70,
    "восемьдесят": 80,
    "девяносто": 90,
}
_HUNDREDS = {
    "сто": 100,
    "двести": 200,
    "триста": 300,
    "четыреста": 400,
    "пятьсот": 500,
    "шестьсот": 600,
    "семьсот": 700,
    "восемьсот": 800,
    "девятьсот": 900,
}
_COUNTED = {"пара": 2, "десяток": 10, "полсотни": 50, "сотня": 100, "полтысячи": 500, "дюжина": 12}
_COUNTED |= {"полтинник": 50, "полтос": 50, "сотка": 100, "стольник": 100, "пятихатка": 500}
_SCALES = {"тысяча": 1000, "миллион": 1_000_000, "сотня": 100, "десяток": 10}
#: letters that mean a scale only when glued to the digits: «2к», «3k», «5т»
_GLUED = {"к": 1000, "k": 1000, "т": 1000, "m": 1_000_000}
_ENGLISH = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "hundred": 100, "thousand": 1000}

#: numbers above this are taken for nonsense and cut here; the rules have their own limit
MOST = 10**12


@dataclass(frozen=True, slots=True)
class Number:
    """A number and the words it stands in. ``more`` is set for «больше 6000», ``weak`` for a bare «один»."""

    value: Fraction
    first: int
    last: int
    more: bool = False
    negative: bool = False
    weak: bool = False

    @property
    def whole(self) -> int:
        """As a count: a part of a document is a document."""
        return ceil(self.value) + (1 if self.more else 0)


def find(words: Sequence[Word]) -> list[Number]:
    """The numbers of a message in order; a range counts by its upper end."""
    found: list[Number] = []
    place = 0
    while place < len(words):
        number = _read(words, place)
        if number is None:
            place += 1
            continue
        found.append(number)
        place = number.last + 1
    return _joined(found, words)


def _read(words: Sequence[Word], first: int) -> Number | None:
    place = first
    if first > 0 and words[first].start == words[first - 1].end and len(words[first - 1].raw) > 1:
        return None  # «битрикс24» is a name
    value = _digits(words[place])
    in_words = value is None
    if value is not None:
        place += 1
    else:
        value, place = _spoken(words, place)
        if value is None:
            return None
    value, place, scaled = _scaled(words, value, place, first)
    # «-5», but not a dash between words or a range
    room = words[first].start - (words[first - 1].end + 1 if first else 0)
    negative = not in_words and words[first].before in {"-", "−"} and room == 1
    if first > 0 and words[first - 1].raw == "минус":
        negative = True
    more = first > 0 and words[first - 1].raw in {"больше", "более", "свыше", "over", "above"}
    weak = in_words and value == 1 and not scaled
    return Number(min(value, Fraction(MOST)), first, place - 1, more=more, negative=negative, weak=weak)


def _digits(word: Word) -> Fraction | None:
    if word.kind != "number":
        return None
    return min(Fraction(word.raw[:40]), Fraction(MOST))


def _spoken(words: Sequence[Word], place: int) -> tuple[Fraction | None, int]:
    """A number below a thousand in words; the next word must be of a lower rank, so «два три» are two numbers."""
    lemma = words[place].lemma
    if lemma in {"полтора", "полторы"}:
        return Fraction(3, 2), place + 1
    if lemma == "полтораста":
        return Fraction(150), place + 1
    if lemma in _COUNTED and lemma not in _SCALES:
        return Fraction(_COUNTED[lemma]), place + 1
    if lemma in _SCALES:
        behind = _behind_scale(words, place)
        # «тысяча» alone: the scale is read next
        return behind or (Fraction(1), place)
    if lemma in _ENGLISH:
        return Fraction(_ENGLISH[lemma]), place + 1
    total, rank = 0, 4
    while place < len(words):
        lemma = words[place].lemma
        for lower, table in ((3, _HUNDREDS), (2, _TENS), (1, _UNITS)):
            if lemma in table and lower < rank:
                total, rank = total + table[lemma], lower
                break
        else:
            break
        place += 1
    return (Fraction(total), place) if rank < 4 else (None, place)


def _behind_scale(words: Sequence[Word], place: int) -> tuple[Fraction, int] | None:
    """«Тысяч сто», «тысячи две»: who turns a number round means it roughly."""
    if words[place].raw not in _TURNED or place + 1 >= len(words) or words[place + 1].lemma in _SCALES:
        return None
    following = words[place + 1]
    if following.before.strip() or following.kind == "mark":
        return None
    value = _digits(following)
    end = place + 2
    if value is None:
        value, end = _spoken(words, place + 1)
    if value is None or value < Fraction(3, 2) or value >= 1000:
        return None
    return value * _SCALES[words[place].lemma], end


_TURNED = frozenset(
    {"тысяч", "тысячи", "тыщ", "тыщи", "косарей", "сотни", "сотен", "десятков", "миллионов", "миллиона"}
)


def _scaled(words: Sequence[Word], value: Fraction, place: int, first: int) -> tuple[Fraction, int, bool]:
    """«с половиной», then the scale, then what is below it: «две с половиной тысячи», «тысяча двести»."""
    if _is_half(words, place):
        value, place = value + Fraction(1, 2), place + 2
    if place >= len(words):
        return value, place, False
    word = words[place]
    glued = word.start == words[place - 1].end if place > first else False
    scale = _SCALES.get(word.lemma) or (_GLUED.get(word.raw) if glued else None)
    if scale is None:
        return value, place, False
    place += 1
    if _is_half(words, place):
        value, place = value + Fraction(1, 2), place + 2
    value *= scale
    if scale >= 1000 and place < len(words) and words[place].kind == "word" and words[place].lemma not in _SCALES:
        rest, end = _spoken(words, place)
        if rest is not None and rest > 1 and rest < scale and words[place].lemma not in _COUNTED:
            value, place = value + rest, end
    return value, place, True


def _is_half(words: Sequence[Word], place: int) -> bool:
    return place + 1 < len(words) and words[place].raw == "с" and words[place + 1].lemma == "половина"


def _joined(numbers: list[Number], words: Sequence[Word]) -> list[Number]:
    """«500–600» and «от 500 до 600» are one number, the larger; so is «пять или шесть»."""
    joined: list[Number] = []
    for number in numbers:
        before = joined[-1] if joined else None
        if before is not None and _is_range(before, number, words):
            low = before.value * ((number.value >= 1000 > before.value and 1000) or 1)  # «1–2 тысячи»
            joined[-1] = Number(max(low, number.value), before.first, number.last)
        else:
            joined.append(number)
    return joined


def _is_range(low: Number, high: Number, words: Sequence[Word]) -> bool:
    marks = words[high.first].before
    if high.first == low.last + 1:
        dash = marks in {"-", "–", "—", "−"}
        return dash and low.value < high.value
    between = [words[place].raw for place in range(low.last + 1, high.first)]
    starts_with_from = low.first > 0 and words[low.first - 1].raw == "от"
    return low.value < high.value and ((between == ["до"] and starts_with_from) or between == ["или"])
