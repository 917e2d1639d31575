"""Hiding personal data from a language model, so that it can still be spoken of.

Phones, e-mails, cards, papers, addresses, dates of birth, pages of persons and names become ``[ТЕЛЕФОН_1]``,
``[ПОЧТА_1]``, ``[КАРТА_1]``, ``[ДОКУМЕНТ_1]``, ``[АДРЕС_1]``, ``[ДАТА_1]``, ``[АККАУНТ_1]``, ``[ИМЯ_1]``; inside one
``Masker`` the same value has the same mark, and ``unmask`` puts the values back. Marks that somebody typed by hand are
hidden too, as ``[ТЕКСТ_1]``, so nobody can ask for another's value by writing its mark.
"""

from __future__ import annotations

from common.masking.forms import find_personal
from common.masking.found import KINDS, Found
from common.masking.masker import WRITTEN_MARK, Masker, Unmasking

__all__ = ["KINDS", "WRITTEN_MARK", "Found", "Masker", "Unmasking", "find_personal"]
