"""Amounts of a draft: each must have been named by a tool, a passage, a member of staff or the assistant before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from sales.assistant.guard.denial import around, denied
from sales.assistant.guard.evidence import Known, unmarked
from sales.assistant.guard.numbers import AMOUNTS_MOST, MONEY, PERCENT, Amount, amounts, readable
from sales.assistant.guard.text import plain
from sales.assistant.guard.verdict import Finding, Kind

#: bare numbers below this are counts, dates and hours rather than amounts
BARE_FROM = 1000
#: a smaller number behind «стоит» is no price
PRICED_FROM = 10

_WHY = "no tool and no passage has named this amount; take one from a tool (pricing__quote reckons) or leave it out"
_WHY_SHARE = "nothing says so; name the amounts that a tool or a passage gives, without a share or a multiple of them"

_NAMED_BUDGET = re.compile(r"\bбюджет\w*\s+(?:в\s+|до\s+|около\s+|из\s+)?$|\bbudget of\s+$", re.IGNORECASE)
#: «до 20 000 ₽ подойдут …»: the customer's bound, where what fits it is named with its price
_BOUND = re.compile(r"(?:^|[.!?]\s|\bваш\w*\s)\s*(?:до|в пределах|up to|under|within)\s+$", re.IGNORECASE)
_AGREES = re.compile(
    r"по рукам|договорил|соглас|подход|подойд|устраива|устроит|идёт|идет|отда[мд]|сдела|уклад|улож|впис|хватит|агр"
    r"|deal|agree|fits?\b",
    re.IGNORECASE,
)
_TIMES = r"(?:\d+(?:[.,]\d+)?|дв[ао]|два|три|четыре|пять|шесть|семь|восемь|девять|десять|полтора|несколько)"
_SHARE = re.compile(
    rf"\b(?:вдвое|втрое|вчетверо|впятеро|вполовину|наполовину|в {_TIMES} (?:с половиной )?раза?"
    r"|пол-?цены|на (?:половину|треть|четверть|пятую часть)|(?:за|лишь|всего) (?:половин\w+|треть|четверть)"
    r"|(?:треть|четверть) (?:цены|стоимост\w+|суммы)|скин\w+ (?:половин|треть|четверть)\w*"
    r"|половин\w+ (?:от )?(?:цены|стоимост\w+|суммы|тарифа)|half(?: the)? price|twice|half off|(?:two|three|four"
    r"|five) times"
    r"|a third|a quarter)\b",
    re.IGNORECASE,
)
#: thousands by their pet names
_SLANG = re.compile(
    r"\b(?:за|на|в|по|до|около) (?:десятк[уеи]|двадцатк\w|тридцатк\w|пятнашк\w|пятнах\w|полтинник\w*"
    r"|сороковник\w*)\b|\bпятнах[ауи]\b",
    re.IGNORECASE,
)
_ABOUT_PRICE = re.compile(
    r"дешевл|скин|дорож|скид|сниж|экономи|цен[аыуе]|стоимост|стои[тл]|обойд|плат|выгодн|cheap|price|cost|discount|sav"
    r"|off\b|pay|half",
    re.IGNORECASE,
)
_ROMAN = re.compile(r"\b[IVXLCDM]{1,8}\s*(?:тыс\w*\.?\s*)?(?:₽|руб\w*|%|процент\w*|тыс\w*|доллар\w*)")


def check(sentence: str, known: Known) -> Iterator[Finding]:
    """Findings on one sentence or one table of a draft."""
    clean = unmarked(sentence)
    text = readable(clean)
    found = amounts(clean)
    if len(found) > AMOUNTS_MOST:
        yield Finding(Kind.AMOUNT, found[AMOUNTS_MOST].piece, "these are too many amounts at once; name the main ones")
        return
    for amount in found:
        if not _allowed(amount, text, found, known):
            yield Finding(Kind.AMOUNT, amount.piece, _WHY)
    for share in _SHARE.finditer(clean):
        if _ABOUT_PRICE.search(around(clean, *share.span())) and not _shares(share[0], clean, share.span(), known):
            yield Finding(Kind.AMOUNT, share[0], _WHY_SHARE)
    for slang in _SLANG.finditer(clean):
        if not denied(clean, *slang.span()):
            yield Finding(Kind.AMOUNT, slang[0], _WHY)
    for roman in _ROMAN.finditer(clean):
        yield Finding(Kind.AMOUNT, roman[0], _WHY)


def _allowed(amount: Amount, text: str, others: Iterable[Amount], known: Known) -> bool:
    value = amount.value
    if value < 0:
        return False
    if amount.money:
        return (value, amount.unit) in known.proven.money or _repeated(amount, text, others, known)
    if amount.unit == PERCENT:
        return value in known.proven.percents or _repeated(amount, text, others, known)
    if amount.priced:
        if value < PRICED_FROM:
            return True
        named = (value, MONEY) in known.proven.money or value in known.proven.percents
        return named or _repeated(amount, text, others, known)
    if value < BARE_FROM or _is_year(value):
        return True
    if value in known.proven.values or value in known.spoken.bare:
        return True
    return bool(amount.noun) and value in known.spoken.values and not _is_scale(amount)


def _repeated(amount: Amount, text: str, others: Iterable[Amount], known: Known) -> bool:
    """Whether it is the customer's own amount, repeated to say no to it or as their budget."""
    if amount.value not in known.spoken.values:
        return False
    if denied(text, amount.start, amount.end):
        return True
    lead = text[max(0, amount.start - 24) : amount.start]
    rest = [other for other in others if other is not amount and other.money]
    smaller = bool(rest) and all(
        (other.value, other.unit) in known.proven.money and other.value <= amount.value for other in rest
    )
    if _NAMED_BUDGET.search(lead):
        return smaller or not _AGREES.search(text)
    return smaller and bool(_BOUND.search(lead))


def _shares(share: str, sentence: str, span: tuple[int, int], known: Known) -> bool:
    return plain(share) in known.words or denied(sentence, *span)


def _is_year(value: Decimal) -> bool:
    return value == value.to_integral_value() and 1990 <= value <= 2100


def _is_scale(amount: Amount) -> bool:
    return amount.noun in {"к", "k"}
