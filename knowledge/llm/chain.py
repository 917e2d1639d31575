"""The chain: one turn's model, made of several. Who fails is followed by the next, in the end by the one without key.

The turn drives it step by step. The first step is always a search for what has to be answered, so that guard and
citations read only the journal. Then the first model that answers speaks, and speaks on in this turn; a vendor that
fails is left for good. The model without a key comes last: it is shown what people said and none of the others' steps,
and what they have done already it is told instead of doing it twice.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from pydantic import ValidationError

from common import metrics
from knowledge.llm import breaker, budget, profiles
from knowledge.llm.asking import Occasion, ask
from knowledge.llm.chat import Answer, Call, Called, Failure, ModelFailed, Profile
from knowledge.llm.prompting import citations, prompt_for, version
from sales.assistant.protocol import Entry, Hear, Heard, Model, Reply, ToolRequest, ToolResult, TurnContext
from sales.assistant.tools import Tool
from sales.models import ToolCall

logger = logging.getLogger(__name__)

SEARCH = "knowledge__search"
#: of what has to be answered, so much is searched for
QUERY_MOST = 1000
#: with less time left no model is asked any more
LEAST_SECONDS = 1.0
#: steps of a turn in which a model may call tools; then it has to speak
CALLING_STEPS = 4
#: calls taken from one answer
CALLS_MOST = 8
#: calls of an earlier try that are read again
PAST_MOST = 30
#: how often one step asks the same model: wrong calls are told it, and it may put them right
ROUNDS_MOST = 3
#: and once all calls of the turn are used up
LAST_ROUNDS_MOST = 2

_TOO_MANY = f"At most {CALLS_MOST} calls at once: this one was not run. Call it again if it is still needed."
_REPEATED = "You have called this with the same arguments already; the result stands above. Go on with it."
_SPEAK = (
    "All calls of this turn are used up. Answer the customer now with what is known; say plainly what is not known."
)
#: what is done once in a turn, whoever asks for it and with whatever words
_ONCE = ("sales__call_person", "billing__")


@dataclass
class _Step:
    """What happened in one step, for the trace."""

    tried: list[str] = field(default_factory=list)
    calls: int = 0
    prompt: int = 0
    cached: int = 0
    answer: int = 0
    first_ms: int | None = None

    def add(self, answer: Answer) -> None:
        self.calls += 1
        self.prompt += answer.usage.prompt
        self.cached += answer.usage.cached
        self.answer += answer.usage.answer
        if answer.first_piece is not None:
            self.first_ms = round(answer.first_piece * 1000)

    def notes(self, **more: Any) -> dict[str, Any]:
        tokens = {"prompt": self.prompt, "cached": self.cached, "answer": self.answer}
        found: dict[str, Any] = {"prompt_version": version()} if self.calls else {}
        found |= {"tokens": tokens, "model_calls": self.calls} if self.calls else {}
        found |= {"first_ms": self.first_ms} if self.first_ms is not None else {}
        found |= {"failed": self.tried} if self.tried else {}
        return found | more


class Chain:
    """A turn's model: ``asked`` in their order, then ``keyless``. Made anew for each turn.

    ``chosen`` models are asked whatever breaker and budget say of them.
    """

    def __init__(
        self,
        asked: Sequence[Profile],
        *,
        keyless: Model,
        chosen: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._left = list(asked)
        self._keyless = keyless
        self._chosen = chosen
        self._clock = clock
        self._until = clock() + settings.MODEL_TURN_SECONDS
        self._ear: _Ear | None = None
        #: why calls of models were not run, by their ids
        self._refused: dict[str, str] = {}
        #: of the model without a key: how much of the log it has read, and what it was shown
        self._read: int | None = None
        self._shown: list[Entry] = []
        self._done: list[tuple[ToolRequest, ToolResult]] = []

    @property
    def name(self) -> str:
        """Whoever speaks in this turn, as far as it has come."""
        return self._left[0].slug if self._read is None and self._left else self._keyless.name

    def reply(self, *, context: TurnContext, log: Sequence[Entry], tools: Mapping[str, Tool], hear: Hear) -> Reply:
        step = _Step()
        self._ear = None
        if self._read is None:
            if first := _done_before(context, log) or _search(log, tools):
                return first
            if reply := self._of_models(step, context=context, log=log, tools=tools, hear=hear):
                return reply
            self._take_over(log)
        return self._without_models(step, context=context, log=log, tools=tools, hear=hear)

    # --- language models ----------------------------------------------------------------------------------------

    def _of_models(
        self, step: _Step, *, context: TurnContext, log: Sequence[Entry], tools: Mapping[str, Tool], hear: Hear
    ) -> Reply | None:
        while self._left:
            profile = self._left[0]
            if self._until - self._clock() < LEAST_SECONDS:
                step.tried.append("turn: no time left")
                return None
            if why := self._in_the_way(profile):
                step.tried.append(f"{profile.slug}: {why}")
            else:
                try:
                    return self._speak(step, profile, context=context, log=log, tools=tools, hear=hear)
                except ModelFailed as problem:
                    self._take_back()
                    metrics.model_failovers_total.labels(profile=profile.slug, outcome=problem.failure.value).inc()
                    step.tried.append(f"{profile.slug}: {problem.failure.value}")
                except DatabaseError:
                    raise
                except Exception:  # a mistake of ours in the prompt: the customer still gets an answer
                    self._take_back()
                    logger.exception("no prompt could be made", extra={"model": profile.slug})
                    step.tried.append(f"{profile.slug}: our own mistake")
            self._left.pop(0)
        return None

    def _in_the_way(self, profile: Profile) -> str:
        """Why not to ask this model now; it may have changed since the turn began."""
        if self._chosen:
            return ""
        now = timezone.now()
        if profiles.is_paid(profile) and (limit := budget.reached(now=now)):
            metrics.model_budget_left_out_total.labels(limit=limit).inc()
            return f"over the budget of the {limit}"
        return "" if breaker.may_ask(profile.slug, now=now) else "left alone"

    def _speak(
        self,
        step: _Step,
        profile: Profile,
        *,
        context: TurnContext,
        log: Sequence[Entry],
        tools: Mapping[str, Tool],
        hear: Hear,
    ) -> Reply:
        """The next step as this model takes it. Raises ``ModelFailed``."""
        entries = self._complete(log)
        made = _requests(entries, tools)
        tired = sum(isinstance(each, Reply) and isinstance(each.raw, Called) for each in entries) >= CALLING_STEPS
        if tired:
            entries.append(Heard("system", _SPEAK, 0))
        for _ in range(LAST_ROUNDS_MOST if tired else ROUNDS_MOST):
            answer = self._ask(step, profile, context=context, entries=entries, tools=tools, hear=hear)
            if not answer.calls:
                return _words(answer, profile, entries=entries, notes=step.notes())
            if tired:  # what is said beside calls is no answer: «Минуту, посмотрю»
                self._refused |= {each.id: _SPEAK for each in answer.calls}
            good = [each for each in answer.calls if not self._refuse(each, made, answer.calls, tools)]
            reply = Reply(
                calls=_as_requests(good),
                model=profile.slug,
                raw=Called(answer.text, answer.calls, answer.raw),
                notes=step.notes(),
            )
            if good:
                return reply
            # nothing to run: the model is told what is wrong and asked again, within this step
            entries = self._complete([*entries, replace(reply, calls=_as_requests(answer.calls))])
        raise ModelFailed(Failure.MALFORMED, f"{profile.slug} goes on calling tools in vain")

    def _ask(
        self,
        step: _Step,
        profile: Profile,
        *,
        context: TurnContext,
        entries: Sequence[Entry],
        tools: Mapping[str, Tool],
        hear: Hear,
    ) -> Answer:
        """One answer; a talk that was too long is tried once more with less of it."""
        try:
            return self._ask_once(step, profile, context=context, entries=entries, tools=tools, hear=hear)
        except ModelFailed as problem:
            if problem.failure != Failure.TOO_LONG:
                raise
            step.tried.append(f"{profile.slug}: {problem.failure.value}")
            half = max(profile.context_tokens // 2, profile.answer_tokens * 2)
            shorter = replace(profile, context_tokens=half)
            return self._ask_once(step, shorter, context=context, entries=entries, tools=tools, hear=hear)

    def _ask_once(
        self,
        step: _Step,
        profile: Profile,
        *,
        context: TurnContext,
        entries: Sequence[Entry],
        tools: Mapping[str, Tool],
        hear: Hear,
    ) -> Answer:
        prompt = prompt_for(context, entries, tools, profile)
        seconds = min(float(settings.MODEL_CALL_SECONDS), self._until - self._clock())
        if seconds <= 0:
            raise ModelFailed(Failure.TIMEOUT, f"{profile.slug}: no time is left in this turn")
        self._take_back()
        ear = self._ear = _Ear(hear)
        occasion = Occasion(
            turn_id=context.turn_id, attempt=context.attempt, step=_number(entries), prompt_version=version()
        )
        answer = ask(prompt, profile=profile, hides=context.privacy, seconds=seconds, hear=ear.hear, occasion=occasion)
        step.add(answer)
        if answer.calls:
            ear.take_back()  # what is said beside calls is no answer yet
        else:
            ear.end()
        return answer

    def _take_back(self) -> None:
        """What was told of an answer that isn't one is taken back."""
        if self._ear is not None:
            self._ear.take_back()
        self._ear = None

    def _complete(self, log: Sequence[Entry]) -> list[Entry]:
        """The log with a result for every call of a model: also for those that were not run."""
        entries: list[Entry] = []
        have = {each.id for each in log if isinstance(each, ToolResult)}
        for entry in log:
            entries.append(entry)
            if isinstance(entry, Reply) and isinstance(entry.raw, Called):
                entries += [
                    ToolResult(each.id, each.name, words, failed=True)
                    for each in entry.raw.calls
                    if each.id not in have and (words := each.problem or self._refused.get(each.id, ""))
                ]
        return entries

    def _refuse(self, call: Call, made: Sequence[str], calls: Sequence[Call], tools: Mapping[str, Tool]) -> bool:
        """Whether a call is not run but answered by us, and why."""
        if call.problem:
            return True
        if calls.index(call) >= CALLS_MOST:
            self._refused[call.id] = _TOO_MANY
        elif _same(call, tools) in made:
            self._refused[call.id] = _REPEATED
        return call.id in self._refused

    # --- the model without a key --------------------------------------------------------------------------------

    def _take_over(self, log: Sequence[Entry]) -> None:
        """From here on the model without a key speaks, as if nobody had spoken before it in this turn."""
        results = {each.id: each for each in log if isinstance(each, ToolResult)}
        self._done = [
            (call, results[call.id])
            for entry in log
            if isinstance(entry, Reply)
            for call in entry.calls
            if call.id in results and not results[call.id].failed
        ]
        # numbers of messages count from one: what has none was said to the others in this turn
        self._shown = [each for each in log if isinstance(each, Heard) and each.seq > 0]
        self._read = len(log)
        self._left = []

    def _without_models(
        self, step: _Step, *, context: TurnContext, log: Sequence[Entry], tools: Mapping[str, Tool], hear: Hear
    ) -> Reply:
        assert self._read is not None
        self._shown += log[self._read :]
        self._read = len(log)
        while True:
            reply = self._keyless.reply(context=context, log=tuple(self._shown), tools=tools, hear=hear)
            known = {call.id: result for call in reply.calls if (result := self._known(call, tools))}
            left = tuple(call for call in reply.calls if call.id not in known)
            spoken = replace(reply, calls=left, model=self._keyless.name, notes=step.notes(**reply.notes))
            if not known:
                return spoken
            if not left:
                self._shown.append(reply)
            self._shown += known.values()
            if left:
                return spoken

    def _known(self, call: ToolRequest, tools: Mapping[str, Tool]) -> ToolResult | None:
        """What a model before has had done of this in this turn already."""
        papers = any(done.name.startswith("billing__") for done, _result in self._done)
        for done, result in reversed(self._done):
            once = call.name.startswith(_ONCE) or (papers and call.name == "pricing__quote")
            if done.name == call.name and (once or _same(done, tools) == _same(call, tools)):
                return replace(result, id=call.id)
        return None


