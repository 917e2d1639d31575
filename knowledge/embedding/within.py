"""Work that has a time and no more, whatever the other side does with the connection."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from knowledge.embedding.protocol import NoAnswer

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """What ``work`` returns or raises; ``NoAnswer`` when that takes longer.

    A time-out of HTTP counts the silences, not the whole, so an answer that drips would last for ever. The work has a
    thread of its own, which is left behind and ends with the process; it must not touch the database.
    """
    done = threading.Event()
    outcome: list[T | BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as problem:  # handed over to whoever waits
            outcome.append(problem)
        finally:
            done.set()

    threading.Thread(target=run, name="embedder", daemon=True).start()
    if not done.wait(seconds):
        raise NoAnswer(f"no answer in {seconds:g} s")
    found = outcome[0]
    if isinstance(found, BaseException):
        raise found
    return found
