"""Judging: what was seen of a turn against what was expected of it. Pure.

Texts are compared as a reader would: case, ё and е, kinds of space, dash and quotation marks make no difference,
nor do Markdown's signs and the spaces inside a number; a number is found whole, never inside a longer one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from knowledge.evaluation import forbidden
from knowledge.evaluation.cases import Pattern, TurnCase
from knowledge.evaluation.refusals import refuses

PERSON = "sales__call_person"


@dataclass(frozen=True)
class Call:
    """A tool call that was made; ``failed`` when the tool refused."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    failed: bool = False


@dataclass(frozen=True)
class Seen:
    """What came of one turn. ``waiting``: a person has been called into the conversation, now or before."""

    text: str = ""
    cards: Sequence[Mapping[str, Any]] = ()
    citations: Sequence[str] = ()
    calls: Sequence[Call] = ()
    waiting: bool = False
    model: str = ""
    seconds: float = 0.0
    #: why there is no answer of the model, where there is none
    problem: str = ""
    ground: forbidden.Ground = field(default_factory=forbidden.Ground)

    def shown(self, *kinds: str) -> list[Mapping[str, Any]]:
        return [card for card in self.cards if card.get("kind") in kinds]

    @property
    def chips(self) -> list[str]:
        return [str(option["label"]) for card in self.shown("choices") for option in card.get("options", ())]

    @property
    def read(self) -> str:
        """What the customer reads: the words and what the cards say, without the buttons."""
        cards = [card for card in self.cards if card.get("kind") != "choices"]
        return "\n".join([self.text, *(words for card in cards for words in _words(card))])

    @property
    def total(self) -> str | None:
        """The total of the quote that is shown; None where there is none."""
        totals = [str(card.get("total")) for card in self.shown("quote")]
        return totals[-1] if totals else None


@dataclass(frozen=True)
class Verdict:
    """One expectation and whether it was met; ``wanted`` and ``found`` are words for people."""

    kind: str
    wanted: str
    met: bool
    found: str = ""


def judge(case: TurnCase, seen: Seen) -> list[Verdict]:
    """Every expectation of a turn with its verdict; that there is an answer at all is always one."""
    verdicts = [Verdict("reply", "an answer", bool(seen.text.strip()) and not seen.problem, seen.problem)]
    read = plain(seen.read)
    pieces = [read, *map(plain, seen.chips)]
    verdicts += [Verdict("must", str(each), found_in(each, read)) for each in case.must]
    verdicts += [
        Verdict("must_not", str(each), not any(found_in(each, piece) for piece in pieces)) for each in case.must_not
    ]
    if case.any_of:
        met = any(found_in(each, read) for each in case.any_of)
        verdicts.append(Verdict("any_of", " | ".join(map(str, case.any_of)), met))
    verdicts += _tools(case, seen)
    if case.total is not None:
        verdicts.append(Verdict("total", f"{case.total:.2f}", _same(seen.total, case.total), seen.total or "no quote"))
    if case.totals:
        met = seen.total is None or any(_same(seen.total, each) for each in case.totals)
        verdicts.append(Verdict("totals", " | ".join(f"{each:.2f}" for each in case.totals), met, seen.total or ""))
    if case.outcome:
        came = outcomes(seen)
        verdicts.append(Verdict("outcome", " | ".join(case.outcome), bool(came & {*case.outcome}), _listed(came)))
    verdicts += [
        Verdict("chips", str(each), any(found_in(each, plain(chip)) for chip in seen.chips), _listed(seen.chips))
        for each in case.chips
    ]
    verdicts += [Verdict("citations", each, each in seen.citations, _listed(seen.citations)) for each in case.citations]
    kinds = [str(card.get("kind")) for card in seen.cards]
    verdicts += [Verdict("cards", each, each in kinds, _listed(kinds)) for each in case.cards]
    verdicts += [Verdict("no_cards", each, each not in kinds, _listed(kinds)) for each in case.no_cards]
    for kind in case.forbidden:
        pieces = [piece for text in (seen.text, *seen.chips) for piece in forbidden.found(kind, text, seen.ground)]
        verdicts.append(Verdict("forbidden", kind, not pieces, _listed(pieces)))
    return verdicts


