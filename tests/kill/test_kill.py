"""The worker is killed in the middle of turns, again and again: nothing is lost and nothing is doubled.

Each life of the worker ends by SIGKILL at a line of our code drawn by chance, so between any two steps. The twin runs
with locks, claims, fences and the journal taken away and must show doubles, or this test would prove nothing.
"""

from __future__ import annotations

import json
import random
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from config.embedded.programs import Program
from tests.stack import Stack, running, until

pytestmark = pytest.mark.timeout(1800)

#: what the customers write: a search and a quote, contact data, a document
WORDS = (
    "Сколько стоит AI-менеджер на 1800 диалогов в месяц вместе с AI-юристом «Старт», если платить за год?",
    "Мой телефон +7 916 123-45-67, меня зовут Анна",
    "Пришлите коммерческое предложение",
    "А на 500 диалогов, без юриста?",
    "Пришлите КП на этот вариант",
)


@pytest.fixture(scope="module")
def site() -> Iterator[Stack]:
    """The site alone: each test brings the workers and the sweep that may die, or that lack their guards."""
    with running(demo=True, programs=("daphne",)) as stack:
        yield stack


@contextmanager
def customers(stack: Stack, *, number: int, sweep_every: float = 5, **env: str) -> Iterator[list[tuple[str, str]]]:
    """The site as on its first day with its sweep but no worker yet, and some open chats."""
    stack.sql("TRUNCATE sales_conversation, pricing_quote CASCADE")
    kept = dict(stack.env)
    stack.env.update(env)
    stack.programs["sweep"] = Program("sweep", ("python", "-m", "tests.kill.mortal", str(sweep_every)), kind="sweep")
    stack.start("sweep")
    try:
        chats = [call(stack, "/api/v1/chat/sessions", {"consent": True}) for _ in range(number)]
        yield [(chat["id"], chat["token"]) for chat in chats]
    finally:
        stack.env = kept
        for name in set(stack._running) - {"daphne"}:
            stack.kill(name)


def call(stack: Stack, path: str, body: dict[str, Any], *, token: str = "") -> dict[str, Any]:
    request = urllib.request.Request(f"{stack.url}{path}", data=json.dumps(body).encode(), method="POST")
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return dict(json.load(answer))


def write(stack: Stack, chat: tuple[str, str], text: str, *, client_id: str) -> int:
    body = {"client_id": client_id, "text": text}
    return int(call(stack, f"/api/v1/chat/sessions/{chat[0]}/messages", body, token=chat[1])["seq"])


def worker(name: str) -> Program:
    words = ("celery", "-A", "tests.kill.mortal", "worker", "--pool", "threads", "--concurrency", "4")
    queues = ("-Q", "answers,delivery,documents,sync", "-n", f"{name}@%h", "--without-mingle", "--without-gossip")
    return Program(name, (*words, *queues), kind="worker")


def live_once(stack: Stack, chat: tuple[str, str], text: str, *, at_line: int, client_id: str) -> bool:
    """One life of the worker; returns whether it died at its line rather than after its work."""
    stack.env["DIE_AT_LINE"] = str(at_line)
    stack.programs["worker"] = worker("mortal")
    ready = stack.folder / "ready"
    ready.unlink(missing_ok=True)
    stack.env["READY_FILE"] = str(ready)
    stack.start("worker")
    until(ready.exists, seconds=60, what="the worker is ready")
    seq = write(stack, chat, text, client_id=client_id)
    process = stack._running["worker"]
    deadline = time.monotonic() + 25
    while process.poll() is None and time.monotonic() < deadline and unanswered(stack, chat[0], seq):
        time.sleep(0.02)
    died = process.poll() == -signal.SIGKILL
    with suppress(ProcessLookupError):
        stack.kill("worker")
    return died


def unanswered(stack: Stack, conversation: str, seq: int) -> bool:
    read = stack.sql(
        "SELECT coalesce(max(upto_seq), 0) FROM sales_turn WHERE state = 'kept' AND conversation_id = %s", conversation
    )
    return int(str(read[0][0])) < seq


