"""Russian requisites: which are well formed, and whose check digits fit.

Numbers are text: leading zeros are real. ``str.isdigit`` alone would let "²" and Arabic digits pass.
"""

from __future__ import annotations

import re

from stdnum.ru import inn as stdnum_inn
from stdnum.ru import ogrn as stdnum_ogrn

_KPP = re.compile(r"\d{4}[0-9A-Z]{2}\d{3}", re.ASCII)


def _digits(text: str, *lengths: int) -> bool:
    return len(text) in lengths and text.isascii() and text.isdigit()


def inn_ok(text: str) -> bool:
    """Whether ``text`` is an ИНН: 10 digits of an organisation or 12 of a person, with right check digits."""
    return _digits(text, 10, 12) and stdnum_inn.is_valid(text)


def ogrn_ok(text: str) -> bool:
    """Whether ``text`` is an ОГРН of 13 digits or an ОГРНИП of 15, with the right check digit."""
    return _digits(text, 13, 15) and stdnum_ogrn.is_valid(text)


def kpp_ok(text: str) -> bool:
    """Whether ``text`` has the form of a КПП; it has no check digit."""
    return _KPP.fullmatch(text) is not None


def bic_ok(text: str) -> bool:
    """Whether ``text`` has the form of a БИК."""
    return _digits(text, 9)


def account_form_ok(text: str) -> bool:
    """Whether ``text`` has the form of a bank account."""
    return _digits(text, 20)


def settlement_account_ok(bic: str, account: str) -> bool:
    """Whether the key of a client's account fits its bank's БИК."""
    at_central_bank = bic[6:] in {"000", "001", "002"}
    return bic_ok(bic) and _key_fits("0" + bic[4:6] if at_central_bank else bic[6:], account)


def correspondent_account_ok(bic: str, account: str) -> bool:
    """Whether the key of a bank's own account at the Bank of Russia fits its БИК."""
    return bic_ok(bic) and _key_fits("0" + bic[4:6], account)


def _key_fits(prefix: str, account: str) -> bool:
    """The rule of the Bank of Russia № 515: three digits of the БИК and the account, weighed 7, 1, 3, end in 0."""
    if not account_form_ok(account):
        return False
    return sum(int(digit) * (7, 1, 3)[place % 3] % 10 for place, digit in enumerate(prefix + account)) % 10 == 0
