"""One message taken apart: its words, the phrases found in them, and its clauses with what each is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from knowledge.llm.keyless import lexicon, morphology, numbers
from knowledge.llm.keyless.morphology import wordset
from knowledge.llm.keyless.numbers import Number
from knowledge.llm.keyless.phrasebook import Match
from pricing.calculator import Rules

#: words that begin a new question after a comma or «и»
_QUESTION_WORDS = wordset(
    "сколько что как какой чем можно где когда кто почему зачем уметь есть быть расскажите рассказать входить"
    " what how can where when who why does"
)
_LINKS = frozenset({"и", "а", "но", "также", "еще", "and", "but"})

#: what stands before a thing that is taken out, or directly after it
_OUT_BEFORE = wordset("без кроме минус убрать исключить удалить вычеркнуть отказаться отменить выкинуть вместо не")
_OUT_BEFORE_EN = frozenset({"without", "remove", "minus", "instead"})
_OUT_AFTER = wordset("убрать исключить вычеркнуть лишний отменить выкинуть удалить")
_SWAP = frozenset({"поменять", "заменить", "сменить", "replace", "swap"})
_NEED = wordset("нужный надо нужно хотеть брать взять требоваться")
_BETWEEN_OUT = frozenset({"от", "пока", "еще", "of", "the", "весь", "ai", "этот", "тариф"}) | _NEED

_THINGS = frozenset({"product", "head", "hint", "service", "tier", "period", "unit"})


@dataclass
class Clause:
    """A part of a message with one intention: its first and last word, and the intents found in it."""

    first: int
    last: int
    asks: bool
    intents: set[str] = field(default_factory=set)

    def holds(self, place: int) -> bool:
        return self.first <= place <= self.last

    @property
    def only_asks(self) -> bool:
        """Whether it asks about something, and orders nothing."""
        if "included" in self.intents:
            return True
        if self.intents & {"price", "add", "instead", "proposal"}:
            return False
        if "inquire" in self.intents:
            return True
        if "want" in self.intents and not (self.asks and "know" in self.intents):
            return False
        return bool(self.intents & {"know", "discount", "compare"})


class Message:
    """What the readers of ``sizes``, ``extras`` and ``questions`` look things up in."""

    def __init__(self, text: str, catalogue: Rules) -> None:
        cut = morphology.cut(morphology.tidy(text))
        self.catalogue = catalogue
        self.text = cut.text
        self.words = cut.words
        self.asks = cut.asks
        book = lexicon.phrasebook(catalogue)
        self.lemmas = book.lemmas(self.words)
        self.numbers: list[Number] = numbers.find(self.words)
        self._by_kind: dict[str, list[Match]] = {}
        for match in _certain(self, book.find(self.words, self.lemmas)):
            self._by_kind.setdefault(match.kind, []).append(match)
        self._by_kind.setdefault("intent", []).extend(self._bare_prices())
        self.clauses = self._clauses()
        for match in self.all("intent"):
            self.clause_of(match.first).intents.add(match.name)
        for clause in self.clauses:
            if clause.intents & {"about_price", "about_time"} and not self._counts_in(clause):
                # «почему цена меняется?» and «сколько это по времени?» ask for no price
                clause.intents.discard("price")
                clause.intents.add("know")
            if "not_now" in clause.intents and clause.asks and any(self.raw(at) == "если" for at in places(clause)):
                clause.intents.discard("not_now")  # «а если потом больше станет?»
            if "about_proposal" in clause.intents:
                clause.intents.discard("proposal")
                clause.intents.add("know")
        told = {name for clause in self.clauses for name in clause.intents}
        self._by_kind["intent"] = [match for match in self._by_kind["intent"] if match.name in told]
        #: words that belong to a number or a period already explained
        self.spent: set[int] = set()
        for match in self.all("intent"):
            if match.name in {"everything", "all_products"}:  # the three of «все три» is no volume
                self.spend(*range(match.first, match.last + 1))

    def all(self, kind: str) -> Sequence[Match]:
        """The matches of a kind, in order."""
        return self._by_kind.get(kind, ())

    def means(self, intent: str) -> bool:
        return any(match.name == intent for match in self.all("intent"))

    def raw(self, place: int) -> str:
        """A word as it is written; nothing beyond the ends."""
        return self.words[place].raw if 0 <= place < len(self.words) else ""

    def lemma(self, place: int) -> str:
        return self.lemmas[place] if 0 <= place < len(self.lemmas) else ""

    def together(self, one: int, other: int) -> bool:
        """Whether two places are words of the same sentence."""
        inside = 0 <= one < len(self.words) and 0 <= other < len(self.words)
        return inside and self.words[one].sentence == self.words[other].sentence

    def after_comma(self, place: int) -> bool:
        return 0 <= place < len(self.words) and "," in self.words[place].before

    def clause_of(self, place: int) -> Clause:
        return next(clause for clause in self.clauses if clause.holds(place))

    def spend(self, *places: int) -> None:
        self.spent.update(places)

    def is_spent(self, number: Number) -> bool:
        return not self.spent.isdisjoint(range(number.first, number.last + 1))

    def is_out(self, match: Match) -> bool:
        """«без юриста», «юрист не нужен», «уберите юриста», «вместо юриста»."""
        before, steps = match.first - 1, 0
        while self.together(before, match.first) and steps < 2 and not self.after_comma(before + 1):
            if self.lemma(before) in _OUT_BEFORE or self.raw(before) in _OUT_BEFORE_EN:
                return True
            if self.lemma(before) in _SWAP:
                return True
            if self.lemma(before) not in _BETWEEN_OUT:
                break
            before, steps = before - 1, steps + 1
        after = match.last + 1
        if not self.together(match.last, after):
            return False
        if self.lemma(after) in _OUT_AFTER | _SWAP:
            return True
        if self.raw(after) in {"пока", "нам", "мне", "тут"}:
            after += 1
        return self.raw(after) == "не" and self.lemma(after + 1) in _NEED

    def _counts_in(self, clause: Clause) -> bool:
        return any(clause.holds(number.first) for number in self.numbers)

    def _bare_prices(self) -> list[Match]:
        """«Менеджер и аналитик сколько»: at the end of a sentence that names what we sell, it asks for the price."""
        named = [match.first for kind in ("product", "head", "service", "period", "tier") for match in self.all(kind)]
        return [
            Match("intent", "price", place, place)
            for place, lemma in enumerate(self.lemmas)
            if lemma == "сколько" and not self.together(place, place + 1)
            if any(self.together(at, place) for at in named)
        ]

    def _clauses(self) -> list[Clause]:
        """Sentences, cut again where a new question begins: «что умеет … и сколько стоит …»."""
        clauses: list[Clause] = []
        for place, word in enumerate(self.words):
            fresh = not clauses or word.sentence != self.words[place - 1].sentence
            if fresh or (place > clauses[-1].first and self._begins_question(place)):
                clauses.append(Clause(place, place, word.sentence in self.asks))
            clauses[-1].last = place
        return clauses

    def _begins_question(self, place: int) -> bool:
        if self.lemma(place) not in _QUESTION_WORDS and self.raw(place + 1) != "ли":
            return False
        before = self.raw(place - 1)
        return before in _LINKS or (
            self.after_comma(place) and before not in {"то", "так", "того", "скажите", "подскажите"}
        )


# --- which of the phrases found are meant ---


def _certain(message: Message, matches: Iterable[Match]) -> list[Match]:
    """Without what a longer phrase has taken, and without everyday words that only look like ours."""
    matches = list(matches)
    held = {match: _holds(message, match) for match in matches}
    takers = [
        each
        for each in matches
        if held[each]
        and (
            each.kind in _THINGS
            or each.name in {"person", "included", "price", "identity", "what_if", "roughly", "abilities"}
        )
    ]
    tiers = {(each.first, each.last) for each in takers if each.kind == "tier"}
    kept = []
    for match in matches:
        if not held[match] or (match.name == "know" and (match.first, match.last) in tiers):
            continue
        if match.name == "person" and _names_ai(message, match, matches):
            continue
        if not any(each.covers(match) and _takes(message, each, match) for each in takers):
            kept.append(match)
    identity = any(match.name == "identity" for match in kept)
    return [match for match in kept if not (identity and match.name == "person" and match.first == match.last)]


def _takes(message: Message, taker: Match, match: Match) -> bool:
    """Whether the longer phrase leaves nothing of the shorter: the manager in «позовите менеджера» is a person."""
    if taker.kind == "intent":
        if match.kind == "intent":
            return match.name in {"know", "want", "price"}
        return taker.name == "person" and match.kind in {"head", "product"} and message.lemma(match.first) != "ai"
    if match.kind == "intent":
        return match.name in {"know", "discount"} or (match.name == "person" and taker.kind == "product")
    if taker.kind == "period":
        return match.kind == "period"  # «сколько на 25 отчётов в месяц»: its words may stand far apart
    return match.kind in _THINGS


def _names_ai(message: Message, match: Match, matches: Iterable[Match]) -> bool:
    """«Нужен AI-менеджер» asks for no person."""
    inside = range(match.first, match.last + 1)
    return any(each.kind == "product" and each.last in inside and message.lemma(each.first) == "ai" for each in matches)


def _holds(message: Message, match: Match) -> bool:
    if match.kind == "head":
        return _is_product_head(message, match)
    if match.kind == "tier" and match.first == match.last:
        return _is_tier_word(message, match.first)
    if match.kind == "service" and match.first == match.last and message.lemma(match.first) == "интеграция":
        return message.raw(match.last + 1) not in {"с", "со"}
    if match.kind == "service" and match.first == match.last and _is_other_work(message, match):
        return False
    if match.name == "person" and _counts_people(message, match):
        return False
    if match.name == "want" and match.first == match.last:
        return message.raw(match.first - 1) != "не"
    if match.name == "attack_price" and "скинуть" in message.lemmas[match.first : match.last + 1]:
        return "%" in message.text or "процент" in message.lemmas  # «скиньте КП на 1800» asks for a paper
    if match.name == "paper":
        return not any(match.first < number.first <= match.last for number in message.numbers)
    return True


def _is_other_work(message: Message, match: Match) -> bool:
    """«Разработка мобильного приложения» is none of our services, and «crm» is one only where it is bought."""
    if message.raw(match.first) in {"crm", "црм", "срм"}:
        bought = {"сколько", "стоить", "цена", "добавить", "плюс", "посчитать", "рассчитать", "price", "add"}
        return not any(message.together(match.first, at) for at, lemma in enumerate(message.lemmas) if lemma in bought)
    if message.lemma(match.first) == "поддержка":
        return message.lemma(match.first - 1) not in _OUT_BEFORE
    if message.lemma(match.first) not in {"разработка", "доработка", "разработать"}:
        return False
    after = match.last + 1
    if not message.together(match.last, after) or message.after_comma(after):
        return False
    said = morphology.grammar(message.raw(after))
    return bool({"ADJF", "NOUN"} & said) and message.lemma(after) not in _OURS_TO_DEVELOP


_OURS_TO_DEVELOP = wordset("час заказ бот индивидуальный функция интеграция система год месяц")


def _counts_people(message: Message, match: Match) -> bool:
    """«Нас 5 человек» calls nobody."""
    places_of = (at for at in range(match.first, match.last + 1) if message.lemma(at) in _COUNTED)
    counted = {place for number in message.numbers if not number.weak for place in (number.first - 1, number.last + 1)}
    return any(place in counted for place in places_of)


_COUNTED = frozenset({"человек", "сотрудник", "менеджер"})


def _is_product_head(message: Message, match: Match) -> bool:
    """«Юрист» alone is our product unless it is somebody's own, or there are several of them."""
    before, word = match.first - 1, message.raw(match.first)
    if message.together(before, match.first) and message.lemma(before) in lexicon.PEOPLE | {"я"}:
        return False
    if message.lemma(match.last + 1) in {"компания", "фирма", "организация"}:
        return False
    return word.isascii() or "plur" not in morphology.grammar(word)


