"""What is known of an answer, as plain values: from the turn's trace, its journal and the calls of models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from common.fields import readable
from knowledge.llm.models import CallOutcome, ModelCall
from sales.enums import Author
from sales.models import Message, ToolCall, Turn

SEARCH = "knowledge__search"


@dataclass(frozen=True)
class Bar:
    """A stretch of time in milliseconds since the turn was begun; ``left`` and ``width`` in percent of the whole."""

    kind: str
    name: str
    start: float
    ms: float
    words: str = ""
    left: float = 0.0
    width: float = 0.0


@dataclass(frozen=True)
class Found:
    """A passage that was found: how surely, and whether the answer names its article as a source."""

    article: str
    title: str
    heading: str
    text: str
    score: Any
    share: Any
    cited: bool


@dataclass(frozen=True)
class Used:
    """A tool that was called, with what was asked and what it said, as JSON."""

    name: str
    failed: bool
    arguments: str
    result: str


@dataclass(frozen=True)
class Judged:
    """A verdict of the guard; ``draft`` is what was stopped, as the model wrote it."""

    passed: bool
    #: the kind of each finding, empty in old traces, and its words
    pieces: tuple[tuple[str, str], ...]
    draft: str


@dataclass(frozen=True)
class Asked:
    """A call of a language model."""

    step: int
    attempt: int
    slug: str
    model: str
    outcome: str
    good: bool
    words: str
    read: int
    cached: int
    written: int
    estimated: bool
    roubles: Decimal
    ms: int
    first_ms: int | None
    request: str


@dataclass(frozen=True)
class Inspection:
    """An answer and all that is known of how it came about."""

    text: str
    author: str
    cards: tuple[str, ...]
    sources: tuple[str, ...]
    model: str
    prompt_version: str
    problem: str
    attempts: int
    bars: tuple[Bar, ...]
    found: tuple[Found, ...]
    used: tuple[Used, ...]
    judged: tuple[Judged, ...]
    asked: tuple[Asked, ...]

    @property
    def ms(self) -> float:
        """From the beginning to the answer, without the wait before."""
        return max((bar.start + bar.ms for bar in self.bars), default=0.0)

    @property
    def read(self) -> int:
        return sum(call.read for call in self.asked)

    @property
    def cached(self) -> int:
        return sum(call.cached for call in self.asked)

    @property
    def written(self) -> int:
        return sum(call.written for call in self.asked)

    @property
    def roubles(self) -> Decimal:
        return sum((call.roubles for call in self.asked), Decimal(0))

    @property
    def failures(self) -> int:
        """Calls that brought nothing, each followed by another model or another try."""
        return sum(not call.good for call in self.asked)


def inspect(turn: Turn) -> Inspection:
    """Read an answer whole; nothing of it is loaded later."""
    trace = readable(turn, "trace")
    trace = trace if isinstance(trace, dict) else {}
    steps: Sequence[Mapping[str, Any]] = trace.get("steps", ())
    journal = list(turn.tool_calls.all())
    calls = list(ModelCall.objects.filter(turn_id=turn.pk).order_by("at", "pk"))
    reply = turn.reply
    cited = {str(each.get("article")) for each in (reply.citations if reply else ())}
    cards = readable(reply, "cards") if reply else ()
    return Inspection(
        text=str(readable(reply, "text")) if reply else "",
        author=reply.author if reply else "",
        cards=tuple(str(card.get("text", "")) for card in (cards if isinstance(cards, list) else ())),
        sources=tuple(str(each.get("title", "")) for each in (reply.citations if reply else ())),
        model=turn.model,
        prompt_version=_prompt_version(steps, calls),
        problem=turn.problem,
        attempts=turn.attempts,
        bars=waterfall(steps, calls),
        found=tuple(_found(journal, cited)),
        used=tuple(
            Used(call.name, call.failed, _pretty(readable(call, "arguments")), _pretty(readable(call, "result")))
            for call in journal
        ),
        judged=tuple(
            Judged(bool(step.get("passed")), _pieces(step), str(step.get("draft", "")))
            for step in steps
            if step.get("step") == "guard"
        ),
        asked=tuple(map(_asked, calls)),
    )


def questions(turn: Turn) -> list[Message]:
    """The customer's messages that a turn answers, in order."""
    said = Message.objects.filter(conversation_id=turn.conversation_id, author=Author.CUSTOMER)
    return list(said.filter(seq__gt=turn.after_seq, seq__lte=turn.upto_seq).order_by("seq"))


