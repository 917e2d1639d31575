"""Channels: a webhook beside a bare view, messages through the whole road, and polling of a thousand chats.

``python -m benchmarks.channels`` prints a table in Markdown; ``--quick`` for a first look. Vendors are stand-ins on
loopback that answer at once. Ours and the bare view take turns on the same server in the same run; medians.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from benchmarks.rows import Row, table
from benchmarks.websocket import servers

TOKEN, BOT_SECRET, AVITO_SECRET = "700700700:AAEhBOweik6ad6PsVGRCbqAABBCCDDEEFFG", "S3cret_-9", "s" * 43
CONCURRENCY = (1, 50)

numbers = itertools.count(1)


class Line:
    """A connection that stays open, as vendors keep theirs."""

    def __init__(self, url: str) -> None:
        self.line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)

    def post(self, path: str, body: Any, **headers: str) -> float:
        """Milliseconds from the request to the whole answer."""
        content = json.dumps(body).encode()
        began = time.perf_counter()
        self.line.request("POST", path, content, {"Content-Type": "application/json", **headers})
        answer = self.line.getresponse()
        answer.read()
        assert answer.status == 200, (path, answer.status)
        return (time.perf_counter() - began) * 1000


def telegram(line: Line) -> float:
    """A message of a chat that is known, as most are."""
    number = next(numbers)
    person = {"id": 700100000 + number % 500, "is_bot": False, "first_name": "Анна"}
    said = {"message_id": number, "from": person, "chat": {"id": person["id"], "type": "private"}, "date": 1770000000}
    update = {"update_id": number, "message": {**said, "text": "Сколько стоит тариф?"}}
    return line.post("/api/v1/webhooks/telegram", update, **{"X-Telegram-Bot-Api-Secret-Token": BOT_SECRET})


def avito(line: Line, *, chat: str = "", message: Any = None) -> float:
    number = next(numbers)
    said = message or {"id": f"{number:032x}", "author_id": 777, "created": int(time.time()), "type": "text"}
    value = {"content": {"text": "Сколько стоит?"}, **said, "chat_id": chat or f"u2i-{number % 500}", "user_id": 123456}
    event = {"id": str(number), "version": "v3.0.0", "payload": {"type": "message", "value": value}}
    return line.post(f"/api/v1/webhooks/avito/messages/{AVITO_SECRET}", event)


def bare(line: Line) -> float:
    return line.post("/bare", {"update_id": next(numbers), "text": "Сколько стоит тариф?"})


def at_concurrency(url: str, ask: Any, *, hands: int, requests: int) -> float:
    """The median time of a request while so many are under way."""

    def hand(_number: int) -> list[float]:
        line = Line(url)
        return [ask(line) for _ in range(max(1, requests // hands))]

    with ThreadPoolExecutor(hands) as pool:
        return statistics.median(itertools.chain.from_iterable(pool.map(hand, range(hands))))


def webhooks(stack: Any, *, quick: bool) -> list[Row]:
    rows = []
    rounds, requests = (2, 100) if quick else (7, 500)
    for hands in CONCURRENCY:
        found: dict[str, list[float]] = {"telegram": [], "avito": [], "bare": []}
        for ask in (telegram, avito, bare):
            at_concurrency(stack.url, ask, hands=hands, requests=hands * 2)
        for _ in range(rounds):
            for name, ask in (("telegram", telegram), ("avito", avito), ("bare", bare)):
                found[name].append(at_concurrency(stack.url, ask, hands=hands, requests=requests))
        alone = statistics.median(found["bare"])
        rows += [
            Row(
                what=f"{name} webhook in to 200 out, {hands} at once",
                ours=statistics.median(found[name]),
                bare=alone,
                unit="ms",
                floor=floor,
                aim=aim,
                meaning=f"An event of {name} posted to the site until its 200, {hands} at once over lines that stay"
                f" open; {stored}. Bare: a Django view on the same server that inserts one row.",
            )
            for name, floor, aim, stored in (
                ("telegram", 6, 3, "the message is stored with its number and an answer is owed"),
                ("avito", 3, 2, "the chat is owed a look, and nothing that was said is believed"),
            )
        ]
    return rows


def whole_road(stack: Any, standin: Any, *, quick: bool) -> list[Row]:
    """A thousand chats at a time: each customer writes once, until the last has the answer."""
    number = 100 if quick else 1000
    chats = [standin.begin_chat(f"Анна {at}") for at in range(number)]
    said = [(chat, standin.customer_writes(chat, "Здравствуйте")) for chat in chats]
    stack.sql("TRUNCATE channels_app_arrival")
    for name in ("worker", "sweep"):
        stack.start(name)
    time.sleep(8)
    line = Line(stack.url)
    began = time.perf_counter()
    for chat, message in said:
        avito(line, chat=chat, message=message)
    handed_in = time.perf_counter() - began
    while (done := sum(bool(standin.said(chat)) for chat in chats)) < number:
        assert time.perf_counter() - began < 900, f"{done} of {number} answered"
        time.sleep(0.1)
    took = time.perf_counter() - began
    doubled = sum(len(standin.said(chat)) > 1 for chat in chats)
    assert not doubled, f"{doubled} chats were answered twice"
    return [
        Row(
            what=f"messages through the whole road, {number} chats at a time",
            ours=number / took,
            bare=None,
            unit="/s",
            meaning="Webhook, look at the chat, turn with a model that answers at once, reply sent and noted, by one"
            f" worker of 8 threads and the sweep: four calls of the vendor for each. All were handed in within"
            f" {handed_in:.1f} s and the last was answered after {took:.1f} s; none twice.",
        )
    ]


def polling(stack: Any, standin: Any, *, quick: bool) -> list[Row]:
    """All chats have something new at once and no webhook came."""
    number = 100 if quick else 1000
    for chat in list(standin.chats)[:number]:
        standin.customer_writes(chat, "А ещё?")
    for name in ("worker", "sweep"):
        stack.kill(name)
    before = len(standin.asked)
    code = (
        "import time; from django.utils import timezone; from channels_app.avito import polling as p;"
        " b = time.perf_counter(); f = p.poll(now=timezone.now()); print('TOOK', time.perf_counter() - b, f)"
    )
    said = stack.manage("shell", "-c", code, PROCESS_KIND="command")
    took = float(said.split("TOOK ")[1].split()[0])
    calls = len(standin.asked) - before
    return [
        Row(
            what=f"polling of {number} chats",
            ours=took * 1000,
            bare=None,
            unit="ms",
            most=60_000,
            meaning=f"One round of polling where {number} chats have something new: {calls} calls of the vendor, which"
            " are what its limits count; each chat is then owed a look. A round is due every 60 s.",
        )
    ]


def run(*, quick: bool) -> list[Row]:
    """Start servers, stand-ins and the site, and measure."""
    from tests.stack import Stack
    from tests.standins.avito_api import CLIENT_ID, CLIENT_SECRET, USER_ID, AvitoAPI
    from tests.standins.telegram_api import TelegramAPI

    with servers(), AvitoAPI() as shop, TelegramAPI(token=TOKEN) as bot:
        stack = Stack(
            programs=("daphne",),
            settings="benchmarks.channels_settings",
            TELEGRAM_BOT_TOKEN=TOKEN,
            TELEGRAM_API_URL=bot.root,
            TELEGRAM_WEBHOOK_SECRET=BOT_SECRET,
            AVITO_CLIENT_ID=CLIENT_ID,
            AVITO_CLIENT_SECRET=CLIENT_SECRET,
            AVITO_USER_ID=str(USER_ID),
            AVITO_API_URL=shop.url,
            AVITO_WEBHOOK_SECRET=AVITO_SECRET,
        )
        try:
            stack.up()
            stack.sql("CREATE TABLE bench_bare (id bigserial PRIMARY KEY, body text NOT NULL)")
            rows = webhooks(stack, quick=quick)
            stack.sql("DELETE FROM sales_turn")
            return [*rows, *whole_road(stack, shop, quick=quick), *polling(stack, shop, quick=quick)]
        finally:
            stack.stop()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    rows = run(quick=options.parse_args().quick)
    print(table(rows))
    for row in rows:
        print(f"\n- {row.what}: {row.meaning}")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.channels_settings")
    main()
