"""A real Celery worker that dies by SIGKILL at a line of our code chosen beforehand.

Start it with ``celery -A tests.kill.mortal worker``. ``DIE_AT_LINE=n`` kills it when the n-th line of the watched files
is about to run in a task; nothing can be cleaned up then, as with a power cut. ``GUARDS=off`` takes locks, claims,
fences and the journal away: the twin that must show what they are for. ``THINK=n`` lets each turn think n seconds
longer, so that others may come between.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import uuid
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
WATCHED = tuple(
    str(ROOT / name)
    for name in ("common/promise.py", "sales/assistant", "sales/operations.py", "pricing/operations.py", "billing")
)


class Death:
    """Counts lines of the watched files over all threads and strikes at the given one."""

    def __init__(self, at_line: int) -> None:
        self.left = at_line

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        """What ``threading.settrace`` calls for each new frame: watch only our own files."""
        return self.line if frame.f_code.co_filename.startswith(WATCHED) else None

    def line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.line


def take_guards_away() -> None:
    """No lock, no claim, no fence, no journal, no unique reply: every look does the whole work again."""
    from contextlib import contextmanager

    from common import promise
    from sales.assistant import journal, turn
    from sales.models import Turn

    @contextmanager
    def free(*args: Any) -> Any:
        yield True

    def take(self: Any, *, now: Any) -> bool:
        type(self).objects.filter(pk=self.pk).update(state="taken")
        self.refresh_from_db()
        return True

    _replace(promise, "session_lock", free)
    _replace(promise.Promise, "fenced", free)
    _replace(Turn, "take", take)
    kept = journal.Journal.__init__

    def forgetful(self: Any, **kwargs: Any) -> None:
        kept(self, **kwargs)
        self.past = {}

    _replace(journal.Journal, "__init__", forgetful)
    # a call is known by how it is written: written differently each time, none is ever found again
    _replace(journal, "_written", lambda request: uuid.uuid4().hex)
    append = turn.append
    _replace(turn, "append", lambda *args, **kwargs: append(*args, **{**kwargs, "external_id": None}))


def _replace(owner: Any, name: str, twin: Any) -> None:
    """Put the twin in a guard's place; a guard that has moved is an error, or it would stay in force unseen."""
    assert hasattr(owner, name), f"{owner} has no {name} any more"
    setattr(owner, name, twin)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if at_line := int(os.environ.get("DIE_AT_LINE", "0")):
    threading.settrace(Death(at_line).trace)

from celery.signals import worker_ready  # noqa: E402  the trace has to be set before any thread begins

from config.celery import app  # noqa: E402


@worker_ready.connect
def say_ready(**kwargs: Any) -> None:
    """Tell the test that rings are heard from now on."""
    if ready := os.environ.get("READY_FILE"):
        Path(ready).touch()


if os.environ.get("GUARDS") or os.environ.get("THINK"):
    import django

    django.setup()
if os.environ.get("GUARDS") == "off":
    take_guards_away()
if os.environ.get("THINK"):
    from sales.assistant import turn

    speak = turn.speak

    def think(**kwargs: Any) -> Any:
        time.sleep(float(os.environ["THINK"]))
        return speak(**kwargs)

    turn.speak = think

__all__ = ["app"]

if __name__ == "__main__":  # the sweep, with whatever the environment asks for
    import django
    from django.core.management import call_command

    django.setup()
    call_command("sweep", "--every", sys.argv[1])
