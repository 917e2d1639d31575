"""How many tokens a text takes, reckoned without asking anybody, and how they are shared out.

Only a vendor knows its tokens. What is known without it is how many letters go to one, roughly: Russian takes about
twice as many tokens as English where a vocabulary was made for English. The figures are on the careful side, and
``SAFETY`` is kept beside them; a profile's option ``characters_per_token`` ([Russian, other]) replaces them where
somebody has measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from knowledge.llm.chat import Called, Part, Profile, Prompt, Returned, Said, ToolSpec

#: characters of a token by dialect: Cyrillic letters, everything else
CHARACTERS: Mapping[str, tuple[float, float]] = {
    "openai": (2.4, 3.6),
    "anthropic": (1.9, 3.3),
    "yandexgpt": (3.0, 3.4),
    "gigachat": (3.0, 3.4),
}
#: for a dialect that nobody has entered: the smallest
_UNKNOWN = (1.9, 3.3)
#: how much of the room may be filled by our reckoning
SAFETY = 0.85
#: what roles and marks around each part take
PART = 6
#: of a conversation's past at most so many tokens are shown, however much a model could take: a turn costs the same
#: at any length of the talk
HISTORY_MOST = 6_000
#: the share of what instructions and tools leave that goes to the past; the rest is for this turn's passages
HISTORY_SHARE = 0.4


def tokens(text: str, profile: Profile) -> int:
    """About how many tokens ``profile`` takes for a text."""
    russian, other = rates(profile)
    # each Cyrillic letter has two bytes: quicker than looking at each
    cyrillic = len(text.encode("utf-8", "replace")) - len(text)
    cyrillic = min(cyrillic, len(text))
    return int(cyrillic / russian + (len(text) - cyrillic) / other) + 1 if text else 0


def rates(profile: Profile) -> tuple[float, float]:
    """Characters of a token: Cyrillic letters, everything else."""
    own = profile.options.get("characters_per_token")
    if isinstance(own, list | tuple) and len(own) == 2 and all(float(each) > 0 for each in own):
        return float(own[0]), float(own[1])
    return CHARACTERS.get(profile.dialect, _UNKNOWN)


def of_part(part: Part, profile: Profile) -> int:
    """The tokens of one part of a prompt."""
    if isinstance(part, Called):
        words = part.text + "".join(f"{call.name}{dict(call.arguments)}" for call in part.calls)
        return tokens(words, profile) + PART * (1 + len(part.calls))
    if isinstance(part, Returned):
        return tokens(part.text, profile) + PART
    assert isinstance(part, Said)
    return tokens(part.text, profile) + PART


def of_fixed(system: str, tools: Iterable[ToolSpec], profile: Profile) -> int:
    """The tokens of what stands before the talk: instructions and tools."""
    return (
        tokens(system, profile)
        + PART
        + sum(tokens(f"{each.name}{each.description}{each.schema}", profile) + PART for each in tools)
    )


def of_prompt(prompt: Prompt, profile: Profile) -> int:
    """The tokens of all that one call sends."""
    return of_fixed(prompt.system, prompt.tools, profile) + sum(of_part(part, profile) for part in prompt.parts)


def room(profile: Profile, *, fixed: int) -> int:
    """What may be filled beside instructions and tools, the answer's own tokens set apart."""
    return max(0, int((profile.context_tokens - profile.answer_tokens) * SAFETY) - fixed)


def for_history(profile: Profile, *, fixed: int) -> int:
    """What of it the past may take. It depends on nothing that changes from turn to turn, or caches would miss."""
    return min(HISTORY_MOST, int(room(profile, fixed=fixed) * HISTORY_SHARE))
