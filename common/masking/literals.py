"""Values that were told by the words before them, found again where those words are missing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from common.masking.found import Found

#: what its form alone doesn't show
_KINDS = frozenset({"ДОКУМЕНТ", "КАРТА", "ДАТА", "АДРЕС", "АККАУНТ"})
_DATE = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_LEAST, _MOST, _VALUES_MOST = 6, 200, 100
_BETWEEN = "[ \u00a0№-]{0,2}"


class Literals:
    """Papers, dates of birth, addresses and accounts of one conversation, however their digits are set apart."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[str, str]] = {}
        self._pattern: re.Pattern[str] | None = None

    def add(self, kind: str, key: str, value: str) -> None:
        """Find this value again from now on."""
        if kind not in _KINDS or not _LEAST <= len(value) <= _MOST or len(self.known) >= _VALUES_MOST:
            return
        for writing in _writings(kind, value):
            if writing not in self.known:
                self.known[writing] = (kind, key)
                self._pattern = None

    def find(self, text: str) -> Iterator[Found]:
        """Where they stand; what was found longest first."""
        if not self.known:
            return
        if self._pattern is None:
            longest = sorted(self.known, key=len, reverse=True)
            parts = (f"(?P<v{list(self.known).index(each)}>{each})" for each in longest)
            self._pattern = re.compile(rf"(?<![^\W_])(?:{'|'.join(parts)})(?![^\W_])", re.IGNORECASE)
        writings = list(self.known)
        for match in self._pattern.finditer(text):
            kind, key = self.known[writings[int(str(match.lastgroup)[1:])]]
            yield Found(*match.span(), kind, key)


def _writings(kind: str, value: str) -> list[str]:
    """Patterns of the ways to write a value."""
    if kind == "ДАТА" and (date := _DATE.fullmatch(value)) is not None:
        day, month, year = date.groups()
        sign = "[./ -]"
        return [
            f"0?{int(day)}{sign}0?{int(month)}{sign}{year}",
            f"{year}{sign}0?{int(month)}{sign}0?{int(day)}",
        ]
    digits = re.sub(r"[\s№-]", "", value)
    if digits.isdigit():
        return [_BETWEEN.join(digits)]
    return [r"\s+".join(re.escape(word) for word in value.split())]
