"""The shipped conversations about everything else; and what the whole set is made of."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.evaluation.shipped import PRICED, THRESHOLD, run, shipped


def test_the_set_is_large_and_has_something_of_everything() -> None:
    cases = shipped()
    areas = Counter(case.tags[0] for case in cases)
    turns = [turn for case in cases for turn in case.turns]

    assert len(cases) >= 220
    assert min(areas.values()) >= 10, areas
    assert sum(turn.total is not None for turn in turns) >= 100
    assert sum("handover" in turn.outcome for turn in turns) >= 20


def test_a_question_that_has_a_tag_of_its_own_is_asked_in_ten_wordings() -> None:
    same = Counter(tag for case in shipped() for tag in case.tags if tag.startswith("same-"))

    assert set(same.values()) == {10}
    assert len(same) >= 4


@pytest.mark.django_db
def test_conversations_about_everything_else_are_held_well_and_every_total_is_exact() -> None:
    made = run([case for case in shipped() if case.tags[0] not in PRICED])

    wrong = [each for each in made["failures"] if any(missed["kind"] == "total" for missed in each["missed"])]
    assert [(each["case"], each["turn"]) for each in wrong] == []
    assert made["cases"]["rate"] >= THRESHOLD
