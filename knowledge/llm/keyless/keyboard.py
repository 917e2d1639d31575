"""Russian in Latin letters: typed on the English keyboard («crjkmrj») or spelt as it sounds («skolko»)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from common.russian import analyzer
from knowledge.words import LAYOUT
from sales.assistant.language import ENGLISH

#: names that Russians write in Latin letters anyway
_NAMES = frozenset(
    """
    ai crm api pdf amo amocrm bitrix bitrix24 telegram whatsapp viber avito instagram gpt chatgpt openai faq ok email
    excel google start pro business enterprise manager lawyer analyst it iphone vk
    """.split()  # noqa: SIM905  thirty quoted words read worse
)
_SOUNDS = (
    *(("shch", "щ"), ("sch", "щ"), ("dzh", "дж"), ("zh", "ж"), ("kh", "х"), ("ch", "ч"), ("sh", "ш"), ("ts", "ц")),
    *(("yu", "ю"), ("ju", "ю"), ("ya", "я"), ("ja", "я"), ("yo", "е"), ("jo", "е"), ("ye", "е"), ("iy", "ий")),
    *(("ay", "ай"), ("ey", "ей"), ("oy", "ой"), ("uy", "уй"), ("yy", "ый"), ("iu", "ю"), ("ia", "ия")),
)
_LETTERS = str.maketrans("abvgdezijklmnoprstufhcwxyq", "абвгдезийклмнопрстуфхцвхык")


def meant(text: str) -> str:
    """The text in Cyrillic where that is what was meant, else as it is."""
    if not re.search(r"[a-z]", text, re.IGNORECASE) or ENGLISH.search(text):
        return text
    typed = _retyped(text)
    return typed if typed != text else _respelt(text)


def _retyped(text: str) -> str:
    if not re.search(r"[a-z]{3}", text, re.IGNORECASE):
        return text
    retyped = text.lower().translate(LAYOUT)
    words = re.findall(r"[а-яё]{2,}", retyped)
    known = [word for word in words if analyzer().word_is_known(word)]
    if sum(map(len, known)) * 2 < sum(map(len, words)) or set(re.findall(r"[a-z]+", text.lower())) <= _NAMES:
        return text
    # what the layout makes of the question mark
    return retyped.replace("&", "?")


def _respelt(text: str) -> str:
    words = [word for word in re.findall(r"[a-z]+", text.lower()) if word not in _NAMES]
    known = [word for word in words if _in_cyrillic(word)]
    enough = sum(map(len, known)) * 5 >= sum(map(len, words)) * 3
    if not enough or not any(len(word) > 2 for word in known):
        return text
    return re.sub(r"[a-z']+", lambda found: _in_cyrillic(found.group()) or found.group(), text, flags=re.IGNORECASE)


@lru_cache(maxsize=10_000)
def _in_cyrillic(word: str) -> str:
    """The Russian word that sounds so, or nothing."""
    word = word.lower()
    if word in _NAMES:
        return ""
    return next((each for each in _readings(word) if analyzer().word_is_known(each)), "")


def _readings(word: str) -> Iterator[str]:
    """A word in Cyrillic as it may be meant: the soft sign is often left out."""
    for latin, cyrillic in _SOUNDS:
        word = word.replace(latin, cyrillic)
    word = word.translate(_LETTERS).replace("'", "ь")
    yield word
    if word.endswith("ы"):
        yield word[:-1] + "й"
    soft = [found.end() for found in re.finditer(r"[лнтсрдзв](?=[бвгджзйклмнпрстфхцчшщ]|$)", word)]
    for at in soft[:6]:
        yield f"{word[:at]}ь{word[at:]}"
