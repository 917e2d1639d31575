"""The guard before every reply: no amount leaves that no tool and no retrieved passage produced.

It reads money («34 900 ₽», «35 тыс. руб.»), percentages, and bare numbers of four digits and more that the customer
didn't say. An amount in words can't be compared, so it must stand in a result word for word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from common.masking import WRITTEN_MARK
from sales.assistant.protocol import ToolResult

_SPACES = "[ \u00a0\u202f\u2009]"
_NUMBER = rf"\d{{1,3}}(?:{_SPACES}\d{{3}})+(?:[.,]\d{{1,2}})?(?!\d)|\d+(?:[.,]\d+)?"
_MONEY = re.compile(
    rf"(?P<number>{_NUMBER}){_SPACES}*(?P<scale>тыс\w*\.?|млн\.?|миллион\w*|k\b|к\b)?{_SPACES}*"
    r"(?P<unit>₽|руб\w*|р\.|р\b|rub\b|roubles?|rubles?|%|процент\w*|percent)?",
    re.IGNORECASE,
)
_WORDS = (
    r"(?:од(?:ин|на|ну|ной|ного)|дв[ае]|двух|три|тр[её]х|четыр\w*|пят\w*|шест\w*|сем\w*|вос[её]?м\w*|девят\w*|десят\w*"
    r"|\w+надцат\w*|двадцат\w*|тридцат\w*|сорок\w*|девяност\w*|сто|ста|двест\w*|трист\w*|\w+сот|полтор\w*|половин\w*"
    r"|тысяч\w*|миллион\w*)"
)
_IN_WORDS = re.compile(rf"{_WORDS}(?:\s+{_WORDS})*\s+(?:рубл\w*|процент\w*|тысяч\w*)", re.IGNORECASE)
_SCALE = {"т": 1000, "k": 1000, "к": 1000, "м": 1_000_000}
#: bare numbers below this are counts, dates and hours rather than amounts
_BARE_FROM = 1000


@dataclass(frozen=True)
class Verdict:
    """Whether a draft may leave; ``unproven`` are the pieces that nothing produced."""

    unproven: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.unproven


@dataclass(frozen=True)
class Evidence:
    """What may be named: amounts that tools have ``proven``, numbers that were ``spoken``, and the tools' words."""

    proven: frozenset[Decimal]
    spoken: frozenset[Decimal]
    words: str

    @classmethod
    def of(cls, *, results: Iterable[ToolResult], heard: Iterable[str]) -> Evidence:
        """Read the results once; a draft may then be checked piece by piece."""
        said = "\n".join(f"{result.text}\n{json.dumps(result.data, ensure_ascii=False)}" for result in results)
        return cls(
            proven=frozenset(value for value, _, _ in _amounts(said)),
            spoken=frozenset(value for text in heard for value, _, _ in _amounts(text)),
            words=_plain(said),
        )

    def inspect(self, draft: str) -> Verdict:
        """Check every amount of ``draft`` against what tools said, and bare numbers also against what was heard."""
        unproven = []
        for value, has_unit, piece in _amounts(draft):
            if has_unit:
                allowed = value in self.proven
            else:
                allowed = value < _BARE_FROM or _is_year(value) or value in self.proven or value in self.spoken
            if not allowed:
                unproven.append(piece)
        unproven += [words for words in _IN_WORDS.findall(draft) if _plain(words) not in self.words]
        return Verdict(tuple(dict.fromkeys(unproven)))


def inspect(draft: str, *, results: Iterable[ToolResult], heard: Iterable[str]) -> Verdict:
    """Check one draft against what tools said and what was ``heard``."""
    return Evidence.of(results=results, heard=heard).inspect(draft)


def _amounts(text: str) -> Iterable[tuple[Decimal, bool, str]]:
    """Each number of a text: its value, whether money or a percentage, and the piece it stands in."""
    for match in _MONEY.finditer(WRITTEN_MARK.sub(" ", text)):
        number = re.sub(_SPACES, "", match["number"]).replace(",", ".")
        scale = _SCALE.get((match["scale"] or "")[:1].lower(), 1)
        yield (Decimal(number) * scale).normalize(), bool(match["unit"]), match.group().strip()


def _is_year(value: Decimal) -> bool:
    return value == value.to_integral_value() and 1990 <= value <= 2100


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.lower().replace("ё", "е"))
