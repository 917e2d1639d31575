"""Tools with a journal: a call is kept with its result, so that a repeated turn reads instead of acting again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from sales.assistant.protocol import ToolRequest, ToolResult, TurnContext
from sales.assistant.tools import Tool, ToolContext, ToolFailed, ToolOutput
from sales.models import Conversation, ToolCall, Turn

#: what one turn may do at most; a model that asks for more is told so, and nothing of it is kept
CALLS_MOST = 50
ARGUMENTS_MOST = 20_000
TOO_MANY = f"This turn has made {CALLS_MOST} calls already: no more are run. Answer with what is known."
TOO_LONG = f"The arguments are longer than {ARGUMENTS_MOST} characters: give only what is needed."


class Journal:
    """The tool calls of one turn, in order: those of an earlier attempt and those made now."""

    def __init__(self, *, turn: Turn, tools: Mapping[str, Tool]) -> None:
        self.turn = turn
        self.tools = tools
        self.past = {call.key: call for call in turn.tool_calls.all()}
        #: what this attempt has used, in the order of use
        self.used: list[ToolCall] = []
        self.steps: list[dict[str, Any]] = []

    def run(self, request: ToolRequest, *, context: ToolContext) -> ToolResult:
        """Do what the model asks, or read what it did before. A refusal is a result too, in words for the model."""
        started = time.perf_counter()
        written = _written(request)
        key = hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()
        call = self.past.get(key)
        again = call is not None
        if call is None:
            if refusal := TOO_LONG if len(written) > ARGUMENTS_MOST else TOO_MANY * (len(self.past) >= CALLS_MOST):
                return ToolResult(request.id, request.name[:80], refusal, failed=True)
            call = self._act(request, key=key, context=context)
            self.past[key] = call
        if call not in self.used:
            self.used.append(call)
        took = round((time.perf_counter() - started) * 1000, 1)
        self.steps.append(
            {"step": "tool", "name": request.name, "ms": took, "refused": call.failed, "from_journal": again}
        )
        return ToolResult(
            id=request.id,
            name=request.name,
            text=call.result.get("text", ""),
            data=call.result.get("data", {}),
            failed=call.failed,
        )

    def _act(self, request: ToolRequest, *, key: str, context: ToolContext) -> ToolCall:
        """Run the tool and write its journal row in one transaction, if the turn is still ours."""
        with transaction.atomic():
            Conversation.objects.select_for_update(of=("self",)).get(pk=context.conversation_id)
            return self._act_alone(request, key=key, context=context)

    def _act_alone(self, request: ToolRequest, *, key: str, context: ToolContext) -> ToolCall:
        refusal = ""
        with self.turn.fenced():
            try:
                with transaction.atomic():
                    output = self._call(request, context=context)
            except ToolFailed as problem:
                refusal = str(problem)
                output = ToolOutput(text=refusal, data=problem.data, notice=problem.notice)
            if output.remember:
                remember(context.conversation_id, output.remember)
            return ToolCall.objects.create(
                turn=self.turn,
                key=key,
                position=len(self.past),
                name=request.name[:80],
                arguments=dict(request.arguments),
                result={
                    "text": output.text,
                    "data": dict(output.data),
                    "cards": [dict(card) for card in output.cards],
                    "citations": [dict(each) for each in output.citations],
                    "notice": output.notice,
                },
                failed=bool(refusal),
            )

    def _call(self, request: ToolRequest, *, context: ToolContext) -> ToolOutput:
        tool = self.tools.get(request.name)
        if tool is None:
            raise ToolFailed(
                f"There is no tool called {request.name[:80]}. There are: {', '.join(sorted(self.tools))}."
            )
        return tool.run(context, request.arguments)

    @property
    def cards(self) -> list[dict[str, Any]]:
        """What the reply shows beside its text: of several quotes the last, each document once."""
        shown: dict[tuple[str, str], dict[str, Any]] = {}
        for call in self.used:
            for card in call.result.get("cards", []):
                name = "" if card["kind"] == "quote" else str(card.get("document", len(shown)))
                shown.pop((card["kind"], name), None)
                shown[card["kind"], name] = card
        return list(shown.values())

    @property
    def notices(self) -> list[str]:
        """What the customer has to be told because of what was done."""
        said = (call.result.get("notice") for call in self.used)
        return [paragraph for notice in said if notice for paragraph in notice.split("\n\n")]

    def citations(self, sources: tuple[str, ...] | None) -> list[dict[str, Any]]:
        """The articles that the words rest on, each once; never one that no tool has brought."""
        found = {str(each["article"]): each for call in self.used for each in call.result.get("citations", [])}
        return [each for article, each in found.items() if sources is None or article in sources]


def remember(conversation_id: Any, topics: Mapping[str, Any]) -> None:
    """Keep what later turns should know, beside what is known of other topics."""
    conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
    conversation.memory = {**(conversation.memory or {}), **topics}
    conversation.save(update_fields={"memory"})


def context_of(turn: Turn, *, context: TurnContext, now: datetime) -> ToolContext:
    """On whose behalf this turn's tools run."""
    conversation = turn.conversation
    return ToolContext(
        conversation_id=conversation.pk,
        lead_id=conversation.lead_id,
        turn_id=turn.pk,
        now=now,
        language=context.language,
        privacy=context.privacy,
    )


def _written(request: ToolRequest) -> str:
    """The same call of the same turn is written the same, whichever id the model gave it."""
    arguments = json.dumps(dict(request.arguments), sort_keys=True, ensure_ascii=False, default=str)
    return f"{request.name}\n{arguments}"
