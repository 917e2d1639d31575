"""That Avito rings at our address: set, listed, taken away, and watched over."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.urls import reverse
from django.utils.translation import gettext as _

from channels_app.avito import account
from channels_app.avito.client import Client
from common.problems import LastingProblem, TemporaryProblem
from sales import notices
from sales.enums import NoticeKind

logger = logging.getLogger(__name__)

#: set while staff don't want the webhook: the watch lets it be
_UNWANTED = "avito:webhook-unwanted"


@dataclass(frozen=True)
class Standing:
    """Our address, whether Avito knows it, and whose others it rings at: hosts only, since paths hold secrets."""

    address: str
    stands: bool
    old: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


def address(*, secret: str = "") -> str:
    """Where Avito should ring; empty where no secret is set."""
    secret = secret or (settings.AVITO_WEBHOOK_SECRETS or [""])[0]
    return settings.PUBLIC_URL.rstrip("/") + reverse("webhook-avito", args=[secret]) if secret else ""


def can_be_reached() -> bool:
    """Whether the address is one that somebody outside could call."""
    parts = urlsplit(settings.PUBLIC_URL)
    return parts.scheme == "https" and parts.hostname not in {None, "localhost", "127.0.0.1"}


def look(client: Client | None = None) -> Standing:
    """What Avito knows."""
    ours = address()
    begins = settings.PUBLIC_URL.rstrip("/") + "/api/v1/webhooks/avito/"
    known = [str(each.get("url") or "") for each in (client or account.bare()).subscriptions()]
    return Standing(
        ours,
        stands=ours in known,
        old=tuple(each for each in known if each != ours and each.startswith(begins)),
        foreign=tuple(sorted({urlsplit(each).hostname or "?" for each in known if not each.startswith(begins)})),
    )


def register() -> Standing:
    """Make Avito ring here; what an earlier secret of ours had set is taken away."""
    client = account.bare()
    before = look(client)
    if not before.stands:
        client.subscribe(before.address)
    for each in before.old:
        client.unsubscribe(each)
    cache.delete(_UNWANTED)
    return look(client)


def unregister() -> Standing:
    """Make Avito ring here no more; polling goes on."""
    client = account.bare()
    before = look(client)
    for each in (*((before.address,) if before.stands else ()), *before.old):
        client.unsubscribe(each)
    cache.set(_UNWANTED, True, timeout=None)
    return look(client)


def watch(*, now: datetime) -> bool:
    """See that it still stands and set it again where it doesn't; returns whether all is well."""
    if not account.is_on() or not address() or not can_be_reached() or cache.get(_UNWANTED):
        return True
    try:
        found = look()
        if not found.stands:
            found = register()
            words = _("Avito had no webhook of ours any more: it was set again.")
            notices.tell(NoticeKind.KEY_REFUSED, subject="avito webhook", text=words, now=now)
        if found.foreign:
            words = _("Avito also rings at %(hosts)s: another service may answer the same customers.")
            text = words % {"hosts": ", ".join(found.foreign)}
            notices.tell(NoticeKind.KEY_REFUSED, subject="avito foreign webhook", text=text, now=now)
        return found.stands
    except (TemporaryProblem, LastingProblem) as problem:
        logger.warning("webhook not looked at", extra={"channel": "avito", "problem": type(problem).__name__})
        return False
