"""What is nobody's business: the system's own words, the names of tools, JSON for programs, marks of nobody's data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from common.masking import KINDS
from sales.assistant.guard.evidence import Known
from sales.assistant.guard.text import flat, plain
from sales.assistant.guard.verdict import Finding, Kind

#: so many words in a row out of a secret text are no accident
RUN = 8

_WHY = "internal names, instructions and data for programs are not for customers; say it in plain words or leave it out"
_WHY_MARK = "nobody in this conversation stands behind this mark; leave it out"

_TOOL = re.compile(r"\b[a-z]+__[a-z_]+\b", re.IGNORECASE)
_SNAKE = re.compile(r"(?<![\w/.@:-])[a-z]+(?:_[a-z0-9]+)+(?![\w/@])")
_SYNTAX = re.compile(
    r"[{\[]\s*\\?[\"'“]\w+\\?[\"'”]\s*:|<\|?/?\s*(?:im_(?:start|end)|tool\w*|function\w*|system|assistant|facts"
    r"|customer|staff|result|check"
    r"|event|invoke|think\w*|antml\w*)\b[^>\n]{0,80}\|?>|\[/?INST\]|```\s*(?:json|xml|tool\w*|python)"
    r"|\btool_calls?\b|\bfunction_call\b"
    r"|\bto=\w+\.\w+|<<SYS>>",
    re.IGNORECASE,
)
#: a reply is Markdown: tags would stand in it as they are, or worse
_TAG = re.compile(
    r"<\s*/?\s*(?:script|img|a|iframe|form|input|style|svg|object|embed|link|meta|base|html|body|div|span|button|video)"
    r"\b[^<>]{0,200}>?|\bjavascript\s*:|\bdata:text/html|!\[[^\]\n]{0,80}\]\([^)\n]*\)?",
    re.IGNORECASE,
)
_ROLE = re.compile(r"(?:^|\n)\s*(?:system|assistant|developer|user|tool)\s*:\s", re.IGNORECASE)
_MARK = re.compile(r"[\[【(<{]\s*([А-ЯЁ]{3,14})[_ \\-]{1,3}(\d{1,6})\s*[\]】)>}]")
_LOOSE_MARK = re.compile(
    rf"\[\s*({'|'.join(KINDS)}|КОМПАНИЯ|ИНН|СЧ[ЕЁ]Т)[_ \\-]*(\d{{1,6}})\s*\]",
    re.IGNORECASE,
)
_ENCODED = re.compile(r"(?<![\w/+.%-])(?:[A-Za-z0-9+/_-]{40,}={0,2}|(?:[0-9a-f]{2}[ :]?){24,})(?![\w/])")
_WORDS = re.compile(r"[^\W_]+")


def check(sentence: str, known: Known) -> Iterator[Finding]:
    """Findings on one sentence of a draft, or on the whole of it."""
    said = known.everything
    bare = re.sub(r"\]\([^)\s]*\)|\bhttps?://\S+", " ", sentence)
    for pattern in (_TOOL, _SNAKE):
        for found in pattern.finditer(bare.replace("\\_", "_")):
            customers = any(found[0].lower() in text.lower() for text in known.customers)
            if pattern is _TOOL or not customers:
                yield Finding(Kind.LEAK, found[0], _WHY)
    for pattern in (_SYNTAX, _ROLE, _TAG):
        for found in pattern.finditer(sentence):
            yield Finding(Kind.LEAK, found[0].strip()[:60], _WHY)
    for pattern in (_MARK, _LOOSE_MARK):
        for found in pattern.finditer(sentence):
            if f"[{found[1].upper()}_{int(found[2])}]" not in said:
                yield Finding(Kind.LEAK, found[0], _WHY_MARK)
    for found in _ENCODED.finditer(bare):
        if found[0] not in said:
            yield Finding(Kind.LEAK, found[0][:60], _WHY)
    yield from _secret_words(sentence, known)


def _secret_words(sentence: str, known: Known) -> Iterator[Finding]:
    """Runs of words that stand in a secret text and that nobody has said here."""
    secret = _runs_of(known.secrets)
    if not secret:
        return
    low = plain(sentence)
    words = _WORDS.findall(low)
    for canary in _canaries(known.secrets):
        if canary in low:
            yield Finding(Kind.LEAK, canary, _WHY)
    for at in range(len(words) - RUN + 1):
        run = " ".join(words[at : at + RUN])
        if run in secret and run not in _told(known.words):
            yield Finding(Kind.LEAK, run, _WHY)
            return


@lru_cache(maxsize=8)
def _runs_of(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(run for text in texts for run in _runs(text))


def _runs(text: str) -> Iterable[str]:
    words = _WORDS.findall(plain(flat(text)))
    return (" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1))


@lru_cache(maxsize=8)
def _canaries(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Words of a secret text that no language has: letters and digits mixed, ten and more."""
    found = re.findall(r"\b(?=\w*\d)(?=\w*[a-z])[a-z0-9-]{10,}\b", " ".join(texts).lower())
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=32)
def _told(words: str) -> str:
    return " ".join(_WORDS.findall(words))