class _Ear:
    """Tells the words of one call as they come, without marks of citations, and takes them back where need be."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._unmarked = citations.Unmarked()
        self._told = False

    def hear(self, piece: str) -> None:
        self._tell(self._unmarked.feed(piece))

    def end(self) -> None:
        self._tell(self._unmarked.finish())

    def take_back(self) -> None:
        if self._told:
            self._hear(None)
        self._told = False

    def _tell(self, words: str) -> None:
        if words:
            self._told = True
            self._hear(words)


def _done_before(context: TurnContext, log: Sequence[Entry]) -> Reply | None:
    """What an earlier try of this turn has had done, asked for once more word for word: the journal answers, nothing
    happens again, and whoever speaks now knows of it. A model would hardly find the same words twice."""
    if context.attempt < 2 or context.turn_id is None or any(isinstance(each, Reply) for each in log):
        return None
    past = ToolCall.objects.filter(turn=context.turn_id, failed=False).order_by("position")[:PAST_MOST]
    calls = tuple(ToolRequest(f"before-{n}", call.name, dict(call.arguments)) for n, call in enumerate(past, 1))
    if not calls:
        return None
    return Reply(calls=calls, reason="what was done before is read first", notes={"from_before": len(calls)})


def _search(log: Sequence[Entry], tools: Mapping[str, Tool]) -> Reply | None:
    """The first step of a turn: look for what is asked."""
    if SEARCH not in tools or any(isinstance(each, ToolResult) and each.name == SEARCH for each in log):
        return None
    asked = "\n".join(each.text for each in log if isinstance(each, Heard) and each.pending).strip()
    if not asked:
        return None
    call = ToolRequest("search", SEARCH, {"query": asked[:QUERY_MOST]})
    return Reply(calls=(call,), reason="what is to be answered is looked for first", notes={"retrieval": 1})


def _words(answer: Answer, profile: Profile, *, entries: Sequence[Entry], notes: Mapping[str, Any]) -> Reply:
    """The draft of an answer: without marks, and without the sentence that was cut off."""
    text = _whole(answer.text) if answer.cut else answer.text
    results = [each for each in entries if isinstance(each, ToolResult)]
    cited = citations.look(text, results)
    if not cited.text:
        raise ModelFailed(Failure.MALFORMED, f"{profile.slug} said nothing", usage=answer.usage)
    found = {key: value for key, value in cited.notes.items() if value}
    cut = {"cut": True} if answer.cut else {}
    return Reply(text=cited.text, sources=cited.sources, model=profile.slug, notes={**notes, **found, **cut})


def _whole(text: str) -> str:
    """A text up to the end of its last whole sentence; nothing where there is none."""
    end = max(text.rfind(each) for each in (". ", "! ", "? ", ".\n", "!\n", "?\n", "\n\n"))
    return text[: end + 1].strip() if end >= 0 else ""


def _requests(entries: Sequence[Entry], tools: Mapping[str, Tool]) -> list[str]:
    """What has been called in this turn and was done."""
    failed = {each.id for each in entries if isinstance(each, ToolResult) and each.failed}
    return [
        _same(call, tools)
        for entry in entries
        if isinstance(entry, Reply)
        for call in entry.calls
        if call.id not in failed
    ]


def _same(call: Call | ToolRequest, tools: Mapping[str, Tool]) -> str:
    """A call written so that two that mean the same are equal: arguments in order, what is left out filled in."""
    arguments: Any = dict(call.arguments)
    if tool := tools.get(call.name):
        with suppress(ValidationError):  # the tool will say so
            arguments = tool.arguments.model_validate(arguments).model_dump(mode="json")
    return f"{call.name} {json.dumps(_bare(arguments), sort_keys=True, ensure_ascii=False, default=str)}"


def _bare(value: Any) -> Any:
    """JSON without what holds nothing: no list and an empty one ask for the same."""
    if isinstance(value, dict):
        return {name: bare for name, each in value.items() if (bare := _bare(each)) not in (None, "", [], {})}
    return [_bare(each) for each in value] if isinstance(value, list) else value


def _as_requests(calls: Sequence[Call]) -> tuple[ToolRequest, ...]:
    return tuple(ToolRequest(each.id, each.name, each.arguments) for each in calls)


def _number(entries: Sequence[Entry]) -> int:
    """Which step of the turn this is, from one."""
    return 1 + sum(isinstance(each, Reply) for each in entries)
