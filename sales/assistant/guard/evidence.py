"""What a conversation has brought to light: texts that prove, amounts by their unit, and what the customer said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

from common.masking import WRITTEN_MARK
from sales.assistant.guard import denial
from sales.assistant.guard.numbers import MONEY, PERCENT, Amount, amounts
from sales.assistant.guard.sentences import split
from sales.assistant.guard.text import flat, plain
from sales.assistant.protocol import Heard, ToolResult

#: tools of the ground keep what customers say: their results repeat it and prove nothing
_REPEATING = "sales__"
#: of a result's data these are no statements of ours: what customers ask, and numbers of the search
_NO_STATEMENTS = frozenset({"questions", "question", "score", "share", "request", "query", "arguments"})
_MONEY_TEXT = re.compile(r"-?\d{1,15}\.\d{2}")
_PERCENT_NAME = re.compile(r"percent|rate|share")
_WORD = re.compile(r"[^\W\d_]{3,}")
#: a line that goes on in the next one
_WRAPPED = re.compile(r"(?<=[^\n|])\n(?=[^\n|#>*•\s-])(?!\d+[.)]\s)(?!\[)")
#: letters by which a word is known in another form
_STEM = 5


@dataclass(frozen=True)
class Segment:
    """A sentence or a table of a text that proves, with the heading it stands under."""

    text: str
    heading: str
    amounts: tuple[Amount, ...]
    #: what stands before it in the same text
    before: str = ""

    @cached_property
    def plain(self) -> str:
        return plain(self.text)

    @cached_property
    def stems(self) -> frozenset[str]:
        """Of its own words and of its heading's."""
        return stems(f"{self.heading} {self.text}")

    @cached_property
    def wide(self) -> frozenset[str]:
        """And of the sentence before it."""
        return self.stems | stems(self.before)


@dataclass(frozen=True)
class Numbers:
    """Amounts that may be named, by their unit."""

    money: frozenset[tuple[Decimal, str]]
    percents: frozenset[Decimal]
    bare: frozenset[Decimal]

    @classmethod
    def of(cls, found: Iterable[Amount]) -> Numbers:
        found = list(found)
        return cls(
            frozenset((each.value, each.unit) for each in found if each.money),
            frozenset(each.value for each in found if each.unit == PERCENT),
            frozenset(each.value for each in found if not each.unit),
        )

    @cached_property
    def values(self) -> frozenset[Decimal]:
        """In whatever unit."""
        return self.percents | self.bare | {value for value, _ in self.money}


