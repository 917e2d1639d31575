"""A question as the index reads it: which marks are looked up, and how much each counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from knowledge.enums import Kind
from knowledge.search import synonyms
from knowledge.search.parts import PARTS, Part, marks_of, rarity
from knowledge.search.spelling import nearest
from knowledge.words import COURTESY, FUNCTION_WORDS, Word, known_stem, split, word

#: what of a question is read: more is a letter, and its beginning says what it is about
WORDS_MOST = 60
#: a word that is put in a misspelt one's place counts a little less than one that was written
REPLACED = 0.85
#: so does one that means the same
SYNONYM = 0.6
#: what a word counts that only holds the sentence together
LITTLE = 0.7
#: runs of a word of middling length, as texts and as questions are known by them
USUAL_RUNS = {Kind.BODY: 5, Kind.QUESTION: 15}
#: postings read for one question: the commonest marks are left out as soon as there would be more. This keeps the
#: time flat while the knowledge base grows; what is left out says the least
POSTINGS_MOST = 100_000
#: a mark that is in more than this share of the passages tells nothing apart, where others do; in so few passages it
#: costs nothing to read
COMMON, FEW = 0.5, 100


#: by word, what may stand in its place, and how much that counts
Alternatives = Mapping[str, Sequence[tuple[Word, float]]]


@dataclass(frozen=True, slots=True)
class Term:
    """A mark of the question in one part: how much it counts for each occurrence, and whose mark it is."""

    mark: int
    part: Part
    weight: float
    passages: int
    said: str


@dataclass(frozen=True, slots=True)
class Averages:
    """How many passages of a kind there are, and how long the average one is."""

    passages: int
    words: float
    runs: float


@dataclass(frozen=True, slots=True)
class Query:
    """The question's vector. ``possible`` is the score of an article that says all of it, in text and question.

    ``replaced`` has the words that nobody here knows, with those put in their place; ``averages`` says how long
    passages are, in words and in runs, by kind.
    """

    terms: tuple[Term, ...]
    possible: float
    replaced: Mapping[str, str]
    #: words of the question, each with those that staff say mean the same
    meant: Mapping[str, Sequence[str]]
    averages: Mapping[Kind, Averages]


def read(text: str) -> Query:
    """Turn a question into its vector, by what the index knows at this moment."""
    known_groups = synonyms.known()
    said = split(text)
    words = _asked(said)
    forms = {form: word(form) for form in words}
    meant = known_groups.of([word(form) for form in said])
    others = [each for some in meant.values() for each in some]
    known, averages, edition = _counts(
        {mark for each in (*forms.values(), *others) for part in PARTS for mark in marks_of(each, part)}
    )
    if edition != known_groups.edition:
        synonyms.load(edition)
        return read(text)
    totals = {kind: each.passages for kind, each in averages.items()}
    alternatives = {form: [(each, SYNONYM) for each in some] for form, some in meant.items()}
    strange = [each for each in forms.values() if not _is_known(each, known) and each.text not in alternatives]
    replaced = nearest([each.stem for each in strange])
    instead = {each.text: known_stem(replaced[each.stem]) for each in strange if each.stem in replaced}
    if instead:
        known |= _counts({mark for each in instead.values() for part in PARTS for mark in marks_of(each, part)})[0]
        alternatives |= {form: [(each, REPLACED)] for form, each in instead.items()}
    terms: dict[int, Term] = {}
    possible = 0.0
    for part in PARTS:
        for each in forms.values():
            possible += part.weight * _best_of(each, part, known, totals[part.kind], alternatives)
            for mark, weight in _marks_asked(each, part, alternatives):
                passages = known.get(mark, 0)
                counts = weight * part.weight * rarity(passages, totals[part.kind])
                if passages and (mark not in terms or terms[mark].weight < counts):
                    terms[mark] = Term(mark, part, counts, passages, each.text)
    return Query(
        terms=tuple(_affordable(terms.values(), totals)),
        possible=possible,
        replaced={each: instead[each].stem for each in instead},
        meant={form: tuple(dict.fromkeys(each.text for each in some)) for form, some in meant.items()},
        averages=averages,
    )


def _asked(said: Sequence[str]) -> list[str]:
    """The words of the question, each once, without those said to be kind unless there are no others."""
    words = list(dict.fromkeys(said))
    return ([each for each in words if each not in COURTESY] or words)[:WORDS_MOST]


def _is_known(each: Word, known: Mapping[int, int]) -> bool:
    return any(known.get(mark) for part in PARTS if part.marks == "stem" for mark in marks_of(each, part))


def _marks_asked(each: Word, part: Part, alternatives: Alternatives) -> Iterable[tuple[int, float]]:
    """The marks that a word asks for, with their share: its own, and those of words in its place."""
    # repeated runs of characters count once, as repeated words do
    marks = dict.fromkeys(marks_of(each, part))
    share = _share(each) * _evened(len(marks), part)
    yield from ((mark, share) for mark in marks)
    if part.marks != "run":
        for other, share in alternatives.get(each.text, ()):
            yield from ((mark, share) for mark in marks_of(other, part))


def _best_of(each: Word, part: Part, known: Mapping[int, int], total: int, alternatives: Alternatives) -> float:
    """What the word adds to a passage that has it: its marks' rarities. An unknown one counts as the rarest."""
    if part.marks != "run" and each.text in alternatives and not _is_known(each, known):
        # the most telling of those that are said here in its place
        heard = [
            sum(rarity(known[mark], total) for mark in marks_of(other, part))
            for other, _share_ in alternatives[each.text]
            if all(mark in known for mark in marks_of(other, part))
        ]
        if heard:
            return max(heard)
    marks = set(marks_of(each, part))
    return _share(each) * _evened(len(marks), part) * sum(rarity(known.get(mark, 0), total) for mark in marks)


