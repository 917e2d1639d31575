"""What of a message the knowledge base may answer, and what is nothing but a yes or a no."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge.llm.keyless import lexicon, morphology
from knowledge.llm.keyless.message import Clause, Message, compares_periods, places, units_of
from knowledge.llm.keyless.morphology import wordset
from knowledge.llm.keyless.numbers import Number
from knowledge.llm.keyless.phrasebook import Match
from knowledge.llm.keyless.sizes import strangers_in

Kind = (
    Literal["knowledge", "discount", "compare", "paper", "ware", "about", "guess", "more"]
    | Literal["prices", "tiers", "periods", "cheapest", "vat", "services", "budget"]
)
#: what the catalogue answers by itself
FACTS = frozenset({"prices", "tiers", "periods", "cheapest", "vat", "services", "budget", "discount"})


@dataclass(frozen=True)
class Question:
    """A part of the message that the knowledge base may answer, and the products it names."""

    text: str
    products: tuple[str, ...] = ()
    #: ``about``: a product at large; ``ware``: the price of something that isn't in the catalogue;
    #: ``guess``: nothing was asked clearly; one of ``FACTS``: the catalogue answers it
    kind: Kind = "knowledge"
    #: it speaks of «it» or «this», so it is about what was spoken of before
    refers: bool = False
    #: codes of the tiers or discounts that are meant
    names: tuple[str, ...] = ()
    #: the catalogue answers it, but the knowledge base may know more
    special: bool = False
    #: it asks of the discounts in their own quote
    own: bool = False
    #: the words of the customer, where ``text`` is a translation
    said: str = ""
    #: roubles a month, of a budget
    amount: int = 0


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
        refers = "refers" in clause.intents
        if kind == "discount":
            names, special = _discounts_named(message, clause), _is_special(message, clause)
            if not names and _named_in(message, clause, "service"):
                names, special = ("services",), False
            special = special and not names
            own = bool({message.lemma(place) for place in places(clause)} & _OWN)
            questions.append(Question(text, tuple(about), kind, refers, names, special, own))
        elif kind == "ware":
            sold = "price" not in clause.intents
            questions.append(Question(text, tuple(about), kind, refers, special=sold))
        elif kind == "paper":
            special = bool(clause.intents & {"know", "compare"}) or clause.asks
            questions.append(Question(text, tuple(about), kind, refers, special=special))
        elif kind in {"tiers", "budget"}:
            counted = (match.name for match in message.all("unit") if clause.holds(match.first))
            about = about or dict.fromkeys(counted)
            names, amount = _tiers_named(message, clause), _budget(message, clause)
            questions.append(Question(text, tuple(about), kind, refers, names, amount=amount))
        else:
            questions.append(Question(text, tuple(about), kind, refers))
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
    " abilities advise here threat fun"
)


def _kind(message: Message, clause: Clause) -> Kind | None:
    intents = clause.intents
    if any(message.words[place].kind == "mask" for place in places(clause)):
        return None
    if "services" in intents and not _named_in(message, clause, "service"):
        return "services"
    if intents & _NO_QUESTION:
        return None
    if _budget(message, clause):
        return "budget"
    if "compare" in intents and not ("price" in intents and _has_number(message, clause)):
        return _kind_of_comparison(message, clause)
    if "more" in intents and not _named_in(message, clause, *_SOLD):
        return "more"
    if "vat" in intents:
        return "vat"
    if _asks_limit(message, clause):
        return "tiers"
    if "discount" in intents or _asks_percent(message, clause) or _asks_of_package(message, clause):
        return "discount"
    if clause.asks and _names_startups(message, clause):
        return "discount"
    if any(clause.holds(match.first) for match in message.all("period") if match.name == "unsold"):
        return None
    if "paper" in intents:
        return None if _named_in(message, clause, "period") else "paper"
    if "included" in intents:
        return "tiers" if _tiers_named(message, clause) else "knowledge"
    if clause.asks and _both_periods(message, clause):
        return "periods"
    sells = clause.asks and {message.lemma(place) for place in places(clause)} & {"продавать", "торговать", "sell"}
    if ("price" in intents or sells) and ware_in(message, clause):
        return "ware"
    if intents & {"price", "complaint"} and not (intents & {"complaint"} and "know" in intents):
        return None
    if _named_in(message, clause, "startup") and not clause.asks:
        return None
    if _has_number(message, clause) and intents & {"want", "add", "what_if"}:
        return None
    content = content_of(message, clause)
    facts = _has_facts(message, clause)
    periods = _named_in(message, clause, "period") or any(
        message.lemma(place) in {"год", "месяц"} for place in places(clause)
    )
    if "what_if" in intents and periods and len(content) <= 2 and not intents & {"discount", "compare"}:
        return None  # «what about paying annually?»
    if "know" in intents and content:
        return "knowledge"
    if facts and clause.asks and content and _only_services(message, clause):
        return "knowledge"
    if facts or not content or intents & {"thanks", "greeting", "not_now"}:
        return None
    if clause.asks:
        return "knowledge"
    return "guess" if len(content) >= (2 if "want" in intents else 1) else None


def _kind_of_comparison(message: Message, clause: Clause) -> Kind:
    """What is compared: periods, tiers, or products and the rest, of which articles tell."""
    if compares_periods(message, clause):
        return "periods"
    if _tiers_named(message, clause) or any(message.lemma(at) == "тариф" for at in places(clause)):
        return "tiers"
    cheap = {message.lemma(at) for at in places(clause)} & _CHEAP
    if cheap and not _named_in(message, clause, *_SOLD):
        return "cheapest"
    return "prices" if cheap else "compare"


_CHEAP = wordset("дешевле дешевый выгодный выгоднее бюджетный cheaper cheapest")


def _both_periods(message: Message, clause: Clause) -> bool:
    """«А помесячно и за год как?»."""
    return {"month", "year"} <= {match.name for match in message.all("period") if clause.holds(match.first)}


def _tiers_named(message: Message, clause: Clause) -> tuple[str, ...]:
    return tuple(dict.fromkeys(match.name for match in message.all("tier") if clause.holds(match.first)))


def _asks_limit(message: Message, clause: Clause) -> bool:
    """«Сколько диалогов в тарифе Старт?», «какой лимит у Бизнеса?»."""
    words = {message.lemma(place) for place in places(clause)}
    if not ({"сколько", "лимит", "объем", "limit", "many"} & words and _tiers_named(message, clause)):
        return False
    counted = _named_in(message, clause, "unit") or words & {"лимит", "объем", "limit"}
    return bool(counted) and not _has_number(message, clause) and "price" not in clause.intents


def _named_in(message: Message, clause: Clause, *kinds: str) -> bool:
    """Whether a clause names something of one of these kinds."""
    return any(clause.holds(match.first) for kind in kinds for match in message.all(kind))


_SOLD = ("product", "head", "service")


def _budget(message: Message, clause: Clause) -> int:
    number = budget_in(message, clause)
    return number.whole if number is not None else 0


def budget_in(message: Message, clause: Clause) -> Number | None:
    """The roubles a month that they want to spend: «бюджет 30 тысяч», «что есть до 20 000 рублей?»."""
    for number in message.numbers:
        if not clause.holds(number.first) or number.negative or number.value < _BUDGET_LEAST:
            continue
        if number.last + 1 in units_of(message):
            continue  # «прикидываем бюджет: 1700 обращений» counts what is bought
        money = message.lemma(number.last + 1) in _ROUBLES or message.text[
            message.words[number.last].end :
        ].lstrip().startswith("₽")
        upto = message.raw(number.first - 1) in {"до", "under", "within"} and clause.asks
        if "budget" in clause.intents or (money and upto):
            return number
    return None


_BUDGET_LEAST = 1000
_ROUBLES = wordset("рубль руб р rub rubles roubles")


def _discounts_named(message: Message, clause: Clause) -> tuple[str, ...]:
    """The discounts that a question is about: for the year, for startups, for so many products."""
    words = {message.lemma(place) for place in places(clause)}
    year = any(clause.holds(match.first) and match.name == "year" for match in message.all("period"))
    year = year or bool(words & {"год", "годовой", "year", "yearly", "annual"})
    startup = _named_in(message, clause, "startup")
    products = _products_counted(message, clause) if words & _PACKAGE else 0
    if not products and words & {"пакет", "пакетный", "комплект", "несколько", "bundle", "package"}:
        products = -1
    named = []
    for discount in message.catalogue.discounts:
        for_year = year and discount.billing_period == "year"
        for_products = discount.distinct_products and products in {-1, discount.distinct_products}
        if for_year or for_products or (startup and discount.startup):
            named.append(discount.code)
    return tuple(named)


_PACKAGE = wordset("продукт решение бот пакет product products подписка сервис")


def _products_counted(message: Message, clause: Clause) -> int:
    counts = [number.whole for number in message.numbers if clause.holds(number.first)]
    return counts[0] if counts else 0


#: what may be said of discounts without asking more than which there are
DISCOUNT_WORDS = wordset(
    "скидка скидочка дешевле подешевле дешевый дорого дорогой дороговато процент год годовой месяц оплата"
    " платить оплатить стартап продукт пакет два три какой сколько давать дать предоставлять размер"
    " весь максимальный конкурент бонус акция"
    " получить положить возможно мочь подписка условие всего цена сделать покупка брать взять сразу вперед"
    " вообще тут там заплатить вместе купить действовать быть иметься совсем слишком почему чо скинуть discount"
    " discounts year yearly startup"
    " startups products cheaper expensive any have give get which paying if"
)


_OWN = wordset("выйти получиться получаться вышло сумма этот наш мой учесть учитываться расчет итог")


def _is_special(message: Message, clause: Clause) -> bool:
    """Whether a question about discounts asks more than which there are: «складываются ли они?»."""
    return any(word not in DISCOUNT_WORDS and morphology.is_known(word) for word in content_of(message, clause))


#: what a price may be asked of without meaning anything in particular
_ANYTHING = wordset(
    "продукт решение система услуга сервис тариф подписка бот штука клиент компания вариант месяц год рубль деньги цена"
    " стоимость прайс расчет смета пакет сумма лицензия вопрос период оплата покупка работа день человек price cost"
)


def ware_in(message: Message, clause: Clause) -> str:
    """What a price is asked of, where the catalogue knows no such thing: «сколько стоит реклама?»."""
    if _has_facts(message, clause) or _named_in(message, clause, "hint"):
        return ""
    taken = {
        place
        for match in message.all("intent")
        if match.name in {"price", "greeting", "thanks", "what_if", "add"}
        for place in range(match.first, match.last + 1)
    }
    nouns = [
        place
        for place in places(clause)
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


def _asks_percent(message: Message, clause: Clause) -> bool:
    """«Почему не 25 %?»."""
    text = message.text[message.words[clause.first].start : message.words[clause.last].end + 2]
    return "%" in text and clause.asks and "attack_price" not in clause.intents


def _asks_of_package(message: Message, clause: Clause) -> bool:
    """«А за два продукта?» goes on about discounts."""
    first = message.raw(clause.first) in {"а", "и"} and clause.last - clause.first <= 4
    words = {message.lemma(place) for place in places(clause)}
    return (
        first
        and bool(words & _PACKAGE)
        and bool(_products_counted(message, clause))
        and not _named_in(message, clause, *_SOLD)
    )


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
        for place in places(clause)
        if message.words[place].kind == "word"
        and place not in polite
        and len(message.lemma(place)) > 1
        and not {message.lemma(place), message.raw(place)} & (lexicon.FILLERS | lexicon.YES | lexicon.SEEN)
    ]


def _has_facts(message: Message, clause: Clause) -> bool:
    """Whether a clause names something a quote is made of."""
    named = _named_in(message, clause, *_SOLD, "tier", "period", "startup")
    short = {message.lemma(place) for place in places(clause)} <= {"месяц", "год"}
    return named or short or _has_number(message, clause)


def _has_number(message: Message, clause: Clause) -> bool:
    """Whether a clause has a number that stands on its own: not «1С»."""
    return any(
        clause.holds(number.first) and not message.text[message.words[number.last].end :].lstrip("-–")[:1].isalpha()
        for number in message.numbers
    )


def is_vague(question: Question) -> bool:
    """«Что можем взять?» asks nothing beside a question that does."""
    words = {
        morphology.lemma(morphology.spell(word)) for word in re.findall(r"[а-яёa-z]+", question.text, re.IGNORECASE)
    }
    return question.kind in {"knowledge", "guess"} and words <= lexicon.VAGUE | lexicon.FILLERS


def _only_services(message: Message, clause: Clause) -> bool:
    named = _named_in(message, clause, "product", "head", "tier", "period", "startup")
    return not named and not _has_number(message, clause) and bool(message.all("service"))


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
    leaves = "пока" in lemmas and set(lemmas) <= {"пока", "лан", "ладно", "ну", "весь", "давать", "ок", "окей", "до"}
    return {"goodbye"} if leaves else set()


def _among(word: tuple[str, str], known: frozenset[str]) -> bool:
    return not known.isdisjoint(word)
