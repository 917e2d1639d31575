"""Who may enter a conversation of the web chat, and what the visitor has read there."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

from django.db import transaction

from channels_app import continuing
from channels_app.models import Thread
from channels_app.webchat import consent
from common.text import clean
from sales.enums import Mode
from sales.models import Lead
from sales.operations import ConsentGiven, open_conversation

CHANNEL = "webchat"
#: how long a browser may come back to its conversation
TOKEN_LIFE = timedelta(days=180)
PAGE_MOST = 2000


@dataclass(frozen=True)
class Opened:
    """A new conversation and the only copy of the token that opens it."""

    conversation_id: uuid.UUID
    token: str


@dataclass(frozen=True)
class Entry:
    """What a visitor who may enter finds: the number of the last message, and who leads."""

    last_seq: int
    mode: Mode


@transaction.atomic
def open_session(
    *,
    now: datetime,
    name: str = "",
    page_url: str = "",
    address: str = "",
    browser: str = "",
    lead: Lead | None = None,
) -> Opened:
    """Begin an empty conversation with a visitor who has agreed to the text of ``consent``."""
    thread_id = uuid.uuid4()
    token = secrets.token_urlsafe(32)
    conversation = open_conversation(
        channel=CHANNEL,
        external_id=str(thread_id),
        name=name,
        lead=lead,
        consent=ConsentGiven(version=consent.VERSION, text=consent.text(), address=address, user_agent=browser),
        now=now,
    )
    Thread.objects.create(
        id=thread_id,
        conversation=conversation,
        token_digest=_digest(token),
        page_url=page_without_secrets(page_url),
        created_at=now,
        expires_at=now + TOKEN_LIFE,
    )
    return Opened(conversation.pk, token)


@transaction.atomic
def continue_by(token: str, *, now: datetime, address: str = "", browser: str = "") -> Opened | None:
    """Begin an empty conversation of the lead to whom the link was given; None where the link doesn't work any more.

    The visitor has agreed to the text of ``consent``. Nothing of the other conversation is shown here.
    """
    origin = continuing.use(token, now=now)
    if origin is None:
        return None
    opened = open_session(now=now, address=address, browser=browser, lead=origin.lead)
    thread = Thread.objects.get(conversation_id=opened.conversation_id)
    thread.data = {"continues": str(origin.pk), "channel": origin.channel}
    thread.save(update_fields={"data"})
    return opened


def enter(conversation_id: uuid.UUID, token: str, *, now: datetime) -> Entry | None:
    """What the holder of this token finds; None when it doesn't open this conversation, or not any more."""
    row = (
        Thread.objects.filter(conversation_id=conversation_id, conversation__channel=CHANNEL)
        .values_list("token_digest", "expires_at", "conversation__last_seq", "conversation__mode")
        .first()
    )
    # a stranger's id takes as long as a wrong token
    known, expires_at, last_seq, mode = row or ("", now, 0, Mode.CLOSED)
    if not hmac.compare_digest(known, _digest(token)) or expires_at is None or expires_at <= now:
        return None
    return Entry(last_seq, Mode(mode))


def mark_read(conversation_id: uuid.UUID, seq: int) -> None:
    """Remember that the visitor has seen everything up to ``seq``; going back changes nothing."""
    Thread.objects.filter(conversation_id=conversation_id, read_seq__lt=seq).update(read_seq=seq)


def page_without_secrets(address: str) -> str:
    """The page's address without account, query and fragment, where sites put tokens and names; else empty."""
    try:
        parts = urlsplit(clean(address).strip())
        host = parts.hostname
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host:
        return ""
    shown = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, f"{shown}:{port}" if port else shown, parts.path, "", ""))[:PAGE_MOST]


def _digest(token: str) -> str:
    # a token may hold anything a stranger sent, lone surrogates included
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
