"""Running: a case is held as a real conversation, through the operations, the turn, the tools and the model chain.

Each conversation is a rehearsal (``sales.rehearsal``): it happens in a transaction that is taken back.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.utils import timezone
from stdnum import luhn

from common import locks
from common.masking import KINDS
from common.promise import State
from knowledge import operations as articles
from knowledge.evaluation.cases import Case, Pattern, Setup, TurnCase
from knowledge.evaluation.forbidden import Ground, shingles
from knowledge.evaluation.judging import Call, Seen, Verdict, judge
from knowledge.evaluation.variants import AS_IT_IS, Variant
from knowledge.llm.prompting import templates
from knowledge.search import index
from sales import operations
from sales.assistant import turn as turns
from sales.assistant.tools import TOOLS
from sales.enums import Author, Direction, Mode
from sales.models import Conversation, Message, ToolCall, Turn
from sales.rehearsal import rehearsed

#: the channel of a conversation that is never there for anybody
CHANNEL = "evaluation"


@dataclass(frozen=True)
class Judged:
    """A turn that was run: what was expected, what came, and each expectation's verdict."""

    case: TurnCase
    seen: Seen
    verdicts: tuple[Verdict, ...]

    @property
    def missed(self) -> list[Verdict]:
        return [each for each in self.verdicts if not each.met]


@dataclass(frozen=True)
class Run:
    """A case that was run to its end."""

    case: Case
    turns: tuple[Judged, ...]

    @property
    def passed(self) -> bool:
        return not any(turn.missed for turn in self.turns)


def run_all(
    cases: Iterable[Case],
    *,
    jobs: int = 1,
    each: Callable[[Run], None] = lambda run: None,
    variant: Variant = AS_IT_IS,
) -> list[Run]:
    """Run the cases in order, ``jobs`` at a time, as a variant would; ``each`` hears of every one as it ends.

    More than one at a time helps where a model waits for the network: they are threads, each with a connection.
    """
    runs: list[Run] = []

    def note(found: Iterator[Run]) -> None:
        for run in found:
            runs.append(run)
            each(run)

    with variant.speaking():
        if jobs == 1:
            note(run_case(case, variant) for case in cases)
            return runs
        with ThreadPoolExecutor(jobs) as pool:
            # each in a copy of this context: it holds who speaks
            at_work = [pool.submit(copy_context().run, _run_in_thread, case, variant) for case in cases]
            note(done.result() for done in at_work)
    return runs


def _run_in_thread(case: Case, variant: Variant) -> Run:
    try:
        return run_case(case, variant)
    finally:
        locks.close()
        connection.close()


def run_case(case: Case, variant: Variant = AS_IT_IS) -> Run:
    """Hold one conversation and judge it. A problem of the program is a failed case, never the end of the run."""
    done: list[Judged] = []
    try:
        with rehearsed():
            variant.lay_out()
            talk = begin(case.setup)
            for each in case.turns:
                wanted = with_stand_ins(each)
                seen = hold(talk, wanted.say)
                done.append(Judged(each, seen, tuple(judge(wanted, seen))))
    except Exception as problem:  # a bug that a case has found: the report names it
        seen = Seen(problem=f"{type(problem).__name__}: {problem}")
        left = case.turns[len(done) :] or case.turns[-1:]
        done += [Judged(each, seen, tuple(judge(each, seen))) for each in left]
    return Run(case, tuple(done))


def begin(setup: Setup) -> Conversation:
    """A conversation of a new lead, with what a case wants to be there before the first word."""
    now = timezone.now()
    talk = operations.open_conversation(channel=CHANNEL, external_id=uuid.uuid4().hex, now=now, name=setup.name)
    if setup.phone or setup.email or setup.company:
        operations.save_contact(
            lead_id=talk.lead_id, now=now, by="", phone=setup.phone, email=setup.email, company=setup.company
        )
    for page in setup.articles:
        draft = articles.Draft(page.title, page.body, questions=page.questions, external_id=f"case-{uuid.uuid4().hex}")
        index.write([articles.save_article(draft=draft, by=None).pk])
    for author, text in setup.earlier:
        said_by_customer = author == Author.CUSTOMER
        operations.append(
            Conversation.objects.select_for_update(of=("self",)).get(pk=talk.pk),
            now=now,
            direction=Direction.IN if said_by_customer else Direction.OUT,
            author=Author(author),
            external_id=uuid.uuid4().hex,
            text=text,
        )
    if setup.earlier:  # it is read, and owes no answer
        Turn.objects.create(conversation=talk, state=State.KEPT, upto_seq=len(setup.earlier), opened_at=now, due_at=now)
    return talk


def hold(talk: Conversation, texts: Iterable[str]) -> Seen:
    """One turn: everything said at once, then the answer, without waiting for more to be typed."""
    started = time.perf_counter()
    for text in texts:
        operations.receive(conversation_id=talk.pk, external_id=uuid.uuid4().hex, text=text, now=timezone.now())
    for _ in range(len(Turn.WAITS) + 2):  # a failed turn is tried again at once, as often as it would be in time
        owed = Turn.objects.filter(conversation=talk, state=State.DUE)
        if not owed.update(due_at=timezone.now()):
            break
        turns.answer(talk.pk, wait=lambda seconds: None)
    return _seen(talk, seconds=time.perf_counter() - started)


