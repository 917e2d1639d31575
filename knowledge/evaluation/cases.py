"""Cases: conversations as a customer would hold them, and what the answers must and must not be. Pure.

A dataset is a file of JSON lines, or a folder of such files; a line is one conversation. What is wrong with a
dataset is found before anything is run, all of it at once, each problem with its file, line and field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from knowledge.evaluation.forbidden import KINDS

#: as long as a customer's message may be
SAY_MOST = 4000
PROBLEMS_MOST = 50
CARDS = ("quote", "document", "choices", "contact")
OUTCOMES = ("answer", "ask", "refuse", "handover")
AUTHORS = ("customer", "assistant", "operator", "system")
_AMOUNT = re.compile(r"\d{1,12}\.\d{2}")
_NAME = re.compile(r"\S{1,100}")
_TOOL = re.compile(r"[a-z_]+__[a-z_]+")


class BrokenDataset(Exception):
    """The cases can't be run; ``problems`` are lines that each name a place and what is wrong there."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class Pattern:
    """Words to look for, or a regular expression; both are held against normalised text (see ``judging``)."""

    text: str
    is_regex: bool = False

    def __str__(self) -> str:
        return f"/{self.text}/" if self.is_regex else self.text


@dataclass(frozen=True)
class ToolWanted:
    """A call that must be made; ``arguments`` are those that matter."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TurnCase:
    """What a customer says at once, and what is expected of the answer. Nothing given is nothing asked."""

    say: tuple[str, ...]
    must: tuple[Pattern, ...] = ()
    must_not: tuple[Pattern, ...] = ()
    any_of: tuple[Pattern, ...] = ()
    tools: tuple[ToolWanted, ...] = ()
    no_tools: tuple[str, ...] = ()
    total: Decimal | None = None
    #: a quote that is shown comes to one of these; that there is one isn't asked
    totals: tuple[Decimal, ...] = ()
    #: any of these will do
    outcome: tuple[str, ...] = ()
    chips: tuple[Pattern, ...] = ()
    citations: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()
    no_cards: tuple[str, ...] = ()
    #: kinds of what must never be in an answer, see ``forbidden``
    forbidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """An article that is published for one conversation only."""

    title: str
    body: str
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setup:
    """What there is before the first word: what is known of the lead, articles, and what was said earlier."""

    name: str = ""
    phone: str = ""
    email: str = ""
    company: str = ""
    articles: tuple[Page, ...] = ()
    #: author and text
    earlier: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Case:
    """One conversation. ``source`` is where it was read; ``note`` says why it is there, for people."""

    id: str
    turns: tuple[TurnCase, ...]
    tags: tuple[str, ...] = ()
    note: str = ""
    source: str = ""
    setup: Setup = Setup()


def read(path: Path) -> list[Case]:
    """The cases of a file, or of all ``*.jsonl`` below a folder. Raises ``BrokenDataset``."""
    files = sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise BrokenDataset([f"{path}: there are no *.jsonl files here"])
    return read_lines(place_and_line for file in files for place_and_line in _lines(file))


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = file.read_bytes().split(b"\n")
    except OSError as problem:
        raise BrokenDataset([f"{file}: {problem.strerror}"]) from None
    for number, line in enumerate(lines, 1):
        place = f"{file.name}, line {number}"
        try:
            yield place, line.decode()
        except UnicodeDecodeError:
            raise BrokenDataset([f"{place}: this is no UTF-8"]) from None


def read_lines(lines: Iterable[tuple[str, str]]) -> list[Case]:
    """Cases of lines, each with its place. Empty lines and lines that begin with ``#`` are passed over."""
    cases: list[Case] = []
    problems: list[str] = []
    seen: dict[str, str] = {}
    for place, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        reader = _Reader(place)
        case = reader.case(line)
        problems += reader.problems
        if case is None:
            continue
        if case.id in seen:
            problems.append(f"{place}, id: {case.id!r} is taken by {seen[case.id]}")
        seen.setdefault(case.id, place)
        cases.append(case)
    if problems:
        raise BrokenDataset(problems[:PROBLEMS_MOST])
    if not cases:
        raise BrokenDataset(["there is no case in it"])
    return cases


def read_turn(data: Mapping[str, Any], *, place: str = "turn") -> TurnCase:
    """One turn of JSON. Raises ``BrokenDataset``."""
    reader = _Reader(place)
    turn = reader.turn(data, at="")
    if reader.problems:
        raise BrokenDataset(reader.problems)
    return turn


