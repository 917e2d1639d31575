"""An answer on its way while the model still says it: whole sentences, each judged before the customer sees it.

What is told here is never stored. The reply that ends the turn replaces it, so whatever is lost or taken back on the
way costs nothing but the wait.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from sales.assistant.guard.sentences import cut
from sales.models import Turn
from sales.signals import reply_growing

logger = logging.getLogger(__name__)

#: says whether a draft, as far as it has come, may be shown
Judge = Callable[[str], bool]


class Stream:
    """What the customer reads of one turn while it is being written.

    Each draft has a name of its own: one that is taken back is not gone on with, and the next begins anew. ``began``
    is when the turn was taken, by ``time.perf_counter``.
    """

    def __init__(self, turn: Turn, *, reveal: Callable[[str], str], began: float) -> None:
        self.turn = turn
        self._reveal = reveal
        self._began = began
        self._drafts = 0
        self.first_ms: float | None = None
        self.told = 0
        self.refused = 0
        self._judge: Judge = lambda text: False
        self._rest = self._shown = self._name = ""
        self._at = 0
        self._stopped = True

    def begin(self, judge: Judge) -> None:
        """A new draft is to come, judged so."""
        self._judge = judge
        self._renew()

    def hear(self, piece: str | None) -> None:
        """Take the next words of the draft; ``None`` takes all of it back."""
        if piece is None:
            self._renew()
            return
        if self._stopped:
            return
        whole, self._rest = cut(self._rest + piece)
        if not whole:
            return
        self._shown += whole
        if self._passes():
            self._tell(self._reveal(whole))
        else:
            self._stopped = True  # nothing more of this draft: the guard reads all of it when it is done
            self.refused += 1

    def _passes(self) -> bool:
        try:
            return self._judge(self._shown)
        except Exception:  # what isn't judged isn't shown, and whoever is speaking is not to blame
            logger.exception("a draft could not be judged")
            return False

    @property
    def step(self) -> dict[str, Any]:
        """What the trace keeps: when the first words were told, of how many pieces and drafts, what was stopped."""
        return {
            "step": "stream",
            "ms": self.first_ms,
            "pieces": self.told,
            "drafts": self._drafts,
            "stopped": self.refused,
        }

    def _renew(self) -> None:
        self._rest = self._shown = self._name = ""
        self._at = 0
        self._stopped = False

    def _tell(self, words: str) -> None:
        if not self._name:
            # a turn that runs again after its worker died must not go on with what that one told
            again = f":{self.turn.attempts}.{self._drafts}" if self._drafts or self.turn.attempts > 1 else ""
            self._name = f"{self.turn.pk}{again}"
            self._drafts += 1
        if self.first_ms is None:
            self.first_ms = round((time.perf_counter() - self._began) * 1000, 1)
        conversation = self.turn.conversation
        reply_growing.send_robust(
            sender=Turn,
            conversation_id=conversation.pk,
            channel=conversation.channel,
            turn=self._name,
            at=self._at,
            text=words,
        )
        self._at += len(words)
        self.told += 1
