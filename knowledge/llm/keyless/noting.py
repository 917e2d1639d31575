"""What of the pending messages is worth a fact for the staff: products, volumes, company, budget, hurry."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from knowledge.llm.keyless.needs import Talk, read
from knowledge.llm.keyless.understanding import Understood
from pricing.calculator import Rules

#: the longest quote; a longer message is quoted by the sentence that says it
QUOTE_MOST = 500
_SENTENCE = re.compile(r"[^.!?\n]*[^.!?\s][^.!?\n]*[.!?]*")
_HURRY = re.compile(r"\b(?:срочн\w+|как\s+можно\s+(?:скорее|быстрее)|asap|urgent(?:ly)?)\b", re.IGNORECASE)
_WHEN = re.compile(
    r"\b(?:(?:к|до|с)\s+(?:конц|начал)\w+\s+(?:\w+\s+)?(?:недели|месяца|квартала|года)"
    r"|(?:на|в)\s+(?:эт|следующ|будущ|ближайш)\w+\s+(?:недел|месяц|квартал)\w*)\b",
    re.IGNORECASE,
)
_BEGINNING = re.compile(r"\b(?:запус|внедр|начать|начн|начин|нужн|нужен|подключ|успеть|старт)", re.IGNORECASE)

Fact = Mapping[str, str]


def facts_in(talk: Talk, catalogue: Rules) -> list[Fact]:
    """Facts in the words of the tool that notes them; each quotes one of the messages to be answered."""
    pending = list(zip(talk.said, talk.heard[len(talk.heard) - len(talk.said) :], strict=True))
    facts: list[Fact | None] = []
    for code, size in talk.needs.products.items():
        product = catalogue.product(code)
        before = talk.before.products.get(code)
        if product is None or before == size:
            continue
        name = product.name.ru
        if before is None:
            facts.append(_fact("product", name, pending, catalogue, partial(_names, code)))
        if size.volume and (before is None or before.volume != size.volume):
            value = f"{name}: {size.volume} {product.unit.ru}"
            facts.append(_fact("volume", value, pending, catalogue, partial(_counts, size.volume)))
    for heard, text in pending:
        if company := "" if heard.means("privacy") else heard.contact.get("company", ""):
            facts.append(_fact("company", company, [(heard, text)], catalogue, lambda each: "company" in each.contact))
        budget = next((question.amount for question in heard.questions if question.kind == "budget"), 0)
        if budget:
            facts.append(_fact("budget", f"{budget} ₽", [(heard, text)], catalogue, _names_budget))
        if term := _term(text):
            facts.append(term)
    return [fact for fact in facts if fact is not None]


def _names(code: str, heard: Understood) -> bool:
    return code in _named(heard)


def _counts(volume: int, heard: Understood) -> bool:
    return volume in _volumes(heard)


def _fact(
    kind: str,
    value: str,
    pending: list[tuple[Understood, str]],
    catalogue: Rules,
    says: Callable[[Understood], bool],
) -> Fact | None:
    """A fact with the words that say it; None where no message says it by itself."""
    for heard, text in reversed(pending):
        if says(heard):
            sentences = _SENTENCE.findall(text)
            alone = (each for each in sentences if len(sentences) > 1 and says(read(each, catalogue)))
            return {"kind": kind, "value": value, "quote": next(alone, text).strip()[:QUOTE_MOST]}
    return None


def _term(text: str) -> Fact | None:
    """When it is needed: a hurry, or a time named together with a beginning."""
    for sentence in _SENTENCE.findall(text):
        found = _HURRY.search(sentence) or (_BEGINNING.search(sentence) and _WHEN.search(sentence))
        if found:
            return {"kind": "term", "value": found[0].lower(), "quote": sentence.strip()[:QUOTE_MOST]}
    return None


def _named(heard: Understood) -> set[str]:
    return {mention.product for mention in heard.products}


def _volumes(heard: Understood) -> set[int | None]:
    return {heard.volume, *heard.volumes, *(mention.volume for mention in heard.products)}


def _names_budget(heard: Understood) -> bool:
    return any(question.kind == "budget" and question.amount for question in heard.questions)
