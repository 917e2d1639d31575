"""Every call of a model, kept: what it was for, what came of it, what it cost. No text of anybody.

A turn runs outside any transaction, so a call's row stays whatever becomes of the turn. In a rehearsal it goes with it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F

from common import metrics
from knowledge.llm.budget import local_day
from knowledge.llm.chat import Answer, ModelFailed, Profile, Usage
from knowledge.llm.models import CallOutcome, ModelCall, ModelDay, Purpose

logger = logging.getLogger(__name__)

#: calls are kept this long; the sums of their days stay
KEPT = timedelta(days=180)
_MILLION = Decimal(1_000_000)


#: what a token costs that is put into the vendor's cache, in prices of one that isn't, by how long it is kept there
_WRITTEN = {"": Decimal("1.25"), "5m": Decimal("1.25"), "1h": Decimal(2)}


def roubles(usage: Usage, profile: Profile) -> Decimal:
    """What a call costs by the profile's prices, to a hundredth of a kopeck."""
    cached = min(usage.cached, usage.prompt)
    written = min(usage.written, usage.prompt - cached)
    dearer = _WRITTEN.get(str(profile.options.get("cache_ttl") or ""), Decimal(2))
    full = usage.prompt - cached - written + written * dearer
    cost = full * profile.price_in + cached * profile.price_cached + usage.answer * profile.price_out
    return (Decimal(cost) / _MILLION).quantize(Decimal("0.0001"))


def keep(
    came: Answer | ModelFailed,
    *,
    profile: Profile,
    seconds: float,
    now: datetime,
    turn_id: uuid.UUID | None = None,
    attempt: int = 1,
    step: int = 0,
    prompt_version: str = "",
    purpose: Purpose = Purpose.TURN,
) -> Decimal:
    """Keep one call and count it; returns its roubles. A database that fails costs the record, not the answer."""
    outcome = CallOutcome.OK if isinstance(came, Answer) else CallOutcome(came.failure.value)
    cost = roubles(came.usage, profile)
    first = came.first_piece if isinstance(came, Answer) else None
    _count(profile.slug, outcome, usage=came.usage, cost=cost, seconds=seconds, first=first)
    call = ModelCall(
        at=now,
        purpose=purpose,
        turn_id=turn_id,
        attempt=min(attempt, 32_000),
        step=step,
        slug=profile.slug,
        model=profile.model[:200],
        prompt_version=prompt_version[:40],
        outcome=outcome,
        words="" if isinstance(came, Answer) else came.words[:500],
        prompt_tokens=came.usage.prompt,
        cached_tokens=came.usage.cached,
        answer_tokens=came.usage.answer,
        estimated=came.usage.estimated,
        roubles=cost,
        ms=round(seconds * 1000),
        first_piece_ms=None if first is None else round(first * 1000),
        request_id=(came.request_id if isinstance(came, Answer) else "")[:100],
    )
    try:
        with transaction.atomic():
            call.save(force_insert=True)
            _add_to_day(call)
    except DatabaseError:
        logger.exception("call of a model not kept", extra={"model": profile.slug})
    return cost


def carry_over(calls: Iterable[ModelCall]) -> None:
    """Keep calls of a rehearsal, which takes their rows back: what was paid counts."""
    for call in calls:
        call.pk, call.turn_id, call.purpose = None, None, Purpose.CHECK
        with transaction.atomic():
            call.save(force_insert=True)
            _add_to_day(call)


def tidy(*, now: datetime) -> int:
    """Drop the calls that are too old to ask about; their days' sums stay."""
    return ModelCall.objects.filter(at__lt=now - KEPT).delete()[0]


def _count(
    slug: str, outcome: CallOutcome, *, usage: Usage, cost: Decimal, seconds: float, first: float | None
) -> None:
    metrics.model_calls_total.labels(profile=slug, outcome=outcome.value).inc()
    metrics.model_seconds.labels(profile=slug).observe(seconds)
    if first is not None:
        metrics.model_first_piece_seconds.labels(profile=slug).observe(first)
    for kind, count in (("prompt", usage.prompt), ("cached", usage.cached), ("answer", usage.answer)):
        metrics.model_tokens_total.labels(profile=slug, kind=kind).inc(count)
    metrics.model_roubles_total.labels(profile=slug).inc(float(cost))


def _add_to_day(call: ModelCall) -> None:
    day = ModelDay.objects.filter(day=local_day(call.at), slug=call.slug)
    added: dict[str, Any] = {
        "calls": 1,
        "failures": int(call.outcome != CallOutcome.OK),
        "prompt_tokens": call.prompt_tokens,
        "cached_tokens": call.cached_tokens,
        "answer_tokens": call.answer_tokens,
        "roubles": call.roubles,
        "ms": call.ms,
    }
    if day.update(**{name: F(name) + value for name, value in added.items()}):
        return
    try:
        with transaction.atomic():
            ModelDay.objects.create(day=local_day(call.at), slug=call.slug, **added)
    except IntegrityError:  # the day's first call of another process came between
        day.update(**{name: F(name) + value for name, value in added.items()})
