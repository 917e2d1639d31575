"""A conversation is masked as one: names that are told later, answers to questions, numbers in pieces."""

from __future__ import annotations

import json
import time
from random import Random

import pytest

from common.masking import Masker, Unmasking


def masked(*texts: str, known: tuple[str, ...] = ()) -> list[str]:
    return Masker(known).mask_conversation([("customer", text) for text in texts])


def test_a_name_that_is_told_later_hides_where_it_was_said_before() -> None:
    assert masked("это для зураба", "меня зовут Зураб") == ["это для [ИМЯ_1]", "меня зовут [ИМЯ_2]"]


@pytest.mark.parametrize(
    ("question", "answer", "hidden"),
    [
        ("Как вас зовут?", "ксения", "[ИМЯ_1]"),
        ("Как к вам обращаться?", "дребезгов иван", "[ИМЯ_1]"),
        ("Как вас зовут?", "не скажу", "не скажу"),
        ("Как вас зовут?", "сколько стоит?", "сколько стоит?"),
        ("Сколько диалогов?", "вера", "вера"),
    ],
)
def test_an_answer_to_a_question_for_a_name_is_a_name(question: str, answer: str, hidden: str) -> None:
    said = [("assistant", question), ("customer", answer)]

    assert Masker().mask_conversation(said) == [question, hidden]


@pytest.mark.parametrize(
    ("texts", "hidden"),
    [
        (("мой номер 8916", "123", "4567"), ["мой номер [ТЕЛЕФОН_1]", "…", "…"]),
        (("восемь девятьсот шестнадцать", "сто двадцать три сорок пять шестьдесят семь"), ["[ТЕЛЕФОН_1]", "…"]),
        (("пишите ivan.petrov@", "mail.ru"), ["пишите [ПОЧТА_1]", "…"]),
        (("паспорт 4510", "123456"), ["паспорт [ДОКУМЕНТ_1]", "…"]),
        (("ул. Ленина", "д. 5 кв. 12"), ["[АДРЕС_1]", "…"]),
        (("1 800 диалогов", "300 договоров", "20 отчётов"), ["1 800 диалогов", "300 договоров", "20 отчётов"]),
        (("8 916 123-45-67", "8 903 765-43-21"), ["[ТЕЛЕФОН_1]", "[ТЕЛЕФОН_2]"]),
    ],
)
def test_what_is_split_over_a_burst_is_hidden_as_one(texts: tuple[str, ...], hidden: list[str]) -> None:
    assert masked(*texts) == hidden


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Вера", "верно ли, что вера в бота есть, проверю"),
        ("Инна", "ИНН 7707083893"),
        ("Роман", "романтично, роман"),
        ("Марк", "марка, маркетинг, маркет"),
        ("Дина", "динамика"),
        ("Will", "it will work"),
    ],
)
def test_words_that_only_begin_like_a_known_name_stay(name: str, text: str) -> None:
    assert Masker([name]).mask(text) == text


def test_the_same_value_has_the_same_mark_in_the_next_turn() -> None:
    first = Masker(["Анна"])
    first.mask_conversation([("customer", "8 916 123-45-67, a@b.ru"), ("customer", "меня зовут Зураб")])
    kept = json.loads(json.dumps(first.state))

    later = Masker(["Анна"], state=kept)

    assert later.mask("зураб, 89037654321, a@b.ru, +7 916 123 45 67") == "[ИМЯ_1], [ТЕЛЕФОН_2], [ПОЧТА_1], [ТЕЛЕФОН_1]"
    assert later.unmask("[ТЕЛЕФОН_1]") == "8 916 123-45-67"


def test_what_is_kept_has_an_end() -> None:
    masker = Masker()
    for number in range(700):
        masker.mask(f"8 916 {number:03d}-45-67")

    state = masker.state

    assert len(state["marks"]) == 300
    again = Masker(state=state)
    assert again.mask("8 916 007-45-67") == "[ТЕЛЕФОН_8]"


