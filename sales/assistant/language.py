"""Which of our two languages a text is in."""

from __future__ import annotations

import re
from typing import Literal

from common.masking import WRITTEN_MARK

#: enough of common English to know it by; no names of products, and nothing that is also Russian in Latin letters
ENGLISH = re.compile(
    r"\b(?:hello|hi|hey|the|what|how|which|where|when|why|who|are|does|did|can|could|would|will|should|have|has|you"
    r"|your|yours|we|our|it|this|that|they|for|with|without|and|or|of|from|about|price|prices|pricing|cost|costs|much"
    r"|many|month|monthly|year|yearly|annual|annually|quote|proposal|discount|discounts|startup|conversations|documents"
    r"|contracts|reports|chats|need|want|looking|please|thanks|thank|yes|send|call|talk|human|person|someone|help|add"
    r"|remove|buy|sell|offer|compare|difference|between|than|cheaper|cheapest|stored|support|training|onboarding"
    r"|integration|channels|company|employees|not|sure|good|morning|afternoon|bye|goodbye|great|sorry|tell|more|other"
    r"|another|instructions|ignore|your|free|trial|pay|payment|invoice|contract|refund)\b",
    re.IGNORECASE,
)


def language_of(text: str, *, otherwise: str) -> Literal["ru", "en"]:
    """``ru`` where there is Cyrillic, ``en`` where there are English words; other texts keep the language.

    Russian in Latin letters, or typed on the English keyboard, is no English: no word of it is a common one.
    """
    text = WRITTEN_MARK.sub(" ", text)  # masks are no words of the customer
    if re.search(r"[а-яё]", text, re.IGNORECASE):
        return "ru"
    if ENGLISH.search(text):
        return "en"
    return "en" if otherwise == "en" else "ru"
