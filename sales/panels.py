"""What other apps show on a lead's or a conversation's page: each may have a ``panels.py``.

Its ``panels(row) -> Iterable[SafeString]`` gets a ``Lead`` or a ``Conversation`` and gives lines of safe HTML.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.utils.safestring import SafeString


def panels_of(row: Any) -> Iterable[SafeString]:
    """All that the apps above have to show about ``row``."""
    lines: list[SafeString] = []
    for app in apps.get_app_configs():
        if app.name != "sales" and find_spec(f"{app.name}.panels"):
            lines += importlib.import_module(f"{app.name}.panels").panels(row)
    return lines