def _evened(runs: int, part: Part) -> float:
    """What a run counts in a word of so many: a long word isn't worth as much more as it has more runs."""
    if part.marks != "run" or not runs:
        return 1.0
    return min(1.5, math.sqrt(USUAL_RUNS[part.kind] / runs))


def _share(each: Word) -> float:
    return LITTLE if each.text in FUNCTION_WORDS else 1.0


def _affordable(terms: Iterable[Term], totals: Mapping[Kind, int]) -> Iterable[Term]:
    """The terms that are worth their postings: most telling first, as many as may be read."""
    all_terms = sorted(terms, key=_price)
    telling = [term for term in all_terms if term.passages <= max(FEW, COMMON * totals[term.part.kind])]
    left = POSTINGS_MOST
    for place, term in enumerate(telling or all_terms):
        if term.passages > left and place:
            continue
        left -= term.passages
        yield term


def _price(term: Term) -> float:
    """Postings to read for each unit of weight."""
    return term.passages / (term.weight or 1e-9)


def _counts(marks: Iterable[int]) -> tuple[dict[int, int], dict[Kind, Averages], int]:
    """In how many passages each mark is, how long passages are, and the edition of the synonyms."""
    with connection.cursor() as cursor:
        cursor.execute(
            # a list's length is known without reading it
            "SELECT mark, (sum(octet_length(postings)) / 4)::int, 0, 0 FROM knowledge_postinglist"
            " WHERE mark = ANY(%s::int[]) GROUP BY mark"
            " UNION ALL SELECT NULL, bodies, words_in_bodies, runs_in_bodies FROM knowledge_yardstick"
            " UNION ALL SELECT NULL, questions, words_in_questions, runs_in_questions FROM knowledge_yardstick"
            " UNION ALL SELECT NULL, NULL, synonyms, 0 FROM knowledge_yardstick",
            [list(marks)],
        )
        rows = cursor.fetchall()
    *sums, (_none, edition, _rest) = [row[1:] for row in rows if row[0] is None] or [(0, 0, 0), (0, 0, 0), (None, 0, 0)]
    averages = {
        kind: Averages(count, words / max(1, count), runs / max(1, count))
        for kind, (count, words, runs) in zip(Kind, sums, strict=True)
    }
    return {row[0]: row[1] for row in rows if row[0] is not None}, averages, edition


__all__ = ["Query", "Term", "read"]
