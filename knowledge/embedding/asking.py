"""The vector of a question, while somebody waits for the answer: soon, or not at all.

A vendor that hangs or fails costs one slow search in each process, then nobody asks it for a while; the sparse half
answers alone. What happened is kept with the embedder, so that ``/ready`` of another process can say it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connections
from django.utils import timezone

from common.masking import Masker
from common.problems import LastingProblem, TemporaryProblem
from knowledge.embedding import registry
from knowledge.embedding.models import Embedder
from knowledge.embedding.protocol import Vector, cut
from knowledge.embedding.within import within

logger = logging.getLogger(__name__)

#: seconds that a customer may wait for a vector
PATIENCE = 1.5
#: seconds for which an embedder that failed isn't asked again; doubled by each further failure
REST, REST_MOST = 15.0, 120.0
#: questions whose vectors a process remembers: one turn may search for the same words several times
REMEMBERED = 500
#: an answered question is noted this often at most; a change for the worse or the better at once
NOTED_EVERY = timedelta(minutes=1)
#: a failure that is younger than this says how the vendor is, until a question is answered
PROBE_EVERY = timedelta(seconds=60)


@dataclass
class _Vendor:
    """What this process knows of one embedder."""

    rests_until: float = 0.0
    failures: int = 0
    asking: bool = False
    noted_at: datetime | None = None
    noted_failure: str | None = None
    vectors: OrderedDict[str, Vector] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)


_vendors: dict[str, _Vendor] = {}


def vector_of(text: str, embedder: Embedder, *, names: Sequence[str] = ()) -> Vector | None:
    """The question's vector, or none: its vendor is off, resting after a failure, or fails now.

    Personal data is masked before it leaves, here as on the way to a model; ``names`` are the customer's.
    """
    maker = registry.by_name(embedder.name)
    if maker is None:
        return None
    asked = cut(Masker(names).mask(text), maker.limits)
    vendor = _vendors.setdefault(embedder.name, _Vendor())
    with vendor.lock:
        if asked in vendor.vectors:
            vendor.vectors.move_to_end(asked)
            return vendor.vectors[asked]
        if time.monotonic() < vendor.rests_until or (vendor.failures and vendor.asking):
            return None  # after a rest one question tries, the others don't wait for it
        vendor.asking = True
    try:
        (vector,) = within(PATIENCE, lambda: maker.embed([asked], seconds=PATIENCE))
    except (TemporaryProblem, LastingProblem) as problem:
        _failed(vendor, embedder, str(problem), getattr(problem, "retry_after", None))
        return None
    except Exception as problem:  # a bug of an embedder mustn't cost the customer the answer of the other half
        logger.exception("embedder failed", extra={"model": embedder.name})
        _failed(vendor, embedder, type(problem).__name__, None)
        return None
    with vendor.lock:
        vendor.failures, vendor.asking = 0, False
        vendor.vectors[asked] = vector
        while len(vendor.vectors) > REMEMBERED:
            vendor.vectors.popitem(last=False)
    _note(vendor, embedder, "")
    return vector


def probe(embedder: Embedder) -> None:
    """Ask a vendor of whom nothing is known, or only that it failed, whether it answers: nobody else may be trying."""
    rests = embedder.failed_at is not None and timezone.now() - embedder.failed_at < PROBE_EVERY
    answered = embedder.answered_at is not None and not is_down(embedder)
    if not rests and not answered:
        vector_of(f"Здравствуйте! {timezone.now():%H:%M:%S}", embedder)


def is_down(embedder: Embedder) -> bool:
    """Whether the last question that was put to it failed."""
    failed, answered = embedder.failed_at, embedder.answered_at
    return failed is not None and (answered is None or failed > answered)


def forget() -> None:
    """Forget what this process knows of vendors (tests)."""
    _vendors.clear()


def _failed(vendor: _Vendor, embedder: Embedder, words: str, retry_after: float | None) -> None:
    with vendor.lock:
        rest = min(REST_MOST, REST * 2**vendor.failures)
        vendor.failures, vendor.asking = min(vendor.failures + 1, 10), False
        vendor.rests_until = time.monotonic() + max(rest, min(retry_after or 0.0, REST_MOST))
    logger.warning("embedder rests", extra={"model": embedder.name, "problem": words, "seconds": rest})
    _note(vendor, embedder, words)


def _note(vendor: _Vendor, embedder: Embedder, failure: str) -> None:
    """Keep how it went where other processes see it. Apart from the caller's transaction, which may take long."""
    now = timezone.now()
    with vendor.lock:
        known = vendor.noted_failure == failure and vendor.noted_at is not None
        if known and not failure and now - vendor.noted_at < NOTED_EVERY:  # type: ignore[operator]
            return
        vendor.noted_at, vendor.noted_failure = now, failure
    what: dict[str, Any] = {"failed_at": now, "failure": failure[:500]} if failure else {"answered_at": now}
    writer = threading.Thread(target=_write, args=(embedder.pk, what), name="embedder-note", daemon=True)
    writer.start()
    writer.join(0.5)  # long enough that who looks next sees it, and no longer


def _write(embedder_id: int, what: dict[str, Any]) -> None:
    try:
        Embedder.objects.filter(pk=embedder_id).update(**what)
    except DatabaseError:
        logger.warning("embedder's state not noted", extra={"row": embedder_id})
    finally:
        connections.close_all()  # of this thread
