"""Buying promotion in the back office: what is on offer, the sum, a yes to it."""

from __future__ import annotations

import uuid
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from channels_app.avito import account, promotion
from channels_app.avito.models import AvitoItem, AvitoPurchase, Outcome
from common.problems import LastingProblem, TemporaryProblem, UnknownOutcome

RIGHT = "channels_app.promote_avitoitem"


def page(request: HttpRequest, item_id: int, *, site: Any) -> HttpResponse:
    """First the services with their prices; then, chosen, their sum to be confirmed; then the purchase."""
    if not request.user.has_perm(RIGHT):
        raise PermissionDenied
    item = get_object_or_404(AvitoItem, pk=item_id)
    chosen = request.POST.getlist("slug")[:10] if request.method == "POST" else []
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": gettext("Promotion of a listing"),
        "item": item,
        "open_purchase": AvitoPurchase.objects.filter(item=item, outcome__in=AvitoPurchase.OPEN).first(),
    }
    if not account.is_on():
        messages.error(request, gettext("Avito is off: its variables are empty."))
        return HttpResponseRedirect(reverse("admin:channels_app_avitoitem_change", args=[item.pk]))
    try:
        if chosen and request.POST.get("confirm") == "yes":
            return _buy(request, item, chosen)
        offered = promotion.offer(item)
        context["services"] = offered.services
        if chosen:
            context |= {"chosen": chosen, "sum": promotion.total(offered, chosen), "request_id": uuid.uuid4()}
    except promotion.PriceChanged as problem:
        messages.warning(request, gettext("The price has changed meanwhile, and nothing was bought. This is it now."))
        context |= {"chosen": chosen, "sum": problem.price, "request_id": uuid.uuid4()}
    except promotion.NotOffered as problem:
        words = gettext("Avito doesn't offer this for the listing: %(names)s.")
        messages.error(request, words % {"names": ", ".join(problem.names)})
    except promotion.StillOpen as problem:
        words = gettext("Of an earlier purchase nobody knows yet whether it happened: %(purchase)s.")
        messages.error(request, words % {"purchase": problem.purchase.pk})
    except (TemporaryProblem, LastingProblem, UnknownOutcome) as problem:
        messages.error(request, f"{gettext('Avito says no or nothing')}: {problem}")
    return TemplateResponse(request, "admin/channels_app/avito_promotion.html", context)


def _buy(request: HttpRequest, item: AvitoItem, chosen: list[str]) -> HttpResponse:
    try:
        price = Decimal(request.POST.get("price", ""))
        request_id = uuid.UUID(request.POST.get("request_id", ""))
    except (InvalidOperation, ValueError):
        raise PermissionDenied from None
    row = promotion.buy(
        item=item,
        slugs=chosen,
        price=price,
        request_id=request_id,
        by=request.user,  # type: ignore[arg-type]
        now=timezone.now(),
    )
    told = messages.success if row.outcome == Outcome.BOUGHT else messages.warning
    told(request, f"{row}: {row.get_outcome_display()}")
    return HttpResponseRedirect(reverse("admin:channels_app_avitopurchase_change", args=[row.pk]))
