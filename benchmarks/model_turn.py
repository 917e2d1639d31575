"""A turn through a language model that answers at once: what is ours of it, what it sends, and whether it stays flat.

``python -m benchmarks.model_turn`` prints a table in Markdown. ``--quick`` for a first look, ``--profile`` for where
the time goes. The vendor is a stand-in on loopback that thinks for no time at all, so all that is left is ours, the
SDK's and the wire's. The bare part sends the same requests again through the same SDK, streamed alike, and reads the
answers: no turn, no tools, no database.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import statistics
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

from benchmarks.rows import Row, command
from benchmarks.turn import LENGTHS, conversation, profiled, shop, timed

#: takes a search, which comes first in every turn, and a quote that the model asks for
QUESTION = "Здравствуйте! Сколько стоит AI Manager на 1 800 диалогов в месяц и что он умеет?"
ANSWER = (
    "Расчёт готов, он ниже. AI Manager отвечает клиентам на сайте и в мессенджерах круглосуточно, собирает контакты"
    " и передаёт разговор сотруднику, когда это нужно. Он работает по вашей базе знаний [#ai-manager]. Подготовить"
    " для вас коммерческое предложение?"
)
QUESTIONS = (
    "Что умеет AI Manager?",
    "А где хранятся данные клиентов?",
    "Есть ли интеграция с amoCRM?",
    "Какие скидки есть, если платить за год?",
    "А если бот ошибётся, кто отвечает?",
)
TURNS = 20
#: what guard and masking read: an ordinary reply and an ordinary message, repeated to a thousand characters
REPLY = (
    "Тариф «Бизнес» стоит 34 900 ₽ в месяц и покрывает до 2 000 диалогов. При оплате за год действует скидка 20 %."
    " Внедрение занимает от двух до четырёх недель, звоните с 9 до 18 по будням. "
)
MESSAGE = (
    "Здравствуйте! Меня зовут Анна Петрова, компания Ромашка. Нам нужно около 1 800 диалогов в месяц на двух сайтах."
    " Перезвоните по номеру +7 916 123-45-67 или напишите на anna@romashka.example, пожалуйста. "
)


class Vendor:
    """The stand-in and the turns that are taken through it."""

    def __init__(self, standin: Any) -> None:
        from knowledge.llm.chat import Profile
        from sales.signals import reply_growing

        self.standin = standin
        self.profile = Profile("bench", "openai", "demo-model", base_url=standin.url, key="sk-bench-0123456789")
        self.came = self.told = 0.0
        standin.reply = self._answer
        reply_growing.connect(self._hears, weak=False)

    def _answer(self, body: dict[str, Any]) -> Any:
        from tests.standins.model_vendor import Say

        self.came = time.perf_counter()
        asks = QUESTION in json.dumps(body["messages"][-3:], ensure_ascii=False)
        if asks and not any(each["role"] == "tool" for each in body["messages"][-1:] if "Q-" in str(each["content"])):
            wanted = {"billing_period": "month", "products": [{"product": "ai_manager", "volume": 1800}]}
            return Say(calls=[("pricing__quote", wanted)])
        return Say(ANSWER)

    def _hears(self, **heard: Any) -> None:
        self.told = self.told or time.perf_counter()

    def turn(self, talk: Any, text: str = QUESTION) -> float:
        """Seconds from the message handed in to the reply committed, without the wait for more."""
        from django.utils import timezone

        from knowledge.llm import router
        from sales.assistant import turn as turns
        from sales.models import Turn
        from sales.operations import receive

        self.told = 0.0
        took = timed(
            lambda: receive(conversation_id=talk.pk, external_id=uuid.uuid4().hex, text=text, now=timezone.now())
        )
        Turn.objects.filter(conversation=talk, state="due").update(due_at=timezone.now())
        with router.using(profiles=[self.profile]):
            took += timed(lambda: turns.answer(talk.pk))
        last = Turn.objects.filter(conversation=talk).latest("opened_at")
        assert last.reply is not None, last.problem
        assert any(step.get("name") == "bench" for step in last.trace["steps"]), last.trace["steps"]
        return took

    def requests_of(self, talk: Any, text: str = QUESTION) -> list[dict[str, Any]]:
        """The bodies that one turn sends."""
        before = len(self.standin.asked)
        self.turn(talk, text)
        return list(self.standin.asked[before:])


class Bare:
    """The same requests through the SDK alone."""

    def __init__(self, url: str, requests: list[dict[str, Any]]) -> None:
        import openai

        self.client = openai.OpenAI(base_url=url, api_key="sk-bench-0123456789", max_retries=0)
        self.requests = requests

    def all(self) -> float:
        """Seconds for all of them, one after another."""
        return timed(lambda: [self._one(body) for body in self.requests])

    def first_piece(self) -> float:
        """Seconds from the last of them to the first piece of its words."""
        started = time.perf_counter()
        return self._one(self.requests[-1]) - started

    def _one(self, body: dict[str, Any]) -> float:
        first = 0.0
        for chunk in self.client.chat.completions.create(**body):
            if not first and any(choice.delta.content for choice in chunk.choices):
                first = time.perf_counter()
        return first


@contextmanager
def vendor() -> Iterator[Vendor]:
    from tests.standins.openai_chat import OpenAIChat

    with OpenAIChat() as standin:
        yield Vendor(standin)


def beside_bare(asked: Vendor, *, rounds: int) -> list[Row]:
    requests = asked.requests_of(conversation(10))
    bare = Bare(asked.standin.url, requests)
    whole, alone, first, piece = [], [], [], []
    for _ in range(rounds):
        whole.append(asked.turn(conversation(10)))
        first.append(asked.told - asked.came)
        alone.append(bare.all())
        piece.append(bare.first_piece())
    told = [each for each in first if each > 0]
    assert told, "no words came before the reply"
    return [
        Row(
            what="turn through a language model that answers at once",
            ours=statistics.median(whole) * 1000,
            bare=statistics.median(alone) * 1000,
            unit="ms",
            floor=10,
            aim=6,
            meaning=f"A message handed in to the reply committed, without the second of waiting for more: a search, a"
            f" quote that the model asks for, and {len(requests)} calls of a stand-in that thinks for no time. Beside"
            " it the same calls through the SDK alone, streamed alike: what is above is our own share, with search,"
            " quote, masking, guard, journal, the record of each call and the reply's transaction. A real model takes"
            " seconds for its part.",
        ),
        Row(
            what="first words to the customer, from the model's request on",
            ours=statistics.median(told) * 1000,
            bare=statistics.median(piece) * 1000,
            unit="ms",
            floor=3,
            aim=1.5,
            meaning="From the moment the stand-in has the request to the first whole sentence, judged and told to the"
            " channel; beside it the SDK alone from its call to the first piece of the words. The stand-in sends all"
            " pieces at once, so that a sentence has to be waited for isn't in it.",
        ),
    ]


def by_length(asked: Vendor, *, rounds: int) -> list[Row]:
    found: dict[int, list[float]] = {length: [] for length in LENGTHS}
    for _ in range(rounds):
        for length, times in found.items():
            times.append(asked.turn(conversation(length)))
    medians = {length: statistics.median(times) * 1000 for length, times in found.items()}
    return [
        Row(
            what=f"the same turn after {length} messages, beside {LENGTHS[0]}",
            ours=medians[length],
            bare=medians[LENGTHS[0]],
            unit="ms",
            floor=2,
            aim=1.3,
            meaning=f"A turn through the stand-in in a conversation of {length} messages: it has to be flat. After"
            f" {LENGTHS[0]} there is a little less to show.",
        )
        for length in LENGTHS[1:]
    ]


def over_twenty_turns(asked: Vendor) -> list[Row]:
    from knowledge.llm.prompting import budget
    from knowledge.llm.prompting.budget import rates

    talk = conversation(0)
    sent: list[str] = []
    firsts: list[int] = []
    tokens: list[int] = []
    for turn in range(TURNS):
        firsts.append(len(sent))
        bodies = asked.requests_of(talk, f"{QUESTIONS[turn % len(QUESTIONS)]} Это вопрос {turn + 1}.")
        texts = [said_by(body) for body in bodies]
        sent += texts
        tokens.append(sum(budget.tokens(text, asked.profile) for text in texts))
    shares = [0.0, *(alike(one, other) / len(other) for one, other in pairwise(sent))]
    later = [shares[at] for at in firsts[3:]]
    russian, other = rates(asked.profile)
    return [
        Row(
            what="share of a turn's first request that a cache can have",
            ours=statistics.mean(later) * 100,
            bare=100,
            unit="%",
            floor=0.7,
            aim=0.8,
            more_is_better=True,
            meaning=f"How much of each turn's first request, from the fourth of {TURNS} turns on, begins byte for byte"
            f" as the request before it: tools, instructions, then messages. The least was {min(later):.0%}. Further"
            " requests of the same turn only add to the first.",
        ),
        Row(
            what=f"tokens of turn {TURNS}, beside turn 3",
            ours=tokens[-1],
            bare=tokens[2],
            unit="tokens",
            floor=2.5,
            aim=1.7,
            meaning="What a turn sends, at our own rough reckoning of"
            f" {russian} Russian and {other} other characters a token. The past shown is bounded, so it doesn't go on"
            " growing.",
        ),
    ]


def said_by(body: dict[str, Any]) -> str:
    """What a request says, in the order in which vendors read it."""
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in (body.get("tools"), *body["messages"]))


def alike(first: str, second: str) -> int:
    return next((at for at, (one, other) in enumerate(zip(first, second, strict=False)) if one != other), len(first))


def by_characters(*, rounds: int) -> list[Row]:
    """The guard over a reply of a thousand characters, and the masking of a message of as many."""
    from common.masking import Masker
    from sales.assistant import guard
    from sales.assistant.protocol import ToolResult

    reply = (REPLY * 10)[:1000]
    message = (MESSAGE * 10)[:1000]
    result = ToolResult("1", "pricing__price_list", reply, {})

    def judge() -> None:
        guard.inspect(reply, results=[result], heard=[message])

    def mask() -> None:
        Masker(known_names=["Анна Петрова"]).mask(message)

    def median(work: Any) -> float:
        work()
        return statistics.median(timed(work) for _ in range(rounds)) * 1000

    return [
        Row(
            what="guard, a reply of 1 000 characters",
            ours=median(judge),
            bare=None,
            unit="ms",
            most=50,
            meaning="All that the guard does with a reply of a thousand characters with amounts in it, the reading of"
            " a tool's result and of a message of the same length included.",
        ),
        Row(
            what="masking, a message of 1 000 characters",
            ours=median(mask),
            bare=None,
            unit="ms",
            most=50,
            meaning="A message of a thousand characters with names, phones and addresses in it, masked by somebody who"
            " has seen nothing before.",
        ),
    ]


def measure(*, quick: bool) -> list[Row]:
    """All rows; the database is set up."""
    rounds = 5 if quick else 30
    with vendor() as asked:
        for _ in range(2):  # dictionaries, plans, caches, the SDK
            asked.turn(conversation(10))
        return [
            *beside_bare(asked, rounds=rounds),
            *by_length(asked, rounds=rounds),
            *over_twenty_turns(asked),
            *by_characters(rounds=rounds * 5),
        ]


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


def profile() -> None:
    """Where the time of a turn goes."""
    with vendor() as asked:
        for _ in range(2):
            asked.turn(conversation(10))
        talks = [conversation(10) for _ in range(10)]
        looking = cProfile.Profile()
        for talk in talks:
            looking.runcall(asked.turn, talk)
    pstats.Stats(looking).sort_stats("cumulative").print_stats(90)
    pstats.Stats(looking).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    command(__doc__, run=run, profile=partial(profiled, profile))
