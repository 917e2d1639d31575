"""A prompt from what a turn knows and what has happened in it.

Instructions and tools first, then the talk as it grew, then what is known now, in the last message of the user; the
steps of this turn follow as calls and their results. Rendering asks no clock and remembers nothing: the same turn gives
the same prompt, byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from django.utils import timezone

from knowledge.llm.chat import Call, Called, Part, Profile, Prompt, Returned, Said
from knowledge.llm.dialects.schemas import specs
from knowledge.llm.prompting import budget, templates
from knowledge.llm.prompting.fences import fenced, harmless
from knowledge.llm.prompting.history import window
from pricing import queries
from pricing.calculator import Rules
from sales.assistant.protocol import Entry, Heard, Reply, ToolResult, TurnContext
from sales.assistant.tools import Tool

#: who isn't the model, as the prompt calls them
_TAGS = {"customer": "customer", "operator": "staff", "system": "event"}
#: the least of a tool's words that is left where room is short
RESULT_LEAST = 400
_CUT = "\n… (сокращено)"

_WEEKDAYS = ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье")
_CHANNELS = {"webchat": "чат на сайте", "terminal": "чат", "telegram": "Telegram", "avito": "Avito"}
_LANGUAGES = {"ru": "русский", "en": "английский"}
_CONTACTS = {"name": "имя", "phone": "телефон", "email": "почта", "company": "компания"}
_DOCUMENTS = {"proposal": "коммерческое предложение", "contract": "договор", "invoice": "счёт"}


def prompt_for(
    context: TurnContext,
    log: Sequence[Entry],
    tools: Mapping[str, Tool],
    profile: Profile,
    *,
    version: str = "",
    rules: Rules | None = None,
) -> Prompt:
    """All that ``profile`` is shown for the next step of a turn.

    ``log`` is what the turn gives its model: masked, the past first. ``version`` is the prompts' own unless
    ``using`` has chosen another. A step of the same profile is shown as it was said: a ``Reply`` whose ``raw`` is the
    ``Called`` it was, or what that holds as ``raw``.
    """
    version = version or templates.version()
    system = templates.system_text(queries.catalogue() if rules is None else rules, version)
    offered = specs(tools)
    fixed = budget.of_fixed(system, offered, profile)
    past, steps = _split(log)
    shown = window(
        past,
        size=lambda heard: budget.tokens(heard.text, profile) + budget.PART,
        most=budget.for_history(profile, fixed=fixed),
    )
    talk = _talk(shown)
    known = _known(context, shown, version=version)
    if talk and talk[-1].role == "user":
        talk[-1] = replace(talk[-1], text=f"{talk[-1].text}\n\n{known}")
    else:
        talk.append(Said("user", known))
    parts = _fitted(talk, list(_steps(steps, profile)), profile=profile, fixed=fixed)
    return Prompt(system=system, parts=tuple(parts), tools=offered, thread=context.thread)


def _split(log: Sequence[Entry]) -> tuple[list[Heard], list[Entry]]:
    """What was said before this turn began to speak, and what has happened in it. Numbers count from one."""
    at = next((at for at, each in enumerate(log) if not isinstance(each, Heard) or each.seq < 1), len(log))
    return [each for each in log[:at] if isinstance(each, Heard)], list(log[at:])


def _talk(said: Iterable[Heard]) -> list[Said]:
    """The talk by turns of its two sides; whoever isn't the model stands in a fence that says who it is."""
    parts: list[Said] = []
    for heard in said:
        role = "assistant" if heard.author == "assistant" else "user"
        text = heard.text.strip() if role == "assistant" else fenced(_TAGS.get(heard.author, "event"), heard.text)
        if not text:
            continue
        if parts and parts[-1].role == role:
            # some servers take only sides that take turns
            parts[-1] = Said(role, f"{parts[-1].text}\n\n{text}")  # type: ignore[arg-type]
        else:
            parts.append(Said(role, text))  # type: ignore[arg-type]
    if parts and parts[0].role == "assistant":
        parts.insert(0, Said("user", "<event>\nНачало разговора не показано.\n</event>"))
    return parts


