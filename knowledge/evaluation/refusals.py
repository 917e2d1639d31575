"""How an honest refusal sounds, whichever model says it: the words by which an answer is known to be none.

The patterns are held against text in small letters with е for ё (see ``judging.plain``).
"""

from __future__ import annotations

import re

_SAID = (
    # it isn't known
    r"\b(?:в базе знаний|у меня) (?:об этом |про это |по этому вопросу )?(?:нет|ничего)\b",
    r"\bнет (?:точного |готового )?ответа\b",
    r"\b(?:точного )?ответа (?:на это |на этот вопрос )?(?:в базе знаний )?(?:нет|не знаю|не нашл)",
    r"\bне (?:знаю|нашел|нашла|нашлось|располагаю|владею информацией)\b",
    r"\bнет (?:такой )?(?:информации|сведений|данных об? )",
    # it wasn't understood
    r"\bне (?:удалось|получилось) понять\b",
    r"\bне уверен,? что (?:правильно )?понял",
    r"\bне понял(?:а)? (?:ваш|сообщени|вопрос)",
    # there is no such thing
    r"\b(?:продукта|услуги|тарифа|позиции|периода|скидки|такого|такой|таких|этого)\b[^.!?]{0,60}\bнет\b",
    r"\bу нас (?:такого |такой |таких )?нет\b",
    r"\b(?:мы )?не (?:продаем|предлагаем|оказываем|делаем|занимаемся)\b",
    # it isn't allowed, or isn't ours to do
    r"\bне (?:раскрыва|показыва|разглаша|сообща|обсужда|выда)\w+",
    r"\bне (?:могу|можем|вправе|буду|смогу|получится)\b",
    r"\b(?:изменить )?(?:их )?нельзя\b",
    r"\bпомогаю (?:только )?с (?:нашими|вопросами)",
    # in English
    r"\b(?:has|have|had|there is|there are) (?:nothing|no)\b",
    r"\b(?:can't|cannot|can not|do not|don't|won't|will not|am not able to|unable to) "
    r"(?:answer|help|disclose|share|show|change|know|do|make|sell|offer|discuss|give|find)",
    r"\b(?:can't|cannot) be changed\b",
    r"\bneither show nor change\b",
    r"\bdid not get that\b",
    r"\bnot sure i\b",
    r"\bi help with our\b",
)
_REFUSAL = re.compile("|".join(_SAID))


def refuses(text: str) -> bool:
    """Whether the words of an answer, made ``plain``, say that there is none."""
    return _REFUSAL.search(text) is not None
