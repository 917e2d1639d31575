"""Words as search sees them: how a text falls into words, and by which marks a word is found again.

A word leaves three kinds of mark: its stem, the first five letters of the stem of its dictionary form, and the runs of
characters that it is made of. A mark is a 32-bit number: among hundreds of thousands of marks some two share one, which
moves a score by less than anybody sees, and millions of postings are half as large.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any

import snowballstemmer
from rapidfuzz.distance import OSA

from common.russian import analyzer

#: letters of the stem of the dictionary form that are kept: «оплат» for «оплатить», «оплата» and «оплаченный»
PREFIX = 5
_LONG = 7
#: lengths of the runs of characters; a word's edges count as a character. A text is known by runs of one length: with
#: all three it is found no better, in an index three times as large. A question is short and needs all it has
TEXT_RUNS = (4,)
QUESTION_RUNS = (3, 4, 5)
#: what is longer is no word but a key or a picture in letters; its beginning will do
LONGEST_WORD = 40

#: words of the longest phrase that is known as such
PHRASE_MOST = 5

_PARTS = re.compile(r"[,;\n]+")
_WORD = re.compile(r"[^\W_]+")
_MARKS_ABOVE = re.compile("[\u0300-\u036f]")
_CYRILLIC = re.compile("[а-я]")

#: the letters of the Russian keyboard by those that are typed while it stands on English
LAYOUT = str.maketrans("qwertyuiop[]asdfghjkl;'zxcvbnm,.`", "йцукенгшщзхъфывапролджэячсмитьбюё")

#: what people say to be kind: it asks for nothing, and in a small knowledge base it would look rare and so weighty
COURTESY = frozenset(
    """
    здравствуйте здравствуй здрасте здрасьте здраствуйте приветствую привет хай добрый доброе доброго день дня утро утра
    вечер вечера суток ребята ребят уважаемые подскажите подскажи подскажете скажите скажи пожалуйста пожалуста плиз пж
    пжл пжлст плз спасибо спс благодарю заранее извините простите помогите помоги hello hi please thanks
    """.split()  # noqa: SIM905  forty quoted words read worse
)
#: words that hold a sentence together: each says little about what is asked
FUNCTION_WORDS = frozenset(
    """
    я мне меня мной мы нам нас нами ты тебе тебя вы вам вас вами он ему его него ним она ей ее нее они им их них это эта
    этот эти этого того тот та те то так такой такая такое такие ваш ваша ваше ваши вашего вашей ваших вашу вашим наш
    наша наше наши нашего нашей наших нашу свой своя свое свои свою мой моя мое мои мою ли же бы б и а но или что чтобы
    чтоб в во на с со к ко по о об от до за из при для под над про через между не ни нет есть был была было были быть
    будет будут буду тоже также еще уже только вот там тут здесь если когда просто очень можно нужно надо хочу хотим ну
    да как какой какая какие какое
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word form with its marks."""

    text: str
    stem: str
    stem_mark: int
    prefix_mark: int
    #: runs of characters, repeats included, as texts and as questions are known by them
    text_runs: tuple[int, ...]
    question_runs: tuple[int, ...]


def split(text: str) -> list[str]:
    """The words of a text in order, in small letters, ``ё`` as ``е``, without accents and punctuation."""
    text = text.lower().replace("ё", "е")
    if not text.isascii():
        # й must keep its mark, a stress must not: composed first, what is left above a letter is stress
        text = _MARKS_ABOVE.sub("", unicodedata.normalize("NFKC", text)).replace("ё", "е")
    return [word[:LONGEST_WORD] for word in _WORD.findall(text)]


def phrases(text: str) -> list[str]:
    """The words and phrases of a list as people write it, each once."""
    return list(dict.fromkeys(each for part in _PARTS.split(text) if (each := " ".join(part.split()))))


@lru_cache(maxsize=60_000)
def word(text: str) -> Word:
    """The marks of a word form as ``split`` gives it. Kept: dictionary forms are slow to find, 20,000 a second."""
    stem = stem_of(text)
    return Word(
        text=text,
        stem=stem,
        stem_mark=mark("stem", stem),
        prefix_mark=mark("prefix", prefix_of(text, stem)),
        text_runs=tuple(run_mark(run) for run in runs_of(text, TEXT_RUNS)),
        question_runs=tuple(run_mark(run) for run in runs_of(text, QUESTION_RUNS)),
    )


def known_stem(stem: str) -> Word:
    """The marks of a stem that is known as such: it isn't stemmed again, and has no runs of its own."""
    return Word(stem, stem, mark("stem", stem), mark("prefix", stem[:PREFIX]), (), ())


def stem_of(text: str) -> str:
    """The word without its ending."""
    return (_russian() if _CYRILLIC.search(text) else _english()).stemWord(text)


def prefix_of(text: str, stem: str) -> str:
    """The first letters of the stem of the dictionary form.

    The dictionary is asked only where it may change them: a long stem begins as its dictionary form does, and of a word
    that it doesn't know the dictionary could only guess.
    """
    if len(stem) > _LONG or not _CYRILLIC.search(text) or not analyzer().word_is_known(text):
        return stem[:PREFIX]
    lemma = analyzer().parse(text)[0].normal_form.replace("ё", "е")
    return stem_of(lemma)[:PREFIX]


def runs_of(text: str, lengths: Sequence[int]) -> list[str]:
    """Every run of these lengths in a word with its edges, repeats included."""
    edged = f" {text} "
    return [edged[at : at + length] for length in lengths for at in range(len(edged) - length + 1)]


def distance(one: str, other: str, most: int) -> int:
    """Letters that are wrong, missing, too many or swapped; ``most + 1`` if there are more than ``most``."""
    return OSA.distance(one, other, score_cutoff=most)


def mark(kind: str, text: str) -> int:
    """The signed 32-bit number that stands for ``text`` among marks of its kind."""
    return int.from_bytes(blake2b(f"{kind}:{text}".encode(), digest_size=4).digest(), "big", signed=True)


def fingerprint(text: str) -> int:
    """A signed 64-bit number that another text has by no chance one would meet."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


@lru_cache(maxsize=200_000)
def run_mark(run: str) -> int:
    return mark("run", run)


@cache
def _russian() -> Any:
    return snowballstemmer.stemmer("russian")


@cache
def _english() -> Any:
    return snowballstemmer.stemmer("english")
