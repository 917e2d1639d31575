"""Saying no: a sentence that denies needs no proof, and what it repeats it doesn't prove."""

from __future__ import annotations

import re

_DENIES = re.compile(
    r"\bне (?:мог(?:у|ут|ли|ла)?|можем|может|можно|смогу|сможем|сможет|получится|выйдет|дам|дадим|даю|да[её]м|дают"
    r"|делаем"
    r"|делаю|сделаю|сделаем|предусмотрен\w*|действует|действуют|подтвер\w+|предоставля\w+|предлага\w+|бывает|существует"
    r"|удастся|вправе|числ\w+|наш[её]л\w*|нашл\w+|вижу|видим|значится|укладыва\w+|уложи\w+|хватит|хватает|обеща\w+"
    r"|гарант\w+|входит|входят|назов\w+|назыв\w+|знаю|знаем|будет|буду|скажу|имею|имеем|нужн\w+|требует\w*|положен\w*"
    r"|верн[её]м|успе\w+|возвраща\w+|работа\w+|планиру\w+|придума\w+|соответств\w+|совпада\w+)\b(?! не\b)"
    r"|\b(?:нельзя|невозможн\w+|отсутству\w+|вынужден\w* отказать|откажу|отказываем)\b"
    r"|\bнет\b(?! проблем)|\bникак\w* (?:скид|гарант|услов|срок)\w*|\bне (?:скидк|акци|цен|гарант|бесплатн)\w*"
    r"|\b(?:cannot|can ?not|can['’]t|couldn['’]t|unable|won['’]t|not (?:available|possible|offer\w*|able|promise"
    r"|guarantee\w*)"
    r"|no such|(?:don['’]t|do not|does not|doesn['’]t) (?:offer|have|give|promise|guarantee|apply|know)"
    r"|there (?:is|are) no)\b",
    re.IGNORECASE,
)
#: a bound or an exception turns a denial round: «дороже 1 800 ₽ не выйдет», «не действует только …»
_TURNED = re.compile(
    r"\b(?:дороже|больше|выше|более|меньше|ниже|менее|дешевле|только|кроме|лишь|more than|over|less than|except"
    r"|only)\b",
    re.IGNORECASE,
)
_CLAUSES = re.compile(r",\s*(?=(?:но|а|зато|однако|поэтому|так что|тогда|but|so|and|yet)\b)|[;:]|\s–\s|(?<=[.!?])\s")


def denies(sentence: str) -> bool:
    """Whether a sentence says no anywhere."""
    return _DENIES.search(sentence) is not None


def denied(sentence: str, start: int, end: int) -> bool:
    """Whether the clause around these places says no to what stands there."""
    clause = around(sentence, start, end)
    return _DENIES.search(clause) is not None and not _TURNED.search(clause)


def around(sentence: str, start: int, end: int) -> str:
    """The clause in which these places stand."""
    begin, over = 0, len(sentence)
    for found in _CLAUSES.finditer(sentence):
        if found.end() <= start:
            begin = found.end()
        elif found.start() >= end:
            over = found.start()
            break
    return sentence[begin:over]
