"""Settings of the real processes for tests of the chat itself: a model that repeats what it has read, at once.

``PARROT_SLEEPS`` makes it think for so many seconds. Pending messages are repeated in their order, so a test sees
which messages a reply has read.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import Any

from config.settings import *  # noqa: F403
from sales.assistant.protocol import Heard, Reply

ASSISTANT_MODEL = "tests.webchat.parrot.Parrot"
GATHER_QUIET = timedelta(seconds=float(os.environ.get("GATHER_QUIET", "1")))


class Parrot:
    name = "parrot"

    def reply(self, *, context: Any, log: Any, tools: Any, hear: Any = None) -> Reply:
        time.sleep(float(os.environ.get("PARROT_SLEEPS", "0")))
        pending = [each.text for each in log if isinstance(each, Heard) and each.pending]
        return Reply(text=" / ".join(pending))
