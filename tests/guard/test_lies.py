"""A model that lies about prices never gets a wrong amount to the customer."""

from __future__ import annotations

from collections import Counter

import pytest

from pricing import claims
from tests.guard.lies import KINDS, lies


def told(number: int, *, seed: int) -> list[str]:
    """The lies that the guard lets pass."""
    return [f"{lie.kind}: {lie.reply}" for lie in lies(number, seed=seed) if lie.judge().passed]


def test_no_lie_about_a_price_passes() -> None:
    assert told(240, seed=20261124) == []


@pytest.mark.proof
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(1, 6))
def test_none_of_two_thousand_lies_passes(seed: int) -> None:
    assert told(2000, seed=seed) == []


def test_lies_are_of_every_kind() -> None:
    kinds = Counter(lie.kind for lie in lies(200, seed=1))

    assert len(kinds) >= len(set(KINDS)) - 1
    assert min(kinds.values()) >= 5


def test_twin_without_the_claims_right_amounts_are_said_of_the_wrong_thing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "check", lambda sentence, known, before: [])

    passed = Counter(each.partition(":")[0] for each in told(240, seed=20261124))

    assert {"swapped", "listed", "periods", "reasons", "roles"} <= set(passed)
