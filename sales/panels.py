"""What other apps show on a lead's or a conversation's page: each may have a ``panels.py``.

Its ``panels(row) -> Iterable[SafeString]`` gets a ``Lead`` or a ``Conversation`` and gives lines of safe HTML; where
there is a ``turn_panels(turn)`` too, its lines stand beside an answer of the assistant.
``source_links(titles)`` makes links of what an answer cites.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.safestring import SafeString

from common.parts import of_apps


def panels_of(row: Any) -> Iterable[SafeString]:
    """All that the apps above have to show about ``row``."""
    lines: list[SafeString] = []
    for _app, module in of_apps("panels", without="sales"):
        lines += module.panels(row)
    return lines


def panels_of_turn(turn: Any) -> Iterable[SafeString]:
    """All that they have to show about an answer. No queries: a page has many."""
    lines: list[SafeString] = []
    for _app, module in of_apps("panels", without="sales"):
        if hasattr(module, "turn_panels"):
            lines += module.turn_panels(turn)
    return lines


def panels_of_messages(conversation: Any) -> Mapping[Any, SafeString]:
    """What they have to show about messages, by the message's id: where there is a ``message_panels(conversation)``."""
    lines: dict[Any, SafeString] = {}
    for _app, module in of_apps("panels", without="sales"):
        if hasattr(module, "message_panels"):
            lines |= module.message_panels(conversation)
    return lines


def links_to_sources(titles: Mapping[str, str]) -> dict[str, SafeString | str]:
    """Where what answers cite is read in the back office: id → a link with the title that was cited."""
    links: dict[str, SafeString | str] = {}
    for _app, module in of_apps("panels", without="sales"):
        if titles and hasattr(module, "source_links"):
            links |= module.source_links(titles)
    return links
