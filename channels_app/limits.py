"""What a channel bears that whoever writes for it should know beforehand; the ground asks by this module's name."""

from __future__ import annotations

from channels_app import registry

#: a longest message from here on bounds nobody's answer
ROOMY = 2_000


def reply_most(channel: str) -> int:
    """How many characters an answer should have at most; 0 where the channel takes any that people would read."""
    found = registry.by_name(channel)
    return found.capabilities.text_most if found and found.capabilities.text_most < ROOMY else 0
