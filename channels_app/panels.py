"""What the channels show on the pages of a lead and of a conversation."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from channels_app.models import Delivery, Thread
from common.admin import button_to
from common.fields import readable
from common.promise import State
from sales.models import Conversation, Lead


def panels(row: Any) -> Iterable[SafeString]:
    """Where a conversation began, how far the visitor has read it, and whether the customer can be written to."""
    if isinstance(row, Lead):
        for each in Thread.objects.filter(conversation__lead=row).filter(data__isnull=False).order_by("created_at"):
            yield from _listing(each)
    if not isinstance(row, Conversation):
        return
    thread = Thread.objects.filter(conversation=row).first()
    if thread is None:
        return
    yield from _listing(thread)
    data = readable(thread, "data")
    if isinstance(data, dict) and data.get("source"):
        yield format_html("{}: {}", _("Came by the link"), str(data["source"])[:64])
    if isinstance(data, dict) and data.get("continues"):
        yield format_html(
            '<a href="{}">{}</a>',
            reverse("admin:sales_conversation_change", args=[data["continues"]]),
            _("Continues a conversation of another channel"),
        )
    if page := readable(thread, "page_url"):
        yield format_html("{}: {}", _("Began on the page"), page)
    if thread.token_digest:
        yield format_html("{}: {} / {}", _("Read by the visitor"), thread.read_seq, row.last_seq)
    if thread.unreachable_since:
        since = timezone.localtime(thread.unreachable_since)
        yield format_html("<b>{}</b>: {}", _("The customer can't be written to since"), f"{since:%d.%m.%Y %H:%M}")


def _listing(thread: Thread) -> Iterable[SafeString]:
    """The offer that a chat is about, where the channel tells of one."""
    told = readable(thread, "data")
    item = told.get("item") if isinstance(told, Mapping) else None
    if not isinstance(item, Mapping) or not item.get("title"):
        return
    title, price, url = (str(item.get(name) or "") for name in ("title", "price", "url"))
    linked = format_html('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>', url, title)
    yield format_html("{}: {} {}", _("Asks about the listing"), linked if url.startswith("https://") else title, price)


def message_panels(conversation: Conversation) -> Mapping[uuid.UUID, SafeString]:
    """What became of each message that had to be sent, and what a person may decide: one query for all."""
    owed = Delivery.objects.filter(conversation=conversation)
    return {each.message_id: format_html("{} {}", state_of(each), buttons(each)) for each in owed}


def state_of(delivery: Delivery) -> SafeString:
    """How far a message has come, in a word and a time."""
    if delivery.state == State.BROKEN:
        return format_html('<b class="bo-danger">{}</b> {}', _("not delivered"), delivery.problem)
    if delivery.state == State.UNCERTAIN:
        return format_html('<b class="bo-danger">{}</b>', _("nobody knows whether it has arrived"))
    if delivery.state == State.DROPPED:
        return format_html("{}", _("not sent: not needed any more"))
    steps = ((delivery.read_at, _("read")), (delivery.delivered_at, _("delivered")), (delivery.sent_at, _("sent")))
    for at, words in steps:
        if at:
            return format_html("{} {}", words, f"{timezone.localtime(at):%d.%m.%Y %H:%M:%S}")
    return format_html("{} {}", _("sent") if delivery.state == State.KEPT else _("queued"), delivery.problem)


def buttons(delivery: Delivery) -> SafeString:
    """What a person decides of a message that failed or is uncertain; nothing where there is nothing to decide."""
    if delivery.state not in {State.BROKEN, State.UNCERTAIN}:
        return SafeString("")
    verbs = (("again", _("Send again")), ("arrived", _("It has arrived")))
    made = [
        button_to(
            reverse("admin:channels_app_delivery_decide", args=[delivery.pk, verb]),
            words,
            permission="sales.change_conversation",
        )
        for verb, words in verbs
    ]
    return format_html('<span class="bo-row">{}{}</span>', *made)