def _seen(talk: Conversation, *, seconds: float) -> Seen:
    talk = Conversation.objects.get(pk=talk.pk)
    turn = Turn.objects.select_related("reply").filter(conversation=talk).order_by("-opened_at").first()
    waiting = talk.mode in {Mode.WAITING, Mode.OPERATOR}
    if turn is None or turn.reply is None:
        return Seen(waiting=waiting, seconds=seconds, problem=(turn.problem if turn else "") or "nothing was answered")
    return replace(seen_of(turn, waiting=waiting, seconds=seconds), ground=ground_of(talk, waiting=waiting))


def ground_of(talk: Conversation, *, waiting: bool) -> Ground:
    """What the answers of a conversation may rest on."""
    calls = ToolCall.objects.filter(turn__conversation=talk)
    done = [call for call in calls if not call.failed]
    said = Message.objects.filter(conversation=talk).exclude(author=Author.ASSISTANT)
    return Ground(
        results=tuple(f"{call.result.get('text')}\n{json.dumps(call.result, ensure_ascii=False)}" for call in calls),
        said=tuple(message.text for message in said),
        waiting=waiting,
        documents=any(card.get("kind") == "document" for call in done for card in call.result.get("cards", ())),
        hosts=_own_hosts(),
        prompt=prompt_shingles(),
    )


def _own_hosts() -> frozenset[str]:
    return frozenset({urlsplit(settings.PUBLIC_URL).hostname or "", *settings.ALLOWED_HOSTS} - {"", "*"})


@cache
def prompt_shingles() -> frozenset[str]:
    """What models are told of themselves: the tools, and the templates of prompts."""
    texts = [each.description for each in TOOLS.values()]
    texts += [each.read_text(encoding="utf-8") for each in sorted(templates.FOLDER.rglob("*.md"))]
    return frozenset().union(*map(shingles, texts))


def seen_of(turn: Turn, *, waiting: bool, seconds: float = 0.0) -> Seen:
    """What a turn that was answered has shown and done."""
    reply = turn.reply
    assert reply is not None
    return Seen(
        text=reply.text,
        cards=tuple(reply.cards),
        citations=tuple(str(each["article"]) for each in reply.citations),
        calls=tuple(Call(call.name, dict(call.arguments), call.failed) for call in turn.tool_calls.all()),
        waiting=waiting,
        model=turn.model,
        seconds=seconds,
        problem="" if reply.author == Author.ASSISTANT else turn.problem or "the assistant gave up",
    )


# --- what stands for masked values ------------------------------------------------------------------------------

#: whom somebody works for, in staff's cases; the masker leaves companies as they are
COMPANY = "КОМПАНИЯ"
#: what the masker writes, and what staff's cases have for a company beside it
_MARK = re.compile(rf"\[({'|'.join((*KINDS, COMPANY))})_(\d+)\]")
_NAMES = ("Анна", "Пётр", "Ольга", "Сергей", "Мария", "Игорь")


def with_stand_ins(turn: TurnCase) -> TurnCase:
    """The turn with made-up values for what was masked: nobody writes ``[ТЕЛЕФОН_1]``, and no tool would take it."""

    def changed(patterns: tuple[Pattern, ...]) -> tuple[Pattern, ...]:
        return tuple(each if each.is_regex else replace(each, text=_stand_in(each.text)) for each in patterns)

    return replace(
        turn,
        say=tuple(map(_stand_in, turn.say)),
        must=changed(turn.must),
        must_not=changed(turn.must_not),
        any_of=changed(turn.any_of),
    )


def _stand_in(text: str) -> str:
    return _MARK.sub(_made_up, text)


def _made_up(match: re.Match[str]) -> str:
    number = int(match[2])
    return STAND_INS[match[1]](number)


def _card(number: int) -> str:
    digits = f"220070{number % 10**9:09d}"
    return f"{digits}{luhn.calc_check_digit(digits)}"


#: a made-up value for each kind of mark, which the masker finds to be of that kind again
STAND_INS: dict[str, Callable[[int], str]] = {
    "ТЕЛЕФОН": lambda number: f"+7 916 555-{10 + number // 100 % 90}-{number % 100:02d}",
    "ПОЧТА": lambda number: f"customer{number}@example.com",
    "ИМЯ": lambda number: _NAMES[number % len(_NAMES)],
    "КАРТА": _card,
    "ДОКУМЕНТ": lambda number: f"паспорт 45 10 {number % 10**6:06d}",
    "АДРЕС": lambda number: f"ул. Лесная, д. {1 + number % 999}",
    "ДАТА": lambda number: f"{1 + number % 28:02d}.03.{1960 + number % 40}",
    "АККАУНТ": lambda number: f"@customer_{number}",
    # somebody typed a mark himself
    "ТЕКСТ": lambda number: f"[имя_{number}]",
    COMPANY: lambda number: f"ООО «Пример {number}»",
}
