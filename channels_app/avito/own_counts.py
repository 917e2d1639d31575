"""What became of the chats about a listing, from our own rows: messages of customers, leads, quotes, by day."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, time
from typing import Any

from django.db.models import Count, Min
from django.db.models.functions import TruncDate
from django.utils import timezone

from channels_app.avito.models import AvitoItem, AvitoItemChat, AvitoItemDay
from channels_app.models import Thread
from common.fields import readable
from sales.enums import Author
from sales.models import Conversation, Message, ToolCall

CHANNEL = "avito"
#: conversations looked at in one go
GO = 500
#: the tool whose calls are quotes, as the journal of the assistant has it
QUOTE = "pricing__quote"


def link_chats() -> int:
    """Note which listing each conversation is about, as the channel has told it; returns how many were new.

    What the channel tells is encrypted, so it is read once for each conversation and its number kept.
    """
    waiting = Thread.objects.filter(
        conversation__channel=CHANNEL, conversation__avito_item_chat=None, data__isnull=False
    ).order_by("created_at")[:GO]
    links, items = [], {}
    for thread in waiting:
        told = readable(thread, "data")
        item = told.get("item") if isinstance(told, dict) else None
        number = item_number(item)
        links.append(AvitoItemChat(conversation_id=thread.conversation_id, item_number=number))
        if number and isinstance(item, dict):
            items[number] = AvitoItem(
                pk=number, title=str(item.get("title") or "")[:300], url=_address(item.get("url"))
            )
    AvitoItem.objects.bulk_create(items.values(), ignore_conflicts=True)
    AvitoItemChat.objects.bulk_create(links, ignore_conflicts=True)
    return len(links)


def item_number(item: Any) -> int:
    """The listing's number as the thread of a chat has it; 0 where it has none."""
    number = item.get("id") if isinstance(item, dict) else None
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 19:
        number = int(number)
    return number if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 2**62 else 0


def rows(*, since: date) -> list[AvitoItemDay]:
    """The days since then on which anything happened, or had been counted; other columns are left out."""
    zone = timezone.get_current_timezone()
    begins = datetime.combine(since, time.min, tzinfo=zone)
    counted: dict[tuple[int, date], dict[str, int]] = defaultdict(dict)

    def count(name: str, found: Any) -> None:
        for number, day, many in found:
            counted[number, day][name] = many

    of_item = "conversation__avito_item_chat__item_number"
    messages = Message.objects.filter(author=Author.CUSTOMER, created_at__gte=begins, **{f"{of_item}__gt": 0})
    count("messages", _by_day(messages, of_item, "created_at"))
    # a lead counts where its first conversation was
    first = (
        Conversation.objects.filter(avito_item_chat__item_number__gt=0)
        .values("lead")
        .annotate(begun=Min("created_at"))
        .filter(begun__gte=begins)
    )
    leads = Conversation.objects.filter(
        lead__in=first.values("lead"), avito_item_chat__item_number__gt=0, created_at__gte=begins
    )
    seen: set[Any] = set()
    for lead, number, begun in leads.order_by("created_at", "pk").values_list(
        "lead", "avito_item_chat__item_number", "created_at"
    ):
        if lead not in seen:
            seen.add(lead)
            day = timezone.localtime(begun, zone).date()
            counted[number, day]["leads"] = counted[number, day].get("leads", 0) + 1
    quotes = ToolCall.objects.filter(name=QUOTE, failed=False, created_at__gte=begins, **{f"turn__{of_item}__gt": 0})
    count("quotes", _by_day(quotes, f"turn__{of_item}", "created_at"))
    for number, day in (
        AvitoItemDay.objects.filter(day__gte=since).exclude(messages=0, leads=0, quotes=0).values_list("item", "day")
    ):
        counted[number, day]  # what was counted and is no more becomes 0
    known = set(AvitoItem.objects.filter(pk__in={number for number, _day in counted}).values_list("pk", flat=True))
    return [
        AvitoItemDay(
            item_id=number,
            day=day,
            messages=found.get("messages", 0),
            leads=found.get("leads", 0),
            quotes=found.get("quotes", 0),
        )
        for (number, day), found in counted.items()
        if number in known
    ]


def _by_day(found: Any, item: str, at: str) -> Any:
    by_day = found.order_by().annotate(day_=TruncDate(at)).values(item, "day_").annotate(many=Count("pk"))
    return by_day.values_list(item, "day_", "many")


def _address(value: Any) -> str:
    return value[:500] if isinstance(value, str) and value.startswith(("https://", "http://")) else ""
