"""What personal data may be sent to a model that may not see it: none, whoever wrote it and however."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from common.masking import Masker
from knowledge.llm.chat import Call, Called, Profile, Prompt, Returned, Said
from knowledge.llm.models import ModelProfile, Region
from knowledge.llm.privacy import fit
from sales import operations
from sales.models import Conversation, Message
from tests.common import writings
from tests.llm.talking import Talk
from tests.standins.model_vendor import Say
from tests.standins.openai_chat import OpenAIChat

STRANGER = Profile(slug="stranger", dialect="openai", model="m")
FRIEND = Profile(slug="friend", dialect="openai", model="m", personal_data=True)


# --- the one place ------------------------------------------------------------------------------------------------


def prompt(masker: Masker) -> Prompt:
    call = Call(
        "1", "sales__save_contact", {"name": "Анна", "phone": 89161234567, "more": ["anna@mail.ru", None, True]}
    )
    return Prompt(
        system="Ты помощник.",
        parts=(
            Said("user", masker.mask("Меня зовут Анна, 8 916 123-45-67")),
            Called("Записываю Анну", (call,), raw={"content": [{"text": "Анну", "n": 1}]}),
            Returned(call, "Saved Анна, anna@mail.ru"),
        ),
    )


def test_every_string_of_a_prompt_is_hidden_from_a_stranger() -> None:
    masker = Masker()

    sent = fit(prompt(masker), profile=STRANGER, privacy=masker)

    arguments = {"name": "[ИМЯ_1]", "phone": "[ТЕЛЕФОН_1]", "more": ["[ПОЧТА_1]", None, True]}
    assert sent.parts == (
        Said("user", "Меня зовут [ИМЯ_1], [ТЕЛЕФОН_1]"),
        Called("Записываю [ИМЯ_2]", (Call("1", "sales__save_contact", arguments),), raw=None),
        Returned(Call("1", "sales__save_contact", arguments), "Saved [ИМЯ_1], [ПОЧТА_1]"),
    )
    assert sent.system == "Ты помощник."


def test_a_friend_is_told_what_stands_behind_the_marks() -> None:
    masker = Masker()

    sent = fit(prompt(masker), profile=FRIEND, privacy=masker)

    assert sent.parts[0] == Said("user", "Меня зовут Анна, 8 916 123-45-67")
    assert sent.parts[1:] == prompt(masker).parts[1:]


def test_raw_words_of_a_vendor_without_personal_data_stay_as_they_were_signed() -> None:
    raw = {"content": [{"type": "thinking", "thinking": "[ИМЯ_1] asks", "signature": "Eq8+/9161234567abc=="}]}
    part = Called("", (), raw=raw)
    masker = Masker(["Анна"])
    masker.mask("Анна")

    sent = fit(Prompt("", (part,)), profile=STRANGER, privacy=masker)

    assert sent.parts == (part,)


def test_nobody_but_the_one_who_hides_speaks_to_a_dialect() -> None:
    """Whoever calls a dialect goes through ``asking``, which goes through ``privacy.fit``."""
    speaks = re.compile(
        r"dialects(?:\.\w+)? import .*\b(?:by_name|OpenAI|Anthropic|GigaChat)\b|import_module\(.*dialects"
    )
    found = {
        str(path.relative_to(settings.BASE_DIR))
        for room in ("config", "channels_app", "crm", "billing", "knowledge", "pricing", "sales", "common")
        for path in (settings.BASE_DIR / room).rglob("*.py")
        if "knowledge/llm/dialects" not in str(path) and speaks.search(path.read_text(encoding="utf-8"))
    }

    assert found == {"knowledge/llm/asking.py"}
    asking = (settings.BASE_DIR / "knowledge/llm/asking.py").read_text(encoding="utf-8")
    assert asking.count("by_name(") == 1 and "privacy.fit(" in asking


# --- whole conversations ------------------------------------------------------------------------------------------

_FIRST = "Аглая Варфоломей Евлампия Зосима Капитолина Лукерья Мефодий Никанор Прасковья Ксения Тимур Гульнара Зураб"
_LAST = "Кукушкопевцев Белокопытов Запятойский Муравейниченко Дребезгов Ахметзянов Воскобойник Шереметьевский"
_STREETS = "Верхнекрасносельская Старообрядческая Кривоколенная Мироносицкая Златоустинская"
FIRST, LAST, STREETS = _FIRST.split(), _LAST.split(), _STREETS.split()
LAWFUL = ["500100732259", "773370857141"]


@dataclass(frozen=True)
class Person:
    """What is planted in one conversation: each value, and what it must not be found by."""

    first: str
    last: str
    digits: str
    email: str
    street: str
    house: str
    passport: str
    born: str
    inn: str

    @property
    def canaries(self) -> dict[str, tuple[str, ...]]:
        return {
            "name": (self.last[:-1], self.first[:-1]),
            "phone": (self.digits, self.digits[-7:]),
            "email": (self.email,),
            "address": (self.street[:-2],),
            "passport": (self.passport[-6:],),
            "birth": (self.born,),
            "inn": (self.inn,),
        }


def person(dice: Random) -> Person:
    return Person(
        first=dice.choice(FIRST),
        last=dice.choice(LAST),
        digits=f"9{dice.choice('0123456')}{dice.randrange(10**8):08d}",
        email=f"canary{dice.randrange(10**6)}.{dice.choice('abc')}@planted{dice.randrange(100)}.ru",
        street=dice.choice(STREETS),
        house=str(dice.randrange(1, 200)),
        passport=f"45{dice.randrange(10, 22)}{dice.randrange(10**5, 10**6)}",
        born=f"{dice.randrange(10, 28)}.{dice.randrange(1, 13):02d}.19{dice.randrange(50, 99)}",
        inn=dice.choice(LAWFUL),
    )


def bursts(who: Person, dice: Random) -> list[list[str]]:
    """What the person says, a list of messages a turn; each says some of it, in some writing."""
    phone = dice.choice(writings.phones(who.digits))
    half = f"8{who.digits}"
    name = f"{who.first} {who.last}"
    email = dice.choice(
        [who.email, who.email.replace("@", " собака "), who.email.upper(), who.email.replace("@", " @ ")]
    )
    said = [
        dice.choice(
            [
                [f"Здравствуйте, меня зовут {name}, сколько стоит менеджер на 1800 диалогов?"],
                [f"Это {name}", f"мой номер {phone}"],
                ["добрый день", f"меня зовут {name.lower()}"],
                [f"Сколько стоит AI-юрист? С уважением, {name}"],
            ]
        ),
        dice.choice(
            [
                [f"{who.first}, {phone}, жду звонка"],
                [half[:4], half[4:8], half[8:]],
                [f"перезвоните на {phone} или пишите {email}"],
                [f"телефон {phone}", f"почта {email}"],
            ]
        ),
        dice.choice(
            [
                [f"Договор на {who.last}, паспорт {who.passport[:4]} {who.passport[4:]}, ИНН {who.inn}"],
                [f"адрес: г. Москва, ул. {who.street}, д. {who.house}, кв. 12", f"родился {who.born}"],
                [f"живу на улице {who.street}, {who.house}, мой инн {who.inn}, почта {email}"],
                [f"дата рождения {who.born}, {email}"],
            ]
        ),
        dice.choice([["пришлите КП"], [f"{who.last} же я, посчитайте ещё раз"], [f"для {who.first} дешевле нельзя?"]]),
    ]
    return said if dice.random() < 0.8 else [said[0] + said[1], *said[2:]]


def squashed(text: str) -> str:
    """Without case and separators."""
    return re.sub(r"[\W_]+", "", text.casefold())


def leaks(bodies: list[dict[str, Any]], who: Person) -> list[str]:
    """The kinds of planted values that stand in what was sent, as they are or with separators and case removed."""
    sent = json.dumps(bodies, ensure_ascii=False)
    plain, tight = sent.casefold(), squashed(sent)
    return [
        kind
        for kind, values in who.canaries.items()
        if any(value.casefold() in plain or squashed(value) in tight for value in values)
    ]


def answer(body: dict[str, Any], dice: Random) -> Say:
    """A model that repeats what it was told, calls tools with the marks it saw, and with marks it did not."""
    said = json.dumps(body["messages"], ensure_ascii=False)
    marks = re.findall(r"\[[А-ЯЁ]+_\d+\]", said)
    last = body["messages"][-1]["role"]
    names = [each for each in marks if "ИМЯ" in each]
    phones = [each for each in marks if "ТЕЛЕФОН" in each]
    if last != "tool" and (names or phones) and dice.random() < 0.7:
        given = {"name": names[-1]} if names else {}
        given |= {"phone": phones[-1]} if phones else {}
        return Say(calls=[("sales__save_contact", given)])
    return Say(f"Принято: {' '.join(marks[-3:])}. Чем ещё помочь?")


def converse(vendor: OpenAIChat, dice: Random, *, known: bool) -> tuple[Person, Conversation]:
    who = person(dice)
    vendor.reply = lambda body: answer(body, dice)
    talk = operations.open_conversation(channel="webchat", external_id=uuid.uuid4().hex, now=timezone.now())
    if known:
        operations.save_contact(lead_id=talk.lead_id, now=timezone.now(), name=f"{who.first} {who.last}", by=None)
    for burst in bursts(who, dice):
        Talk(talk).say(*burst)
    return who, talk


def run(vendor: OpenAIChat, *, conversations: int, seed: int) -> dict[str, list[str]]:
    """Hold conversations; returns whose data of which kinds was sent, by the conversation's number."""
    found: dict[str, list[str]] = {}
    for number in range(conversations):
        vendor.asked.clear()
        who, _ = converse(vendor, Random(seed * 1000 + number), known=number % 3 == 0)
        assert vendor.asked
        if kinds := leaks(vendor.asked, who):
            found[f"{number} {who}"] = kinds
    return found