def findings(stack: Stack) -> dict[str, int]:
    """How many of each kind of harm the database shows."""
    questions = {
        "lost messages": "SELECT count(*) FROM sales_message m WHERE author = 'customer' AND seq > (SELECT coalesce("
        "max(upto_seq), 0) FROM sales_turn t WHERE t.conversation_id = m.conversation_id AND state = 'kept')",
        "gaps in numbers": "SELECT count(*) FROM (SELECT max(seq) - count(*) AS gap FROM sales_message"
        " GROUP BY conversation_id) x WHERE gap <> 0",
        # every reply answers something that came after the reply before it was begun
        "doubled replies": "SELECT greatest(0, (SELECT count(*) FROM sales_message WHERE author <> 'customer')"
        " - (SELECT count(*) FROM sales_turn WHERE state = 'kept'))",
        "turns that read the same": "SELECT count(*) FROM sales_turn a JOIN sales_turn b ON a.conversation_id ="
        " b.conversation_id AND a.id <> b.id AND a.state = 'kept' AND b.state = 'kept'"
        " AND a.after_seq < b.upto_seq AND b.after_seq < a.upto_seq",
        "doubled quotes": "SELECT (SELECT count(*) FROM pricing_quote) - (SELECT count(DISTINCT turn_id) FROM"
        " sales_toolcall WHERE name = 'pricing__quote' AND NOT failed)",
        "doubled documents": "SELECT count(*) FROM (SELECT 1 FROM billing_document GROUP BY conversation_id, quote_id"
        " HAVING count(*) > 1) x",
        "documents without a file": "SELECT count(*) FROM billing_document WHERE state <> 'kept'",
    }
    row = stack.sql(f"SELECT {', '.join(f'({query})' for query in questions.values())}")[0]
    return {name: int(str(number)) for name, number in zip(questions, row, strict=True)}


def run_lives(stack: Stack, *, lives: int, seed: int) -> tuple[int, dict[str, int]]:
    """Let the worker live and die ``lives`` times; returns how often it died at its line, and the harm done."""
    chance = random.Random(seed)
    with customers(stack, number=5) as chats:
        died = 0
        for number in range(lives):
            chat, text = chats[number % len(chats)], WORDS[(number // len(chats)) % len(WORDS)]
            at_line = int(10 ** chance.uniform(0.5, 3.1))
            died += live_once(stack, chat, text, at_line=at_line, client_id=f"life-{number}")
        stack.env["DIE_AT_LINE"] = "0"
        until(lambda: not any(findings(stack).values()), seconds=40, what=f"all is answered: {findings(stack)}")
        time.sleep(2)  # whatever might still be doubled had its time
        return died, findings(stack)


def test_worker_killed_at_any_line_loses_and_doubles_nothing(site: Stack) -> None:
    died, harm = run_lives(site, lives=3, seed=20261124)

    assert died >= 1
    assert harm == dict.fromkeys(harm, 0)


@pytest.mark.proof
def test_fifty_kills_in_a_row_lose_and_double_nothing(site: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    died, harm = run_lives(site, lives=75, seed=1)

    with capsys.disabled():
        print(f"\n75 lives, {died} ended by SIGKILL at a line drawn by chance; harm: {harm}")
    assert died >= 50
    assert harm == dict.fromkeys(harm, 0)


def race(stack: Stack, *, guards: str, seconds: float) -> dict[str, int]:
    """Two workers and a hasty sweep over turns that think for a while; the harm when all had time, or at the first."""
    with customers(stack, number=5, sweep_every=0.3, GUARDS=guards, THINK="2") as chats:
        signs = [stack.folder / name for name in ("first", "second")]
        for ready in signs:
            ready.unlink(missing_ok=True)
            stack.env["READY_FILE"] = str(ready)
            stack.programs[ready.name] = worker(ready.name)
            stack.start(ready.name)
        until(lambda: all(ready.exists() for ready in signs), seconds=90, what="both workers are ready")
        for number, chat in enumerate(chats):
            write(stack, chat, WORDS[0], client_id=f"race-{number}")
        deadline = time.monotonic() + seconds
        harm = findings(stack)
        while time.monotonic() < deadline and not harm["doubled replies"]:
            time.sleep(0.2)
            harm = findings(stack)
        return harm


def test_workers_and_sweep_in_a_race_double_nothing(site: Stack) -> None:
    harm = race(site, guards="on", seconds=15)

    assert harm == dict.fromkeys(harm, 0)


def test_without_guards_the_same_race_doubles_replies(site: Stack) -> None:
    """The twin: with the guards off the harm must show, or the tests above would prove nothing."""
    harm = race(site, guards="off", seconds=40)

    assert harm["doubled replies"] > 0
