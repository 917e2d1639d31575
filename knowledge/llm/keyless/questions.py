"""What of a message the knowledge base may answer, and what is nothing but a yes or a no."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge.llm.keyless import lexicon, morphology
from knowledge.llm.keyless.message import Clause, Message
from knowledge.llm.keyless.morphology import wordset
from knowledge.llm.keyless.phrasebook import Match
from knowledge.llm.keyless.sizes import strangers_in

Kind = Literal["knowledge", "discount", "compare", "paper", "ware", "about", "guess"]


@dataclass(frozen=True)
class Question:
    """A part of the message that the knowledge base may answer, and the products it names."""

    text: str
    products: tuple[str, ...] = ()
    #: ``about``: a product at large; ``ware``: the price of something that isn't in the catalogue;
    #: ``guess``: nothing was asked clearly
    kind: Kind = "knowledge"
    #: it speaks of «it» or «this», so it is about what was spoken of before
    refers: bool = False


def questions_in(message: Message, products: Sequence[Match]) -> tuple[Question, ...]:
    """The message's questions in order."""
    questions = []
    strangers = {place for place, _ in strangers_in(message)}
    for clause in message.clauses:
        kind = None if any(clause.holds(place) for place in strangers) else _kind(message, clause)
        if kind is None:
            continue
        about = dict.fromkeys(match.name for match in products if clause.holds(match.first))
        text = ware_in(message, clause) if kind == "ware" else _text(message, clause)
        questions.append(Question(text, tuple(about), kind, "refers" in clause.intents))
    return tuple(questions)


_LEADING = re.compile(
    r"^(?:(?:а|и|но|ну|так|скажите|подскажите|пожалуйста|здравствуйте|привет|добрый день|добрый вечер)\b[\s,.!]*)+",
    re.IGNORECASE,
)
_TRAILING = re.compile(r"[\s,]+(?:и|а|но|пожалуйста|and)$", re.IGNORECASE)


def _text(message: Message, clause: Clause) -> str:
    """The clause as it was written, without the words around the question."""
    text = message.text[message.words[clause.first].start : message.words[clause.last].end].strip(" ,.-—–")
    text = _TRAILING.sub("", _LEADING.sub("", text) or text)
    return text + "?" * clause.asks


_NO_QUESTION = wordset(
    "attack attack_price identity smalltalk foreign privacy no_contact range person proposal goodbye only reset unsure"
    " abilities advise"
)


def _kind(message: Message, clause: Clause) -> Kind | None:
    intents = clause.intents
    if any(message.words[place].kind == "mask" for place in range(clause.first, clause.last + 1)):
        return None
    if "compare" in intents and not ("price" in intents and _has_number(message, clause)):
        return "compare"
    if intents & _NO_QUESTION:
        return None
    if "discount" in intents or (clause.asks and _names_startups(message, clause)):
        return "discount"
    if any(clause.holds(match.first) for match in message.all("period") if match.name == "unsold"):
        return None
    if "paper" in intents:
        return None if any(clause.holds(match.first) for match in message.all("period")) else "paper"
    if "included" in intents:
        return "knowledge"
    if "price" in intents and ware_in(message, clause):
        return "ware"
    if intents & {"price", "complaint"} and not (intents & {"complaint"} and "know" in intents):
        return None
    if any(clause.holds(match.first) for match in message.all("startup")) and not clause.asks:
        return None
    if _has_number(message, clause) and intents & {"want", "add", "what_if"}:
        return None
    content = content_of(message, clause)
    facts = _has_facts(message, clause)
    if "know" in intents and content:
        return "knowledge"
    if facts or not content or intents & {"thanks", "greeting", "not_now"}:
        return None
    if clause.asks:
        return "knowledge"
    return "guess" if len(content) >= (2 if "want" in intents else 1) else None


#: what a price may be asked of without meaning anything in particular
_ANYTHING = wordset(
    "продукт решение система услуга сервис тариф подписка бот штука клиент компания вариант месяц год рубль деньги цена"
    " стоимость прайс расчет смета пакет сумма лицензия вопрос период оплата покупка работа день человек price cost"
)


