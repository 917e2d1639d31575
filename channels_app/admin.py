"""What the channels owe, as staff see it: deliveries to decide about, and chats owed a look."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from channels_app import deliveries, troubles
from channels_app.auto_replies import admin as auto_replies
from channels_app.avito import admin as avito
from channels_app.models import Arrival, Delivery
from channels_app.panels import buttons
from common.admin import STATE_LABELS, ReadOnlyAdmin, link_to


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Messages on their way to customers. Who may speak in a conversation decides what failed or is uncertain."""

    list_display = ["__str__", "talk", "seq", "condition", "attempts", "due_at", "sent_at", "problem"]
    list_filter = ["state", "created_at"]
    list_select_related = ["conversation"]
    list_per_page = 20
    fields = [
        "talk",
        "seq",
        "state",
        "due_at",
        "attempts",
        "problem",
        "created_at",
        "sent_at",
        "delivered_at",
        "read_at",
    ]
    readonly_fields = ["talk", "decision"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*self.fields, "decision"]

    def get_urls(self) -> list[Any]:
        own = [
            path(
                "<uuid:pk>/decide/<slug:verb>/",
                self.admin_site.admin_view(self.decide),
                name="channels_app_delivery_decide",
            )
        ]
        return own + super().get_urls()

    @display(description=_("conversation"))
    def talk(self, delivery: Delivery) -> SafeString | str:
        return link_to(delivery.conversation, place=f"m{delivery.seq}")

    @display(description=_("state"), label=STATE_LABELS, ordering="state")
    def condition(self, delivery: Delivery) -> tuple[str, str]:
        return delivery.state, delivery.get_state_display()

    @display(description=_("decision"))
    def decision(self, delivery: Delivery) -> SafeString:
        return buttons(delivery) or format_html("—")

    def decide(self, request: HttpRequest, pk: UUID, verb: str) -> HttpResponse:
        """A person has looked: send it again, or it has arrived."""
        if request.method != "POST" or not request.user.has_perm("sales.change_conversation"):
            raise PermissionDenied
        delivery = get_object_or_404(Delivery, pk=pk)
        if verb not in {"again", "arrived"}:
            raise PermissionDenied
        now = timezone.now()
        deliveries.decide(delivery, arrived=verb == "arrived", now=now)
        troubles.settled(delivery, by=request.user, now=now)
        messages.success(
            request, gettext("It is sent again.") if verb == "again" else gettext("Noted: it has arrived.")
        )
        address = reverse("admin:sales_conversation_change", args=[delivery.conversation_id])
        return HttpResponseRedirect(f"{address}#m{delivery.seq}")


@admin.register(Arrival)
class ArrivalAdmin(ReadOnlyAdmin):
    """Chats of vendors in which something has happened, and how the look went."""

    list_display = ["__str__", "channel", "condition", "attempts", "due_at", "created_at", "problem"]
    list_filter = ["state", "channel", "created_at"]
    list_per_page = 20
    fields = ["channel", "chat", "state", "due_at", "attempts", "problem", "created_at"]

    @display(description=_("state"), label=STATE_LABELS, ordering="state")
    def condition(self, arrival: Arrival) -> tuple[str, str]:
        return arrival.state, arrival.get_state_display()


__all__ = ["ArrivalAdmin", "DeliveryAdmin", "auto_replies", "avito"]