@pytest.fixture
def patient(openai: OpenAIChat, settings: Any) -> OpenAIChat:
    """No call of these fails by a slow machine: the keyless model would answer, and nothing would be sent."""
    settings.MODEL_CALL_SECONDS, settings.MODEL_TURN_SECONDS = 20, 45
    return openai


def test_nothing_planted_is_sent_to_a_model_that_may_not_see_it(talk: Talk, patient: OpenAIChat) -> None:
    assert run(patient, conversations=12, seed=1) == {}


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_nothing_planted_in_five_hundred_conversations_is_sent(talk: Talk, patient: OpenAIChat) -> None:
    assert run(patient, conversations=520, seed=2) == {}


def test_a_model_that_may_see_it_gets_what_was_said(talk: Talk, patient: OpenAIChat) -> None:
    """The twin: what was planted could have been sent, and would be found."""
    ModelProfile.objects.filter(slug="openai").update(personal_data=True, region=Region.RUSSIA)
    found = run(patient, conversations=6, seed=1)

    assert len(found) == 6
    assert {kind for kinds in found.values() for kind in kinds} >= {"name", "phone"}


def test_the_customer_reads_values_and_tools_get_them(talk: Talk, patient: OpenAIChat) -> None:
    patient.say(calls=[("sales__save_contact", {"name": "[ИМЯ_1]", "phone": "[ТЕЛЕФОН_1]"})])
    patient.say("Спасибо, [ИМЯ_1]! Ваш номер [ТЕЛЕФОН_1].")

    said = talk.say("Меня зовут Зураб Кукушкопевцев", "звоните: восемь девятьсот шестнадцать 555 12 34")

    talk.conversation.lead.refresh_from_db()
    assert (talk.conversation.lead.name, talk.conversation.lead.phone) == ("Зураб Кукушкопевцев", "+79165551234")
    assert said.text == "Спасибо, Зураб Кукушкопевцев! Ваш номер +79165551234."


