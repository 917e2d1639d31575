"""Replay: what customers wrote in stored conversations is said anew, and each answer is held against the stored one.

The customer's later words were meant for the stored answers, so the further a conversation goes the less a difference
means. What a person has answered is left out. Everything told of it is masked.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from common.promise import State
from knowledge.evaluation.cases import Setup
from knowledge.evaluation.judging import PERSON, Seen, outcomes
from knowledge.evaluation.report import PASSING
from knowledge.evaluation.running import CHANNEL, begin, hold, seen_of
from knowledge.evaluation.staff import OWN_BUSINESS, masking
from knowledge.evaluation.variants import Variant
from sales.enums import Author
from sales.models import Conversation, Message, Turn
from sales.rehearsal import rehearsed

#: what of an answer is compared
PARTS = ("text", "total", "citations", "tools")
#: turns of one conversation, from its beginning
TURNS_MOST = 30


@dataclass(frozen=True)
class Compared:
    """One answer, as it was and as it would be now. ``changed`` names the parts that differ."""

    said: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    problem: str = ""

    @property
    def changed(self) -> list[str]:
        return [part for part in PARTS if _lasting(self.before[part]) != _lasting(self.after[part])]


@dataclass(frozen=True)
class Replayed:
    """A conversation that was held again."""

    conversation: str
    answers: tuple[Compared, ...]


def chosen(*, since: datetime | None, most: int) -> list[Conversation]:
    """The newest conversations that the assistant has answered in, at most so many."""
    rows = Conversation.objects.exclude(channel=CHANNEL).filter(turns__state=State.KEPT, turns__reply__isnull=False)
    if since:
        rows = rows.filter(last_message_at__gte=since)
    return list(rows.select_related("lead").distinct().order_by("-last_message_at")[:most])


def replay(
    conversations: Iterable[Conversation], variant: Variant, *, each: Callable[[Replayed], None] = lambda one: None
) -> list[Replayed]:
    """Hold them again, one by one, as the variant would; nothing is left behind."""
    found = []
    with variant.speaking():
        for conversation in conversations:
            one = Replayed(str(conversation.pk), tuple(_answers(conversation, variant)))
            found.append(one)
            each(one)
    return found


def _answers(conversation: Conversation, variant: Variant) -> Iterator[Compared]:
    turns = list(
        Turn.objects.filter(conversation=conversation, state=State.KEPT, reply__isnull=False)
        .select_related("reply")
        .prefetch_related("tool_calls")
        .order_by("upto_seq")
    )
    said = Message.objects.filter(conversation=conversation, author=Author.CUSTOMER).order_by("seq")

    def answer_to(message: Message) -> Turn | None:
        return next((turn for turn in turns if turn.after_seq < message.seq <= turn.upto_seq), None)

    groups = [(turn, [each.text for each in messages]) for turn, messages in groupby(said, key=answer_to) if turn]
    mask = masking(conversation.lead)
    with rehearsed():
        variant.lay_out()
        talk = begin(Setup(name=conversation.lead.name))
        for turn, texts in groups[:TURNS_MOST]:
            called = any(call.name == PERSON and not call.failed for call in turn.tool_calls.all())
            before = seen_of(turn, waiting=called)
            after = hold(talk, texts)
            yield Compared(tuple(map(mask, texts)), _told(before, mask), _told(after, mask), after.problem)


def _told(seen: Seen, mask: Callable[[str], str]) -> dict[str, Any]:
    return {
        "text": mask(seen.text),
        "total": seen.total,
        "citations": sorted(set(seen.citations)),
        "tools": sorted(
            mask(f"{call.name} {json.dumps(dict(call.arguments), ensure_ascii=False, sort_keys=True)}")
            for call in seen.calls
            if not call.failed and call.name not in OWN_BUSINESS
        ),
        "outcomes": sorted(outcomes(seen)),
        "model": seen.model,
    }


def _lasting(value: Any) -> Any:
    """Without what differs from day to day though nothing has changed."""
    if isinstance(value, list):
        return [_lasting(each) for each in value]
    return re.sub(r"\s+", " ", PASSING.sub("…", value)).strip() if isinstance(value, str) else value


def report(found: Sequence[Replayed], variant: Variant, *, now: datetime) -> dict[str, Any]:
    """The whole of it, as it is written to a file."""
    answers = [each for one in found for each in one.answers]
    kinds = Counter(part for each in answers for part in each.changed)
    return {
        "format": 1,
        "made_at": now.isoformat(timespec="seconds"),
        "tried": variant.told,
        "conversations": len(found),
        "answers": len(answers),
        "same": sum(not each.changed for each in answers),
        "changed": {part: kinds[part] for part in PARTS},
        "outcomes": {
            name: {"before": _count(answers, "before", name), "after": _count(answers, "after", name)}
            for name in ("answer", "ask", "refuse", "handover")
        },
        "failed": sum(bool(each.problem) for each in answers),
        "replayed": [
            {
                "conversation": one.conversation,
                "answers": [
                    {
                        "said": list(each.said),
                        "changed": each.changed,
                        "before": dict(each.before),
                        "after": dict(each.after),
                        "problem": each.problem,
                    }
                    for each in one.answers
                ],
            }
            for one in found
        ],
    }


def _count(answers: Sequence[Compared], side: str, outcome: str) -> int:
    return sum(outcome in getattr(each, side)["outcomes"] for each in answers)


def told(made: Mapping[str, Any]) -> Iterator[str]:
    """The differences in lines, answer by answer, and the sum of them last."""
    for one in made["replayed"]:
        for number, each in enumerate(one["answers"], 1):
            if each["changed"] or each["problem"]:
                yield from _lines(one["conversation"], number, each)
    changed = ", ".join(f"{part} {count}" for part, count in made["changed"].items())
    yield f"{made['conversations']} conversations, {made['answers']} answers, {made['same']} of them the same"
    yield f"    changed: {changed}; failed: {made['failed']}"
    for name, count in made["outcomes"].items():
        yield f"    {name}: {count['before']} → {count['after']}"


def _lines(conversation: str, number: int, each: Mapping[str, Any]) -> Iterator[str]:
    yield f"{conversation[:8]}, answer {number}: {', '.join(each['changed']) or 'failed'}"
    yield f"    said: {_short(' / '.join(each['said']))}"
    before, after = each["before"], each["after"]
    if each["problem"]:
        yield f"    problem: {each['problem']}"
    if "total" in each["changed"]:
        yield f"    total: {before['total']} → {after['total']}"
    for part in ("citations", "tools"):
        if part in each["changed"]:
            gone = [f"- {_short(item)}" for item in before[part] if item not in after[part]]
            come = [f"+ {_short(item)}" for item in after[part] if item not in before[part]]
            yield from (f"    {part}: {line}" for line in [*gone, *come])
    if "text" in each["changed"]:
        yield f"    - {_short(before['text'])}"
        yield f"    + {_short(after['text'])}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:300]}…"
