"""How much of a talk is shown, and where it begins.

A vendor's cache hits for as long as a request begins as the one before did. A window that slides with every message
would begin anew each time; this one keeps its beginning as long as it can and then leaves out a block at once. Where a
block ends is read from the messages' numbers alone, as on a ruler: of all beginnings that leave enough and not too
much, the one with the longest stroke, that is with the most factors of two before it. So nothing has to be remembered,
and every process comes to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sales.assistant.protocol import Heard

#: messages shown at most, and at least where there are as many
MESSAGES_MOST = 40
MESSAGES_LEAST = 20


def window(said: Sequence[Heard], *, size: Callable[[Heard], int], most: int) -> list[Heard]:
    """The end of a talk that is shown: at most ``most`` in size, but always all that has to be answered."""
    if not said:
        return []
    pending = next((at for at, each in enumerate(said) if each.pending), len(said) - 1)
    kept, enough = 0, False
    allowed: list[int] = []
    for at in range(len(said) - 1, -1, -1):
        kept += size(said[at])
        shown = len(said) - at
        if at < pending and (kept > most or shown > MESSAGES_MOST):
            break
        if at <= pending:
            allowed = [*allowed, at] if enough else [at]
            enough = kept >= most / 2 or shown >= MESSAGES_LEAST
    return list(said[max(allowed, key=lambda at: _stroke(said[at].seq)) :])


def _stroke(seq: int) -> int:
    """How often two divides what stands before a message; before the first stands nothing, the longest stroke."""
    before = seq - 1
    return (before & -before).bit_length() if before > 0 else 1 << 30
