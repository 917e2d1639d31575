"""The index: how passages, postings and counts follow the articles.

All is done in SQL on vectors that Python makes: a passage row holds its vector, the postings are the vectors turned
over, the counts are sums over them. One writer at a time; readers never wait. What is called here runs inside the
caller's transaction, so the index of an article changes as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from common.locks import lock_key
from knowledge.enums import Kind, Status
from knowledge.models import Article, ArticleQuestion, Passage, Posting, Yardstick
from knowledge.passages import cut
from knowledge.search.parts import TITLE_SHARE, Lengths, asks, measure, vector
from knowledge.words import mark
from pricing import placeholders

#: how far an average may move from the one in use, as a share of it, before everything is scaled anew
DRIFT = 0.2
#: passages whose vectors are made at once
PORTION = 500
#: stems outside these lengths are never what somebody has misspelt
_SHORTEST_STEM, _LONGEST_STEM = 3, 40

_COLUMNS = (
    *("id", "article_id", "kind", "position", "heading", "text", "digest", "yardstick", "words", "runs"),
    *("marks", "factors"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A passage as the article's present text asks for it. ``indexed`` is all that goes into the vector.

    ``share`` is how much of a question it is: a title that asks nothing counts for less than a question does.
    """

    article_id: int
    kind: Kind
    position: int
    heading: str
    text: str
    indexed: str
    share: float = 1.0

    @property
    def digest(self) -> int:
        return mark(f"passage {self.kind} {self.share}", self.indexed)


@dataclass(frozen=True, slots=True)
class Done:
    """What a writing changed: passages made, passages dropped, passages left as they were."""

    made: int
    dropped: int
    kept: int


