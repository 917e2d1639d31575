"""The whole turn without any key beside the sum of its parts, and the turn in ever longer conversations.

``python -m benchmarks.turn`` prints a table in Markdown. ``--quick`` for a first look, ``--profile`` for where the time
goes. All in one process, against a PostgreSQL as durable as the product's and with the demo data: from the customer's
message handed in to the reply committed, without the wait for a customer who is still writing. Whole turns and bare
parts take turns, because the machine's mood changes; medians.

The parts, each alone: the rows of message, owed turn and reply by plain SQL over psycopg, sealed but by nobody's ORM;
the searches and the quote as the turn asked for them, through the public functions; the model's own thinking over
what it was shown. Not among the parts, so overhead: locks, claims, the journal of tools, masking, the guard, signals to
the web chat, the bell.
"""

from __future__ import annotations

import cProfile
import json
import os
import pstats
import statistics
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import noted
from benchmarks.rows import Row, command

#: asks for everything at once: a search, and a quote of two products
QUESTION = (
    "Здравствуйте! Что умеет AI Manager и сколько он стоит на 1 800 диалогов в месяц вместе с AI Lawyer на тарифе"
    " Старт, если платить сразу за год?"
)
LENGTHS = (10, 100, 1000)
#: what fills the longer conversations
TALK = (
    ("Здравствуйте! Какие у вас есть продукты?", "Есть три: AI Manager, AI Lawyer и AI Analyst. О каком рассказать?"),
    ("А вы интегрируетесь с amoCRM?", "Да, сделки и переписка попадают в вашу CRM. Что ещё рассказать?"),
    ("Понятно. А где хранятся данные?", "Данные хранятся на серверах в России, доступ к ним только у вас."),
    ("Хорошо, подумаю и вернусь", "Буду рад помочь. Напишите, когда будет удобно."),
    ("Сколько времени занимает внедрение?", "Обычно от двух до четырёх недель, зависит от объёма базы знаний."),
)


