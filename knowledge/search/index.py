"""The index: how passages, postings and counts follow the articles.

A passage knows its marks, the lists of postings are the marks turned over, the counts are sums over them. One writer
at a time; readers never wait. What is called here runs inside the caller's transaction, so the index of an article
changes as one.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models, transaction

from common import driver
from common.locks import transaction_lock
from knowledge.enums import Kind, Status
from knowledge.models import Article, ArticleQuestion, Passage, PostingList, Yardstick
from knowledge.passages import cut
from knowledge.search import postings
from knowledge.search.parts import asks
from knowledge.words import fingerprint
from pricing import placeholders

#: goes up when passages must be counted anew because words fall into other marks
EDITION = 3
#: characters of passages that are counted and written at once: the fewer times a list is written the better, but each
#: character takes some seventy bytes of memory meanwhile
PORTION = 5_000_000
#: stems outside these lengths are never what somebody has misspelt
_SHORTEST_STEM, _LONGEST_STEM = 3, 40


@dataclass(frozen=True, slots=True)
class Wanted:
    """A passage as the article's present text asks for it. ``indexed`` is all whose words are counted.

    A ``light`` one is a title that asks nothing: it counts for less than a question does.
    """

    article_id: int
    kind: Kind
    position: int
    heading: str
    text: str
    indexed: str
    light: bool = False

    @property
    def digest(self) -> int:
        return fingerprint(f"{EDITION} {self.kind} {self.light} {self.indexed}")


def wanted_of(article: Article, questions: Iterable[str]) -> list[Wanted]:
    """The passages of an article: the pieces of its body, its title and its questions. A draft has none."""
    if article.status != Status.PUBLISHED:
        return []
    pieces = [(piece.heading, piece.text) for piece in cut(article.body)] or [("", article.title)]
    found = [
        Wanted(article.pk, Kind.BODY, place, heading, text, plain(f"{article.title}\n{heading}\n{text}"))
        for place, (heading, text) in enumerate(pieces)
    ]
    asked = {each.strip(): False for each in questions}
    asked.setdefault(article.title, not asks(article.title))
    found += [
        Wanted(article.pk, Kind.QUESTION, place, "", text, plain(text), light)
        for place, (text, light) in enumerate(asked.items())
        if text
    ]
    return found


def plain(text: str) -> str:
    """The text without what is no word of it: placeholders and the addresses of links."""
    return _without_addresses(placeholders.blank(text))


def _without_addresses(text: str) -> str:
    """Markdown links without where they lead: ``[words](address)`` is ``[words]``."""
    if "](" not in text:
        return text
    head, *rest = text.split("](")
    return head + "".join(f"] {each.partition(')')[2]}" if ")" in each else f"]({each}" for each in rest)


def write(article_ids: Sequence[int]) -> None:
    """Bring the passages of these articles up to their present text; what hasn't changed isn't touched."""
    with transaction.atomic():
        lock()
        articles = {each.pk: each for each in Article.objects.filter(pk__in=article_ids).order_by("pk")}
        questions = _questions(articles)
        wanted = [each for article in articles.values() for each in wanted_of(article, questions.get(article.pk, ()))]
        _replace(list(article_ids), wanted)


def forget(article_ids: Sequence[int]) -> None:
    """Take these articles out of the index."""
    with transaction.atomic():
        lock()
        _replace(list(article_ids), [])


def _questions(articles: Mapping[int, Article]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    rows = ArticleQuestion.objects.filter(article__in=list(articles)).order_by("article_id", "position", "id")
    for article_id, text in rows.values_list("article_id", "text"):
        found.setdefault(article_id, []).append(text)
    return found


def _replace(article_ids: list[int], wanted: Sequence[Wanted]) -> None:
    old: dict[tuple[int, str, int], list[tuple[int, int]]] = {}
    rows = Passage.objects.filter(article__in=article_ids)
    for row in rows.values_list("article_id", "kind", "digest", "id", "position"):
        old.setdefault(row[:3], []).append(row[3:])
    new, moved = [], []
    for each in wanted:
        same = old.get((each.article_id, each.kind, each.digest))
        if not same:
            new.append(each)
            continue
        passage_id, position = same.pop()
        if position != each.position:
            moved.append(Passage(pk=passage_id, position=each.position))
    gone = [each[0] for places in old.values() for each in places]
    if moved:
        Passage.objects.bulk_update(moved, ["position"], batch_size=500)
    leaving = _Leaving.read(gone)
    for portion in _portions(new):
        _exchange(leaving, portion)
        leaving = _Leaving()


def _portions(wanted: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    """All of them in turn, and at least one portion, which may be empty."""
    portion: list[Wanted] = []
    size = 0
    for each in wanted:
        if size > PORTION:
            yield portion
            portion, size = [], 0
        portion.append(each)
        size += len(each.indexed)
    yield portion


@dataclass(frozen=True, slots=True)
class _Leaving:
    """Passages that are to go, as id, kind, words, runs and marks, and the lists that they are in."""

    passages: tuple[tuple[int, str, int, int, bytes], ...] = ()
    lists: tuple[tuple[int, int, bytes], ...] = ()

    @classmethod
    def read(cls, ids: Sequence[int]) -> _Leaving:
        if not ids:
            return cls()
        rows = Passage.objects.filter(pk__in=ids).values_list("id", "kind", "words", "runs", "marks")
        passages = tuple((*row[:4], bytes(row[4])) for row in rows)
        with driver.cursor() as cursor:
            lists = cursor.execute(
                "SELECT mark, range, postings FROM knowledge_postinglist"
                " JOIN unnest(%b::int[], %b::int[]) AS asked(mark, range) USING (mark, range)",
                postings.places_of([(row[0], row[4]) for row in passages]),
                binary=True,
            ).fetchall()
        return cls(passages, tuple(lists))


def _exchange(leaving: _Leaving, wanted: Sequence[Wanted]) -> None:
    """Let passages go and others come in one stroke: of a changed article, most marks are in both."""
    if not leaving.passages and not wanted:
        return
    gone = [row[0] for row in leaving.passages]
    if gone:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM knowledge_passage WHERE id = ANY(%s)", [gone])
    made = _store(wanted)
    coming = {(mark, place): data for mark, place, data in made.lists.rows()}
    changed = [
        (mark, place, data + coming.pop((mark, place), b""))
        for mark, place, data in postings.without(leaving.lists, gone)
    ]
    _send(
        "UPDATE knowledge_postinglist AS old SET postings = new.postings"
        " FROM unnest(%b::int[], %b::int[], %b::bytea[]) AS new(mark, range, postings)"
        " WHERE old.mark = new.mark AND old.range = new.range",
        (row for row in changed if row[2]),
    )
    _send(
        "DELETE FROM knowledge_postinglist AS old USING unnest(%b::int[], %b::int[]) AS new(mark, range)"
        " WHERE old.mark = new.mark AND old.range = new.range",
        (row[:2] for row in changed if not row[2]),
    )
    _send(
        "INSERT INTO knowledge_postinglist AS old (mark, range, postings)"
        " SELECT * FROM unnest(%b::int[], %b::int[], %b::bytea[])"
        " ON CONFLICT (mark, range) DO UPDATE SET postings = old.postings || EXCLUDED.postings",
        ((*place, data) for place, data in coming.items()),
    )
    changes = postings.count(made.marks_of_passages)
    changes.subtract(postings.count([row[4] for row in leaving.passages]))
    _count({mark: change for mark, change in changes.items() if change}, made.stems)
    _sum(
        [
            *((each.kind, 1, words, runs) for each, words, runs in zip(wanted, made.words, made.runs, strict=True)),
            *((kind, -1, words, runs) for _id, kind, words, runs, _marks in leaving.passages),
        ]
    )


def _store(wanted: Sequence[Wanted]) -> postings.Made:
    """Store the passages; what they give to the lists and counts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('knowledge_passage', 'id')) FROM generate_series(1, %s)",
            [len(wanted)],
        )
        ids = sorted(row[0] for row in cursor.fetchall())
        made = postings.make(
            [
                postings.Given(passage_id, each.kind, each.light, each.indexed)
                for passage_id, each in zip(ids, wanted, strict=True)
            ]
        )
        columns = "id, article_id, kind, position, heading, text, digest, words, runs, marks"
        with cursor.copy(f"COPY knowledge_passage ({columns}) FROM STDIN") as copy:
            for passage_id, each, words, runs, marks in zip(
                ids, wanted, made.words, made.runs, made.marks_of_passages, strict=True
            ):
                row = (passage_id, each.article_id, each.kind.value, each.position, each.heading, each.text)
                copy.write_row((*row, each.digest, words, runs, marks))
    return made


