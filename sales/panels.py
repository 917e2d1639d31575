"""What other apps show on a lead's or a conversation's page: each may have a ``panels.py``.

Its ``panels(row) -> Iterable[SafeString]`` gets a ``Lead`` or a ``Conversation`` and gives lines of safe HTML.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.safestring import SafeString

from common.parts import of_apps


def panels_of(row: Any) -> Iterable[SafeString]:
    """All that the apps above have to show about ``row``."""
    lines: list[SafeString] = []
    for _app, module in of_apps("panels", without="sales"):
        lines += module.panels(row)
    return lines