class Known:
    """Reads results and messages; what costs time is read when it is asked for, and then kept."""

    def __init__(
        self,
        *,
        results: Iterable[ToolResult],
        heard: Iterable[str | Heard],
        waiting: bool = False,
        documents: Iterable[str] = (),
        sources: Sequence[str] | None = None,
        secrets: Iterable[str] = (),
    ) -> None:
        self.results = tuple(results)
        self.waiting = waiting
        self.documents = frozenset(documents)
        self.secrets = tuple(secrets)
        self._sources = frozenset(sources) if sources else None
        self.ours: list[str] = []
        self.operators: list[str] = []
        self.customers: list[str] = []
        for each in heard:
            if isinstance(each, str) or each.author == "customer":
                self.customers.append(each if isinstance(each, str) else each.text)
            elif each.author == "operator":
                self.operators.append(each.text)
            elif each.author == "assistant":
                self.ours.append(each.text)

    @cached_property
    def texts(self) -> list[str]:
        """All that tools have said and staff have written, in the order of the conversation."""
        found: dict[str, None] = {}
        for result in self.results:
            if result.failed or result.name.startswith(_REPEATING):
                continue
            if not result.data.get("hits"):  # else the passages stand in the data, each with its title
                found[result.text] = None
            for text in _texts(self._cited(result.data)):
                if not any(text in other for other in found):
                    found[text] = None
        return [*found, *self.operators]

    def _cited(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Of a search only the passages, and where the model says what it cites only those."""
        if not isinstance(data.get("hits"), list):
            return data
        hits = [hit for hit in data["hits"] if self._sources is None or hit.get("article") in self._sources]
        return {"hits": hits}

    @cached_property
    def segments(self) -> list[Segment]:
        found = [segment for text in self.texts for segment in segments(text)]
        return found + [each for text in self.ours for each in _said(text)]

    @cached_property
    def proven(self) -> Numbers:
        """What tools, passages, staff and the assistant itself have named."""
        found = [amount for segment in self.segments for amount in segment.amounts]
        for result in self.results:
            if not result.failed and not result.name.startswith(_REPEATING):
                found += _figures(self._cited(result.data), "")
        return Numbers.of(found)

    @cached_property
    def spoken(self) -> Numbers:
        """What the customer has named, or a tool's refusal or the ground's tool repeats of it."""
        texts = [*self.customers]
        counts: list[Amount] = []
        for result in self.results:
            if result.failed or result.name.startswith(_REPEATING):
                texts.append(result.text)
            counts += _figures(result.data.get("request", {}), "")
        return Numbers.of([*(each for text in texts for each in amounts(unmarked(text))), *counts])

    @cached_property
    def words(self) -> str:
        """All that proves, plain, to look phrases up in."""
        return "\n".join(segment.plain for segment in self.segments)

    @cached_property
    def everything(self) -> str:
        """What anybody has said, word for word."""
        said = [*self.texts, *self.ours, *self.customers]
        return "\n".join([*said, *(result.text for result in self.results)])

    def made(self, *names: str) -> bool:
        """Whether a tool of one of these names has done its work in this turn."""
        return any(not result.failed and any(name in result.name for name in names) for result in self.results)

    def has(self, *keys: str) -> bool:
        """Whether a tool that did its work gave back one of these."""
        return any(not result.failed and result.data.get(key) for result in self.results for key in keys)


def unmarked(text: str) -> str:
    """A flat text without masks: their numbers are no amounts."""
    return flat(WRITTEN_MARK.sub(" ", text))


def stems(text: str) -> frozenset[str]:
    """Beginnings of the words of a text, by which they are known in other forms: «год» of «года», «внедр»."""
    return frozenset(_stem(word) for word in _WORD.findall(plain(text)))


@lru_cache(maxsize=8192)
def _stem(word: str) -> str:
    beginning = word[:_STEM].rstrip("аеиоуыэюяьй")
    return beginning if len(beginning) >= 3 else word[:_STEM]


@lru_cache(maxsize=1024)
def segments(text: str) -> tuple[Segment, ...]:
    """The sentences and tables of a text; passages come again and again, so they are kept."""
    found: list[Segment] = []
    title, heading = "", ""
    last = ""
    for line in split(_WRAPPED.sub(" ", text)):
        if re.match(r"\[#?[\w.%:-]+\] ", line):
            title, heading = line, ""
        elif line.startswith("#") or (line.endswith(":") and len(line) < 120):
            heading = line
        clean = unmarked(line)
        found.append(Segment(clean, f"{title} {heading}".strip(), tuple(amounts(clean)), last))
        last = clean
    return tuple(found)


def _said(text: str) -> Iterator[Segment]:
    """What the assistant said before, without what it only repeated to deny it."""
    for line in split(text):
        clean = unmarked(line)
        if not denial.denies(clean):
            yield Segment(clean, "", tuple(amounts(clean)))


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        if len(data) > 12 and " " in data:
            yield data
    elif isinstance(data, Mapping):
        title = str(data.get("title", "")) if "article" in data else ""
        for name, value in data.items():
            if name in _NO_STATEMENTS:
                continue
            if title and name in {"text", "body"} and isinstance(value, str):
                yield f"[{data['article']}] {title}\n\n{value}"
            else:
                yield from _texts(value)
    elif isinstance(data, list | tuple):
        for each in data:
            yield from _texts(each)


def _figures(data: Any, name: str) -> Iterator[Amount]:
    """The amounts of a result's data: texts with two decimals are money or percentages, whole numbers are counts."""
    if isinstance(data, bool) or data is None or name in {"score", "share"}:
        return
    if isinstance(data, int):
        yield Amount(Decimal(data).normalize(), "", str(data), 0, 0)
    elif isinstance(data, str):
        if _MONEY_TEXT.fullmatch(data):
            unit = PERCENT if _PERCENT_NAME.search(name) else MONEY
            yield Amount(Decimal(data).normalize(), unit, data, 0, 0)
        elif len(data) <= 12:
            yield from amounts(flat(data))
    elif isinstance(data, Mapping):
        for key, value in data.items():
            if key not in _NO_STATEMENTS:
                yield from _figures(value, str(key))
    elif isinstance(data, list | tuple):
        for each in data:
            yield from _figures(each, name)