def _send(sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """One statement with the columns of all rows as its arrays, sent in binary: they are many and long."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        with driver.cursor() as cursor:
            cursor.execute(sql, columns)


def _count(changes: Mapping[int, int], stems: Mapping[int, str]) -> None:
    """Keep the letters of stems, for those who misspell them, and let their counts follow."""
    letters = {
        key: stem
        for key, stem in stems.items()
        if key in changes and _SHORTEST_STEM <= len(stem) <= _LONGEST_STEM and stem.isalpha()
    }
    _send(
        "INSERT INTO knowledge_mark AS known (mark, passages, stem, stem_reversed)"
        " SELECT mark, change, stem, reverse(stem)"
        " FROM unnest(%b::int[], %b::int[], %b::text[]) AS new(mark, change, stem)"
        " ON CONFLICT (mark) DO UPDATE SET passages = known.passages + EXCLUDED.passages",
        ((mark, changes[mark], letters[mark]) for mark in sorted(letters)),
    )
    fewer = {mark: change for mark, change in changes.items() if change < 0}
    _send(
        "UPDATE knowledge_mark AS known SET passages = known.passages + new.change"
        " FROM unnest(%b::int[], %b::int[]) AS new(mark, change) WHERE known.mark = new.mark",
        ((mark, change) for mark, change in fewer.items() if mark not in letters),
    )
    if fewer:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM knowledge_mark WHERE mark = ANY(%s) AND passages <= 0", [list(fewer)])


#: of each kind of passage: where their number is kept, and how many words and runs they have together
_SUMS = {
    Kind.BODY: ("bodies", "words_in_bodies", "runs_in_bodies"),
    Kind.QUESTION: ("questions", "words_in_questions", "runs_in_questions"),
}


def _sum(passages: Iterable[tuple[str, int, int, int]]) -> None:
    """Let the sums follow passages that came (+1) or went (-1), given as kind, sign, words and runs."""
    changes: Counter[str] = Counter()
    for kind, sign, words, runs in passages:
        for name, amount in zip(_SUMS[Kind(kind)], (1, words, runs), strict=True):
            changes[name] += sign * amount
    moved = {name: models.F(name) + change for name, change in changes.items() if change}
    if moved:
        current_yardstick()
        Yardstick.objects.update(**moved)


def current_yardstick() -> Yardstick:
    """The one row there is, made at the first use."""
    return Yardstick.objects.get_or_create(pk=1)[0]


def note_synonyms() -> None:
    """Give the synonyms another edition; by chance, so that none comes twice after a rollback."""
    current_yardstick()
    Yardstick.objects.update(synonyms=secrets.randbits(62))


def tidy() -> None:
    """After many changes: let PostgreSQL know what there is now."""
    if connection.in_atomic_block:
        return  # VACUUM can't run in a transaction; autovacuum will do it
    with connection.cursor() as cursor:
        for model in (PostingList, Passage):
            cursor.execute(f"VACUUM (ANALYZE) {connection.ops.quote_name(model._meta.db_table)}")
        cursor.execute("ANALYZE knowledge_mark")


def lock() -> None:
    """Be the only writer until the transaction ends. Taken before any row lock, so that writers can't deadlock."""
    transaction_lock("knowledge.index")


__all__ = ["current_yardstick", "forget", "lock", "note_synonyms", "tidy", "wanted_of", "write"]
