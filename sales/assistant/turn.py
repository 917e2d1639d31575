"""One answer of the assistant: read, think with tools, be guarded, and say it in one transaction."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from common import metrics
from common import promise as promises
from common.logging import bound
from common.promise import State, Superseded
from common.text import clean
from sales.assistant import guard
from sales.assistant.context import Scene, remember_marks, set_scene
from sales.assistant.journal import Journal, context_of
from sales.assistant.protocol import Entry, Heard, Model, Reply, ToolRequest, ToolResult
from sales.assistant.streaming import Judge, Stream
from sales.assistant.tools import TOOLS, Tool
from sales.enums import Author, Direction, HandoverReason, Mode
from sales.models import Conversation, Message, Turn
from sales.operations import append, call_person, owe_answer
from sales.signals import reply_ready, turn_ended, turn_started

#: steps until a draft has passed; a chain has fewer for its models, so that who takes over at the end has enough
STEPS_MOST = 12
#: the longest reply that is stored, in characters
REPLY_MOST = 8000

UNPROVEN = {
    "ru": "Точную сумму в этом случае подтвердит сотрудник: я передал ему ваш вопрос, он ответит здесь же.",
    "en": "A colleague will confirm the exact amount here: I have passed your question on.",
}
#: what a reply is replaced by that the guard has refused twice, where a tool has said something
INSTEAD = {
    "ru": "Вот что точно известно:\n\n{said}\n\nЕсли нужно уточнить что-то ещё, позову сотрудника.",
    "en": "Here is what is known for sure:\n\n{said}\n\nIf there is more to clear up, I can call a colleague.",
}
GAVE_UP = {
    "ru": "Не получилось подготовить ответ, простите. Я позвал сотрудника: он прочитает переписку и ответит здесь же.",
    "en": "I could not prepare an answer, sorry. I have called a colleague, who will read this and answer here.",
}

NO_SUCH_MARK = "Nothing stands behind {} in this conversation. Ask the customer for it, or leave it out."


class TurnTooLong(Exception):
    """The model went on asking for tools instead of speaking."""


def answer(conversation_id: uuid.UUID | str, *, wait: Callable[[float], None] = time.sleep) -> int:
    """Answer all that is owed to a conversation now; returns how many turns were taken.

    A customer who is still writing is waited for. A turn that has to be tried again later is left to the sweep.
    """
    taken = 0
    while True:
        turn = Turn.objects.filter(conversation_id=conversation_id, state=State.DUE).first()
        if turn is None:
            return taken
        seconds = (turn.due_at - timezone.now()).total_seconds()
        if seconds > 0:
            if turn.attempts:
                return taken
            wait(min(seconds, settings.GATHER_MOST.total_seconds()))
            continue
        if not keep(turn, now=timezone.now()):
            return taken
        taken += 1


def keep(turn: Turn, *, now: datetime) -> bool:
    """Take the turn, if nobody has it, and see it through."""
    with bound(conversation_id=turn.conversation_id, turn_id=turn.pk):  # on every log line until it is done
        return turn.keep(fulfil, now=now)


def fulfil(turn: Turn) -> None:
    """Prepare and store the reply. Runs outside any transaction; each step that writes is fenced."""
    try:
        _fulfil(turn)
    finally:
        turn_ended.send(sender=Turn, turn=turn)


def _fulfil(turn: Turn) -> None:
    started = time.perf_counter()
    conversation = Conversation.objects.select_related("lead").get(pk=turn.conversation_id)
    turn.conversation = conversation
    if conversation.mode in {Mode.OPERATOR, Mode.CLOSED}:
        drop(turn, upto_seq=conversation.last_seq)
        return
    turn_started.send(sender=Turn, conversation_id=conversation.pk, turn=turn)
    if turn.attempts > len(Turn.WAITS):
        give_up(turn, conversation=conversation)
        return
    now = timezone.now()
    model: Model = import_string(settings.ASSISTANT_MODEL)()
    scene = set_scene(conversation=conversation, turn=turn, now=now)
    journal = Journal(turn=turn, tools=TOOLS)
    stream = Stream(turn, reveal=lambda words: clean(scene.masker.say(words)), began=started)
    reply = speak(scene=scene, model=model, journal=journal, tools=TOOLS, now=now, stream=stream)
    if stream.first_ms is not None:
        metrics.first_words_seconds.observe(stream.first_ms / 1000)
        journal.steps.append(stream.step)
    say(turn, reply=reply, scene=scene, journal=journal, model=model.name)
    metrics.turn_seconds.observe(time.perf_counter() - started)
    metrics.turns_total.labels(outcome="answered").inc()


def speak(
    *,
    scene: Scene,
    model: Model,
    journal: Journal,
    tools: Mapping[str, Tool],
    now: datetime,
    stream: Stream,
    steps: int = STEPS_MOST,
) -> Reply:
    """Let the model speak, using tools as it needs them; a draft that the guard refuses gets one more try."""
    log: list[Entry] = list(scene.log)
    tool_context = context_of(journal.turn, context=scene.context, now=now)
    refused = False
    for _ in range(steps):
        before = time.perf_counter()
        stream.begin(_judge(log, scene=scene))
        reply = model.reply(context=scene.context, log=tuple(log), tools=tools, hear=stream.hear)
        took = round((time.perf_counter() - before) * 1000, 1)
        journal.steps.append(
            {
                "step": "model",
                "name": reply.model or model.name,
                "ms": took,
                "reason": reply.reason,
                "notes": dict(reply.notes),
            }
        )
        if reply.calls:
            by = replace(tool_context, model=reply.model or model.name)
            log += [reply, *(_run(call, scene=scene, journal=journal, context=by) for call in reply.calls)]
            continue
        # a model that cites is held to what it cites
        sources = reply.sources if reply.notes.get("cited") else None
        verdict = _evidence(log, scene=scene, sources=sources).inspect(reply.text)
        for kind in verdict.kinds or ("passed",):
            metrics.guard_verdicts_total.labels(kind=kind).inc()
        journal.steps.append(
            {
                "step": "guard",
                "passed": verdict.passed,
                "unproven": list(verdict.unproven),
                "findings": verdict.steps,
            }
        )
        if verdict.passed:
            return reply
        journal.steps[-1]["draft"] = reply.text  # masked, and encrypted with the trace: staff see what was stopped
        if refused:
            break
        refused = True
        log.append(Heard("system", verdict.words, 0))
    if not refused:
        raise TurnTooLong
    if said := _said_by_tools(log):
        metrics.turns_total.labels(outcome="replaced").inc()
        return Reply(text=INSTEAD[scene.context.language].format(said=said), sources=())
    metrics.turns_total.labels(outcome="unproven").inc()
    call_person(conversation_id=tool_context.conversation_id, now=now, reason=HandoverReason.NO_ANSWER)
    return Reply(text=UNPROVEN[scene.context.language], sources=())


def _said_by_tools(log: list[Entry]) -> str:
    """What a tool of this turn has said in words that are fit for a customer: nobody rewrites it any more."""
    results = (entry for entry in reversed(log) if isinstance(entry, ToolResult) and not entry.failed)
    return next((str(said) for result in results if (said := result.data.get("for_customer"))), "")


def _evidence(log: list[Entry], *, scene: Scene, sources: Sequence[str] | None = None) -> guard.Evidence:
    """All that may be said by now: results of tools, the quote that is remembered, what staff and we said before."""
    context = scene.context
    results = [entry for entry in log if isinstance(entry, ToolResult)]
    if context.quote:
        answer = dict(context.quote.get("answer") or {})
        data = {**answer, "request": context.quote.get("request", {}), "sold": context.quote.get("sold", {})}
        results.append(ToolResult("remembered", "remembered__quote", str(answer.get("summary", "")), data))
    return guard.Evidence.of(
        results=results,
        heard=[entry for entry in log if isinstance(entry, Heard)],
        waiting=context.waiting,
        documents=context.documents,
        sources=sources,
    )


def _judge(log: list[Entry], *, scene: Scene) -> Judge:
    """What says whether the beginning of a draft may be shown, by all that is known before that draft."""

    @cache
    def evidence() -> guard.Evidence:
        return _evidence(log, scene=scene)

    judged, stream = "", None

    def passes(text: str) -> bool:
        nonlocal judged, stream
        if stream is None or not text.startswith(judged):
            judged, stream = "", guard.Stream(evidence())
        added, judged = text[len(judged) :], text
        return all(stream.judge(sentence).passed for sentence in guard.split(added))

    return passes


def _run(call: ToolRequest, *, scene: Scene, journal: Journal, context: Any) -> ToolResult:
    """Run a call with the real values behind the masks, and mask what comes back."""
    if unknown := scene.masker.unknown(dict(call.arguments)):
        return ToolResult(id=call.id, name=call.name, text=NO_SUCH_MARK.format(", ".join(unknown)), failed=True)
    real = ToolRequest(call.id, call.name, scene.masker.unmask(dict(call.arguments)))
    result = journal.run(real, context=context)
    return ToolResult(
        id=call.id,
        name=result.name,
        text=scene.masker.mask(result.text),
        data=result.data,
        failed=result.failed,
    )


def say(turn: Turn, *, reply: Reply, scene: Scene, journal: Journal, model: str) -> None:
    """Store the reply with its cards, sources and trace; what came meanwhile is owed the next turn."""
    now = timezone.now()
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=turn.conversation_id)
        with turn.fenced():
            if conversation.mode in {Mode.OPERATOR, Mode.CLOSED}:
                _close(turn, State.DROPPED, upto_seq=conversation.last_seq)
                return
            message = _store(conversation, turn=turn, reply=reply, scene=scene, journal=journal, now=now)
            trace = {
                "steps": journal.steps,
                "read": {"messages": len(scene.log), "characters": sum(len(each.text) for each in scene.log)},
                "language": scene.context.language,
                "scene": _known_of(scene),
                "unanswered": None if reply.unanswered is None else list(reply.unanswered),
            }
            _close(
                turn,
                State.KEPT,
                after_seq=turn.after_seq,
                upto_seq=scene.upto_seq,
                reply=message,
                model=model,
                answered_at=now,
                trace=trace,
            )
            _owe_the_rest(conversation, upto_seq=scene.upto_seq, now=now)
            reply_ready.send(sender=Message, conversation=conversation, message=message, turn=turn)


def _store(
    conversation: Conversation, *, turn: Turn, reply: Reply, scene: Scene, journal: Journal, now: datetime
) -> Message:
    cards = journal.cards
    if reply.chips:
        options = [{"label": chip, "text": chip} for chip in reply.chips]
        cards.append({"kind": "choices", "text": " · ".join(reply.chips), "options": options})
    remember_marks(conversation, masker=scene.masker)
    if scene.context.language != conversation.language:
        Conversation.objects.filter(pk=conversation.pk).update(language=scene.context.language)
    return append(
        conversation,
        now=now,
        direction=Direction.OUT,
        author=Author.ASSISTANT,
        external_id=f"turn:{turn.pk}",  # a second reply to one turn would break the uniqueness of the row
        text=_with_notices(clean(scene.masker.say(reply.text))[:REPLY_MOST], journal.notices),
        cards=cards,
        citations=journal.citations(reply.sources),
    )


def _known_of(scene: Scene) -> dict[str, Any]:
    """What was known when the turn began and may change later: by it an answer can be asked for again."""
    context = scene.context
    return {
        "now": context.now.isoformat(),
        "contacts": sorted(context.contacts),
        "quote": context.quote,
        "documents": sorted(context.documents),
        "waiting": context.waiting,
    }


def _with_notices(text: str, notices: list[str]) -> str:
    """What was done is said by whoever did it, once, whether or not the model says it too."""
    return "\n\n".join([text, *(notice for notice in dict.fromkeys(notices) if notice not in text)]).strip()


def _owe_the_rest(conversation: Conversation, *, upto_seq: int, now: datetime) -> None:
    later = Message.objects.filter(conversation=conversation, author=Author.CUSTOMER, seq__gt=upto_seq)
    if later.exists():
        owe_answer(conversation, now=now)


def _close(turn: Turn, state: State, **fields: Any) -> None:
    for name, value in {"state": state, "problem": "", **fields}.items():
        setattr(turn, name, value)
    turn.save(update_fields={"state", "problem", *fields})


def drop(turn: Turn, *, upto_seq: int) -> None:
    """Close a turn that nobody wants an answer from: a person leads now."""
    with turn.fenced():
        _close(turn, State.DROPPED, upto_seq=upto_seq)


def give_up(turn: Turn, *, conversation: Conversation) -> None:
    """Say so, call a person, and leave the turn where staff see it: every try has failed."""
    now = timezone.now()
    with transaction.atomic():
        conversation = call_person(conversation_id=conversation.pk, now=now, reason=HandoverReason.VENDORS_DOWN)
        with turn.fenced():
            message = append(
                conversation,
                now=now,
                direction=Direction.OUT,
                author=Author.SYSTEM,
                external_id=f"turn:{turn.pk}",
                text=GAVE_UP["en" if conversation.language == "en" else "ru"],
            )
            _close(
                turn,
                State.BROKEN,
                problem=turn.problem or "too many tries",
                upto_seq=message.seq - 1,
                reply=message,
                answered_at=now,
            )
            reply_ready.send(sender=Message, conversation=conversation, message=message, turn=turn)
    metrics.turns_total.labels(outcome="gave_up").inc()


def sweep(*, now: datetime) -> int:
    """Answer what nobody was rung for, and what a dead or frozen worker has left."""
    return promises.sweep(Turn.objects.all(), fulfil, now=now, keep=lambda turn, _fulfil, now: keep(turn, now=now))


__all__ = ["Superseded", "TurnTooLong", "answer", "fulfil", "keep", "speak", "sweep"]