def wanted_of(article: Article, questions: Iterable[str]) -> list[Wanted]:
    """The passages of an article: the pieces of its body, its title and its questions. A draft has none."""
    if article.status != Status.PUBLISHED:
        return []
    pieces = [(piece.heading, piece.text) for piece in cut(article.body)] or [("", article.title)]
    found = [
        Wanted(article.pk, Kind.BODY, place, heading, text, plain(f"{article.title}\n{heading}\n{text}"))
        for place, (heading, text) in enumerate(pieces)
    ]
    asked = {each.strip(): 1.0 for each in questions}
    asked.setdefault(article.title, 1.0 if asks(article.title) else TITLE_SHARE)
    found += [
        Wanted(article.pk, Kind.QUESTION, place, "", text, plain(text), share)
        for place, (text, share) in enumerate(asked.items())
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


def write(article_ids: Sequence[int]) -> Done:
    """Bring the passages of these articles up to their present text; what hasn't changed isn't touched."""
    with transaction.atomic():
        lock()
        if len(article_ids) > 1:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL work_mem = '64MB'")  # a portion is sorted in memory
        yardstick = current_yardstick()
        articles = {each.pk: each for each in Article.objects.filter(pk__in=article_ids).order_by("pk")}
        questions = _questions(articles)
        wanted = [each for article in articles.values() for each in wanted_of(article, questions.get(article.pk, ()))]
        return _replace(list(article_ids), wanted, yardstick)


def forget(article_ids: Sequence[int]) -> None:
    """Take these articles out of the index."""
    with transaction.atomic():
        lock()
        _replace(list(article_ids), [], current_yardstick())


def _questions(articles: Mapping[int, Article]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    rows = ArticleQuestion.objects.filter(article__in=list(articles)).order_by("article_id", "position", "id")
    for article_id, text in rows.values_list("article_id", "text"):
        found.setdefault(article_id, []).append(text)
    return found


def _replace(article_ids: list[int], wanted: Sequence[Wanted], yardstick: Yardstick) -> Done:
    old: dict[tuple[int, str, int], list[tuple[int, int]]] = {}
    rows = Passage.objects.filter(article__in=article_ids, yardstick=yardstick.number)
    for row in rows.values_list("article_id", "kind", "digest", "id", "position"):
        old.setdefault(row[:3], []).append(row[3:])
    new, moved, kept = [], [], []
    for each in wanted:
        same = old.get((each.article_id, each.kind, each.digest))
        if not same:
            new.append(each)
            continue
        passage_id, position = same.pop()
        kept.append(passage_id)
        if position != each.position:
            moved.append(Passage(pk=passage_id, position=each.position))
    gone = list(Passage.objects.filter(article__in=article_ids).exclude(pk__in=kept).values_list("id", flat=True))
    if gone:
        _drop_postings(gone)
    if moved:
        Passage.objects.bulk_update(moved, ["position"], batch_size=500)
    made = _make(new, yardstick) if new else []
    if gone or made:
        _count(gone, made)
    if gone:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM knowledge_passage WHERE id = ANY(%s)", [gone])
    return Done(made=len(made), dropped=len(gone), kept=len(kept))


def _make(wanted: Sequence[Wanted], yardstick: Yardstick) -> list[int]:
    """Store the passages with their vectors and postings; their ids.

    Of many, the next portion's vectors are made while PostgreSQL writes the last one's.
    """
    portions = [wanted[start : start + PORTION] for start in range(0, len(wanted), PORTION)]
    if len(portions) == 1:
        return _store(_rows(portions[0], yardstick))
    made: list[int] = []
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="vectors") as pool:
        coming = pool.submit(_rows, portions[0], yardstick)
        for following in [*portions[1:], None]:
            ready = coming.result()
            if following is not None:
                coming = pool.submit(_rows, following, yardstick)
            made += _store(ready)
    return made


@dataclass(frozen=True, slots=True)
class _Rows:
    """Passages ready to be stored, without their ids, and the letters of their stems."""

    rows: list[tuple[Any, ...]]
    stems: dict[int, str]


def _rows(wanted: Sequence[Wanted], yardstick: Yardstick) -> _Rows:
    """The passages' rows. Touches no database: it runs beside the writing of other rows."""
    averages = {
        Kind.BODY: Lengths(yardstick.body_words, yardstick.body_runs),
        Kind.QUESTION: Lengths(yardstick.question_words, yardstick.question_runs),
    }
    rows, stems = [], {}
    for each in wanted:
        made = vector(each.indexed, each.kind, averages[each.kind], each.share)
        stems.update(made.stems)
        # a passage has few different factors, whatever the number of its marks
        short = {factor: f"{factor:.6g}" for factor in set(made.factors.values())}
        rows.append(
            (
                *(each.article_id, each.kind.value, each.position, each.heading, each.text, each.digest),
                *(yardstick.number, made.lengths.words, made.lengths.runs),
                "{" + ",".join(map(str, made.factors)) + "}",
                "{" + ",".join(map(short.__getitem__, made.factors.values())) + "}",
            )
        )
    return _Rows(rows, stems)


def _store(ready: _Rows) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('knowledge_passage', 'id')) FROM generate_series(1, %s)",
            [len(ready.rows)],
        )
        ids = [row[0] for row in cursor.fetchall()]
        with cursor.copy(f"COPY knowledge_passage ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
            for passage_id, row in zip(ids, ready.rows, strict=True):
                copy.write_row((passage_id, *row))
        # in the order of its index, which is written several times faster so
        cursor.execute(
            "INSERT INTO knowledge_posting (mark, passage, factor)"
            " SELECT each.mark, p.id, each.factor FROM knowledge_passage p,"
            " unnest(p.marks, p.factors) AS each(mark, factor) WHERE p.id = ANY(%s) ORDER BY 1, 2",
            [ids],
        )
    _know_letters(ready.stems)
    return ids


def _drop_postings(passages: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM knowledge_posting USING"
            " (SELECT id, unnest(marks) AS mark FROM knowledge_passage WHERE id = ANY(%s)) AS gone"
            " WHERE knowledge_posting.mark = gone.mark AND knowledge_posting.passage = gone.id",
            [passages],
        )


def _count(gone: list[int], made: list[int]) -> None:
    """Let the counts of marks and the sums of lengths follow. Marks go in one order, so that writers can't deadlock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO knowledge_mark AS known (mark, passages, stem, stem_reversed)"
            " SELECT mark, sum(change), '', '' FROM ("
            "  SELECT unnest(marks) AS mark, -1 AS change FROM knowledge_passage WHERE id = ANY(%s)"
            "  UNION ALL SELECT unnest(marks), 1 FROM knowledge_passage WHERE id = ANY(%s)"
            " ) AS changes GROUP BY mark HAVING sum(change) <> 0 ORDER BY mark"
            " ON CONFLICT (mark) DO UPDATE SET passages = known.passages + EXCLUDED.passages",
            [gone, made],
        )
        if gone:
            cursor.execute(
                "DELETE FROM knowledge_mark WHERE passages <= 0 AND mark IN"
                " (SELECT unnest(marks) FROM knowledge_passage WHERE id = ANY(%s))",
                [gone],
            )
        cursor.execute(_FOLLOW_SUMS, [made, gone, Kind.BODY.value, made, gone, Kind.QUESTION.value])


_SUMS = """
    SELECT coalesce(sum(sign), 0) AS n, coalesce(sum(sign * words), 0) AS words, coalesce(sum(sign * runs), 0) AS runs
    FROM (
        SELECT 1 AS sign, words, runs, kind FROM knowledge_passage WHERE id = ANY(%s)
        UNION ALL SELECT -1, words, runs, kind FROM knowledge_passage WHERE id = ANY(%s)
    ) AS changed WHERE kind = %s
"""
_FOLLOW_SUMS = f"""
    UPDATE knowledge_yardstick
    SET bodies = bodies + b.n, words_in_bodies = words_in_bodies + b.words, runs_in_bodies = runs_in_bodies + b.runs,
        questions = questions + q.n, words_in_questions = words_in_questions + q.words,
        runs_in_questions = runs_in_questions + q.runs
    FROM ({_SUMS}) AS b, ({_SUMS}) AS q
"""  # noqa: S608  made of two constants


def _know_letters(stems: Mapping[int, str]) -> None:
    """Keep the letters of stems that are new, for those who misspell them."""
    rows = {key: stem for key, stem in stems.items() if _SHORTEST_STEM <= len(stem) <= _LONGEST_STEM and stem.isalpha()}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO knowledge_mark AS known (mark, passages, stem, stem_reversed)"
            " SELECT mark, 0, stem, reverse(stem) FROM unnest(%s::bigint[], %s::text[]) AS new(mark, stem)"
            " ORDER BY mark"
            " ON CONFLICT (mark) DO UPDATE SET stem = EXCLUDED.stem, stem_reversed = EXCLUDED.stem_reversed"
            " WHERE known.stem = ''",
            [list(rows), list(rows.values())],
        )


# --- the yardstick ----------------------------------------------------------------------------------------------


def current_yardstick() -> Yardstick:
    """The one row there is, made at the first use."""
    return Yardstick.objects.get_or_create(pk=1)[0]


def prepare(article_ids: Sequence[int]) -> bool:
    """Before many articles are written: set the averages by what the index will hold. Returns whether they changed."""
    with transaction.atomic():
        lock()
        yardstick = current_yardstick()
        sums = _Sums.of(yardstick)
        for row in Passage.objects.filter(article__in=article_ids).values_list("kind", "words", "runs"):
            sums.add(row[0], Lengths(row[1], row[2]), sign=-1)
        articles = {each.pk: each for each in Article.objects.filter(pk__in=article_ids)}
        questions = _questions(articles)
        for article in articles.values():
            for each in wanted_of(article, questions.get(article.pk, ())):
                sums.add(each.kind, measure(each.indexed, each.kind))
        return _set_averages(yardstick, sums)


def settle() -> bool:
    """After an article was written: set the averages anew if they have moved too far. Returns whether they changed."""
    with transaction.atomic():
        lock()
        yardstick = current_yardstick()
        return _set_averages(yardstick, _Sums.of(yardstick))


@dataclass(slots=True)
class _Sums:
    """How many passages of each kind, and how long together."""

    counts: dict[str, int]
    words: dict[str, float]
    runs: dict[str, float]

    @classmethod
    def of(cls, yardstick: Yardstick) -> _Sums:
        return cls(
            {Kind.BODY: yardstick.bodies, Kind.QUESTION: yardstick.questions},
            {Kind.BODY: yardstick.words_in_bodies, Kind.QUESTION: yardstick.words_in_questions},
            {Kind.BODY: yardstick.runs_in_bodies, Kind.QUESTION: yardstick.runs_in_questions},
        )

    def add(self, kind: str, lengths: Lengths, sign: int = 1) -> None:
        self.counts[kind] += sign
        self.words[kind] += sign * lengths.words
        self.runs[kind] += sign * lengths.runs

    def averages(self) -> Iterator[tuple[str, float]]:
        for kind in Kind:
            count = max(1, self.counts[kind])
            yield f"{kind.value}_words", self.words[kind] / count
            yield f"{kind.value}_runs", self.runs[kind] / count


def _set_averages(yardstick: Yardstick, sums: _Sums) -> bool:
    averages = dict(sums.averages())
    drifted = any(
        abs(now - getattr(yardstick, name)) > DRIFT * getattr(yardstick, name) for name, now in averages.items()
    )
    if not drifted:
        return False
    Yardstick.objects.filter(pk=yardstick.pk).update(number=yardstick.number + 1, **averages)
    return True


def tidy() -> None:
    """After many changes: let PostgreSQL know what there is now, and mark it settled so that the index is enough."""
    if connection.in_atomic_block:
        return  # VACUUM can't run in a transaction; autovacuum will do it
    with connection.cursor() as cursor:
        for model in (Posting, Passage):
            cursor.execute(f"VACUUM (ANALYZE) {connection.ops.quote_name(model._meta.db_table)}")
        cursor.execute("ANALYZE knowledge_mark")


def lock() -> None:
    """Be the only writer until the transaction ends. Taken before any row lock, so that writers can't deadlock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key("knowledge.index")])


__all__ = ["Done", "current_yardstick", "forget", "lock", "prepare", "settle", "tidy", "wanted_of", "write"]
