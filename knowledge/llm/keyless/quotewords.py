"""The words of a quote beside its card, in the tool's own sentences."""

from __future__ import annotations

import re

#: where one sentence of a quote ends and the next begins
_SENTENCE = re.compile(r"(?<=\.)\s+(?=[A-ZА-ЯЁ])")
_TOTAL = ("Итог", "Total", "A manager will name the total")
_DISCOUNTS = re.compile(r"^(?:Скидки: .*; вместе (?P<ru>[^;]+)|Discounts: .*; (?P<en>[^;]+) together)\.$")


def quote_in_words(text: str, *, discounts: bool = False) -> str:
    """The total with its period, the discounts in one sum and the VAT: the lines stand in the quote's card.

    Words that have no total stay as they are. With ``discounts`` each of them is named.
    """
    sentences = [sentence.strip() for sentence in _SENTENCE.split(text.strip()) if sentence.strip()]
    at = next((place for place, sentence in enumerate(sentences) if sentence.startswith(_TOTAL)), None)
    if at is None:
        return text
    # what follows the total is the VAT; the last sentence names the quote and its term
    before = [each if discounts and _DISCOUNTS.match(each) else _in_total(each) for each in sentences[:at]]
    words = [f"**{sentences[at]}**", *before, *sentences[at + 1 : -1]]
    return " ".join(filter(None, words))


def _in_total(sentence: str) -> str:
    """What of a sentence before the total is said beside it: what isn't in it, and that the discounts are."""
    if "по запросу" in sentence or "on request" in sentence:
        return sentence
    found = _DISCOUNTS.match(sentence)
    if found is None:
        return ""
    return f"Скидки уже учтены: {found['ru']}." if found["ru"] else f"Discounts are included: {found['en']}."
