"""Figures that somebody has typed into an article and that the catalogue should say: prices, discounts, volumes.

A typed price stays when the catalogue's changes, and then the assistant quotes both. Figures of another kind (of an
example, a law) are the article's own: it lists them, and they are left in peace.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from django.utils.translation import gettext as _

from pricing import placeholders
from pricing.calculator import Rules

#: figures of one article that are named; whoever has typed more has understood by then
MOST = 100
#: characters of an article that are looked at
READ_MOST = 200_000
#: a volume below it is a count («три документа»), unless a tier holds exactly that
_VOLUME_FROM = 10
#: a bare number from here on that the catalogue has as a price is one
_BARE_FROM = 1000

_SPACE = "[ \u00a0\u202f\u2009]"
_NUMBER = (
    rf"(?<![\w.,])(?P<number>\d{{1,3}}(?:{_SPACE}\d{{3}})+(?:[.,]\d{{1,2}})?(?![\d])|\d{{1,12}}(?:[.,]\d{{1,2}})?)"
)
_SCALE = rf"(?:{_SPACE}*(?P<scale>тыс(?:яч\w{{0,3}})?\.?|млн\.?|миллион\w{{0,3}}|[кk](?!\w)))?"
_AFTER = (
    rf"{_SPACE}*\*{{0,2}}{_SPACE}*(?:(?P<money>₽|руб(?:л\w{{1,3}}|\.|\b)|р\.|р\b|rub\b|rou?bles?\b)"
    r"|(?P<percent>%|процент\w{0,4}|percent\b)|(?P<unit>[^\W\d_]{4,20}))?"
)
_FIGURE = re.compile(_NUMBER + _SCALE + _AFTER, re.IGNORECASE)
_NUMERAL = (
    r"(?:двадцать|тридцать|сорок|пятьдесят|шестьдесят|семьдесят|восемьдесят|девяносто|сто|двести|триста|четыреста"
    r"|\w{2,6}надцать|\w{3,5}сот|полтор[ыа]|один|одна|две|два|три|четыре|пять|шесть|семь|восемь|девять|десять"
    r"|двадцати|тридцати|сорока|пятидесяти|ста|десяти|пяти|тысяч[аиу]?|миллион\w{0,2})"
)
_IN_WORDS = re.compile(rf"\b{_NUMERAL}(?:\s+{_NUMERAL}){{0,6}}\s+(?:рубл\w{{1,2}}|процент\w{{0,2}})\b", re.IGNORECASE)
_FACTORS = {"т": 1000, "k": 1000, "к": 1000, "м": 1_000_000}


@dataclass(frozen=True)
class Figure:
    """A typed figure: its line from 1, as it is written, and the placeholder that says the same now, if one does."""

    line: int
    text: str
    placeholder: str = ""

    def __str__(self) -> str:
        said = {"line": self.line, "figure": self.text, "placeholder": self.placeholder}
        if self.placeholder:
            return _("Line %(line)d: instead of “%(figure)s” write %(placeholder)s.") % said
        return _("Line %(line)d: “%(figure)s” is typed.") % said


def typed(text: str, rules: Rules, *, own: Collection[str] = ()) -> list[Figure]:
    """The typed figures of a text, each wording once, without those that are the article's ``own``."""
    seen = {plain(each) for each in own}
    found = []
    text = placeholders.blank(text[:READ_MOST])
    for at, words, placeholder in _figures(text, _known(rules)):
        if (wording := plain(words)) not in seen:
            seen.add(wording)
            found.append(Figure(text.count("\n", 0, at) + 1, words, placeholder))
        if len(found) == MOST:
            break
    return sorted(found, key=lambda each: each.line)


def plain(figure: str) -> str:
    """A figure in one way of writing it: ``34 900 ₽``, however its spaces are."""
    return " ".join(figure.split()).lower()


@dataclass(frozen=True)
class _Known:
    """What the catalogue says, by value: the placeholder that shows it."""

    money: dict[Decimal, str]
    percents: dict[Decimal, str]
    volumes: dict[tuple[str, int], str]
    units: frozenset[str]


@lru_cache(maxsize=2)
def _known(rules: Rules) -> _Known:
    money: dict[Decimal, str] = {}
    volumes: dict[tuple[str, int], str] = {}
    units = set()
    for product in rules.products:
        names = {_root(name.split()[0]) for name in (product.unit.ru, product.unit.en) if name}
        units |= names
        for tier in product.tiers:
            if tier.price_month is not None:
                money.setdefault(tier.price_month.normalize(), f"{{{{ price:{product.code}.{tier.code} }}}}")
            if tier.up_to is not None:
                for name in names:
                    volumes.setdefault((name, tier.up_to), f"{{{{ limit:{product.code}.{tier.code} }}}}")
    for service in rules.services:
        money.setdefault(service.price.normalize(), f"{{{{ service:{service.code} }}}}")
    percents = {rules.discount_cap_percent.normalize(): "{{ cap }}"}
    percents |= {each.percent.normalize(): f"{{{{ discount:{each.code} }}}}" for each in rules.discounts}
    return _Known(money, percents, volumes, frozenset(units))


def _figures(text: str, known: _Known) -> Iterator[tuple[int, str, str]]:
    """Where a figure begins, how it is written, and the placeholder for it."""
    for found in _FIGURE.finditer(text):
        value = Decimal(re.sub(_SPACE, "", found["number"]).replace(",", "."))
        value *= _FACTORS.get((found["scale"] or "")[:1].lower(), 1)
        named = _named(found, value.normalize(), known)
        if named is not None:
            end = found.end() if found["money"] or found["percent"] or named[1] else found.end("number")
            yield found.start(), text[found.start() : end].strip().replace("*", ""), named[0]
    if any(word in text for word in ("рубл", "процент")):
        for found in _IN_WORDS.finditer(text):
            yield found.start(), found.group(), ""


def _named(found: re.Match[str], value: Decimal, known: _Known) -> tuple[str, bool] | None:
    """The placeholder for a figure and whether its unit belongs to it; None for a number that says no price."""
    if found["money"]:
        return known.money.get(value, ""), False
    if found["percent"]:
        return (known.percents.get(value, ""), False) if 0 < value < 100 else None
    if found["unit"] and (unit := _root(found["unit"])) in known.units:
        same = known.volumes.get((unit, int(value)), "")
        return (same, True) if same or value >= _VOLUME_FROM else None
    if value >= _BARE_FROM and value in known.money:
        return known.money[value], False
    return None


def _root(word: str) -> str:
    """Enough of a unit's word to know it in another case: «диалогов», «диалога»."""
    return word.lower().replace("ё", "е")[: max(5, len(word) - 4)][:6]


def in_words(found: Iterable[Figure]) -> list[str]:
    return [str(each) for each in found]
