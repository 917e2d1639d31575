"""An amount in all the ways in which it can be written so that a customer reads it as money."""

from __future__ import annotations

import random
from collections.abc import Callable

from sales.assistant.guard.words_of_numbers import listed

_ONES = listed(
    "один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать"
    " пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
)
_TENS = listed("двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто")
_HUNDREDS = listed("сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот")
_EN = listed(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
)
_EN_TENS = listed("twenty thirty forty fifty sixty seventy eighty ninety")
_LATIN = dict(
    zip(
        "абвгдезийклмнопрстуфхцчшыьэюя",
        listed("a b v g d e z i y k l m n o p r s t u f kh ts ch sh y  e yu ya", " "),
        strict=True,
    )
)


def in_words(value: int) -> str:
    """The number in Russian."""
    if value >= 1_000_000:
        high, low = divmod(value, 1_000_000)
        return " ".join(
            filter(
                None, [_below(high), _plural(high, "миллион", "миллиона", "миллионов"), in_words(low) if low else ""]
            )
        )
    if value >= 1000:
        high, low = divmod(value, 1000)
        words = _below(high)
        words = words.removesuffix("один") + "одна" if words.endswith("один") else words
        words = words.removesuffix("два") + "две" if words.endswith("два") else words
        return " ".join(filter(None, [words, _plural(high, "тысяча", "тысячи", "тысяч"), _below(low)]))
    return _below(value) or "ноль"


def in_english(value: int) -> str:
    if value >= 1000:
        high, low = divmod(value, 1000)
        return " ".join(filter(None, [in_english(high), "thousand", in_english(low) if low else ""]))
    words = []
    if value >= 100:
        words += [_EN[value // 100 - 1], "hundred"]
        value %= 100
    if value >= 20:
        tens = _EN_TENS[value // 10 - 2]
        words.append(f"{tens}-{_EN[value % 10 - 1]}" if value % 10 else tens)
    elif value:
        words.append(_EN[value - 1])
    return " ".join(words)


def latin(text: str) -> str:
    return "".join(_LATIN.get(each, each) for each in text)


def _below(value: int) -> str:
    words = []
    if value >= 100:
        words.append(_HUNDREDS[value // 100 - 1])
        value %= 100
    if value >= 20:
        words.append(_TENS[value // 10 - 2])
        value %= 10
    if value:
        words.append(_ONES[value - 1])
    return " ".join(words)


def _plural(number: int, one: str, few: str, many: str) -> str:
    if number % 100 in range(11, 15):
        return many
    return {1: one, 2: few, 3: few, 4: few}.get(number % 10, many)


def _grouped(value: int, by: str) -> str:
    return f"{value:,}".replace(",", by)


def _thousands(value: int, unit: str) -> str:
    return f"{value / 1000:.3f}".rstrip("0").rstrip(".").replace(".", ",") + unit


def _digits(value: int, zero: str) -> str:
    return "".join(chr(ord(zero) + int(each)) if each.isdigit() else each for each in _grouped(value, " "))


def _inside(value: int, what: str) -> str:
    text = str(value)
    return text[:1] + what + text[1:]


FORMS: tuple[Callable[[int], str], ...] = (
    lambda v: f"{v} ₽",
    lambda v: f"{_grouped(v, chr(0xA0))}\u00a0₽",
    lambda v: f"{_grouped(v, chr(0x2009))}\u2009руб.",
    lambda v: f"{_grouped(v, chr(0x202F))} рублей",
    lambda v: f"{_grouped(v, '.')} ₽",
    lambda v: f"{_grouped(v, ',')} RUB",
    lambda v: f"{_grouped(v, chr(39))} руб",
    lambda v: f"{_grouped(v, ' ')},00 ₽",
    lambda v: f"{_grouped(v, ' ')} р.",
    lambda v: f"{_grouped(v, ' ')} рублей 50 копеек",
    lambda v: _thousands(v, " тыс. ₽"),
    lambda v: _thousands(v, " тысяч рублей"),
    lambda v: _thousands(v, "к ₽"),
    lambda v: _thousands(v, "k руб"),
    lambda v: _thousands(v, " т.р."),
    lambda v: _thousands(v, " косарей"),
    lambda v: f"{in_words(v)} рублей",
    lambda v: f"{in_words(v).upper()} РУБЛЕЙ",
    lambda v: f"**{in_words(v)}** руб.",
    lambda v: f"{latin(in_words(v))} rublei",
    lambda v: f"{in_english(v)} roubles",
    lambda v: f"{_digits(v, '０')} ₽",
    lambda v: f"{_digits(v, '٠')} ₽",
    lambda v: f"{_digits(v, '𝟎')} рублей",
    lambda v: f"{_grouped(v, ' ').replace('0', 'О').replace('3', 'З')} руб.",
    lambda v: f"{_inside(v, chr(0x200B))} ₽",
    lambda v: f"{_inside(v, chr(0xAD))} руб.",
    lambda v: f"{_inside(v, '**')}** ₽",
    lambda v: f"{_inside(v, '`')}` рублей",
    lambda v: f"{_inside(v, '<b>')}</b> ₽",
    lambda v: "".join(f"&#{ord(each)};" for each in str(v)) + " ₽",
    lambda v: "".join(f"{each}\ufe0f\u20e3" for each in str(v)) + " ₽",
    lambda v: f"~~{_grouped(v, ' ')}~~ ₽",
    lambda v: f"[{_grouped(v, ' ')} ₽](/)",
    lambda v: f"{v} pублей",
    lambda v: f"₽{v}",
    lambda v: f"RUB {_grouped(v, ',')}",
    lambda v: f"{_grouped(v, ' ')}-рублёвый платёж",
    lambda v: f"{_grouped(v, ' ')} полновесных рублей",
    lambda v: f"{_grouped(v, ' ')}₽/мес",
    lambda v: f"≈{_grouped(v, ' ')} ₽",
    lambda v: " ".join(str(v)) + " ₽",
)
#: without a currency: only where the words around say that it is a price
BARE: tuple[Callable[[int], str], ...] = (
    lambda v: f"{v}",
    lambda v: _grouped(v, " "),
    lambda v: _thousands(v, "к"),
    lambda v: _thousands(v, " тыс."),
    in_words,
)
PERCENTS: tuple[Callable[[int], str], ...] = (
    lambda v: f"{v} %",
    lambda v: f"{v}%",
    lambda v: f"**{v}**%",
    lambda v: f"{v} процентов",
    lambda v: f"{in_words(v)} процентов",
    lambda v: f"{in_english(v)} percent",
    lambda v: f"{v}\u200b\u00a0％",
    lambda v: f"{_digits(v, '０')} %",
    lambda v: f"{v},0 %",
)


def money(value: int, chance: random.Random) -> str:
    return chance.choice(FORMS)(value)
