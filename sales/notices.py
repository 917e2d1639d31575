"""What staff are told of without having asked: a row each, shown on the overview until somebody has seen it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from sales.enums import NoticeKind
from sales.models import Notice, User


def tell(kind: NoticeKind, *, subject: str, text: str, now: datetime) -> bool:
    """Tell staff of something that needs them, once a day for each ``subject``; returns whether it is news.

    ``text`` is read by people and may be sent to them later by other ways: no personal data, no key.
    """
    _notice, news = Notice.objects.get_or_create(
        kind=kind,
        subject=subject[:100],
        told_on=timezone.localtime(now).date(),
        defaults={"text": text, "created_at": now},
    )
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
