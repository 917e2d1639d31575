"""What customers say of themselves: masked phones and addresses, a name, a company."""

from __future__ import annotations

import re
from collections.abc import Mapping

from knowledge.llm.keyless import morphology
from sales.assistant.language import ENGLISH

_PHONE = re.compile(r"\[ТЕЛЕФОН_\d+\]")
_EMAIL = re.compile(r"\[ПОЧТА_\d+\]")
_MASKED_NAME = re.compile(r"\[ИМЯ_\d+\](?:\s+\[ИМЯ_\d+\])*")
_WORD = r"[А-ЯЁA-Z][а-яёa-z]+(?:-[А-ЯЁ][а-яё]+)?"
_FULL = rf"{_WORD}(?:[ \t]+{_WORD}){{0,2}}"
_CALLED = re.compile(
    r"(?:зовут меня|зовут|мо[её] имя|name is|i am|i'm|имя)[:\s—-]+"
    r"(?P<name>[^\W\d_]+(?:[ -][А-ЯЁA-Z][^\W\d_]+){0,2})",
    re.IGNORECASE,
)
_IAM = re.compile(
    rf"(?:^|[.,!?\n]\s*|здравствуйте\s+)(?:я|это|с вами|пишет вам)\s*[,—-]?\s*(?P<name>{_FULL})", re.IGNORECASE
)
_BESIDE_MASK = re.compile(
    rf"(?P<before>{_FULL})[\s,:;—-]*(?=\[(?:ТЕЛЕФОН|ПОЧТА)_\d+\])|\[(?:ТЕЛЕФОН|ПОЧТА)_\d+\][\s,:;—-]*(?P<after>{_FULL})"
)
_COMPANY = re.compile(
    r"\b(?P<form>ООО|ОАО|ЗАО|ПАО|АО|НКО|АНО|ИП|ooo|llc|ltd)\s+(?:[«\"“„'](?P<quoted>[^»\"”“'\n]{1,80})[»\"”“']"
    r"|(?P<bare>[А-ЯЁA-Z][\w-]*(?:\s+[А-ЯЁA-Z][\w.-]*){0,2}))"
)
_NAMED_COMPANY = re.compile(
    r"(?:компани[яию]|фирм[аыу]|организаци[яию]|company)\s*[:—-]?\s*(?:[«\"“„](?P<quoted>[^»\"”“\n]{1,80})[»\"”“]|(?P<bare>[А-ЯЁA-Z][\w-]+))"
)


def find(text: str) -> Mapping[str, str]:
    """Which of name, phone, email, company a masked message tells, with what stands there."""
    found = {"name": _name(text), "phone": _last(_PHONE, text), "email": _last(_EMAIL, text), "company": _company(text)}
    return {field: value for field, value in found.items() if value}


def _last(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.findall(text)
    return found[-1] if found else ""


def _name(text: str) -> str:
    called = _CALLED.search(text)
    if called is not None and _looks_called(called["name"]):
        return _trimmed(called["name"])
    if called is None and (masked := re.search(rf"(?:зовут|имя)\W+({_MASKED_NAME.pattern})", text)):
        return masked[1]
    for pattern in (_IAM, _BESIDE_MASK):
        for match in pattern.finditer(text):
            name = next(value for value in match.groupdict().values() if value)
            if _is_name(name):
                return _trimmed(name)
    return ""


def _looks_called(name: str) -> bool:
    """After «меня зовут» nearly anything is a name."""
    first = morphology.spell(name.split()[0])
    return len(first) > 1 and not {"VERB", "PREP", "CONJ", "PRCL"} & morphology.grammar(first)


def _is_name(name: str) -> bool:
    first = morphology.spell(name.split()[0])
    if first.isascii():
        return name[:1].isupper() and len(first) > 2 and not ENGLISH.fullmatch(first)
    return name[:1].isupper() and morphology.is_first_name(first)


def _trimmed(name: str) -> str:
    """Without the words after it that belong to the sentence: «Иван Хочу»."""
    words = name.split()
    kept = [words[0]]
    for word in words[1:3]:
        grammar = morphology.grammar(morphology.spell(word))
        if not word[:1].isupper() or {"VERB", "INFN", "PREP", "CONJ"} & grammar:
            break
        kept.append(word)
    return " ".join(word[:1].upper() + word[1:] for word in kept)


def _company(text: str) -> str:
    match = _COMPANY.search(text)
    if match is not None:
        return (
            f"{match['form'].upper()} «{match['quoted']}»"
            if match["quoted"]
            else f"{match['form'].upper()} {match['bare']}"
        )
    match = _NAMED_COMPANY.search(text)
    if match is None:
        return ""
    return match["quoted"] or match["bare"]
