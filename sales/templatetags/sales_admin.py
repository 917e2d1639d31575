"""Small pieces of the conversation's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def card_line(card: Mapping[str, Any]) -> SafeString:
    """A card in one line: its words, and a link where it has one of our own."""
    text = card.get("text", "")
    address = str(card.get("url", ""))
    if address.startswith("/") and not address.startswith("//"):
        return format_html('<a class="link" target="_blank" rel="noopener" href="{}">{}</a>', address, text)
    return format_html("{}", text)
