"""Which model takes the turn: the chain of those that are set up and answer, or at once the one that needs no key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar

from django.utils import timezone

from knowledge.llm import breaker, budget, profiles
from knowledge.llm.chain import Chain
from knowledge.llm.chat import Profile
from knowledge.llm.keyless.model import Keyless
from knowledge.llm.prompting import templates
from pricing import queries
from sales.assistant.protocol import Model

_chosen: ContextVar[tuple[Profile, ...] | None] = ContextVar("chosen_models", default=None)


def model() -> Model:
    """The model for the next turn; ``settings.ASSISTANT_MODEL`` names this function."""
    keyless = Keyless(catalogue=queries.catalogue)
    chosen = _chosen.get()
    asked = list(chosen) if chosen is not None else _ready()
    return Chain(asked, keyless=keyless, chosen=chosen is not None) if asked else keyless


@contextmanager
def using(*, profiles: Sequence[Profile] | None = None, prompt_version: str = "") -> Iterator[None]:
    """Speak with other models inside, or with another version of the prompts: for an evaluation or a second try.

    No profiles at all means the model without a key. Chosen ones are asked whatever breaker and budget say. It holds
    for this thread and what runs in a copy of its context; a thread of a pool has to be given one.
    """
    with ExitStack() as stack:
        if prompt_version:
            stack.enter_context(templates.using(prompt_version))
        if profiles is not None:
            token = _chosen.set(tuple(profiles))
            stack.callback(_chosen.reset, token)
        yield


def _ready() -> list[Profile]:
    """The chain without those that nobody would ask now: left alone by the breaker, or over the budget."""
    chain = profiles.chain()
    if not chain:
        return []
    now = timezone.now()
    states = breaker.states(each.slug for each in chain)
    chain = [each for each in chain if not breaker.rests(states.get(each.slug), now=now)]
    if any(map(profiles.is_paid, chain)) and budget.reached(now=now):
        chain = [each for each in chain if not profiles.is_paid(each)]
    return chain
