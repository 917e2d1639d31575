"""Made-up values stand for marks of every kind, and are hidden as what they stand for."""

from __future__ import annotations

import pytest

from common.masking import KINDS, Masker
from knowledge.evaluation.cases import TurnCase
from knowledge.evaluation.running import COMPANY, STAND_INS, with_stand_ins


def test_every_kind_has_one() -> None:
    assert set(STAND_INS) == {*KINDS, COMPANY}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [1, 12, 345])
def test_it_is_hidden_as_its_own_kind(kind: str, number: int) -> None:
    turn = with_stand_ins(TurnCase(say=(f"дата рождения [{kind}_{number}]",)))

    assert f"[{kind}_{number}]" not in turn.say[0]
    assert Masker().mask(turn.say[0]).endswith(f"[{kind}_1]")


def test_a_mark_that_a_customer_types_in_small_letters_stays() -> None:
    assert with_stand_ins(TurnCase(say=("что за [документ_7]?",))).say == ("что за [документ_7]?",)
