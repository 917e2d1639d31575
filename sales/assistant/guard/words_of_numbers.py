"""The words that numbers are made of, in Russian, in Russian written with Latin letters, and in English."""

from __future__ import annotations

from decimal import Decimal


def listed(words: str, by: str | None = None) -> list[str]:
    """The words of a list that is written as a text."""
    return words.split(by)


_UNITS = {
    0: "ноль нуль ноля нуля",
    1: "один одна одно одну одного одной одним одном",
    2: "два две двух двум двумя двое двоих",
    3: "три трех трем тремя трое троих",
    4: "четыре четырех четырем четырьмя четверо",
    5: "пять пяти пятью",
    6: "шесть шести шестью",
    7: "семь семи семью",
    8: "восемь восьми восемью восьмью",
    9: "девять девяти девятью",
    10: "десять десяти десятью",
    11: "одиннадцать одиннадцати одинадцать одинадцати",
    12: "двенадцать двенадцати",
    13: "тринадцать тринадцати",
    14: "четырнадцать четырнадцати",
    15: "пятнадцать пятнадцати питнадцать",
    16: "шестнадцать шестнадцати шеснадцать",
    17: "семнадцать семнадцати",
    18: "восемнадцать восемнадцати",
    19: "девятнадцать девятнадцати",
}
_TENS = {
    20: "двадцать двадцати двадцатью",
    30: "тридцать тридцати тридцатью",
    40: "сорок сорока",
    50: "пятьдесят пятидесяти пятьюдесятью",
    60: "шестьдесят шестидесяти",
    70: "семьдесят семидесяти",
    80: "восемьдесят восьмидесяти",
    90: "девяносто девяноста",
}
_HUNDREDS = {
    100: "сто ста",
    200: "двести двухсот двумстам двумястами",
    300: "триста трехсот тремстам тремястами",
    400: "четыреста четырехсот",
    500: "пятьсот пятисот",
    600: "шестьсот шестисот",
    700: "семьсот семисот",
    800: "восемьсот восьмисот",
    900: "девятьсот девятисот",
}
_WHOLE = {
    Decimal("1.5"): "полтора полторы полутора",
    Decimal(150): "полтораста",
    Decimal(50): "полсотни полтинник",
    Decimal(500): "полтысячи пятихатка",
    Decimal(500_000): "полмиллиона полляма",
    Decimal(2): "пара пару пары",
    Decimal(12): "дюжина дюжину dozen",
}
_SCALES = {
    10: "десяток десятка десятков десятки",
    100: "сотня сотню сотни сотен соток сотка сотку hundred hundreds",
    1000: "тысяча тысячу тысячи тысяч тысячей тысячами тысячам тысячах тыс тыщ тыща тыщу тыщи штука штуку штуки штук"
    " косарь косаря косарей кусок куска кусков тонна тонну тонн k к т тр thousand thousands grand",
    1_000_000: "миллион миллиона миллионов миллионами миллиону млн лям ляма лямов лимон лимона лимонов mln million"
    " millions mio m м",
    1_000_000_000: "миллиард миллиарда миллиардов млрд billion billions bn",
}
#: scales that are other things too: taken as such only where money follows
UNSURE_SCALES = frozenset(
    listed("штука штуку штуки штук кусок куска кусков тонна тонну тонн лимон лимона лимонов т м m тр")
)
_ENGLISH = {
    **dict(zip(listed("zero one two three four five six seven eight nine ten"), range(11), strict=True)),
    **dict(
        zip(
            listed("eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"),
            range(11, 20),
            strict=True,
        )
    ),
}
_ENGLISH_TENS = dict(
    zip(listed("twenty thirty forty fifty sixty seventy eighty ninety"), range(20, 100, 10), strict=True)
)

_LATIN = dict(
    zip("абвгдезийклмнопрстуфхъыьэ", listed("a b v g d e z i i k l m n o p r s t u f h  y  e", " "), strict=True)
)


def key(word: str) -> str:
    """A word as it is looked up: slips of ь, дц and double letters make no difference."""
    word = word.lower().replace("ё", "е").replace("ь", "").replace("дц", "ц")
    return word


def _latin(word: str) -> set[str]:
    spellings = {""}
    for letter in word:
        ways = {"ц": ("c", "ts", "tz"), "ч": ("ch",), "ш": ("sh",), "щ": ("sch", "shch"), "я": ("ya", "ia", "ja")}
        ways |= {"ю": ("yu", "iu", "ju"), "ж": ("zh",), "ы": ("y", "i"), "й": ("y", "i", "j"), "х": ("h", "kh")}
        letters = ways.get(letter) or (_LATIN.get(letter, letter),)
        spellings = {start + each for start in spellings for each in letters}
    return spellings


#: word → (value, rank): of a lower rank may follow a higher one, «двести» «двадцать» «пять»
SMALL: dict[str, tuple[Decimal, int]] = {}
SCALES: dict[str, Decimal] = {}
for _table, _rank in ((_UNITS, 1), (_TENS, 2), (_HUNDREDS, 3)):
    for _value, _forms in _table.items():
        # 10 to 19 leave no room for a unit after them
        for _form in _forms.split():
            SMALL[key(_form)] = (Decimal(_value), _rank)
            for _way in _latin(_form.replace("дц", "дц")):
                SMALL.setdefault(_way, (Decimal(_value), _rank))
for _exact, _forms in _WHOLE.items():
    for _form in _forms.split():
        SMALL[key(_form)] = (_exact, 4)
        for _way in _latin(_form) if not _form.isascii() else ():
            SMALL.setdefault(_way, (_exact, 4))
for _scale, _forms in _SCALES.items():
    for _form in _forms.split():
        SCALES[key(_form)] = Decimal(_scale)
        if not _form.isascii() and len(_form) > 3:
            for _way in _latin(_form):
                SCALES.setdefault(_way, Decimal(_scale))
for _form, _value in _ENGLISH.items():
    SMALL[_form] = (Decimal(_value), 1)
for _form, _value in _ENGLISH_TENS.items():
    SMALL[_form] = (Decimal(_value), 2)
SCALES |= {"tys": Decimal(1000), "tysch": Decimal(1000)}
