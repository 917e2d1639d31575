"""The shipped conversations about prices: enough of them pass, and every total is exact."""

from __future__ import annotations

import pytest

from tests.evaluation.shipped import PRICED, THRESHOLD, run, shipped


@pytest.mark.django_db
def test_conversations_about_prices_are_held_well_and_every_total_is_exact() -> None:
    made = run([case for case in shipped() if case.tags[0] in PRICED])

    wrong = [each for each in made["failures"] if any(missed["kind"] == "total" for missed in each["missed"])]
    assert [(each["case"], each["turn"]) for each in wrong] == []
    assert made["cases"]["rate"] >= THRESHOLD
