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
#: the same with a name that is hidden
_MASKED_IAM = re.compile(
    rf"(?:(?:зовут|имя|ф\.?и\.?о\.?|контактное лицо|name is|i am|i'm|this is|с уважением|regards)\W{{1,4}}"
    rf"|(?:^|[.,!?\n]\s*|здравствуйте\s+|добрый день\s+)(?:я|это|с вами|пишет вам|на связи)\s*[,—-]?\s*)"
    rf"(?P<name>{_MASKED_NAME.pattern})",
    re.IGNORECASE,
)
_MASKED_BESIDE = re.compile(
    rf"(?P<before>{_MASKED_NAME.pattern})[\s,:;—-]*(?:(?:тел\w*|моб\w*|почта|e?-?mail)\W{{0,3}})?(?=\[(?:ТЕЛЕФОН|ПОЧТА)_\d+\])"
    rf"|\[(?:ТЕЛЕФОН|ПОЧТА)_\d+\][\s,:;—-]*(?P<after>{_MASKED_NAME.pattern})",
    re.IGNORECASE,
)
_BESIDE_MASK = re.compile(
    rf"(?P<before>{_FULL})[\s,:;—-]*(?=\[(?:ТЕЛЕФОН|ПОЧТА)_\d+\])|\[(?:ТЕЛЕФОН|ПОЧТА)_\d+\][\s,:;—-]*(?P<after>{_FULL})"
)
_COMPANY = re.compile(
    r"\b(?P<form>ООО|ОАО|ЗАО|ПАО|АО|НКО|АНО|ИП|ooo|llc|ltd)\s+(?:[«\"“„'](?P<quoted>[^»\"”“'\n]{1,80})[»\"”“']"
    r"|(?P<bare>\[ИМЯ_\d+\]|[А-ЯЁA-Z][\w-]*(?:\s+[А-ЯЁA-Z][\w.-]*){0,2}))"
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
    for pattern in (_MASKED_IAM, _MASKED_BESIDE):
        if (masked := pattern.search(text)) is not None:
            return next(value for value in masked.groupdict().values() if value)
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
