"""Settings of the real processes for tests of growing answers: a model that says its words bit by bit.

It tells the story that the customer names: their message is a list of steps, divided by ``|``. A number waits for so
many seconds, ``-`` takes back all that was said, ``@`` is the time of saying in letters, anything else is said a few
characters at a time. The last draft is the answer.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from config.settings import *  # noqa: F403
from sales.assistant.protocol import Heard, Reply

ASSISTANT_MODEL = "tests.webchat.storyteller.Storyteller"
GATHER_QUIET = timedelta(0)


def in_letters(seconds: float) -> str:
    """A time as a word: numbers that nobody said would not pass the guard."""
    return f"{seconds * 1000:.0f}".translate(str.maketrans("0123456789", "абвгдежзик"))


class Storyteller:
    name = "storyteller"

    def reply(self, *, log: Any, hear: Any, **kwargs: Any) -> Reply:
        story = [each.text for each in log if isinstance(each, Heard) and each.pending][-1]
        draft = ""
        for step in story.split("|"):
            try:
                time.sleep(float(step))
                continue
            except ValueError:
                pass
            if step == "-":
                hear(None)
                draft = ""
                continue
            step = in_letters(time.time()) if step == "@" else step
            for at in range(0, len(step), 4):
                hear(step[at : at + 4])
            draft += step
        return Reply(text=draft)