def shop() -> None:
    """The demo data in a fresh database."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    root = Path(settings.BASE_DIR)
    with open(os.devnull, "w") as nowhere:
        call_command("load_catalog", str(root / "pricing" / "data" / "catalog.yaml"), stdout=nowhere)
        call_command("load_demo_seller", stdout=nowhere)
        call_command("import_articles", str(root / "knowledge" / "data" / "articles"), stdout=nowhere)


def conversation(messages: int) -> Any:
    """A conversation in which so much was said already, with a turn for each answer."""
    from django.utils import timezone

    from sales.models import Conversation, Message, Turn
    from sales.operations import open_conversation

    now = timezone.now()
    talk = open_conversation(channel="webchat", external_id=uuid.uuid4().hex, now=now)
    said = [
        Message(
            conversation=talk,
            seq=seq,
            direction="out" if seq % 2 == 0 else "in",
            author="assistant" if seq % 2 == 0 else "customer",
            external_id=uuid.uuid4().hex,
            text=TALK[(seq - 1) // 2 % len(TALK)][(seq - 1) % 2],
        )
        for seq in range(1, messages + 1)
    ]
    Message.objects.bulk_create(said, batch_size=500)
    trace = {"steps": [{"step": "model", "name": "keyless", "ms": 1.0}] * 4}
    Turn.objects.bulk_create(
        Turn(conversation=talk, state="kept", upto_seq=each.seq - 1, reply=each, model="keyless", trace=trace)
        for each in said
        if each.author == "assistant"
    )
    Conversation.objects.filter(pk=talk.pk).update(last_seq=messages)
    return talk


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def whole(talk: Any) -> float:
    """Seconds from the message handed in to the reply committed, less what the waiting for more would take."""
    from django.utils import timezone

    from sales.assistant import turn as turns
    from sales.models import Turn
    from sales.operations import receive

    took = timed(
        lambda: receive(conversation_id=talk.pk, external_id=uuid.uuid4().hex, text=QUESTION, now=timezone.now())
    )
    Turn.objects.filter(conversation=talk, state="due").update(due_at=timezone.now())
    return took + timed(lambda: turns.answer(talk.pk))


class Parts:
    """The parts of one turn, taken from a real one, to be done again alone."""

    def __init__(self) -> None:
        import psycopg
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from django.db import connection
        from django.test import override_settings

        from knowledge.llm.router import model
        from sales.models import Turn

        self.model = model()
        talk = conversation(10)
        noted.shown.clear()
        with override_settings(ASSISTANT_MODEL="benchmarks.noted.model"):
            whole(talk)
        turn = Turn.objects.filter(conversation=talk).latest("opened_at")
        self.shown = list(noted.shown)
        self.calls = [(call.name, call.arguments) for call in turn.tool_calls.all()]
        self.reply = turn.reply
        assert self.reply is not None
        assert {name for name, _arguments in self.calls} >= {"knowledge__search", "pricing__quote"}, self.calls
        self.trace = json.dumps(turn.trace).encode()
        params = connection.get_connection_params()
        wanted = {key: params[key] for key in ("host", "port", "dbname", "user", "password") if params.get(key)}
        self.line = psycopg.connect(**wanted)
        self.cipher = AESGCM(AESGCM.generate_key(256))

    def measure(self, talk: Any) -> dict[str, float]:
        """Seconds for each part, in a conversation that was there before."""
        turn = uuid.uuid4()
        return {
            "message": timed(lambda: self._message(talk.pk, turn)),
            "search": timed(self._search),
            "quote": timed(lambda: self._quote(talk)),
            "thinking": timed(self._think),
            "reply": timed(lambda: self._reply(talk.pk, turn)),
        }

    def _seal(self, content: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self.cipher.encrypt(nonce, content, b"bench")

    def _message(self, talk: uuid.UUID, turn: uuid.UUID) -> None:
        with self.line.transaction():
            self._say(talk, "in", "customer", QUESTION.encode(), b"[]")
            self.line.execute(
                "INSERT INTO sales_turn (id, conversation_id, state, due_at, attempts, problem, after_seq, upto_seq,"
                " opened_at, model, trace) VALUES (%s, %s, 'due', now(), 0, '', 0, 0, now(), '', %s)",
                [turn, talk, self._seal(b"{}")],
            )

    def _reply(self, talk: uuid.UUID, turn: uuid.UUID) -> None:
        assert self.reply is not None
        with self.line.transaction():
            cards = json.dumps(self.reply.cards).encode()
            message, seq = self._say(talk, "out", "assistant", self.reply.text.encode(), cards)
            self.line.execute(
                "UPDATE sales_turn SET state = 'kept', upto_seq = %s, reply_id = %s, answered_at = now(), trace = %s"
                " WHERE id = %s",
                [seq, message, self._seal(self.trace), turn],
            )

    def _say(self, talk: uuid.UUID, direction: str, author: str, text: bytes, cards: bytes) -> tuple[uuid.UUID, int]:
        row = self.line.execute(
            "UPDATE sales_conversation SET last_seq = last_seq + 1, last_message_at = now() WHERE id = %s"
            " RETURNING last_seq",
            [talk],
        ).fetchone()
        assert row is not None
        message = uuid.uuid4()
        self.line.execute(
            "INSERT INTO sales_message (id, conversation_id, seq, direction, author, external_id, text, cards,"
            " citations, created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, '[]', now())",
            [message, talk, row[0], direction, author, str(message), self._seal(text), self._seal(cards)],
        )
        return message, row[0]

    def _search(self) -> None:
        from knowledge.search import search

        for name, arguments in self.calls:
            if name == "knowledge__search":
                search(arguments["query"], limit=5)

    def _quote(self, talk: Any) -> None:
        from django.utils import timezone

        from pricing.operations import make_quote

        for name, arguments in self.calls:
            if name == "pricing__quote":
                make_quote(data=arguments, now=timezone.now(), conversation_id=talk.pk, lead_id=talk.lead_id)

    def _think(self) -> None:
        for shown in self.shown:
            self.model.reply(**shown)


def beside_parts(parts: Parts, *, rounds: int) -> tuple[float, dict[str, float]]:
    """Median milliseconds of the whole turn and of each part, in turns."""
    turns, alone = [], []
    for _ in range(rounds):
        turns.append(whole(conversation(10)))
        alone.append(parts.measure(conversation(10)))
    names = alone[0]
    return statistics.median(turns) * 1000, {
        name: statistics.median(each[name] for each in alone) * 1000 for name in names
    }


def by_length(*, rounds: int) -> dict[int, float]:
    """Median milliseconds of a turn in conversations of each length, in turns."""
    found: dict[int, list[float]] = {length: [] for length in LENGTHS}
    for _ in range(rounds):
        for length, times in found.items():
            times.append(whole(conversation(length)))
    return {length: statistics.median(times) * 1000 for length, times in found.items()}


def measure(*, quick: bool) -> list[Row]:
    """All rows; the database is set up."""
    parts = Parts()
    rounds = 5 if quick else 40
    for _ in range(2):  # dictionaries, plans and caches
        whole(conversation(10))
    ours, alone = beside_parts(parts, rounds=rounds)
    lengths = by_length(rounds=rounds)
    detail = ", ".join(f"{name} {took:.1f}" for name, took in alone.items())
    searches = sum(name == "knowledge__search" for name, _arguments in parts.calls)
    rows = [
        Row(
            what="whole keyless turn",
            ours=ours,
            bare=sum(alone.values()),
            unit="ms",
            floor=5,
            aim=3,
            meaning="A customer's message handed in to the reply committed, in process, without the second of waiting"
            f" for more. The question takes {searches} searches and a quote of two products. Beside it the sum of its"
            f" parts done alone, in ms: {detail}. Message and reply are plain SQL with one encryption for each value;"
            " locks, claims, the journal of tools, masking, guard and signals are in ours only.",
        )
    ]
    rows += [
        Row(
            what=f"turn in a conversation of {length} messages, beside one of {LENGTHS[0]}",
            ours=lengths[length],
            bare=lengths[LENGTHS[0]],
            unit="ms",
            floor=2,
            aim=1.3,
            meaning=f"The same turn after {length} messages, beside the one after {LENGTHS[0]}: it has to be flat. A"
            " model is shown the latest 40 messages, so a turn after 10 has a little less to read.",
        )
        for length in LENGTHS[1:]
    ]
    return rows


def profile() -> None:
    """Where the time of a turn goes."""
    for _ in range(2):
        whole(conversation(10))
    talks = [conversation(10) for _ in range(20)]
    looking = cProfile.Profile()
    for talk in talks:
        looking.runcall(whole, talk)
    pstats.Stats(looking).sort_stats("cumulative").print_stats(70)
    pstats.Stats(looking).sort_stats("tottime").print_stats(30)


def run(*, quick: bool) -> list[Row]:
    """Start the servers, load the demo data, measure."""
    from benchmarks.websocket import servers

    with servers():
        shop()
        from django.db import connections

        try:
            return measure(quick=quick)
        finally:
            connections.close_all()


def profiled(work: Callable[[], None]) -> None:
    """Do something in a shop of its own."""
    from benchmarks.websocket import servers

    with servers():
        shop()
        work()


if __name__ == "__main__":
    command(__doc__, run=run, profile=partial(profiled, profile))
