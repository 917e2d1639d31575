"""What documents show on a lead's and on a conversation's page: the papers issued there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.admin import link_to
from pricing.words import money


def panels(row: Any) -> Iterable[SafeString]:
    """A line for each of the latest documents of a lead or a conversation."""
    for document in row.documents.order_by("-created_at")[:20]:
        yield format_html("{} · {} · {}", link_to(document), money(document.total), document.get_state_display())
