"""The second road in: chats with something unread, and the latest talked in, whether or not webhooks come."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from channels_app import arrivals
from channels_app.avito import account, looks
from channels_app.avito.client import OFFSET_MOST, PAGE, Client, Refused
from channels_app.models import Thread
from common.locks import session_lock
from common.problems import LastingProblem, TemporaryProblem

logger = logging.getLogger(__name__)

NAME = "avito"
#: beat asks every minute; the sweep steps in where nobody has asked for so long
EVERY, LATE = 60.0, 75.0
#: of many chats the first are looked at now, the others one after another: a look is some three calls
AT_ONCE, APART = 20, 0.6
#: chats whose mark as read was lost and is set again, at most so many each time
MARKS_MOST = 20
#: seconds without an answer of the vendor after which something is wrong
SILENT = 300.0
_PLACE = "avito:polled"
_polled_at = 0.0


@dataclass(frozen=True)
class Polled:
    """What was found: chats that the vendor showed, and those that are owed a look now."""

    seen: int = 0
    owed: int = 0


def poll(*, now: datetime) -> Polled:
    """Owe a look to each chat whose newest message we haven't read. One at a time among all processes."""
    global _polled_at
    with session_lock("channels_app.avito.poll") as held:
        if not held:
            return Polled()
        _polled_at = time.monotonic()
        cache.set(_PLACE, time.time(), timeout=3600)
        client = account.client()
        shown: dict[str, dict[str, Any]] = {}
        for offset in range(0, OFFSET_MOST + 1, PAGE):
            page = client.chats(unread_only=True, offset=offset)
            shown |= {str(row.get("id")): row for row in page if row.get("id")}
            if len(page) < PAGE:
                break
        unread = set(shown)
        # a colleague's word leaves nothing unread
        shown |= {str(row.get("id")): row for row in client.chats() if row.get("id")}
        owed = _owe(_news(shown.values()), now=now)
        _mark_again(client, [shown[chat] for chat in unread])
    return Polled(seen=len(shown), owed=owed)


def sweep(*, now: datetime) -> int:
    """Ask where beat is away."""
    if not account.is_on() or time.monotonic() - _polled_at < LATE:
        return 0
    last = cache.get(_PLACE)
    if isinstance(last, int | float) and time.time() - last < LATE:
        return 0
    return by_the_clock(now=now).owed


def silent_for() -> float | None:
    """Seconds since the vendor was last asked for unread chats; None where nobody knows."""
    last = cache.get(_PLACE)
    return time.time() - last if isinstance(last, int | float) else None


def by_the_clock(*, now: datetime) -> Polled:
    """Poll for beat and the sweep: what goes wrong is told and comes again in a minute."""
    global _polled_at
    if not account.is_on():
        return Polled()
    try:
        return poll(now=now)
    except Refused as problem:
        from channels_app.avito.channel import understood  # looks at chats need it no sooner

        understood(problem)
    except (TemporaryProblem, LastingProblem) as problem:
        logger.warning("avito wasn't polled", extra={"channel": NAME, "problem": type(problem).__name__})
    _polled_at = time.monotonic()
    return Polled()


def _news(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Of the chats shown, those whose newest message we haven't read; longest silent first."""
    found = []
    by_chat = {str(row["id"]): row for row in rows}
    threads = Thread.objects.filter(conversation__channel=NAME, conversation__external_id__in=list(by_chat))
    read = {each.conversation.external_id: each.data or {} for each in threads.select_related("conversation")}
    for chat, row in by_chat.items():
        last = row.get("last_message")
        number = str(last.get("id") or "") if isinstance(last, dict) else ""
        is_new = chat not in read and isinstance(last, dict) and last.get("direction") != "out"
        if number and (is_new or (chat in read and read[chat].get("last") != number)):
            found.append((looks._seconds(last.get("created")), chat))  # type: ignore[union-attr]
    return [chat for _created, chat in sorted(found)]


def _owe(chats: list[str], *, now: datetime) -> int:
    for place, chat in enumerate(chats):
        due = now + timedelta(seconds=max(0, place - AT_ONCE + 1) * APART)
        arrivals.owe(channel=NAME, chat=chat, now=due)
    return len(chats)


def _mark_again(client: Client, rows: list[dict[str, Any]]) -> None:
    """What is unread there though we have read it: the mark was lost."""
    numbers = {str((row.get("last_message") or {}).get("id") or ""): str(row["id"]) for row in rows}
    threads = Thread.objects.filter(conversation__channel=NAME, conversation__external_id__in=list(numbers.values()))
    lost = [each for each in threads.select_related("conversation") if (each.data or {}).get("last") in numbers]
    for thread in lost[:MARKS_MOST]:
        looks.mark_read(client, thread.conversation.external_id, conversation=thread.conversation)


def now_and_then() -> None:
    """What beat calls."""
    by_the_clock(now=timezone.now())
