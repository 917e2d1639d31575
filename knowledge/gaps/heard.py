"""What of a turn was left unanswered, whichever model took it, and what was answered by which article.

A model may say itself which questions it knew no answer to (``Reply.unanswered``, kept in the turn's trace). Of one
that doesn't say, the journal tells: a question is open when no search made for it found anything sure enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from common.masking import WRITTEN_MARK
from common.russian import analyzer
from knowledge.gaps.likeness import Rarity, likeness, read, telling_words
from knowledge.gaps.models import TEXT_MOST
from knowledge.llm.keyless.understanding import understand
from knowledge.search import UNSURE
from knowledge.words import split
from pricing import queries
from sales.assistant.context import masker_of
from sales.enums import Author
from sales.models import Conversation, Message, Turn

SEARCH = "knowledge__search"
#: where no customers write
NO_CUSTOMERS = frozenset({"terminal", "evaluation"})
#: of one turn; who asks more at once writes a list
QUESTIONS_MOST = 5

_RUDE = re.compile("(?:на|по|за|о|от|у|вы|до|пере|раз)?(?:ху[йеёяи]|пизд|[её]б[аеуло]|бля[дт]?|муда|сук[аи]|гандон)")
_LETTERS = re.compile(r"[^\W\d_]")


def missed_in(turn: Turn, conversation: Conversation) -> list[str]:
    """The customer's questions that the turn left unanswered, personal data masked; none of it from our own trials."""
    if conversation.channel in NO_CUSTOMERS:
        return []
    told = (turn.trace or {}).get("unanswered")
    missed = _by_searches(turn, conversation) if told is None else told
    if not missed:
        return []
    masker = masker_of(conversation.lead)
    kept = dict.fromkeys(_tidy(masker.mask(str(each))) for each in missed)
    return [each for each in kept if is_question(each)][:QUESTIONS_MOST]


def asked_in(turn: Turn, conversation: Conversation) -> str:
    """What the customer wrote that the turn answered, personal data masked."""
    masker = masker_of(conversation.lead)
    return _tidy(masker.mask("\n".join(_pending(turn))))


def is_question(text: str) -> bool:
    """Whether a text asks something: not only contact data, numbers, courtesies, letters at random, or abuse."""
    text = WRITTEN_MARK.sub(" ", text)
    words = telling_words(text)
    # one word at least is known, be it «есть» or «для»: a name or a slip of the pen is in no dictionary
    if not any(map(_may_be_word, words)) or not any(map(_is_word, split(text))):
        return False
    rude = [each for each in words if _RUDE.match(each)]
    return not rude or len(words) - len(rude) > 2


def parts_of(text: str) -> list[str]:
    """The text, and each of its sentences."""
    return [text, *filter(None, (each.strip() for each in re.split(r"[.!?\n]+", text)))]


def is_sure(share: float) -> bool:
    """Whether the search is sure enough of what it found."""
    return share >= UNSURE


def _by_searches(turn: Turn, conversation: Conversation) -> Sequence[str]:
    """The questions whose search found nothing sure. Where a search failed nobody knows, so nothing is said."""
    calls = list(turn.tool_calls.filter(name=SEARCH))
    if any(call.failed for call in calls):
        return []
    searches = [(read(str(call.arguments.get("query", ""))), _best_share(call.result)) for call in calls]
    if all(is_sure(share) for _, share in searches):  # or none was made
        return []
    flat = Rarity()
    missed = []
    for question in _questions(_pending(turn)):
        asked = read(question)
        # the words of the query are the model's own: the nearest one was meant, of equals the surest
        _, share = max(searches, key=lambda each: (likeness(asked, each[0], flat), each[1]))
        if not is_sure(share):
            missed.append(question)
    return missed


def _best_share(result: Mapping[str, Any]) -> float:
    hits = (result.get("data") or {}).get("hits") or ()
    return max((float(hit.get("share") or 0) for hit in hits), default=0.0)


def _pending(turn: Turn) -> list[str]:
    found = Message.objects.filter(
        conversation_id=turn.conversation_id,
        author=Author.CUSTOMER,
        seq__gt=turn.after_seq,
        seq__lte=turn.upto_seq,
    )
    return [message.text for message in found.order_by("seq")]


def _questions(texts: Iterable[str]) -> Iterable[str]:
    """What of these messages the knowledge base may answer: no greeting, no order, no attack."""
    catalogue = queries.catalogue()
    for text in texts:
        yield from (question.text for question in understand(text, catalogue).questions)


def _tidy(text: str) -> str:
    return " ".join(text.split())[:TEXT_MOST]


def _is_word(text: str) -> bool:
    return len(text) > 1 and (_is_latin_word(text) if text.isascii() else bool(analyzer().word_is_known(text)))


def _may_be_word(text: str) -> bool:
    return len(text) > 2 and (_is_latin_word(text) if text.isascii() else bool(_LETTERS.search(text)))


def _is_latin_word(text: str) -> bool:
    return text.isalpha() and (bool(re.search("[aeiouy]", text)) or len(text) <= 4)  # «sdfghjk» is none, «crm» may be


__all__ = ["asked_in", "is_question", "is_sure", "missed_in", "parts_of"]
