"""What a thief of a dump, of Valkey's files or of the logs finds of our customers: nothing."""

from __future__ import annotations

import json
import os
import random
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config.embedded import processes
from tests.stack import Stack, running, until

pytestmark = pytest.mark.timeout(300)
FIRST = (
    "Аглая",
    "Варфоломей",
    "Евлампия",
    "Зосима",
    "Капитолина",
    "Лукерья",
    "Мефодий",
    "Никанор",
    "Прасковья",
    "Фрол",
)


@dataclass(frozen=True)
class Person:
    """Four things that may stand nowhere in the clear."""

    name: str
    phone: str
    email: str
    secret: str


#: each of the ten first names in the small run; 25 people give a hundred planted things
@pytest.fixture(scope="module", params=[10, pytest.param(25, marks=pytest.mark.proof)])
def people(request: pytest.FixtureRequest) -> list[Person]:
    chance = random.Random(152)
    return [
        Person(
            name=f"{FIRST[number % 10]} Кукушкопевцев{'абвгдежзиклмнопрстуфхцчшщэюя'[number]}",
            phone=f"+7916{chance.randrange(1000000, 9999999)}",
            email=f"person{number}.{chance.randrange(10**6)}@planted.example",
            secret=f"тайнослово{'абвгдежзиклмнопрстуфхцчшщэюя'[number]}{chance.randrange(10**6)}",
        )
        for number in range(request.param)
    ]


@pytest.fixture(scope="module")
def told(people: list[Person]) -> Iterator[tuple[Stack, dict[str, bytes]]]:
    """Everyone chats, asks for a price and a proposal; then the thief takes all he can get."""
    with running(demo=True, LOG_LEVEL="DEBUG") as stack:
        chats = [_chat(stack, person) for person in people]
        done = "SELECT count(*) FROM sales_turn WHERE state <> 'kept'"
        until(lambda: stack.sql(done)[0][0] == 0, seconds=90, what="all are answered")
        until(
            lambda: stack.sql("SELECT count(*) FROM billing_document WHERE state <> 'kept'")[0][0] == 0,
            seconds=90,
            what="all documents are made",
        )
        with pytest.raises(urllib.error.HTTPError):  # an error must not tell either
            _post(stack, f"/api/v1/chat/sessions/{chats[0]}/messages", {"text": people[0].secret}, "wrong")
        yield stack, _loot(stack)


def _chat(stack: Stack, person: Person) -> str:
    opened = _post(stack, "/api/v1/chat/sessions", {"consent": True, "name": person.name})
    texts = (
        f"Меня зовут {person.name}, телефон {person.phone}, почта {person.email}. Мы ООО «Ромашка», {person.secret}",
        "Сколько стоит AI-менеджер на 1800 диалогов в месяц за год?",
        "Пришлите коммерческое предложение",
    )
    for number, text in enumerate(texts):
        body = {"client_id": f"m{number}", "text": text}
        _post(stack, f"/api/v1/chat/sessions/{opened['id']}/messages", body, opened["token"])
    return str(opened["id"])


def _post(stack: Stack, path: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
    request = urllib.request.Request(f"{stack.url}{path}", data=json.dumps(body).encode(), method="POST")
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(json.load(answer))


def _loot(stack: Stack) -> dict[str, bytes]:
    dump = subprocess.run(
        [str(processes.postgres_programs() / "pg_dump"), "--dbname", stack.database_url, "--inserts"],
        capture_output=True,
        check=True,
    ).stdout
    valkey = b"".join(path.read_bytes() for path in stack.folder.rglob("*") if path.is_file() and "valkey" in str(path))
    valkey += b"".join(path.read_bytes() for path in stack.folder.rglob("*.aof*"))
    logs = "".join(stack.log(name) for name in ("daphne", "worker", "sweep")).encode()
    server = b"".join(path.read_bytes() for path in Path(os.environ["TEST_RUN_STATE"]).rglob("postgres.log"))
    return {"dump": dump, "valkey": valkey, "logs": logs, "postgres log": server}


def _spellings(person: Person) -> set[bytes]:
    """Each planted thing as a thief might find it: as it is, lower case, escaped, and as hex in a dump."""
    digits = person.phone[2:]
    values = {*person.name.split()[1:], person.phone, digits, person.email, person.secret}
    values |= {f"{digits[:3]} {digits[3:6]}-{digits[6:8]}-{digits[8:]}"}
    values |= {value.lower() for value in values}
    values |= {json.dumps(value)[1:-1] for value in values}
    plain = {value.encode() for value in values}
    return plain | {value.hex().encode() for value in plain}


@pytest.mark.parametrize("place", ["dump", "valkey", "logs", "postgres log"])
def test_no_name_phone_email_or_text_of_a_customer_stands_in_the(
    place: str, told: tuple[Stack, dict[str, bytes]], people: list[Person]
) -> None:
    loot = told[1][place].lower()

    found = [spelling for person in people for spelling in _spellings(person) if spelling.lower() in loot]

    assert found == []


def test_what_was_planted_could_have_leaked(told: tuple[Stack, dict[str, bytes]], people: list[Person]) -> None:
    """The data is there for those who hold the keys, and the places searched are not empty."""
    stack, loot = told
    token = _post(stack, "/api/v1/auth/token", {"username": "admin", "password": "a long pass phrase"})["access"]
    request = urllib.request.Request(f"{stack.url}/api/v1/leads?page_size=100")
    request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        leads = json.load(answer)["results"]

    assert {(lead["phone"], lead["email"]) for lead in leads} == {(each.phone, each.email) for each in people}
    assert {lead["name"] for lead in leads} == {each.name for each in people}
    assert stack.sql("SELECT count(*) FROM sales_leadfact WHERE kind = 'company'")[0][0] == len(people)
    assert b"sales_message" in loot["dump"]
    assert all(loot[place] for place in ("dump", "valkey", "logs"))
