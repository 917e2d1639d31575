"""Every passage is owed a vector: how that is noticed, kept in the background, and kept at once in an import.

Vectors are made in portions, each stored by itself, so whatever ends the work, a kill or a vendor, costs one request.
Nothing here delays the sparse half: passages are searched by their words as soon as they are indexed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, models, transaction
from django.utils import timezone

from common import promise as promises
from common.problems import LastingProblem, TemporaryProblem
from common.promise import State, Superseded
from knowledge.embedding import asking, registry
from knowledge.embedding.models import SLOTS, Embedder, Embedding, Unfinished
from knowledge.embedding.protocol import Embedder as Maker
from knowledge.embedding.protocol import Limits, NoAnswer, Vector, cut, literal
from knowledge.embedding.within import within
from knowledge.enums import Kind
from knowledge.models import Passage
from knowledge.search import index

logger = logging.getLogger(__name__)

#: seconds for which a vendor may be silent in one request, and for which one request may last
SILENCE, REQUEST = 15.0, 25.0
#: waits between the tries of one request; a vendor that asks for more patience gets it from the promise
REPEATS = (0.5, 2.0)
#: seconds of one round in the background; then others have their turn
ROUND = 30.0
#: a problem that only a person can end is looked at again this many seconds later: it may have been
LASTING_WAIT = 300.0
#: seconds between two counts of what is missing
LOOK = 60.0
#: an import waits this many seconds for another worker that embeds and doesn't get on
STANDSTILL = 60.0
#: vectors deleted at once
SWEPT = 5_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Wanted:
    """A passage without a vector: its digest, and its words as they go to the embedder."""

    digest: int
    text: str


# --- who owes ---------------------------------------------------------------------------------------------------


def current() -> Embedder | None:
    """The embedder that new vectors come from, made on first sight; none where the dense half is off.

    One that was on its way and isn't wanted any more makes room.
    """
    name = registry.configured()
    if not name or registry.by_name(name) is None:
        return None
    known = Embedder.objects.filter(name=name).first()
    if known is not None:
        return known
    with transaction.atomic():
        index.lock()
        Embedder.objects.filter(serves=False).exclude(name=name).delete()
        taken = set(Embedder.objects.exclude(name=name).values_list("slot", flat=True))
        free = next(slot for slot in SLOTS if slot not in taken)
        return Embedder.objects.get_or_create(name=name, defaults={"slot": free})[0]


def owe() -> None:
    """Passages have changed: vectors may be missing. Part of the transaction that changed them; one statement.

    Whoever is at work meanwhile finds the promise due again when it wants to say that all is done. One that waits after
    a problem goes on waiting.
    """
    name = registry.configured()
    if name:
        rows = Embedder.objects.filter(name=name).exclude(state=State.DUE)
        rows.update(state=State.DUE, due_at=timezone.now())


def missing(embedder: Embedder) -> int:
    """How many passages have no vector of this embedder."""
    return _missing(embedder).count()


def _missing(embedder: Embedder) -> models.QuerySet[Passage]:
    made = Embedding.objects.filter(embedder=embedder, digest=models.OuterRef("digest"))
    return Passage.objects.filter(~models.Exists(made))


def _portions(embedder: Embedder, limits: Limits) -> Iterator[list[Wanted]]:
    """What is missing, in portions that one request takes; each digest once."""
    after = -(2**63)
    while True:
        rows = (
            _missing(embedder)
            .filter(digest__gt=after)
            .order_by("digest")
            .distinct("digest")
            .values_list("digest", "kind", "article__title", "heading", "text")[: limits.texts]
        )
        portion: list[Wanted] = []
        room = limits.bytes_together
        for digest, kind, title, heading, text in rows:
            words = index.plain(text if kind == Kind.QUESTION else f"{title}\n{heading}\n{text}")
            each = Wanted(digest, cut(words, limits))
            room -= len(each.text.encode())
            if room < 0 and portion:
                break
            portion.append(each)
        if not portion:
            return
        yield portion
        after = portion[-1].digest


# --- keeping it -------------------------------------------------------------------------------------------------


def keep(embedder_id: int) -> None:
    """Go on with what one embedder owes, unless somebody else does."""
    promise = Embedder.objects.filter(pk=embedder_id).first()
    if promise is not None:
        promise.keep(fulfil, now=timezone.now())


def sweep(*, now: datetime) -> int:
    """Make the vectors that are owed, and forget those that nothing asks for any more. Returns how many rounds."""
    mine = current()
    # whoever was switched off owes nothing
    others = Embedder.objects.filter(state__in=[State.DUE, State.TAKEN]).exclude(pk=mine.pk if mine else 0)
    others.update(state=State.DROPPED)
    if mine is None:
        return 0
    if time.monotonic() > _looks.next_at:
        # passages may have changed while the key was away, or by a process that had none
        _looks.next_at = time.monotonic() + LOOK
        if not mine.serves or _missing(mine).exists():
            owe()
    asking.probe(mine)
    # one that was met just now is due just now
    return promises.sweep(Embedder.objects.filter(pk=mine.pk), fulfil, now=max(now, timezone.now()))


@dataclass
class _Looks:
    """When this process next counts what is missing: counting costs more than looking what is due."""

    next_at: float = 0.0


_looks = _Looks()


def fulfil(promise: Embedder) -> None:
    """Make vectors for one round, or until none is missing; then let them serve. Safe to repeat."""
    _fulfil(promise, until=time.monotonic() + ROUND, progress=None)


def _fulfil(promise: Embedder, *, until: float, progress: Progress | None) -> None:
    maker = registry.by_name(promise.name)
    if maker is None or promise.name != registry.configured():
        return  # it is off, or another has its place
    made, total = 0, missing(promise) if progress else 0
    for portion in _portions(promise, maker.limits):
        vectors = _patiently(maker, [each.text for each in portion])
        store(promise, portion, vectors)
        made += len(portion)
        if progress:
            progress(made, max(total, made))
        if time.monotonic() > until:
            raise Unfinished
    _let_serve(promise)
    _forget(promise)
    Embedder.objects.filter(pk=promise.pk).update(failures=0)


def _patiently(maker: Maker, texts: Sequence[str]) -> list[Vector]:
    """Vectors of all the texts or of none, with a few quick repeats."""
    for wait in (*REPEATS, None):
        try:
            return within(REQUEST, lambda: maker.embed(texts, seconds=SILENCE))
        except LastingProblem as problem:
            # of a vendor nothing lasts: somebody pays the bill, or gives another key
            raise TemporaryProblem(str(problem), retry_after=LASTING_WAIT) from None
        except NoAnswer:
            raise
        except TemporaryProblem as problem:
            if wait is None or (problem.retry_after or 0) > wait:
                raise
            time.sleep(wait)
    raise AssertionError("the last try returns or raises")


def store(promise: Embedder, portion: Sequence[Wanted], vectors: Sequence[Vector]) -> None:
    """Keep a portion's vectors, and the promise's lease alive.

    No fence: who comes second finds the same vectors there. But the embedder must still be wanted.
    """
    rows = zip(portion, vectors, strict=True)
    with _still_wanted(promise):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO knowledge_embedding (embedder_id, digest, slot, vector)"
                " SELECT %s, new.digest, %s, new.vector::halfvec"
                " FROM unnest(%s::bigint[], %s::text[]) AS new(digest, vector) ON CONFLICT DO NOTHING",
                [
                    *(promise.pk, promise.slot),
                    *map(list, zip(*((each.digest, literal(vector)) for each, vector in rows), strict=True)),
                ],
            )
        promise.failures = 0
        mine = Embedder.objects.filter(pk=promise.pk, state=State.TAKEN)
        mine.update(due_at=timezone.now() + promise.LEASE, failures=0, problem="", answered_at=timezone.now())


@contextmanager
def _still_wanted(promise: Embedder) -> Iterator[None]:
    """A transaction in which nobody drops the embedder; raises ``Superseded`` where somebody has."""
    with transaction.atomic():
        if not Embedder.objects.select_for_update(of=("self",), no_key=True).filter(pk=promise.pk).exists():
            raise Superseded(promise.lock_name)
        yield


def _let_serve(promise: Embedder) -> None:
    """When all passages have vectors, let these answer questions from now on, in one step."""
    if promise.serves:
        return
    with transaction.atomic():
        # before any row, and so that no passage comes between the look and the step
        index.lock()
        with _still_wanted(promise):
            if _missing(promise).exists():
                raise Unfinished
            Embedder.objects.filter(serves=True).update(serves=False)
            Embedder.objects.filter(pk=promise.pk).update(serves=True, strange=_strangeness(promise))
    promise.serves = True
    logger.info("vectors serve", extra={"model": promise.name})


#: questions that staff wrote beside texts of other articles: how alike strangers are. A few hundred make an average
_LIKENESS = """
WITH texts AS (
    SELECT p.article_id, p.kind, e.vector FROM knowledge_passage p
    JOIN knowledge_embedding e ON e.digest = p.digest AND e.embedder_id = %(embedder)s
), asked AS (SELECT * FROM texts WHERE kind = 'question' ORDER BY hashint8(article_id) LIMIT 100),
there AS (SELECT * FROM texts WHERE kind = 'body' ORDER BY hashint8(article_id) LIMIT 200)
SELECT avg(-(asked.vector <#> there.vector))
FROM asked JOIN there ON asked.article_id <> there.article_id
"""


def _strangeness(promise: Embedder) -> float:
    """How alike texts are that have nothing to do with each other: for some models much, for others little."""
    with connection.cursor() as cursor:
        cursor.execute(_LIKENESS, {"embedder": promise.pk})
        (found,) = cursor.fetchone()
    return min(max(float(found or 0.0), 0.0), 0.95)


def _forget(promise: Embedder) -> None:
    """Drop what nobody will ask for: other embedders' vectors, and those of words that no passage has any more."""
    for other in Embedder.objects.filter(serves=False).exclude(pk=promise.pk):
        while _delete(other.pk, "true"):
            pass
        other.delete()
    while _delete(promise.pk, "NOT EXISTS (SELECT 1 FROM knowledge_passage p WHERE p.digest = e.digest)"):
        pass


def _delete(embedder_id: int, condition: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM knowledge_embedding WHERE (embedder_id, digest) IN (SELECT e.embedder_id, e.digest"  # noqa: S608
            f" FROM knowledge_embedding e WHERE e.embedder_id = %s AND {condition} LIMIT %s)",
            [embedder_id, SWEPT],
        )
        return cursor.rowcount


# --- at once, in an import --------------------------------------------------------------------------------------


def keep_all(*, progress: Progress | None = None) -> str:
    """Make all vectors that are missing, now. Returns what went wrong, in words; empty when nothing is missing.

    Where another worker is at it already, wait for it as long as it gets on. What is left is still owed.
    """
    promise = current()
    if promise is None:
        return ""
    owe()
    left, since = missing(promise), time.monotonic()
    while True:
        Embedder.objects.filter(pk=promise.pk, state=State.DUE).update(due_at=timezone.now())
        taken = promise.keep(
            lambda each: _fulfil(each, until=float("inf"), progress=progress),
            now=timezone.now(),
        )
        try:
            promise.refresh_from_db()
        except Embedder.DoesNotExist:
            return "another embedder was chosen meanwhile"
        if taken and promise.problem:
            return promise.problem
        now_left = missing(promise)
        if promise.serves and not now_left:
            return ""
        if not taken:
            if now_left < left:
                left, since = now_left, time.monotonic()
            if time.monotonic() - since > STANDSTILL:
                return promise.problem or "another worker makes the vectors and doesn't get on"
            time.sleep(0.5)