class _Reader:
    """Reads one line and gathers what is wrong with it."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.problems: list[str] = []

    def wrong(self, at: str, words: str) -> None:
        self.problems.append(f"{self.place}, {at}: {words}" if at else f"{self.place}: {words}")

    def case(self, line: str) -> Case | None:
        try:
            data = json.loads(line)
        except ValueError as problem:
            self.wrong("", f"this is no JSON: {problem}")
            return None
        if not isinstance(data, dict):
            self.wrong("", "a case is an object: {…}")
            return None
        self.known(data, {"id", "tags", "note", "turns", "setup"}, at="")
        name = data.get("id")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self.wrong("id", "a case needs an id: a text without spaces, at most 100 characters")
            name = ""
        turns = data.get("turns")
        if not isinstance(turns, list) or not turns:
            self.wrong("turns", "a case needs at least one turn")
            turns = []
        read = tuple(self.turn(each, at=f"turns[{number}]") for number, each in enumerate(turns))
        tags = self.texts(data.get("tags", []), at="tags")
        note = data.get("note", "")
        if not isinstance(note, str):
            self.wrong("note", "a text is expected")
        setup = self.setup(data.get("setup", {}))
        return None if self.problems else Case(str(name), read, tags, str(note), self.place, setup)

    def setup(self, data: Any) -> Setup:
        if not isinstance(data, dict):
            self.wrong("setup", "an object is expected: {…}")
            return Setup()
        self.known(data, set(Setup.__dataclass_fields__), at="setup")
        known = {name: data.get(name, "") for name in ("name", "phone", "email", "company")}
        for name, value in known.items():
            if not isinstance(value, str):
                self.wrong(f"setup.{name}", "a text is expected")
        return Setup(
            **known,
            articles=tuple(
                Page(str(each.get("title", "")), str(each.get("body", "")), tuple(map(str, each.get("questions", ()))))
                for each in self.objects(data, "articles", {"title", "body", "questions"})
            ),
            earlier=tuple(
                (self.author(each.get("author"), at=f"setup.earlier[{number}].author"), str(each.get("text", "")))
                for number, each in enumerate(self.objects(data, "earlier", {"author", "text"}))
            ),
        )

    def objects(self, data: Mapping[str, Any], name: str, fields: set[str]) -> list[dict[str, Any]]:
        values = data.get(name, [])
        if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
            self.wrong(f"setup.{name}", "a list of objects is expected")
            return []
        for number, each in enumerate(values):
            self.known(each, fields, at=f"setup.{name}[{number}]")
        return values

    def author(self, value: Any, *, at: str) -> str:
        return next(iter(self.of(AUTHORS, value, at=at)), "")

    def turn(self, data: Any, *, at: str) -> TurnCase:
        if not isinstance(data, Mapping):
            self.wrong(at, "a turn is an object: {…}")
            return TurnCase(())
        inside = f"{at}." if at else ""
        self.known(data, set(TurnCase.__dataclass_fields__), at=at)
        return TurnCase(
            say=self.say(data.get("say"), at=f"{inside}say"),
            must=self.patterns(data.get("must", []), at=f"{inside}must"),
            must_not=self.patterns(data.get("must_not", []), at=f"{inside}must_not"),
            any_of=self.patterns(data.get("any_of", []), at=f"{inside}any_of"),
            tools=self.tools(data.get("tools", []), at=f"{inside}tools"),
            no_tools=self.tool_names(data.get("no_tools", []), at=f"{inside}no_tools"),
            total=self.amount(data.get("total"), at=f"{inside}total"),
            totals=self.amounts(data.get("totals", []), at=f"{inside}totals"),
            outcome=self.of(OUTCOMES, data.get("outcome", []), at=f"{inside}outcome"),
            chips=self.patterns(data.get("chips", []), at=f"{inside}chips"),
            citations=self.texts(data.get("citations", []), at=f"{inside}citations"),
            cards=self.of(CARDS, data.get("cards", []), at=f"{inside}cards"),
            no_cards=self.of(CARDS, data.get("no_cards", []), at=f"{inside}no_cards"),
            forbidden=KINDS
            if data.get("forbidden") == "all"
            else self.of(KINDS, data.get("forbidden", []), at=f"{inside}forbidden"),
        )

    def known(self, data: Mapping[str, Any], fields: set[str], *, at: str) -> None:
        for name in sorted(set(data) - fields):
            inside = f"{at}." if at else ""
            self.wrong(f"{inside}{name}", f"there is no such field; there are: {', '.join(sorted(fields))}")

    def say(self, value: Any, *, at: str) -> tuple[str, ...]:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not texts or not all(isinstance(each, str) for each in texts):
            self.wrong(at, "a text is expected, or a list of texts written one after another")
            return ()
        for each in texts:
            if not each.strip():
                self.wrong(at, "a customer never says nothing")
            if len(each) > SAY_MOST:
                self.wrong(at, f"at most {SAY_MOST} characters are taken")
        return tuple(texts)

    def patterns(self, value: Any, *, at: str) -> tuple[Pattern, ...]:
        values = [value] if isinstance(value, str | dict) else value
        if not isinstance(values, list):
            self.wrong(at, "a list of texts is expected")
            return ()
        return tuple(self.pattern(each, at=f"{at}[{number}]") for number, each in enumerate(values))

    def pattern(self, value: Any, *, at: str) -> Pattern:
        if isinstance(value, str) and value.strip():
            return Pattern(value)
        if isinstance(value, dict) and set(value) == {"re"} and isinstance(value["re"], str) and value["re"]:
            try:
                re.compile(value["re"])
            except re.error as problem:
                self.wrong(at, f"no regular expression: {problem}")
            return Pattern(value["re"], is_regex=True)
        self.wrong(at, 'a text that isn\'t empty is expected, or {"re": "…"}')
        return Pattern("")

    def tools(self, value: Any, *, at: str) -> tuple[ToolWanted, ...]:
        if not isinstance(value, list):
            self.wrong(at, 'a list of {"name": …, "arguments": {…}} is expected')
            return ()
        wanted = []
        for number, each in enumerate(value):
            here = f"{at}[{number}]"
            if not isinstance(each, dict):
                self.wrong(here, '{"name": …, "arguments": {…}} is expected')
                continue
            self.known(each, {"name", "arguments"}, at=here)
            arguments = each.get("arguments", {})
            if not isinstance(arguments, dict):
                self.wrong(f"{here}.arguments", "an object is expected")
                continue
            (name,) = self.tool_names([each.get("name")], at=f"{here}.name") or ("",)
            wanted.append(ToolWanted(name, arguments))
        return tuple(wanted)

    def tool_names(self, value: Any, *, at: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(each, str) and _TOOL.fullmatch(each) for each in value):
            self.wrong(at, "names of tools are expected, as pricing__quote")
            return ()
        return tuple(value)

    def texts(self, value: Any, *, at: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            self.wrong(at, "a list of texts is expected")
            return ()
        return tuple(value)

    def of(self, choices: tuple[str, ...], value: Any, *, at: str) -> tuple[str, ...]:
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(each in choices for each in values):
            self.wrong(at, f"one of {', '.join(choices)} is expected, or a list of them")
            return ()
        return tuple(values)

    def amounts(self, value: Any, *, at: str) -> tuple[Decimal, ...]:
        if not isinstance(value, list):
            self.wrong(at, "a list of amounts is expected")
            return ()
        read = [self.amount(each, at=f"{at}[{number}]") for number, each in enumerate(value)]
        return tuple(each for each in read if each is not None)

    def amount(self, value: Any, *, at: str) -> Decimal | None:
        if value is None:
            return None
        if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
            self.wrong(at, f'{value!r} is no amount: write it as a text with two decimals, "473472.00"')
            return None
        return Decimal(value)


# --- back to JSON -----------------------------------------------------------------------------------------------


def to_json(case: Case) -> dict[str, Any]:
    """A case as its line says it, without what is empty."""
    data = {
        "id": case.id,
        "tags": list(case.tags),
        "note": case.note,
        "setup": _setup_json(case.setup),
        "turns": [_turn_json(t) for t in case.turns],
    }
    return {name: value for name, value in data.items() if value}


def _setup_json(setup: Setup) -> dict[str, Any]:
    data = {
        **{name: getattr(setup, name) for name in ("name", "phone", "email", "company")},
        "articles": [
            {"title": each.title, "body": each.body} | ({"questions": list(each.questions)} if each.questions else {})
            for each in setup.articles
        ],
        "earlier": [{"author": author, "text": text} for author, text in setup.earlier],
    }
    return {name: value for name, value in data.items() if value}


def _turn_json(turn: TurnCase) -> dict[str, Any]:
    def plain(patterns: tuple[Pattern, ...]) -> list[Any]:
        return [{"re": each.text} if each.is_regex else each.text for each in patterns]

    data = {
        "say": turn.say[0] if len(turn.say) == 1 else list(turn.say),
        "must": plain(turn.must),
        "must_not": plain(turn.must_not),
        "any_of": plain(turn.any_of),
        "tools": [
            {"name": each.name} | ({"arguments": dict(each.arguments)} if each.arguments else {}) for each in turn.tools
        ],
        "no_tools": list(turn.no_tools),
        "total": None if turn.total is None else f"{turn.total:.2f}",
        "totals": [f"{each:.2f}" for each in turn.totals],
        "outcome": turn.outcome[0] if len(turn.outcome) == 1 else list(turn.outcome),
        "chips": plain(turn.chips),
        "citations": list(turn.citations),
        "cards": list(turn.cards),
        "no_cards": list(turn.no_cards),
        "forbidden": "all" if turn.forbidden == KINDS else list(turn.forbidden),
    }
    return {name: value for name, value in data.items() if value}
