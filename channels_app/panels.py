"""What the channels show on the pages of a lead and of a conversation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from channels_app.models import Thread
from common.fields import readable
from sales.models import Conversation


def panels(row: Any) -> Iterable[SafeString]:
    """Where a conversation began and how far the visitor has read it."""
    if not isinstance(row, Conversation):
        return
    thread = Thread.objects.filter(conversation=row).first()
    if thread is None:
        return
    if page := readable(thread, "page_url"):
        yield format_html("{}: {}", _("Began on the page"), page)
    yield format_html("{}: {} / {}", _("Read by the visitor"), thread.read_seq, row.last_seq)
