"""The part of a found passage that answers a question, in the article's own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.llm.keyless import lexicon, morphology
from knowledge.llm.keyless.questions import Question

#: characters of an answer to one question
LENGTH_MOST = 900
#: how much of the possible score a passage must have to be an answer at all
SHARE_LEAST = 0.2
#: how much a passage must have when the customer didn't clearly ask anything
SHARE_GUESS = 0.3
#: how much of a question's own words a passage must share
WORDS_LEAST = 0.3


@dataclass(frozen=True)
class Answer:
    """Words of an article and where they are from."""

    text: str
    article: str
    title: str


def choose(question: Question, hits: Sequence[Mapping[str, Any]]) -> list[Answer]:
    """The best passage, or for a comparison of products one of each; nothing when no passage is about it."""
    fitting = [hit for hit in hits if _is_about(hit, question) and _is_sure(hit, question)]
    if not fitting:
        return []
    chosen = fitting[:1]
    if question.kind == "compare" and len(question.products) > 1 and fitting[0].get("product"):
        by_product = {hit.get("product"): hit for hit in reversed(fitting) if hit.get("product") in question.products}
        chosen = [by_product[code] for code in question.products if code in by_product] or chosen
    length = LENGTH_MOST // len(chosen)
    return [
        Answer(
            excerpt(hit.get("text", ""), question.text, most=length), str(hit.get("article", "")), hit.get("title", "")
        )
        for hit in chosen
    ]


def _is_about(hit: Mapping[str, Any], question: Question) -> bool:
    product = hit.get("product")
    return not product or not question.products or product in question.products


def _is_sure(hit: Mapping[str, Any], question: Question) -> bool:
    if float(hit.get("share") or 0) < (SHARE_GUESS if question.kind == "guess" else SHARE_LEAST):
        return False
    asked = content(question.text)
    if not asked:
        return True
    there = content(f"{hit.get('title', '')} {hit.get('text', '')}")
    if question.kind == "ware" and not re.search("₽|бесплатн", hit.get("text", "")):
        return False
    shared = sum(any(_alike(word, other) for other in there) for word in asked)
    return shared / len(asked) >= WORDS_LEAST


def _alike(word: str, other: str) -> bool:
    """Same word or same root: «интеграция» and «интегрируется»."""
    return word == other or (len(word) >= 6 and len(other) >= 6 and word[:5] == other[:5])


def content(text: str) -> frozenset[str]:
    """The dictionary forms that carry meaning."""
    words = morphology.cut(morphology.tidy(text)).words
    return frozenset(
        word.lemma
        for word in words
        if word.kind == "word" and word.lemma not in lexicon.FILLERS and len(word.lemma) > 1
    )


def excerpt(text: str, question: str, *, most: int = LENGTH_MOST) -> str:
    """The blocks of a Markdown passage that say most about the question, in order; lists and tables stay whole."""
    blocks = _blocks(text)
    if sum(map(len, blocks)) <= most:
        return "\n\n".join(blocks)
    asked = content(question)
    ranked = sorted(range(len(blocks)), key=lambda at: (-len(asked & content(blocks[at])), at))
    kept: list[int] = []
    room = most
    for at in ranked:
        if len(blocks[at]) <= room:
            kept.append(at)
            room -= len(blocks[at]) + 2
    if not kept or ranked[0] not in kept:
        return _shortened(blocks[ranked[0]], asked, most=most)
    return "\n\n".join(blocks[at] for at in sorted(kept))


def _blocks(text: str) -> list[str]:
    """Paragraphs, lists and tables; a line that announces a list belongs to it, headings are left out."""
    blocks: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.rstrip() for line in block.splitlines() if not re.match(r"\s{0,3}#{1,6}\s", line)]
        block = "\n".join(lines).strip()
        if not block:
            continue
        if blocks and blocks[-1].endswith(":") and not blocks[-1].lstrip().startswith("|"):
            blocks[-1] += "\n\n" + block
        else:
            blocks.append(block)
    return blocks


def _shortened(block: str, asked: frozenset[str], *, most: int) -> str:
    """The sentences or list items of one long block that say most about the question."""
    is_list = bool(re.search(r"^\s*(?:[-*+]|\d+[.)])\s", block, re.MULTILINE))
    if block.lstrip().startswith("|"):
        return block
    pieces = block.splitlines() if is_list else re.split(r"(?<=[.!?…])\s+(?=[А-ЯЁA-Z«\"])", block)
    ranked = sorted(range(len(pieces)), key=lambda at: (-len(asked & content(pieces[at])), at))
    kept: set[int] = set()
    room = most
    for at in ranked:
        if len(pieces[at]) <= room:
            kept.add(at)
            room -= len(pieces[at]) + 1
    joined = ("\n" if is_list else " ").join(pieces[at] for at in sorted(kept))
    return joined or block[:most].rsplit(" ", 1)[0] + "…"


def price_table(hits: Iterable[Mapping[str, Any]], *, product: str, names: Iterable[str]) -> Answer | None:
    """The passage that lists what the tiers of a product cost."""
    wanted = {name.lower() for name in names}
    for hit in hits:
        for block in _blocks(hit.get("text", "")):
            if block.count("₽") < 2 or len(block) > LENGTH_MOST:
                continue
            owner = hit.get("product")
            named = any(
                name and name in f"{hit.get('title', '')} {hit.get('passage', '')} {block}".lower() for name in wanted
            )
            if owner == product or (not owner and named):
                return Answer(block, str(hit.get("article", "")), hit.get("title", ""))
    return None
