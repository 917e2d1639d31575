"""The first page of the back office: who waits for a person, what is stuck, and what today has brought."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Prefetch, Q, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.models import Document
from common.fields import readable
from knowledge.gaps.admin import waiting as waiting_gaps
from knowledge.llm.admin import trouble as trouble_of_models
from knowledge.queries import doubted
from pricing.models import Quote
from sales import notices
from sales.enums import Author, Mode, NoticeKind
from sales.models import Conversation, Handover, Lead, Message, Turn
from sales.stuck import stuck_rows

#: more than a screen of waiting customers is read in the list of conversations
SHOWN = 20
COUNTED = 50


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the page's context what this member of staff may see. A query a part, and one a kind of promise."""
    context["title"] = gettext("Overview")
    now = timezone.now()
    may = request.user.has_perm
    if may("sales.view_conversation"):
        waiting = _waiting(now)
        context["waiting"] = waiting[:SHOWN]
        context["waiting_more"] = len(waiting) > SHOWN
        context["waiting_names"] = may("sales.view_lead")
    if may("sales.view_turn"):
        count = len(stuck_rows(now=now, limit=COUNTED + 1))
        context["stuck_count"] = f"{COUNTED}+" if count > COUNTED else count
    if may("sales.view_notice"):
        # customers who wait and new leads have their own places on the page
        known = [NoticeKind.HANDOVER, NoticeKind.CONTACT]
        context["notices"] = list(notices.unseen().exclude(kind__in=known)[:SHOWN])
        context["may_see_notices"] = may("sales.change_notice")
    if may("knowledge.view_article"):
        context["articles_to_repair"] = doubted()
    if may("knowledge.view_gap"):
        context["gaps_count"] = waiting_gaps(request)
    context |= trouble_of_models(request)
    context["today"] = _today(may, now)
    return context


def _waiting(now: datetime) -> list[dict[str, Any]]:
    """Where a person was called, or the customer spoke last and an operator, or nobody at all, has answered."""
    last = Message.objects.filter(conversation=OuterRef("pk")).order_by("-seq").values("author")[:1]
    unanswered = Q(mode=Mode.OPERATOR) | Q(mode=Mode.ASSISTANT, pk__in=Turn.objects.stuck(now).values("conversation"))
    found = (
        Conversation.objects.annotate(last_author=Subquery(last))
        .filter(Q(mode=Mode.WAITING) | (unanswered & Q(last_author=Author.CUSTOMER)))
        .select_related("lead", "operator")
        .prefetch_related(Prefetch("handovers", Handover.objects.open()))
        .order_by("last_message_at")[: SHOWN + 1]
    )
    return [
        {
            "conversation": each,
            "address": reverse("admin:sales_conversation_change", args=[each.pk]),
            "name": readable(each.lead, "name") or gettext("unnamed"),
            "since": each.waiting_since or each.last_message_at,
            **_why(each),
        }
        for each in found
    ]


def _why(conversation: Conversation) -> dict[str, str]:
    """Why somebody waits, and for what; ``handovers`` has been fetched, and holds the open one if any."""
    if conversation.mode != Mode.WAITING:
        return {"why": gettext("not answered yet"), "question": ""}
    for row in conversation.handovers.all():
        return {
            "why": f"{gettext('a person was called')}: {row.get_reason_display()}",
            "question": readable(row, "question"),
        }
    return {"why": gettext("a person was called"), "question": ""}


def _today(may: Any, now: datetime) -> list[dict[str, Any]]:
    """What was made since midnight of our time zone, each with the list it is read in."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    kinds = (
        (_("Leads today"), Lead),
        (_("Conversations today"), Conversation),
        (_("Quotes today"), Quote),
        (_("Documents today"), Document),
    )
    shown = []
    for title, model in kinds:
        app, kind = model._meta.app_label, model._meta.model_name
        if may(f"{app}.view_{kind}"):
            count = model.objects.filter(created_at__gte=midnight).count()  # type: ignore[attr-defined]
            shown.append({"title": title, "count": count, "address": reverse(f"admin:{app}_{kind}_changelist")})
    return shown