def _known(context: TurnContext, shown: Sequence[Heard], *, version: str) -> str:
    """What is known in this turn and stands in no message."""
    local = timezone.localtime(context.now)
    missed = [] if not shown or shown[-1].pending else [each.text for each in shown if each.pending]
    quote = context.quote or {}
    answer = quote.get("answer", {})
    return templates.render(
        version,
        "turn.md",
        {
            "now": f"{_WEEKDAYS[local.weekday()]}, {local:%d.%m.%Y, %H:%M}",
            "channel": _CHANNELS.get(context.channel, harmless(context.channel)),
            "language": _LANGUAGES[context.language],
            "known": ", ".join(words for name, words in _CONTACTS.items() if name in context.contacts),
            "unknown": ", ".join(words for name, words in _CONTACTS.items() if name not in context.contacts),
            "quote": harmless(str(answer.get("summary", ""))),
            "request": harmless(json.dumps(quote.get("request", {}), ensure_ascii=False, sort_keys=True)),
            "documents": ", ".join(_DOCUMENTS.get(kind, kind) for kind in sorted(context.documents)),
            "waiting": context.waiting,
            "asks_consent": bool(context.asks_consent),
            "reply_most": context.reply_most,
            "item": harmless(context.item),
            "facts": [harmless(each) for each in context.facts],
            "missed": [harmless(each) for each in missed],
        },
    )


def _steps(steps: Iterable[Entry], profile: Profile) -> Iterable[Part]:
    """What has happened in this turn: calls and results, drafts, and what is wrong with them."""
    made: dict[str, Call] = {}
    for entry in steps:
        if isinstance(entry, ToolResult):
            call = made.get(entry.id) or Call(entry.id, entry.name)
            yield Returned(call, fenced("result", entry.text), entry.failed)
        elif isinstance(entry, Heard):
            yield Said("user", fenced("check", entry.text))
        elif entry.calls:
            called = _called(entry, profile)
            made |= {call.id: call for call in called.calls}
            yield called
        elif entry.text:
            yield Said("assistant", entry.text)


def _called(reply: Reply, profile: Profile) -> Called:
    own = reply.model == profile.slug
    if isinstance(reply.raw, Called):
        if own:
            return reply.raw
        calls = tuple(replace(call, vendor_id="") for call in reply.raw.calls)
        return Called(reply.raw.text, calls)
    calls = tuple(Call(call.id, call.name, call.arguments) for call in reply.calls)
    return Called(reply.text, calls, reply.raw if own else None)


def _fitted(talk: list[Said], steps: list[Part], *, profile: Profile, fixed: int) -> list[Part]:
    """The parts, shortened where a model has less room than they take: first what tools said, then what is asked."""
    room = budget.room(profile, fixed=fixed)
    spent = sum(budget.of_part(part, profile) for part in (*talk, *steps))
    for at, part in enumerate(steps):
        if spent <= room:
            return [*talk, *steps]
        if isinstance(part, Returned):
            shorter = replace(part, text=_cut(part.text, spent - room, profile=profile, least=RESULT_LEAST))
            spent -= budget.of_part(part, profile) - budget.of_part(shorter, profile)
            steps[at] = shorter
    if spent > room and talk:
        talk[-1] = replace(talk[-1], text=_middle(talk[-1].text, spent - room, profile=profile))
    return [*talk, *steps]


def _cut(text: str, tokens: int, *, profile: Profile, least: int) -> str:
    """The text without so many tokens at its end; a fence stays closed."""
    away = int(tokens * budget.rates(profile)[1]) + len(_CUT)
    if len(text) - away < least:
        away = max(0, len(text) - least)
    if away <= len(_CUT):
        return text
    end = "\n</result>" if text.endswith("\n</result>") else ""
    return text[: len(text) - away - len(end)].rstrip() + _CUT + end


def _middle(text: str, tokens: int, *, profile: Profile) -> str:
    """The text without so many tokens in its middle: its end says what is known."""
    away = min(int(tokens * budget.rates(profile)[1]) + len(_CUT), len(text) // 2)
    half = (len(text) - away) // 2
    return f"{text[:half]}{_CUT}\n{text[len(text) - half :]}"
