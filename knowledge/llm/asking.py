"""One call of a model, from the prompt to the record of it. Nobody else speaks to a dialect."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from knowledge.llm import breaker, privacy, records
from knowledge.llm.chat import Answer, Dialect, Failure, ModelFailed, Profile, Prompt
from knowledge.llm.models import Purpose
from sales.assistant.protocol import Privacy

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Occasion:
    """What a call is made for, as its record says it."""

    turn_id: uuid.UUID | None = None
    attempt: int = 1
    step: int = 0
    prompt_version: str = ""
    purpose: Purpose = Purpose.TURN


def ask(
    prompt: Prompt,
    *,
    profile: Profile,
    hides: Privacy,
    seconds: float,
    hear: Callable[[str], None] | None = None,
    occasion: Occasion | None = None,
) -> Answer:
    """Ask once, hiding what this model may not see; keep the call, and tell the breaker. Raises ``ModelFailed`` only.

    ``seconds`` are from end to end. A model that is asked with very little time left isn't blamed for being late.
    """
    occasion = occasion or Occasion()
    came: Answer | ModelFailed
    started = time.monotonic()
    try:
        fit = privacy.fit(prompt, profile=profile, privacy=hides)
        dialect = _dialect(profile)
        started = time.monotonic()  # reading an SDK for the first time is no fault of its vendor
        came = dialect.ask(fit, profile=profile, seconds=seconds, hear=hear)
    except ModelFailed as problem:
        came = problem
    except Exception as problem:  # a bug of a dialect mustn't cost the customer the answer of the next model
        logger.exception("dialect failed", extra={"model": profile.slug})
        came = ModelFailed(Failure.MALFORMED, f"our own mistake: {type(problem).__name__}")
    took, now = time.monotonic() - started, timezone.now()
    records.keep(
        came,
        profile=profile,
        seconds=took,
        now=now,
        turn_id=occasion.turn_id,
        attempt=occasion.attempt,
        step=occasion.step,
        prompt_version=occasion.prompt_version,
        purpose=occasion.purpose,
    )
    if isinstance(came, Answer):
        breaker.answered(profile.slug, now=now)
        return came
    logger.warning(
        "model failed", extra={"model": profile.slug, "reason": came.failure.value, "ms": round(took * 1000)}
    )
    hurried = came.failure == Failure.TIMEOUT and seconds < settings.MODEL_CALL_SECONDS / 2
    breaker.failed(profile.slug, came, now=now, fault=not hurried)
    raise came


def warm_up(profiles: Iterable[Profile]) -> None:
    """Read the SDKs of these models before a customer waits for it: it takes a second or three."""
    for profile in profiles:
        _dialect(profile)


def _dialect(profile: Profile) -> Dialect:
    from knowledge.llm.dialects import by_name  # slow: the vendors' SDKs

    return by_name(profile.dialect)
