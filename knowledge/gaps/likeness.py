"""How alike two questions are, by the words they share; pure, no database.

A word counts by how rarely the articles have it: «вайбер» tells more than «подключить». Two words are the same by
their stem, nearly the same when staff have made them synonyms or by the beginning of their dictionary form, and alike
when one is the other misspelt. Wordings without any such word («есть вакансии», «берёте людей») are strangers here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from common.masking import WRITTEN_MARK
from knowledge.search import synonyms
from knowledge.search.parts import rarity
from knowledge.words import COURTESY, Word, distance, split, stem_of, word

#: from so much of both questions in common they ask for the same thing; measured in ``tests/knowledge/test_gaps_alike``
ALIKE = 0.4
#: what a synonym counts, a word whose dictionary form begins alike, and one that is misspelt
SYNONYM, SAME_ROOT, MISSPELT = 0.9, 0.85, 0.8
#: of a question's words these are compared: more is a letter
WORDS_MOST = 30
#: shorter words have too many neighbours to be each other's slip of the pen; longer ones may have two mistakes
_SHORTEST, _TWO_MISTAKES = 5, 8

#: words that say how something is asked, not what; by their stems, so all their forms are meant
_EMPTY = frozenset(
    stem_of(each)
    for each in """
    а и но или же ли бы б вот ну так то это этот эта эти тот в во на по за к ко с со у о об от до из для при под над про
    без не ни да нет я мы ты вы он она оно они мой моя наш наша ваш ваша ваши вашу вашим вам вас мне нам нас его ее их
    свой свои свою себя сам сами что чего чем как какой какая какое какие каким какую каких кто кого где куда откуда
    когда сколько зачем почему можно могу может можете сможет сможете есть имеется имеются имеете будет будут бывает ли
    если чтобы тоже также все всё весь еще уже только очень надо нужно хочу хотим хотел хотелось получится возможно
    возможен возможна возможность сделать делать делаете делает умеет умеете узнать понять интересует там тут здесь
    вообще через потом скажем вопрос the a an of to in on and or for is are do does can you your i we me my it what how
    with have has there be
    """.split()  # noqa: SIM905
)

#: words that say little: what customers call us, and whether we have something at all. The articles have few of them,
#: as they call things by their names, so rarity alone would take them for what is asked
_WEAK = frozenset(
    stem_of(each)
    for each in """
    бот ботик чатбот робот помощник ассистент нейросеть система сервис программа компания клиент клиенту клиентов
    поддерживает поддерживаете поддерживается подключить подключаете подключается подключите работает работаете работать
    использовать используете использует условия
    """.split()  # noqa: SIM905
)
_WEAK_COUNTS = 0.4


@dataclass(frozen=True)
class Asked:
    """The words of a question that say what is asked, each once."""

    words: tuple[Word, ...]

    @cached_property
    def keys(self) -> frozenset[int]:
        """Marks by which questions that share a word, a root or most of a word's letters are found."""
        found: set[int] = set()
        for each in self.words:
            found |= {each.stem_mark, each.prefix_mark, *each.text_runs}
        return frozenset(found)


def keys_of_like(asked: Asked) -> frozenset[int]:
    """The keys of what may be like this: its own, and those of its words' synonyms."""
    return asked.keys | {other.stem_mark for each in asked.words for other in _synonyms_of(each)}


def read(text: str) -> Asked:
    """What is asked in a text. A text of nothing but empty words keeps them: something was asked."""
    text = WRITTEN_MARK.sub(" ", text)  # what is hidden is not what is asked
    by_stem = {each.stem: each for each in map(word, telling_words(text) or split(text))}
    return Asked(tuple(by_stem.values())[:WORDS_MOST])


def telling_words(text: str) -> list[str]:
    """The words, each once, that say what is asked."""
    return [each for each in dict.fromkeys(split(text)) if each not in COURTESY and stem_of(each) not in _EMPTY]


class Rarity:
    """How much a word tells: the fewer passages of the knowledge base have its stem, the more.

    What no article answers is asked in words that the articles haven't got, so these tell the most; how often
    something is asked says far less, as a question that many ask would then count for little.
    """

    def __init__(self, passages: int = 0, with_stem: Mapping[int, int] | None = None) -> None:
        self._passages = passages
        self._with_stem = with_stem or {}

    def __call__(self, each: Word) -> float:
        weight = rarity(self._with_stem.get(each.stem_mark, 0), self._passages)
        return weight * _WEAK_COUNTS if each.stem in _WEAK else weight


def likeness(one: Asked, other: Asked, weight: Rarity) -> float:
    """What the questions have in common: 0 for strangers, 1 for the same words in any order.

    Half of it is the common part of both, half that of the one that says less: «а вайбер есть?» is whole within
    «можно ли подключить вайбер к боту».
    """
    first, second = sum(map(weight, one.words)), sum(map(weight, other.words))
    if not first or not second:
        return 0.0
    common = sum(fit * (weight(a) + weight(b)) / 2 for a, b, fit in _pairs(one.words, other.words))
    return min(1.0, common / (first + second) + common / min(first, second) / 2)


def _pairs(one: Sequence[Word], other: Sequence[Word]) -> Iterator[tuple[Word, Word, float]]:
    """Words that are the same or nearly so, the surest first, each in one pair only."""
    left, right = list(one), list(other)
    for fit, same in _TESTS:
        for a in tuple(left):
            b = next((each for each in right if same(a, each)), None)
            if b is not None:
                left.remove(a)
                right.remove(b)
                yield a, b, fit


def _same_stem(a: Word, b: Word) -> bool:
    return a.stem_mark == b.stem_mark


def _same_root(a: Word, b: Word) -> bool:
    return a.prefix_mark == b.prefix_mark and min(len(a.stem), len(b.stem)) >= 4


def _misspelt(a: Word, b: Word) -> bool:
    shorter = min(len(a.stem), len(b.stem))
    most = 1 if shorter < _TWO_MISTAKES else 2
    return shorter >= _SHORTEST and distance(a.stem, b.stem, most) <= most


def _same_meaning(a: Word, b: Word) -> bool:
    return any(each.stem == b.stem for each in _synonyms_of(a))


def _synonyms_of(each: Word) -> list[Word]:
    """The single words that staff say mean the same, as the last search in this process knew them."""
    return [phrase[0] for phrase in synonyms.known().by_stems.get((each.stem,), ()) if len(phrase) == 1]


_TESTS = ((1.0, _same_stem), (SYNONYM, _same_meaning), (SAME_ROOT, _same_root), (MISSPELT, _misspelt))


def nearest(text: str, others: Iterable[str]) -> str:
    """Of other texts the one that is most like this; empty where all are strangers."""
    asked, flat = read(text), Rarity()
    best, most = "", 0.0
    for other in others:
        if (alike := likeness(asked, read(other), flat)) > most:
            best, most = other, alike
    return best
