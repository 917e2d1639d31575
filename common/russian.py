"""The dictionaries of Russian word forms, one for the process: they take half a second and 15 MB to read."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

#: two threads at once would read them twice
_reading = threading.Lock()


def analyzer() -> Any:
    """pymorphy3's analyzer; the first call in a process reads the dictionaries."""
    with _reading:
        return _analyzer()


@cache
def _analyzer() -> Any:
    import pymorphy3  # slow: not every process needs it

    return pymorphy3.MorphAnalyzer()