def test_marks_that_stand_for_nothing_are_not_said() -> None:
    masker = Masker()
    masker.mask("8 916 123-45-67")

    assert masker.say("[ИМЯ_3], перезвоним на [ТЕЛЕФОН_1] или [ТЕЛЕФОН_2].") == "перезвоним на 8 916 123-45-67 или."
    assert masker.unknown({"name": "[ИМЯ_3]", "all": ["[ТЕЛЕФОН_1]", "[почта 2]"]}) == ["[ИМЯ_3]", "[ПОЧТА_2]"]


def test_hidden_twice_is_hidden_once() -> None:
    masker = Masker(["Анна"])
    text = masker.mask("Анна, 8 916 123-45-67, [ИМЯ_1]")

    assert masker.hide(text) == text
    assert masker.hide(f"{text} Анне") == f"{text} [ИМЯ_2]"


def test_pieces_of_a_stream_never_show_half_a_mark() -> None:
    masker = Masker(["Анна"])
    text = f"{masker.mask('Анна')}, номер {masker.mask('8 916 123-45-67')} [верно] и [ИМЯ"
    dice = Random(3)
    for _ in range(50):
        stream = Unmasking(masker)
        at, said = 0, []
        while at < len(text):
            size = dice.randrange(1, 9)
            said.append(stream.feed(text[at : at + size]))
            at += size
        said.append(stream.rest())

        assert "".join(said) == "Анна, номер 8 916 123-45-67 [верно] и [ИМЯ"
        assert not any("[И" in each or "[Т" in each for each in said[:-1])


def test_what_words_have_told_once_is_known_without_them() -> None:
    masker = Masker()
    masker.mask("Родился 14.04.1992, паспорт 4510 123456, живу: ул. Ленина, д. 5")

    assert masker.hide("term: 14.04.1992; 1992-04-14; 4510123456; 45 10 123 456; ул. ленина, д. 5") == (
        "term: [ДАТА_1]; [ДАТА_1]; [ДОКУМЕНТ_1]; [ДОКУМЕНТ_1]; [АДРЕС_1]"
    )
    assert Masker(state=masker.state).hide("14.4.1992") == "[ДАТА_1]"
    assert Masker().hide("14.04.1992") == "14.04.1992"


HOSTILE = [
    *("1 " * 4000, "8" * 8000, "8 916 " * 1333, "Анна Каренина " * 570, "Анна 12 " * 1000, "Абвгдеж " * 1000),
    *(
        "a@" * 4000,
        "a." * 4000 + "@",
        "a.b-c_d " * 1000,
        "a @ b . " * 1000,
        "ул. Ленина, д. 5, " * 444,
        "адрес Абв " * 800,
    ),
    *("Абв обл. " * 880 + "1", "Абв-" * 2000 + "1 кв", "восемь девятьсот " * 470, "меня зовут " * 727, "А. Б. " * 1333),
    *("[ИМЯ_1]" * 1142, "[ИМЯ" * 2000, "д р " * 2000 + "1", "t.me/" * 1600, " " * 8000 + "1", "мкр. Абв 5 " * 727),
    *("12 Baker Abc street " * 400, "иванович " * 888, "для Анна " * 888, "«" * 8000, "права " * 1333 + "1"),
    *(
        "Абв-" * 1990 + "1 кв",
        "ab на мейл " * 727,
        "на Ленина 5 " * 666,
        "(dot) " * 1333,
        "и Анна и " * 888,
        "Иванова И " * 800,
    ),
]


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:12] for text in HOSTILE])
def test_eight_thousand_hostile_characters_are_masked_in_time(text: str) -> None:
    Masker().mask("Меня зовут Анна")  # the dictionaries are read
    started = time.perf_counter()

    Masker(["Анна Иванова"]).mask(text[:8000])

    assert time.perf_counter() - started < 1.5  # some 0.05 s on an idle machine


def test_a_surname_that_is_a_word_too_is_hidden_beside_the_name_in_small_letters() -> None:
    masker = Masker(["Зосима Дребезгов"])

    assert masker.mask("пишет зосима дребезгов, не дребезгов посуды") == "пишет [ИМЯ_1], не дребезгов посуды"
