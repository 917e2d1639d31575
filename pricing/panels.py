"""What prices show on a lead's and on a conversation's page: the quotes made there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from common.admin import link_to
from pricing.models import Quote
from pricing.words import money


def panels(row: Any) -> Iterable[SafeString]:
    """A line for each of the latest quotes of a lead or a conversation."""
    quotes: Any = row.quotes
    for quote in quotes.order_by("-created_at")[:20]:
        yield _line(quote)


def _line(quote: Quote) -> SafeString:
    return format_html("{} {} · {}", _("Quote"), link_to(quote), money(quote.total))
