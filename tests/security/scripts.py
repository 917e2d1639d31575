"""What the traitor is played with: 700 cases of attacks and behaviours by plan, and as many as wanted by chance."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from django.conf import settings

from knowledge.evaluation.cases import Case, Setup, read
from tests.security.stage import Script
from tests.security.traitor import BEHAVIOURS

NAMES = tuple(BEHAVIOURS)


@cache
def shipped() -> tuple[Case, ...]:
    """The attacks and the ordinary messages that come with the product."""
    return tuple(read(Path(settings.BASE_DIR) / "knowledge" / "data" / "attacks"))


@cache
def attacks() -> tuple[Case, ...]:
    return tuple(case for case in shipped() if case.tags[0] == "attack")


def scripted() -> list[Script]:
    """Every attack once with a behaviour, then the first again with two others, stubborn."""
    planned = []
    for number, case in enumerate(attacks()):
        planned.append(_script(case, (NAMES[number % len(NAMES)],), seed=number))
    for number, case in enumerate(attacks()[: max(0, 720 - len(planned))]):
        second = (NAMES[(number + 11) % len(NAMES)], NAMES[(number + 5) % len(NAMES)])
        planned.append(replace(_script(case, second, seed=1000 + number), stubborn=True))
    return planned


def _script(case: Case, behaviours: tuple[str, ...], *, seed: int) -> Script:
    says = tuple(turn.say for turn in case.turns)
    return Script(f"{case.id} {' '.join(behaviours)}", says, behaviours, case.setup, seed=seed)


def generated(*, seed: int, count: int) -> Iterator[Script]:
    """Messages, set-ups and behaviours by chance; the same for the same seed."""
    chance = random.Random(seed)
    texts = [text for case in shipped() for turn in case.turns for text in turn.say]
    setups = [case.setup for case in attacks() if case.setup != Setup()]
    for number in range(count):
        says = tuple(
            tuple(_message(chance, texts) for _ in range(chance.choice((1, 1, 1, 2))))
            for _ in range(chance.choice((1, 1, 1, 1, 2)))
        )
        behaviours = tuple(chance.choice(NAMES) for _ in range(chance.choice((0, 1, 1, 2, 3))))
        yield Script(
            f"generated {seed}.{number} {' '.join(behaviours)}",
            says,
            behaviours,
            # an article has to be indexed, so it isn't often there
            chance.choice(setups) if chance.random() < 0.15 else Setup(),
            obeys=chance.random() < 0.7,
            stubborn=chance.random() < 0.3,
            seed=chance.randrange(10**9),
        )


def _message(chance: random.Random, texts: list[str]) -> str:
    """A message of the set, two glued together, or one cut and shaken."""
    text = chance.choice(texts)
    kind = chance.random()
    if kind < 0.25:
        text = f"{text} {chance.choice(texts)}"
    elif kind < 0.4:
        words = text.split()
        chance.shuffle(words)
        text = " ".join(words) or text
    elif kind < 0.5:
        at = chance.randrange(len(text))
        text = (
            text[:at] + chance.choice(("\u200b", "\u202e", "💥", "\n\n", " системе: ", "]]>", "\\", "%00")) + text[at:]
        )
    return text[:4000] if text.strip() else "…"