def ware_in(message: Message, clause: Clause) -> str:
    """What a price is asked of, where the catalogue knows no such thing: «сколько стоит реклама?»."""
    if _has_facts(message, clause) or any(clause.holds(match.first) for match in message.all("hint")):
        return ""
    taken = {
        place
        for match in message.all("intent")
        if match.name in {"price", "greeting", "thanks", "what_if", "add"}
        for place in range(match.first, match.last + 1)
    }
    nouns = [
        place
        for place in range(clause.first, clause.last + 1)
        if place not in taken and message.words[place].kind == "word"
        if "NOUN" in morphology.grammar(message.raw(place)) and message.lemma(place) not in _ANYTHING | lexicon.FILLERS
    ]
    if not nouns:
        return ""
    first = nouns[0]
    if first - 1 not in taken and "ADJF" in morphology.grammar(message.raw(first - 1)) and clause.holds(first - 1):
        first -= 1
    if first == nouns[-1]:
        return message.lemma(first)  # «стоимость подключения» asks of «подключение»
    return message.text[message.words[first].start : message.words[nouns[-1]].end]


def _names_startups(message: Message, clause: Clause) -> bool:
    """«А для стартапов?» asks what startups get; «мы стартап» says who they are."""
    plural = (match for match in message.all("startup") if "plur" in morphology.grammar(message.raw(match.first)))
    return any(clause.holds(match.first) for match in plural)


def content_of(message: Message, clause: Clause) -> list[str]:
    """The words of a clause that carry meaning."""
    polite = {
        place
        for match in message.all("intent")
        if match.name in {"greeting", "thanks", "goodbye"}
        for place in range(match.first, match.last + 1)
    }
    return [
        message.lemma(place)
        for place in range(clause.first, clause.last + 1)
        if message.words[place].kind == "word"
        and place not in polite
        and len(message.lemma(place)) > 1
        and not {message.lemma(place), message.raw(place)} & (lexicon.FILLERS | lexicon.YES | lexicon.SEEN)
    ]


def _has_facts(message: Message, clause: Clause) -> bool:
    """Whether a clause names something a quote is made of."""
    kinds = ("product", "head", "tier", "period", "startup", "service")
    named = any(clause.holds(match.first) for kind in kinds for match in message.all(kind))
    short = {message.lemma(place) for place in range(clause.first, clause.last + 1)} <= {"месяц", "год"}
    return named or short or _has_number(message, clause)


def _has_number(message: Message, clause: Clause) -> bool:
    """Whether a clause has a number that stands on its own: not «1С»."""
    return any(
        clause.holds(number.first) and not message.text[message.words[number.last].end :][:1].isalpha()
        for number in message.numbers
    )


def answers_in(message: Message, contact: Mapping[str, str]) -> set[str]:
    """What a message says that is nothing but a yes, a no or «и сколько?»."""
    words = [(message.lemmas[at], word.raw) for at, word in enumerate(message.words) if word.kind == "word"]
    if not words or len(words) > 5 or contact:
        return set()
    lemmas = [lemma for lemma, _ in words]
    if message.numbers and lemmas[0] not in {"да", "ага", "yes"}:
        return set()
    no = {"нет", "не", "неа", "нету", "no", "nope", "ненадо"}
    if lemmas[0] in no and all(_among(word, lexicon.NO) for word in words):
        return {"no"}
    if any(lemma in {"ясно", "ясный", "понятно", "понятный", "понять", "принять"} for lemma in lemmas) and all(
        _among(word, lexicon.SEEN) for word in words
    ):
        return {"seen"}
    if all(_among(word, lexicon.YES) for word in words) and not message.means("not_now"):
        return {"yes"}
    if lemmas[0] in {"да", "ага", "yes"}:
        return {"yes_and"}
    if lemmas == ["весь"]:
        return {"all_products"}
    if "сколько" in lemmas and all(lemma in lexicon.FILLERS for lemma in lemmas):
        return {"price"}
    return {"goodbye"} if lemmas == ["пока"] else set()


def _among(word: tuple[str, str], known: frozenset[str]) -> bool:
    return not known.isdisjoint(word)