def test_a_mark_that_stands_for_nothing_is_no_argument(talk: Talk, patient: OpenAIChat) -> None:
    patient.say(calls=[("sales__save_contact", {"name": "[ИМЯ_9]"})])
    patient.say("Как к вам обращаться?")

    said = talk.say("Привет")

    talk.conversation.lead.refresh_from_db()
    assert talk.conversation.lead.name == ""
    assert said.text == "Как к вам обращаться?"
    assert "Nothing stands behind [ИМЯ_9]" in json.dumps(patient.asked[-1], ensure_ascii=False)


def test_a_value_keeps_its_mark_in_later_turns_and_an_old_name_stays_hidden(talk: Talk, patient: OpenAIChat) -> None:
    talk.say("Меня зовут Зураб, телефон 8 916 555-12-34")
    for number in range(45):  # so that the name's message is out of what a model is shown
        Message.objects.create(
            conversation=talk.conversation,
            seq=100 + number,
            direction="in",
            author="customer",
            external_id=f"old-{number}",
            text="ещё вопрос",
            created_at=timezone.now(),
        )
    Conversation.objects.filter(pk=talk.conversation.pk).update(last_seq=200)

    talk.say("Это снова я, зураб. Другой номер: 8 903 555-44-33, а прежний 89165551234")

    sent = json.dumps(patient.asked[-1]["messages"], ensure_ascii=False)
    assert "зураб" not in sent.casefold()
    assert "Другой номер: [ТЕЛЕФОН_2], а прежний [ТЕЛЕФОН_1]" in sent
