"""The amounts of a text: «19 900 ₽», «19,9 тыс.», «двадцать тысяч», «15к», «от 15 до 20 тысяч», «$200».

In digits of any script, in words of Russian and English, with the ends of ranges and the members of lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from sales.assistant.guard.text import as_numbers
from sales.assistant.guard.words_of_numbers import SCALES, SMALL, UNSURE_SCALES, key, listed

#: roubles; other currencies go by their own sign
MONEY, PERCENT = "RUB", "%"

_NUMBER = r"[1-9]\d{0,2}(?:[ .,'’]\d{3})+(?:[.,]\d{1,2})?(?![\d])|\d+(?:[.,]\d+)?"
_TOKEN = re.compile(rf"(?P<number>{_NUMBER})|(?P<word>[^\W\d_]+)|(?P<mark>[^\w\s]|_|\n)")
#: nothing of these is in a text without an amount
_ANY = re.compile(
    r"\d|дв[ае]|тр[иоеё]|четыр|пят|шест|сем|вос|девят|десят|дцат|надцат|сорок|девян|\bст[оа]\b|сот|двест|трист|полтор"
    r"|половин|пол[тслм]|тысяч|тыс|тыщ|косар|милли|млн|млрд|лям|пар[ауы]\b|дюжин|од[ин]|нол|нул"
    r"|[IVXLC]{1,7} (?:тыс|руб|₽|%)"
    r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty"
    r"|seventy"
    r"|eighty|ninety|hundred|thousand|million|grand|half|dozen)|rub|tys|perc|zero|proc",
    re.IGNORECASE,
)
_NOT_AMOUNTS = re.compile(
    r"https?://[^\s)\]]+|"
    r"(?<!\d)\d{1,2}[./]\d{1,2}[./](?:20)?\d{2}(?![\d])|\b\d{4}-\d{2}-\d{2}\b|(?<!\d)\d{1,2}:\d{2}(?::\d{2})?(?!\d)"
    r"|(?<![\d+])\+?\d{1,3}[ –-]?\(?\d{3}\)?[ –-]?\d{3}[ –-]?\d{2}[ –-]?\d{2}(?!\d)(?!\s*(?:₽|руб|р\.|%|тыс|\$|€))"
)
#: «15 т.р.»
_SHORT = re.compile(r"(?<=\d)\s*т\.?\s?р\b\.?", re.IGNORECASE)
#: scales that are said of money only
_OF_MONEY = re.compile(r"косар\w*|лям\w*|кусков|grand", re.IGNORECASE)
_SHORT_SCALES = frozenset({"тыс", "млн", "т", "к"})
_ADJECTIVE = re.compile(r"(процентн|тысячн|миллионн|рубл[её]в)")
_CURRENCIES = (
    (re.compile(r"рубл\w*|руб|р|рэ|rub|rubl\w*|rur|rouble\w*|ruble\w*|деревянн\w*|целков\w*|p"), MONEY),
    (re.compile(r"процент\w*|процентн\w*|проц|percent|pct|prozent\w*|procent\w*"), PERCENT),
    (re.compile(r"доллар\w*|долл|бакс\w*|usd|dollars?|bucks?"), "USD"),
    (re.compile(r"евро|eur|euros?"), "EUR"),
    (re.compile(r"фунт\w*|gbp|pounds?|юан\w*|cny|yuan|тенге|kzt|гривен\w*|гривн\w*|грн|дирхам\w*|aed|иен\w*"), "OTHER"),
    (re.compile(r"биткоин\w*|btc|usdt|бонус\w*|балл\w*"), "OTHER"),
)
_SIGNS = {"₽": MONEY, "%": PERCENT, "‰": "OTHER", "$": "USD", "€": "EUR", "£": "OTHER", "¥": "OTHER", "₸": "OTHER"}
_KOPECKS = re.compile(r"коп(?:е[ейкп]\w*)?|kop\w*", re.IGNORECASE)
_FILLERS = frozenset(
    listed(
        "с лишним небольшим хвостиком целых ровно примерно около российских полновесных условных честных полных"
        " российскими этих ваших наших всего лишь the of a full whole russian"
    )
)
_CONNECTORS = frozenset(
    {"–", "-", "—", "до", "и", "или", "либо", ",", "/", "to", "and", "or", "…", "~", "по", "а", "за"}
)
#: what stands before a number that says a price, though no currency follows
_PRICE = re.compile(
    r"стои[тл]\w*|стоимост\w*|цен[аеуыо]\w*|ценник\w*|обойд\w*|обход\w*|итого|выйдет|выходит|плат\w*|заплат\w*"
    r"|отда[мд]\w*"
    r"|скин\w*|сумм\w*|прайс\w*|всего|уложи\w*|costs?|prices?|pay|total|charge\w*|fee|only|почём|почем"
)
_AFTER_PRICE = re.compile(
    r"в|за|на|и|или|до|при|если|вместе|без|сразу|со|с|а|но|по|для|плюс|каждый|ежемесячно|per|a|an|each|and|or|for|if"
    r"|month|monthly|year|мес|месяц|год|только|уже|тогда|all|in|with|is|разово|всего|включая|как|что|это|is|от"
)


@dataclass(frozen=True)
class Amount:
    """A number as it is said. ``unit`` is RUB, %, another currency, or empty.

    ``start`` and ``end`` count in what ``readable`` makes of the text.
    ``priced`` marks a bare number that stands where a price does; ``noun`` is the word that is counted.
    """

    value: Decimal
    unit: str
    piece: str
    start: int
    end: int
    priced: bool = False
    noun: str = ""

    @property
    def money(self) -> bool:
        return self.unit not in {"", PERCENT}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int

    @property
    def low(self) -> str:
        return self.text.lower().replace("ё", "е")


@dataclass(frozen=True)
class _Found:
    value: Decimal
    unit: str
    first: int
    last: int
    digits: bool
    scale: Decimal = Decimal(1)


#: more amounts than a sentence or a table of ours ever has
AMOUNTS_MOST = 120


@lru_cache(maxsize=256)
def readable(flat: str) -> str:
    """The text that amounts are looked for in, of the same length in all that matters to ``Amount.start``."""
    text = _SHORT.sub(" тыс руб", _NOT_AMOUNTS.sub(lambda found: " " * len(found[0]), as_numbers(flat)))
    return _with_units(text) if "|" in text else text


@lru_cache(maxsize=512)
def amounts(flat: str) -> tuple[Amount, ...]:
    """The numbers of a flat text in order, in digits and in words, with the ends of ranges."""
    if not _ANY.search(flat):
        return ()
    text = readable(flat)
    tokens = [_Token(str(found.lastgroup), found[0], *found.span()) for found in _TOKEN.finditer(text)]
    tokens = [part for token in tokens for part in _split(token)]
    found = _inherit(list(_found(tokens)), tokens)
    together = (*_run_together(found, tokens), *_by_thousands(found, tokens))
    return tuple(_amount(each, tokens, text) for each in (*found, *together))


def _found(tokens: list[_Token]) -> Iterator[_Found]:
    place = 0
    while place < len(tokens):
        number = _read(tokens, place)
        if number is None:
            place += 1
        else:
            yield number
            place = number.last + 1


def _split(token: _Token) -> list[_Token]:
    """«двадцатипроцентная» as «двадцати» and «процентная»."""
    if token.kind == "word" and len(token.text) > 8 and (found := _ADJECTIVE.search(token.low)) and found.start():
        at = token.start + found.start()
        head, tail = token.text[: found.start()], token.text[found.start() :]
        if key(head) in SMALL or head.lower() in SMALL:
            return [_Token("word", head, token.start, at), _Token("word", tail, at, token.end)]
    return [token]


def _read(tokens: list[_Token], first: int) -> _Found | None:
    token = tokens[first]
    digits = token.kind == "number"
    if digits:
        value, place = value_of(token.text), first + 1
        if _is_power(tokens, place):
            return _Found(Decimal(-1), MONEY, first, place + 1, True)
    elif token.kind == "word":
        spoken = _spoken(tokens, first)
        if spoken is None:
            return None
        value, place = spoken
    else:
        return None
    value, place, scale = _scaled(tokens, value, place, first)
    if not digits and place == first:
        return None
    unit, place = _unit(tokens, place, first)
    if unit == MONEY:
        value, place = _kopecks(tokens, value, place)
    elif unit == "kopecks":
        value, unit = value / 100, MONEY
    if not unit:
        unit = _sign_before(tokens, first)
    if not unit and scale > 1 and _OF_MONEY.fullmatch(tokens[place - 1].low):
        unit = MONEY
    return _Found(value, unit, first, place - 1, digits, scale)


def value_of(text: str) -> Decimal:
    """The number in these digits; points and commas before three digits part thousands, before others a fraction."""
    body, fraction = text[:40], ""
    if (found := re.search(r"[.,](\d{1,2})$", body)) or (
        (found := re.search(r"[.,](\d+)$", body)) and (len(found[1]) != 3 or not re.match(r"[1-9]", body))
    ):
        body, fraction = body[: found.start()], found[1]
    return Decimal(f"{re.sub(r'[^0-9]', '', body) or 0}.{fraction or 0}")


def _is_power(tokens: list[_Token], place: int) -> bool:
    """«1.99e4»: nobody writes a price so who means well."""
    return (
        place + 1 < len(tokens)
        and tokens[place].low in {"e", "е"}
        and tokens[place + 1].kind == "number"
        and tokens[place - 1].end == tokens[place].start
        and tokens[place].end == tokens[place + 1].start
    )


def _spoken(tokens: list[_Token], first: int) -> tuple[Decimal, int] | None:
    """A number below a thousand in words; «тысяча» alone counts as one of them."""
    place, total, rank = first, Decimal(0), 5
    while place < len(tokens):
        token = tokens[place]
        if token.low in {"and", "-", "–"} and place > first and place + 1 < len(tokens):
            follows = _small(tokens[place + 1])
            english = token.low == "and" or tokens[place - 1].text.isascii()
            if not (english and follows and follows[1] < rank):
                break
            place += 1
            continue
        small = _small(token)
        if small is None or (small[1] >= rank and rank != 5) or rank in {1, 4} or (rank == 2 and small[0] > 9):
            if token.low == "hundred" and place > first and rank < 3:
                total, rank, place = total * 100, 3, place + 1
                continue
            break
        total, rank, place = total + small[0], small[1], place + 1
    if place > first:
        return total, place
    word = tokens[first].low
    if word in {"a", "half"} and place + 1 < len(tokens):
        return None
    if key(word) in SCALES and word not in UNSURE_SCALES and len(word) > 2:
        return Decimal(1), first
    return None


def _small(token: _Token) -> tuple[Decimal, int] | None:
    return (SMALL.get(key(token.text)) or SMALL.get(token.low)) if token.kind == "word" else None


def _scaled(tokens: list[_Token], value: Decimal, place: int, first: int) -> tuple[Decimal, int, Decimal]:
    """«с половиной», scales, and what is below a scale: «две с половиной тысячи», «19 тысяч 900»."""
    whole = Decimal(1)
    value, place = _half(tokens, value, place)
    while True:
        at = _skip(tokens, place) if place > first else place
        scale = _scale(tokens, at, first)
        if scale is None:
            break
        value, place, whole = value * scale, at + 1, whole * scale
        if place < len(tokens) and tokens[place].text == "." and tokens[place - 1].low in {"тыс", "т", "млн", "tys"}:
            place += 1
        value, place = _half(tokens, value, place, scale)
    if whole >= 1000 and place < len(tokens):
        value, place = _below(tokens, value, place, whole)
    return value, place, whole


def _scale(tokens: list[_Token], at: int, first: int) -> Decimal | None:
    if at >= len(tokens):
        return None
    token = tokens[at]
    if token.text == "-" and at + 1 < len(tokens) and tokens[at + 1].low.startswith(("тысячн", "миллионн")):
        return None
    if token.kind != "word":
        return None
    word = token.low
    if word.startswith("тысячн"):
        return Decimal(1000)
    scale = SCALES.get(key(word)) or SCALES.get(word)
    if scale is None:
        return None
    if len(word) == 1 or word in UNSURE_SCALES:
        glued = at > 0 and tokens[at - 1].end == token.start and len(word) <= 2
        if not (glued and word in {"к", "k"}) and not _money_at(tokens, at + 1):
            return None
    return scale


def _half(tokens: list[_Token], value: Decimal, place: int, scale: Decimal = Decimal(1)) -> tuple[Decimal, int]:
    words = [token.low for token in tokens[place : place + 3]]
    if words[:2] == ["с", "половиной"]:
        return value + scale / 2, place + 2
    if words == ["and", "a", "half"]:
        return value + scale / 2, place + 3
    return value, place


def _below(tokens: list[_Token], value: Decimal, place: int, scale: Decimal) -> tuple[Decimal, int]:
    """What is said after a scale and belongs to it."""
    at = place + 1 if tokens[place].low == "and" and place + 1 < len(tokens) else place
    token = tokens[at]
    if token.kind == "number":
        rest = value_of(token.text)
        if 1 <= rest < scale and (rest >= 100 or scale > 1000) and _money_at(tokens, at + 1):
            return value + rest, at + 1
        if scale >= 1_000_000 and rest < 1000 and at + 1 < len(tokens) and SCALES.get(key(tokens[at + 1].low)) == 1000:
            return (
                _below(tokens, value + rest * 1000, at + 2, Decimal(1000))
                if at + 2 < len(tokens)
                else (value + rest * 1000, at + 2)
            )
        return value, place
    if token.kind != "word" or (spoken := _spoken(tokens, at)) is None or spoken[1] == at:
        return value, place
    rest, end = spoken
    if end < len(tokens) and (lower := SCALES.get(key(tokens[end].low))) and 1000 <= lower < scale:
        value, end = value + rest * lower, end + 1
        return _below(tokens, value, end, lower) if end < len(tokens) else (value, end)
    return (value + rest, end) if rest < scale else (value, place)


def _skip(tokens: list[_Token], place: int) -> int:
    """Past at most two words that say nothing: «20 с лишним тысяч», «500 полновесных рублей»."""
    at = place
    while at < len(tokens) and at < place + 2 and (tokens[at].low in _FILLERS or tokens[at].text in {"-", "("}):
        at += 1
    if at < len(tokens) and at == place and re.fullmatch(r"[а-я]{4,}(?:ых|их|ого)", tokens[at].low):
        return at + 1 if _money_at(tokens, at + 1) else place
    return at


def _money_at(tokens: list[_Token], at: int) -> bool:
    return at < len(tokens) and bool(_currency(tokens[at]))


def _currency(token: _Token) -> str:
    if token.kind == "mark":
        return _SIGNS.get(token.text, "")
    if token.kind != "word":
        return ""
    if _KOPECKS.fullmatch(token.low):
        return "kopecks"
    return next((unit for pattern, unit in _CURRENCIES if pattern.fullmatch(token.low)), "")


def _unit(tokens: list[_Token], place: int, first: int) -> tuple[str, int]:
    if place < len(tokens) and (unit := _currency(tokens[place])):
        return unit, place + 1
    at = _skip(tokens, place)
    if at > place and at < len(tokens) and (unit := _currency(tokens[at])):
        return unit, at + 1
    pointed = place + 1 < len(tokens) and tokens[place].text in {",", "."} and tokens[place - 1].low in _SHORT_SCALES
    if pointed and (unit := _currency(tokens[place + 1])):
        return unit, place + 2
    if place < len(tokens) and tokens[place].low.startswith("рублев"):
        return MONEY, place + 1
    if [token.low for token in tokens[place : place + 4]] == ["п", ".", "п", "."]:
        return PERCENT, place + 4
    return "", place


def _kopecks(tokens: list[_Token], value: Decimal, place: int) -> tuple[Decimal, int]:
    at = place
    while at < len(tokens) and tokens[at].text in {".", "и", ","}:
        at += 1
    if at >= len(tokens):
        return value, place
    if tokens[at].kind == "number":
        number, end = value_of(tokens[at].text), at + 1
    elif tokens[at].kind == "word" and (spoken := _spoken(tokens, at)) is not None:
        number, end = spoken
    else:
        return value, place
    if number < 100 and end < len(tokens) and _KOPECKS.fullmatch(tokens[end].low):
        return value + number / 100, end + 1
    return value, place


def _sign_before(tokens: list[_Token], first: int) -> str:
    """«$200», «USD 200»; a sign behind another number belongs to that one."""
    if first == 0:
        return ""
    before = tokens[first - 1]
    prefix = _SIGNS.get(before.text) if before.text not in {"%", "‰"} else None
    if prefix is None and before.low in {"usd", "eur", "rub", "rur", "gbp"}:
        prefix = _currency(before)
    if not prefix or (first > 1 and (tokens[first - 2].kind == "number" or _small(tokens[first - 2]))):
        return ""
    return prefix


def _inherit(found: list[_Found], tokens: list[_Token]) -> list[_Found]:
    """Ends of ranges and members of lists take unit and scale from the last: «15–20 тыс. ₽», «10, 15 и 20 %»."""
    for place in range(len(found) - 2, -1, -1):
        this, then = found[place], found[place + 1]
        between = [token.low for token in tokens[this.last + 1 : then.first]]
        if not 1 <= len(between) <= 2 or not set(between) <= _CONNECTORS:
            continue
        if not _one_list(this, then, between):
            continue
        if not this.unit and then.unit:
            this = replace(this, unit=then.unit)
        if this.scale == 1 and then.scale > 1 and this.value and this.value * then.scale <= then.value:
            this = replace(this, value=this.value * then.scale, scale=then.scale)
        found[place] = this
    return found


def _one_list(this: _Found, then: _Found, between: list[str]) -> bool:
    """Whether two neighbours are ends of a range or members of a list, rather than a volume and its price."""
    if set(between) & {"до", "to", "по", "или", "or"}:
        return True
    if this.digits != then.digits:
        return False
    return (
        this.scale == 1 != then.scale
        or not this.value
        or max(this.value, then.value) <= 4 * min(this.value, then.value)
    )


def _by_thousands(found: list[_Found], tokens: list[_Token]) -> Iterator[_Found]:
    """«девять девятьсот» is said for 9 900."""
    for this, then in pairwise(found):
        words = not this.digits and not then.digits and this.last + 1 == then.first
        if words and not this.unit and 1 <= this.value < 1000 and 100 <= then.value < 1000:
            yield _Found(this.value * 1000 + then.value, then.unit, this.first, then.last, False)


def _run_together(found: list[_Found], tokens: list[_Token]) -> Iterator[_Found]:
    """«1 34 900 ₽»: a reader may see one number where a program sees several, so it has to be proven as one too."""
    for at, last in enumerate(found):
        if not last.digits or not last.unit:
            continue
        first = at
        while first and found[first - 1].digits and found[first - 1].last + 1 == found[first].first:
            if found[first - 1].unit or 1990 <= found[first - 1].value <= 2100:
                break
            first -= 1
        if first < at:
            joined = "".join(tokens[each.first].text for each in found[first : at + 1])
            digits = re.sub(r"\D", "", joined)[:30]
            yield _Found(Decimal(digits), last.unit, found[first].first, last.last, True)


def _amount(found: _Found, tokens: list[_Token], text: str) -> Amount:
    start, end = tokens[found.first].start, tokens[found.last].end
    noun, priced = "", False
    if not found.unit:
        after = next((token for token in tokens[found.last + 1 : found.last + 2]), None)
        counted = after is not None and after.kind == "word" and not after.text[0].isupper()
        if after is not None and counted and not _AFTER_PRICE.fullmatch(after.low):
            noun = after.low
        priced = not noun and _price_before(tokens, found.first)
    return Amount(found.value.normalize(), found.unit, text[start:end].strip(), start, end, priced, noun)


def _price_before(tokens: list[_Token], first: int) -> bool:
    for token in reversed(tokens[max(0, first - 5) : first]):
        if token.text in {".", "!", "?", ";", "\n", "№"}:
            return False
        if token.kind == "word" and _PRICE.fullmatch(token.low):
            return True
    return False


_MONEY_HEADING = re.compile(r"₽|руб|цена|цены|стоимост|price|cost|rub", re.IGNORECASE)
_PERCENT_HEADING = re.compile(r"%|процент|percent", re.IGNORECASE)
_BARE_CELL = re.compile(r"\s*\d[\d ]*(?:[.,]\d+)?\s*")


def _with_units(text: str) -> str:
    """Numbers in a table's column take the unit that its heading names."""
    lines = text.split("\n")
    signs: list[str] = []
    for place, line in enumerate(lines):
        if "|" not in line:
            signs = []
            continue
        cells = line.strip().strip("|").split("|")
        if not signs:
            signs = [
                " ₽"
                if _MONEY_HEADING.search(cell) and not re.search(r"\d", cell)
                else " %"
                if _PERCENT_HEADING.search(cell)
                else ""
                for cell in cells
            ]
            continue
        if any(signs) and len(cells) <= len(signs):
            lines[place] = (
                "|"
                + "|".join(
                    f"{cell.rstrip()}{sign} " if sign and _BARE_CELL.fullmatch(cell) else cell
                    for cell, sign in zip(cells, signs, strict=False)
                )
                + "|"
            )
    return "\n".join(lines)
