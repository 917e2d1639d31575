"""Requisites with right and wrong check digits. The vectors are real, of a published rule, or made up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import requisites

CORRESPONDENT = [
    ("044525225", "30101810400000000225"),
    ("044525974", "30101810145250000974"),
    ("044525593", "30101810200000000593"),
    ("044525187", "30101810700000000187"),
    ("044525104", "30101810745374525104"),
    ("049805000", "30101810800000000746"),
]
SETTLEMENT = [
    ("044525225", "40702810138250123017"),
    ("044525225", "40702810200000000001"),
    ("049805746", "40602810700000000025"),
]


@pytest.mark.parametrize("text", ["7707083893", "500100732259", "7701234560", "770123456703"])
def test_right_inn_is_accepted(text: str) -> None:
    assert requisites.inn_ok(text)


@pytest.mark.parametrize(
    "text",
    ["7701234561", "1234567890", "", "770708389", "77070838933", "７７０７０８３８９３", "770708389²", "7707083893 "],
)
def test_wrong_inn_is_refused(text: str) -> None:
    assert not requisites.inn_ok(text)


@pytest.mark.parametrize("text", ["1027700132195", "1267700000006", "326770000000016"])
def test_right_ogrn_is_accepted(text: str) -> None:
    assert requisites.ogrn_ok(text)


@pytest.mark.parametrize("text", ["1027700132196", "326770000000017", "102770013219", "", "10277001321٩5"])
def test_wrong_ogrn_is_refused(text: str) -> None:
    assert not requisites.ogrn_ok(text)


@pytest.mark.parametrize(
    ("text", "right"),
    [("770101001", True), ("7701AB001", True), ("77010100", False), ("7701ab001", False), ("770101001\n", False)],
)
def test_kpp_is_judged_by_its_form(text: str, right: bool) -> None:
    assert requisites.kpp_ok(text) is right


@pytest.mark.parametrize(("bic", "account"), CORRESPONDENT)
def test_correspondent_account_fits_its_bic(bic: str, account: str) -> None:
    assert requisites.correspondent_account_ok(bic, account)


@pytest.mark.parametrize(("bic", "account"), SETTLEMENT)
def test_settlement_account_fits_its_bic(bic: str, account: str) -> None:
    assert requisites.settlement_account_ok(bic, account)


def test_settlement_account_with_another_key_is_refused() -> None:
    assert not requisites.settlement_account_ok("044525225", "40702810300000000001")


@given(place=st.integers(0, 19), change=st.integers(1, 9), pair=st.sampled_from(CORRESPONDENT))
def test_any_changed_digit_of_a_correspondent_account_is_seen(place: int, change: int, pair: tuple[str, str]) -> None:
    bic, account = pair
    changed = account[:place] + str((int(account[place]) + change) % 10) + account[place + 1 :]

    assert not requisites.correspondent_account_ok(bic, changed)


@given(bic=st.text(max_size=12), account=st.text(max_size=25))
def test_nothing_that_is_typed_breaks_the_check(bic: str, account: str) -> None:
    assert requisites.settlement_account_ok(bic, account) in {True, False}
    assert requisites.correspondent_account_ok(bic, account) in {True, False}
    assert requisites.inn_ok(account) in {True, False}
    assert requisites.ogrn_ok(account) in {True, False}


def test_key_check_refuses_digits_of_other_scripts() -> None:
    assert not requisites.settlement_account_ok("044525225", "4070281020000000000١")
