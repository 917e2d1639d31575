"""Where sentences end: not in «900 руб. 50 коп.», «т. е.», «д. 5», 19.9, a list's «1.», a link or a table."""

from __future__ import annotations

import re

#: no sentence ends after these
_NEVER = re.compile(
    r"[текнд]|пп?|см|напр|ул|кв|стр|корп|оф|им|обл|пр|пер|наб|ст|тел|доб|вкл|ок|просп|долл"
    r"|mr|mrs|ms|dr|[ei]|vs|no|approx|etc|fig|incl|eg|ie"
)
#: a sentence may end after these where a capital letter follows
_PERHAPS = re.compile(r"руб|тыс|млн|млрд|трлн|гг?|р|коп|мес|мин|сек|ч|шт|чел|др|проц|rub|tys|mln|кг|экз|эл|inc|ltd")
_END = re.compile(r"(?P<mark>[.!?…]+)(?P<after>[»”\"')\]*_~`]*)(?P<space>\s+)|\n")
_WORD_BEFORE = re.compile(r"([^\W_]+)$")
_LIST_NUMBER = re.compile(r"(?:^|\n)[ \t>]*(?:[-*+•]\s+)?(?:\*\*)?\d{1,3}$")
_TABLE_LINE = re.compile(r"[ \t]*\|")
#: of an open bracket further back than this nobody expects the end any more
_BRACKET_MOST = 600


def cut(buffer: str) -> tuple[str, str]:
    """The whole sentences at the beginning of what has been said so far, and the rest; together they are the buffer."""
    end = 0
    for at in _ends(buffer):
        end = at
    return buffer[:end], buffer[end:]


def split(text: str) -> list[str]:
    """The sentences of a finished text, without the space around them; a table is one of them."""
    found, begin = [], 0
    for end in [*_ends(text), len(text)]:
        if sentence := text[begin:end].strip():
            found.append(sentence)
        begin = end
    return found


def _ends(text: str) -> list[int]:
    """Where sentences are over; the last only if something follows that shows it."""
    ends: list[int] = []
    begin = 0
    for found in _END.finditer(text):
        if found[0] == "\n":
            if _in_table(text, found.start()) or _open_bracket(text[begin : found.start()]):
                continue
            ends.append(found.end())
        elif _is_end(text, found) and not _open_bracket(text[begin : found.start()]):
            ends.append(found.end())
        else:
            continue
        begin = ends[-1]
    return ends


def _is_end(text: str, found: re.Match[str]) -> bool:
    if _TABLE_LINE.match(text, text.rfind("\n", 0, found.start()) + 1):
        return False
    following = text[found.end() : found.end() + 1]
    if "\n" in found["space"]:
        return not _LIST_NUMBER.search(text[: found.start()][-12:])
    if not following:
        return False  # it may go on in small letters
    if "!" in found["mark"] or "?" in found["mark"]:
        return not following.islower()
    if following.islower():
        return False
    if found["mark"] != ".":
        return True
    before = text[max(0, found.start() - 40) : found.start()]
    if _LIST_NUMBER.search(before if found.start() <= 40 else before[-12:]):
        return False
    word = _WORD_BEFORE.search(before)
    if word is None:
        return True
    low = word[1].lower()
    if low == "г" and not re.search(r"\d\s*г$", before, re.IGNORECASE):
        return False  # «г. Москва», but «2026 г. Москва…»
    if _PERHAPS.fullmatch(low):
        return following.isalpha() or following in '«"*'
    return not (_NEVER.fullmatch(low) or (len(low) == 1 and word[1].isupper() and word[1].isalpha()))


def _in_table(text: str, at: int) -> bool:
    """Whether the line that ends here is a table's, and the next one is or may become one too."""
    begin = text.rfind("\n", 0, at) + 1
    if not _TABLE_LINE.match(text, begin):
        return False
    following = text[at + 1 : at + 80]
    return not following.strip(" \t") or bool(_TABLE_LINE.match(following)) if "\n" not in following[:1] else False


def _open_bracket(sentence: str) -> bool:
    """Whether a Markdown link has begun and isn't over."""
    tail = sentence[-_BRACKET_MOST:]
    opened = tail.rfind("[")
    if opened < 0:
        return False
    closed = tail.find("]", opened)
    if closed < 0:
        return "\n" not in tail[opened:]
    return tail[closed + 1 : closed + 2] == "(" and ")" not in tail[closed:]
