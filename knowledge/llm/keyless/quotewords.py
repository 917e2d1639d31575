"""The words of a quote, in the tool's own sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: where one sentence of a quote ends and the next begins
_SENTENCE = re.compile(r"(?<=\.)\s+(?=[A-ZА-ЯЁ])")
_TOTAL = ("Итог", "Total", "A manager will name the total")
_SUM = ("Подписка", "Subscription")
_DISCOUNTS = ("Скидки", "Discounts")
_SERVICES_SUM = ("Услуги вместе", "Services together")


def quote_in_words(text: str) -> list[str]:
    """The tool's own sentences, the total first: paragraphs of Markdown. Words that have no total stay as they are."""
    sentences = [sentence.strip() for sentence in _SENTENCE.split(text.strip()) if sentence.strip()]
    at = next((place for place, sentence in enumerate(sentences) if sentence.startswith(_TOTAL)), None)
    if at is None:
        return [text]
    lines = _without_repeats(sentences[:at])
    # what follows the total is the VAT; the last sentence names the quote and its term
    headline = " ".join([f"**{sentences[at]}**", *sentences[at + 1 : -1]])
    return [headline, "\n".join(f"- {line}" for line in lines), *sentences[max(at + 1, len(sentences) - 1) :]]


def _without_repeats(lines: Sequence[str]) -> list[str]:
    """One product is its own subscription, one discount or service its own sum: said once."""
    products = next((place for place, line in enumerate(lines) if line.startswith(_SUM)), 0)
    kept: list[str] = []
    for line in lines:
        if line.startswith(_SUM) and products == 1:
            continue
        if line.startswith(_DISCOUNTS) and line.count("%") == 1:
            line = line.rpartition(";")[0] + "." if ";" in line else line
        if line.startswith(_SERVICES_SUM) and ";" not in (kept[-1] if kept else ""):
            continue
        kept.append(line)
    return kept
