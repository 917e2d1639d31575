"""What staff are told of without having asked: a row each, shown on the overview until somebody has seen it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from sales.enums import NoticeKind
from sales.models import Notice, User

#: what somebody on duty is called for
CALLED_FOR = frozenset({NoticeKind.HANDOVER, NoticeKind.CONTACT, NoticeKind.DELIVERY})


def tell(kind: NoticeKind, *, subject: str, text: str, now: datetime, address: str = "") -> bool:
    """Tell staff of something that needs them, once a day for each ``subject``; returns whether it is news.

    ``text`` is read by people and sent to whoever is on duty: no personal data, no key. ``address`` is the page of the
    back office that it leads to.
    """
    notice, news = Notice.objects.get_or_create(
        kind=kind,
        subject=subject[:100],
        told_on=timezone.localtime(now).date(),
        defaults={"text": text, "address": address, "created_at": now},
    )
    if news and kind in CALLED_FOR:
        import_string("sales.duty.calls.owe")(notice, now=now)
    return news


def unseen() -> QuerySet[Notice]:
    """What nobody has seen yet, newest first."""
    return Notice.objects.filter(seen_at=None).order_by("-created_at")


def about(kind: NoticeKind, subject: str) -> QuerySet[Notice]:
    """What was told of one subject, on whichever days."""
    return Notice.objects.filter(kind=kind, subject=subject[:100])


def see(notices: QuerySet[Notice], *, by: User | None, now: datetime) -> int:
    """Mark notices as seen; who saw one first stays. Returns how many were new."""
    return notices.filter(seen_at=None).update(seen_at=now, seen_by=by)
