"""What of a planted value is left in a masked text."""

from __future__ import annotations

import re

#: words of addresses and papers that say nothing of whose they are, and towns, which are nobody's address
_SAYS_NOTHING = """
    ул улица улице ulitsa dom kv apt str street baker проспект пр-т переулок пер набережная наб шоссе бульвар мкр
    микрорайон пос деревня дом квартира кв корп корпус стр строение офис оф подъезд комната снт жк участок линия
    площадь проезд тупик аллея обл реки года номер серия год мая июня ноября декабря г.р рождения rus
    москва санкт-петербург казань самара екатеринбург ростов-на-дону новосибирск химки алексин пермь рязань уфа
    московская тульская https www com vk in id profile me
"""
_NOTHING = frozenset(_SAYS_NOTHING.split())


def lines(text: str) -> list[str]:
    """The lines of a set, «С уважением,» together with its signature."""
    joined = text.replace(",\n{", ",\r{")
    return [each.strip().replace("\r", "\n") for each in joined.split("\n") if each.strip()]


def leaks(line: str, masked: str) -> list[str]:
    """The telling words and numbers in braces that the masked text still has, in whatever writing."""
    kept = re.sub(r"\[[А-ЯЁ]+_\d+\]", " ", masked).casefold()
    outside = re.sub(r"\{[^}]*\}", " ", line).casefold()
    found = []
    for value in re.findall(r"\{([^}]*)\}", line):
        for word in re.findall(r"[^\W_]+(?:[-'_.][^\W_]+)*", value.casefold()):
            telling = len(word) >= 3 or (word.isdigit() and len(word) == 2)
            if not telling or word in _NOTHING or re.search(rf"(?<!\w){re.escape(word)}(?!\w)", outside):
                continue
            if word in kept:
                found.append(word)
    return found