_NO_TIER_BEFORE_BUSINESS = lexicon.PEOPLE | wordset(
    "малый средний для онлайн крупный в под у весь небольшой развивать вести делать"
)
_NO_TIER_AFTER_BUSINESS = wordset("процесс план задача модель логика клиент партнер идея цель завтрак")
_PLACES = wordset("тариф пакет план версия тарифный")
_ADJECTIVES = wordset("базовый минимальный корпоративный профессиональный стартовый начальный")


def _is_tier_word(message: Message, place: int) -> bool:
    """«Про», «бизнес» and «старт» are everyday words too."""
    raw = message.raw(place)
    before = message.lemma(place - 1) if message.together(place - 1, place) else ""
    after = message.raw(place + 1) if message.together(place, place + 1) else ""
    if before in _PLACES:
        return True
    if raw == "про":
        spoken = {"PREP", "CONJ", "ADVB", "PRCL", "VERB", "PRED", "NPRO"}
        return (
            not after
            or "," in message.words[place + 1].before
            or (bool(spoken & morphology.grammar(after)) and after not in {"это", "вас", "него", "нее", "них", "то"})
        )
    if raw in {"бизнес", "бизнесе", "business"}:
        return before not in _NO_TIER_BEFORE_BUSINESS and message.lemma(place + 1) not in _NO_TIER_AFTER_BUSINESS
    if raw in {"старт", "старте", "start"}:
        return before not in {"быстрый", "для", "легкий", "get"} and after not in {"продаж", "проекта", "up"}
    if message.lemma(place) in _ADJECTIVES:
        return not after or message.lemma(place + 1) in _PLACES or "NOUN" not in morphology.grammar(after)
    return True


def places(clause: Clause) -> range:
    """The words of a clause."""
    return range(clause.first, clause.last + 1)


def compares_periods(message: Message, clause: Clause) -> bool:
    """«Месяц или год», «на год выгоднее?»: a comparison that names a period."""
    if "compare" not in clause.intents:
        return False
    named = {match.name for match in message.all("period") if clause.holds(match.first)} & {"year", "month"}
    words = {message.lemma(place) for place in places(clause)}
    return bool(named) or {"месяц", "год"} <= words or {"month", "year"} <= words or "период" in words


def units_of(message: Message) -> Mapping[int, str]:
    """Where units stand, and of which product: «диалогов», also inside «проверять 40 договоров»."""
    found = {place: match.name for match in message.all("unit") for place in range(match.first, match.last + 1)}
    behind = {number.last + 1 for number in message.numbers}
    for hint in message.all("hint"):
        for place in behind & set(range(hint.first, hint.last + 1)):
            if message.lemma(place) in _UNITS_OF.get(hint.name, ()):
                found.setdefault(place, hint.name)
    return found


#: by product, the dictionary forms of what is counted for it
_UNITS_OF = {code: frozenset(re.split(r"[\s|]+", words)) for code, words in lexicon.UNITS.items()}
