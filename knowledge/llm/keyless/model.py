"""The model that needs no network: it understands by rules, acts through the same tools, and speaks in fixed words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from knowledge.llm.keyless import plan as plans
from knowledge.llm.keyless.compose import compose
from knowledge.llm.keyless.needs import listen
from pricing.calculator import Rules
from sales.assistant.protocol import Entry, Hear, Reply, TurnContext
from sales.assistant.tools import Tool


class Keyless:
    """Takes a turn without any key. ``catalogue`` says what is on sale now."""

    name = "keyless"

    def __init__(self, catalogue: Callable[[], Rules]) -> None:
        self._catalogue = catalogue

    def reply(
        self, *, context: TurnContext, log: Sequence[Entry], tools: Mapping[str, Tool], hear: Hear = lambda words: None
    ) -> Reply:
        """Calls first, then words. Without memory of its own: everything is read from the log and the context."""
        catalogue = self._catalogue()
        talk = listen(log, context, catalogue)
        plan = plans.make_plan(talk, context, catalogue)
        done = plans.done_in(log)
        calls = [] if plans.already(log) else plans.first_calls(plan, context, catalogue)
        calls = calls or plans.next_calls(plan, done, context, catalogue)
        calls = [call for call in calls if call.name in tools and done.get(call.id) is None]
        if calls:
            return Reply(calls=tuple(calls), reason="; ".join(f"{call.id}: {call.name}" for call in calls))
        return compose(talk=talk, plan=plan, done=done, context=context, log=log, catalogue=catalogue)
