"""Going on in the web chat: a link that works once and for an hour.

The link opens an empty conversation of the same lead, where staff see whence it came. It shows nothing of what was said
elsewhere: whoever gets hold of it, or of a phone number, learns nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from channels_app.models import Continuation
from sales.models import Conversation

LIVES = timedelta(hours=1)


def link(conversation: Conversation, *, now: datetime) -> str:
    """The address of a new link for this conversation's customer."""
    token = secrets.token_urlsafe(32)
    Continuation.objects.create(
        token_sha256=_digest(token), conversation=conversation, created_at=now, expires_at=now + LIVES
    )
    return f"{settings.PUBLIC_URL.rstrip('/')}{reverse('chat-continue', args=[token])}"


def alive(token: str, *, now: datetime) -> bool:
    return Continuation.objects.filter(token_sha256=_digest(token), used_at=None, expires_at__gt=now).exists()


@transaction.atomic
def use(token: str, *, now: datetime) -> Conversation | None:
    """The conversation that the link was given out in, once; None where it doesn't work any more."""
    rows = Continuation.objects.filter(token_sha256=_digest(token), used_at=None, expires_at__gt=now)
    if not rows.update(used_at=now):
        return None
    return Continuation.objects.select_related("conversation__lead").get(token_sha256=_digest(token)).conversation


def tidy(*, now: datetime) -> int:
    """Forget links that ended a day ago."""
    return Continuation.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()[0]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
