"""Avito's customers while the product's real processes are killed again and again and the vendor is in a bad mood.

Webhooks come twice or not at all, the vendor's calls are cut, slow, refused with 429 and 500 by a fixed seed; worker,
sweep, daphne and Valkey die by SIGKILL and are started again. In the end every customer has the answer to each message
once and in order.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
import urllib.request
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from tests.stack import Stack, running, until
from tests.standins.avito_api import CLIENT_ID, CLIENT_SECRET, USER_ID, AvitoAPI

SECRET = "s" * 43
VICTIMS = ("worker", "sweep", "daphne", "valkey", "sessions")


class MoodyAvito(AvitoAPI):
    """One call in four meets a trouble; a look and the reading of a chat too."""

    chance = random.Random(0)
    storm = True

    def serve(self, wire: Any) -> None:
        mood = self.chance.random() if self.storm else 1.0
        for operation in ("send", "messages", "chat"):
            if mood < 0.06:
                self.trouble(operation, "busy", retry_after="1")
            elif mood < 0.10 and operation == "send":
                self.trouble(operation, "accepted_then_cut")
            elif mood < 0.14 and operation == "send":
                self.trouble(operation, "cut")
            elif mood < 0.17:
                self.trouble(operation, "broken")
            elif mood < 0.20 and operation == "send":
                self.trouble(operation, "accepted_then_broken")
            if len(self._troubles[operation]) > 2:
                self._troubles[operation].clear()
        super().serve(wire)


def ring(stack: Stack, avito: AvitoAPI, chat: str, message: Any) -> None:
    """The webhook, as a vendor tries it: within two seconds, three times at most. Polling is the second road."""
    body = json.dumps(avito.event(chat, message)).encode()
    for _ in range(3):
        request = urllib.request.Request(f"{stack.url}/api/v1/webhooks/avito/messages/{SECRET}", data=body)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=2):
                return
        except OSError:
            time.sleep(0.5)


def said(avito: AvitoAPI, chat: str) -> list[str]:
    """The customers' messages that replies have repeated, in the order in which they arrived."""
    return [words for text in avito.said(chat) for words in text.split("\n")[0].split(" / ")]


def live_through(
    *, messages: int, chats: int, kills: int, seed: int, victims: tuple[str, ...], rung: bool
) -> tuple[int, dict[str, int]]:
    """How many processes were killed, and what harm was done as the customers see it.

    A chat whose webhooks nobody heard is found by polling, within a minute; ``rung`` rings for each once more.
    """
    chance, luck = random.Random(seed), random.Random(seed + 1)
    with MoodyAvito() as avito:
        avito.chance = random.Random(seed)
        env = {
            "AVITO_CLIENT_ID": CLIENT_ID,
            "AVITO_CLIENT_SECRET": CLIENT_SECRET,
            "AVITO_USER_ID": str(USER_ID),
            "AVITO_API_URL": avito.url,
            "AVITO_WEBHOOK_SECRET": SECRET,
            "GATHER_QUIET": "0.2",
        }
        with running(settings="tests.webchat.parrot", **env) as stack:
            names = [avito.begin_chat(f"Анна {at}") for at in range(chats)]
            written: dict[str, list[str]] = {name: [] for name in names}

            def write() -> None:
                for at in range(messages):
                    chat = names[at % chats]
                    words = f"вопрос {at // chats}"
                    written[chat].append(words)
                    message = avito.customer_writes(chat, words)
                    if luck.random() < 0.9:
                        ring(stack, avito, chat, message)
                    if luck.random() < 0.3:
                        ring(stack, avito, chat, message)
                    time.sleep(0.02)

            customers = threading.Thread(target=write)
            customers.start()
            # here and not in a thread: what a thread starts ends with it
            struck = 0
            while struck < kills or customers.is_alive():
                time.sleep(chance.uniform(0.3, 2.0))
                strike(stack, victims[struck % len(victims)])
                struck += 1
            customers.join()
            avito.storm = False

            def owed() -> int:
                rows = stack.sql("SELECT count(*) FROM channels_app_delivery WHERE state NOT IN ('kept', 'dropped')")
                return int(str(rows[0][0]))

            def at_rest() -> bool:
                """All have their answers, and what was in doubt of them is settled; or something came twice."""
                if any(len(said(avito, chat)) > len(written[chat]) for chat in names):
                    return True
                return all(said(avito, chat) == written[chat] for chat in names) and not owed()

            for chat in names if rung else ():
                ring(stack, avito, chat, avito.chats[chat].messages[-1])
            with suppress(AssertionError):
                until(at_rest, seconds=120, what="everything is answered")
            time.sleep(6)  # whatever would come twice comes now
            return struck, {
                "unanswered": sum(len(set(written[chat]) - set(said(avito, chat))) for chat in names),
                "answered twice": sum(len(said(avito, chat)) - len(set(said(avito, chat))) for chat in names),
                "out of order": sum(said(avito, chat) != sorted(said(avito, chat), key=_number) for chat in names),
                "left owed": owed(),
            }


def _number(words: str) -> int:
    return int(words.split()[-1])


def strike(stack: Stack, victim: str) -> None:
    """End a process as a crash does and start it again; of the database all sessions are cut at once."""
    if victim == "sessions":
        stack.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
        return
    until(lambda: _answers(stack), seconds=60, what="PostgreSQL is there")
    if victim == "postgres":  # all of the server dies with one session, and recovers
        (row,) = stack.sql(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() LIMIT 1"
        ) or [(0,)]
        if row[0]:
            os.kill(int(str(row[0])), signal.SIGKILL)
        until(lambda: _answers(stack), seconds=60, what="PostgreSQL is back")
        return
    stack.kill(victim)
    stack.start(victim)


def _answers(stack: Stack) -> bool:
    try:
        return bool(stack.sql("SELECT 1"))
    except psycopg.OperationalError:
        return False


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_2000_messages_of_avito_survive_the_death_of_every_process(capsys: pytest.CaptureFixture[str]) -> None:
    struck, harm = live_through(
        messages=2000, chats=200, kills=60, seed=2026, victims=(*VICTIMS, "postgres"), rung=False
    )

    with capsys.disabled():
        print(f"\n2000 messages in 200 chats, {struck} processes killed; harm: {harm}")
    assert harm == dict.fromkeys(harm, 0)


def test_messages_of_avito_survive_the_death_of_every_process() -> None:
    _struck, harm = live_through(messages=20, chats=5, kills=5, seed=7, victims=VICTIMS, rung=True)

    assert harm == dict.fromkeys(harm, 0)
