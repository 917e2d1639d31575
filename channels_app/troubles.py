"""Staff learn of messages that failed, or that nobody knows the fate of: a notice each, once."""

from __future__ import annotations

from datetime import datetime

from django.db.models import CharField, Exists, OuterRef
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.translation import gettext

from channels_app.models import Delivery
from common.promise import State
from sales import notices
from sales.enums import NoticeKind
from sales.models import Notice

LIMIT = 100


def sweep(*, now: datetime) -> int:
    """Tell what nobody was told of yet; returns how many."""
    known = Notice.objects.filter(kind=NoticeKind.DELIVERY, subject=Cast(OuterRef("pk"), CharField()))
    found = Delivery.objects.filter(~Exists(known), state__in=[State.BROKEN, State.UNCERTAIN])
    return sum(_tell(delivery, now=now) for delivery in found.select_related("conversation")[:LIMIT])


def _tell(delivery: Delivery, *, now: datetime) -> bool:
    return notices.tell(
        NoticeKind.DELIVERY,
        subject=str(delivery.pk),
        text=f"{delivery.conversation}: {gettext('message № %d') % delivery.seq}, {delivery.get_state_display()}",
        address=reverse("admin:sales_conversation_change", args=[delivery.conversation_id]) + f"#m{delivery.seq}",
        now=now,
    )


def settled(delivery: Delivery, *, by: object, now: datetime) -> None:
    """A person has decided: nobody needs to be called for it any more."""
    notices.see(notices.about(NoticeKind.DELIVERY, str(delivery.pk)), by=by, now=now)  # type: ignore[arg-type]