def outcomes(seen: Seen) -> set[str]:
    """What an answer may count as. The kinds aren't exclusive: a person may be called with a full answer.

    ``handover``: a person has been called. ``refuse``: the words say that there is no answer, no such thing or no
    right to it, and nothing was priced or issued. ``answer``: it says something else than that, or names its source
    beside it. ``ask``: it ends in a question, without a price.
    """
    if not seen.text.strip() or seen.problem:
        return set()
    came = set()
    sold = bool(seen.shown("quote", "document"))
    refused = refuses(plain(seen.text))
    if seen.waiting:
        came.add("handover")
    if refused and not sold:
        came.add("refuse")
    if not refused or sold or seen.citations:
        came.add("answer")
    if "?" in seen.text.strip().rsplit("\n", 1)[-1] and not sold and "answer" in came:
        came.add("ask")
    return came


def _tools(case: TurnCase, seen: Seen) -> list[Verdict]:
    made = [call for call in seen.calls if not call.failed]
    found = _listed(f"{call.name} {dict(call.arguments)}" for call in seen.calls) or "no call"
    verdicts = []
    for wanted in case.tools:
        met = any(call.name == wanted.name and contains(call.arguments, wanted.arguments) for call in made)
        words = f"{wanted.name} {dict(wanted.arguments)}" if wanted.arguments else wanted.name
        verdicts.append(Verdict("tools", words, met, found))
    verdicts += [Verdict("no_tools", name, name not in {call.name for call in made}, found) for name in case.no_tools]
    return verdicts


def contains(actual: Any, wanted: Any) -> bool:
    """Whether ``actual`` has all of ``wanted``: objects by their keys, lists in any order, texts as a reader would."""
    if isinstance(wanted, Mapping):
        if set(wanted) == {"re"}:
            return isinstance(actual, str) and found_in(Pattern(str(wanted["re"]), is_regex=True), plain(actual))
        return isinstance(actual, Mapping) and all(
            name in actual and contains(actual[name], value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        if not isinstance(actual, list | tuple):
            return False
        left = list(actual)
        for each in wanted:
            match = next((other for other in left if contains(other, each)), None)
            if match is None:
                return False
            left.remove(match)
        return bool(wanted) or not actual  # an empty list asks for an empty one
    if isinstance(wanted, str) and isinstance(actual, str):
        return plain(actual) == plain(wanted)
    return type(actual) is type(wanted) and bool(actual == wanted)


def found_in(pattern: Pattern, text: str) -> bool:
    """Whether a pattern is in a text that is ``plain`` already."""
    if pattern.is_regex:
        expression = re.sub("[«»„“”]", '"', pattern.text).replace("ё", "е").replace("Ё", "Е")
        return re.search(expression, text, re.IGNORECASE) is not None
    words = plain(pattern.text)
    before = r"(?<!\d)(?<!\d[.,])" if words[:1].isdigit() else ""
    after = r"(?![.,]?\d)" if words[-1:].isdigit() else ""
    return re.search(before + re.escape(words) + after, text) is not None


_ODD: Sequence[tuple[str, str]] = (
    (r"[\u200b-\u200f\u2060\ufeff\u00ad]", ""),
    (r"[\u2010-\u2015\u2212]", "-"),
    ("[«»„“”″]", '"'),
    (r"[*_`]+", ""),
    (r"\s+", " "),
    (r"(?<=\d) (?=\d{3}(?!\d))", ""),
)
_STEPS: Sequence[tuple[re.Pattern[str], str]] = [(re.compile(pattern), by) for pattern, by in _ODD]


def plain(text: str) -> str:
    """A text without what a reader doesn't see: small letters, е for ё, plain spaces, dashes and quotation marks."""
    text = unicodedata.normalize("NFKC", text).lower().replace("ё", "е")
    for pattern, by in _STEPS:
        text = pattern.sub(by, text)
    return text.strip()


def _words(card: Mapping[str, Any]) -> Iterable[str]:
    """What can be read on a card."""
    yield str(card.get("text", ""))
    for name in ("title", "number"):
        if card.get(name):
            yield str(card[name])
    for line in card.get("lines") or ():
        yield f"{line.get('name', '')} {line.get('detail', '')}"


def _same(shown: str | None, wanted: Decimal) -> bool:
    try:
        return shown is not None and Decimal(shown) == wanted
    except InvalidOperation:
        return False


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words) if isinstance(words, set) else words)