def waterfall(steps: Iterable[Mapping[str, Any]], calls: Iterable[ModelCall]) -> tuple[Bar, ...]:
    """The steps one after another, the calls of vendors within the model's steps."""
    calls = list(calls)
    last = max((call.attempt for call in calls), default=1)  # the trace is of the last try
    left = iter([call for call in calls if call.attempt == last])
    bars: list[Bar] = []
    at = 0.0
    for step in steps:
        kind, took = str(step.get("step", "")), float(step.get("ms") or 0)
        if kind == "stream":  # the first words were told while a model still spoke
            bars.append(Bar(kind, "", 0.0, took))
            continue
        bars.append(Bar(kind, str(step.get("name", "")), at, took, str(step.get("reason") or "")))
        if kind == "model":
            within = at
            for call in islice(left, _calls_in(step.get("notes") or {})):
                bars.append(Bar("call", call.slug, within, float(call.ms), _failure(call)))
                within += call.ms
        at += took
    whole = max((bar.start + bar.ms for bar in bars), default=0.0) or 1.0
    return tuple(
        Bar(bar.kind, bar.name, bar.start, bar.ms, bar.words, 100 * bar.start / whole, max(0.4, 100 * bar.ms / whole))
        for bar in bars
    )


def _calls_in(notes: Mapping[str, Any]) -> int:
    """How many calls a model's step has made: those that were answered, and those that failed."""
    failed = [str(each).rpartition(": ")[2] for each in notes.get("failed") or ()]
    return int(notes.get("model_calls") or 0) + sum(each in CallOutcome.values for each in failed)


def _pieces(step: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    findings = [(str(each.get("kind", "")), str(each.get("piece", ""))) for each in step.get("findings") or ()]
    return tuple(findings or (("", str(piece)) for piece in step.get("unproven") or ()))


def _failure(call: ModelCall) -> str:
    return "" if call.outcome == CallOutcome.OK else str(call.get_outcome_display())


def _prompt_version(steps: Iterable[Mapping[str, Any]], calls: Iterable[ModelCall]) -> str:
    named = [call.prompt_version for call in calls if call.outcome == CallOutcome.OK]
    named += [str((step.get("notes") or {}).get("prompt_version", "")) for step in steps]
    return next((name for name in reversed(named) if name), "")


def _found(journal: Iterable[ToolCall], cited: set[str]) -> Iterable[Found]:
    for call in journal:
        result = readable(call, "result")
        if call.name != SEARCH or not isinstance(result, dict):
            continue
        for hit in (result.get("data") or {}).get("hits") or ():
            article = str(hit.get("article", ""))
            yield Found(
                article=article,
                title=str(hit.get("title", "")),
                heading=str(hit.get("passage", "")),
                text=str(hit.get("text", "")),
                score=hit.get("score", ""),
                share=hit.get("share", ""),
                cited=article in cited,
            )


def _asked(call: ModelCall) -> Asked:
    return Asked(
        step=call.step,
        attempt=call.attempt,
        slug=call.slug,
        model=call.model,
        outcome=str(call.get_outcome_display()),
        good=call.outcome == CallOutcome.OK,
        words=call.words,
        read=call.prompt_tokens,
        cached=call.cached_tokens,
        written=call.answer_tokens,
        estimated=call.estimated,
        roubles=call.roubles,
        ms=call.ms,
        first_ms=call.first_piece_ms,
        request=call.request_id,
    )


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
