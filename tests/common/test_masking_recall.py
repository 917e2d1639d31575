"""How much personal data is found, on sets with varied wording, and how much is taken for it that isn't."""

from __future__ import annotations

import re
from random import Random

import pytest

from common.masking import Masker
from tests.common import later_phrases as later
from tests.common import personal_phrases as phrases
from tests.common import talk_phrases as talk
from tests.common import writings
from tests.common.recall import leaks, lines


def found(text: str) -> float:
    """The share of lines of which nothing telling is left."""
    every = lines(text)
    missed = [line for line in every if leaks(line, Masker().mask(re.sub(r"[{}]", "", line)))]
    return 1 - len(missed) / len(every)


@pytest.mark.parametrize("kind", ["NAMES", "ADDRESSES", "DOCUMENTS", "ACCOUNTS"])
def test_what_the_rules_were_made_with_is_found(kind: str) -> None:
    assert found(getattr(phrases, kind)) == 1.0


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("LATE_NAMES", 0.97),
        ("LATE_ADDRESSES", 0.97),
        ("LATE_DOCUMENTS", 0.97),
        ("LAST_NAMES", 0.97),
        ("LAST_ADDRESSES", 0.90),
    ],
)
def test_what_came_later_is_found(kind: str, least: float) -> None:
    """Of the last addresses two keep their town, which is nobody's."""
    assert found(getattr(later, kind)) >= least


@pytest.mark.parametrize("line", [*lines(talk.SPOKEN_NAMES), *lines(talk.SPOKEN_VALUES)])
def test_what_nothing_introduces_is_found(line: str) -> None:
    line = line.replace(r"\n", "\n")

    assert leaks(line, Masker().mask(re.sub(r"[{}]", "", line))) == []


@pytest.mark.parametrize("text", [*lines(phrases.PLAIN), *lines(later.LATE_PLAIN), *lines(talk.NOTHING)])
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert Masker().mask(text) == text


def test_phones_are_found_in_thirty_writings_and_twenty_sentences() -> None:
    dice = Random(7)
    missed = []
    for frame in lines(phrases.PHONES):
        digits = f"9{dice.choice('0123456')}{dice.randrange(10**8):08d}"
        for writing in writings.phones(digits):
            masked = Masker().mask(frame.format(writing))
            if masked != frame.format("[ТЕЛЕФОН_1]") and (
                "ТЕЛЕФОН" not in masked or digits[-4:] in re.sub(r"\W", "", masked)
            ):
                missed.append((writing, masked))

    assert missed == []


def test_addresses_are_found_in_twenty_writings_and_fifteen_sentences() -> None:
    dice = Random(8)
    missed = []
    for frame in lines(phrases.EMAILS):
        name, surname = dice.choice(["ivan", "zurab", "olga", "masha"]), dice.choice(["petrov", "volk", "smirnoff"])
        number = dice.randrange(100, 9999)
        for writing in writings.emails(name, surname, number):
            masked = Masker().mask(frame.format(writing))
            if "ПОЧТА" not in masked or any(each in masked.casefold() for each in (name, surname, str(number))):
                missed.append((writing, masked))

    assert missed == []


def test_a_number_in_words_has_the_mark_of_the_same_in_digits_and_tools_get_digits() -> None:
    masker = Masker()

    masked = masker.mask("Звоните 8 916 555-12-34, повторяю: восемь девятьсот шестнадцать пятьсот 55 двенадцать 34")
    words = masker.mask("восемь девятьсот шестнадцать пятьсот пятьдесят пять двенадцать тридцать четыре")

    assert "[ТЕЛЕФОН_1]" in masked and words == "[ТЕЛЕФОН_1]"
    assert Masker().mask("восемь ноль два") == "восемь ноль два"
    alone = Masker()
    alone.mask(
        "девятьсот шестнадцать пятьсот пятьдесят пять двенадцать тридцать четыре, а почта ivan собака mail точка ру"
    )
    assert alone.unmask("[ТЕЛЕФОН_1] [ПОЧТА_1]") == "+79165551234 ivan@mail.ru"
