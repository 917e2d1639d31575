"""Avito in the back office: listings with what they bring, reading switched on and off, purchases of promotion."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import DecimalField, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from channels_app.avito import account, chart, items_sync, promotion, promotion_page
from channels_app.avito.models import (
    AvitoItem,
    AvitoItemDay,
    AvitoPurchase,
    AvitoSyncRun,
    ItemStatus,
    Outcome,
)
from common.admin import STATE_LABELS, Labelled, ReadOnlyAdmin, button_to, link_to

STATUS_LABELS = {
    ItemStatus.ACTIVE: "success",
    ItemStatus.OLD: "warning",
    ItemStatus.REMOVED: "default",
    ItemStatus.BLOCKED: "danger",
    ItemStatus.REJECTED: "danger",
}
OUTCOME_LABELS = {
    Outcome.BOUGHT: "success",
    Outcome.UNDER_WAY: "info",
    Outcome.UNCERTAIN: "danger",
    Outcome.REFUSED: "warning",
    Outcome.NOT_BOUGHT: "default",
}
#: days that a chart may show, the first unless asked, and those that the list sums up
STRETCHES = (30, 90, 270)
SUMMED = 30
CHANGES = 20
PURCHASE_RIGHT = promotion_page.RIGHT


class StatusFilter(admin.SimpleListFilter):
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return ItemStatus.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(status=self.value()) if self.value() else queryset


@admin.register(AvitoItem)
class AvitoItemAdmin(ReadOnlyAdmin):
    """Listings, last seen first, with what each brought within a month."""

    list_display = ["called", "condition", "price", "views_", "contacts_", "messages_", "leads_", "quotes_", "spent_"]
    list_filter = [StatusFilter, "category"]
    list_per_page = 50
    search_fields = ["title", "=id"]
    search_help_text = _("Words of the title, or the number on Avito.")
    list_before_template = "admin/channels_app/avito_sync.html"
    change_form_outer_before_template = "admin/channels_app/avito_item.html"
    fields = [
        "id",
        "title",
        "condition",
        "price",
        "category",
        "at_avito",
        "first_seen_at",
        "last_seen_at",
        "purchases_",
    ]
    readonly_fields = ["condition", "at_avito", "purchases_"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        since = timezone.localdate() - timedelta(days=SUMMED - 1)
        days = AvitoItemDay.objects.filter(item=OuterRef("pk"), day__gte=since).order_by().values("item")

        def sum_of(name: str, kind: Any) -> Subquery:
            return Subquery(days.annotate(sum_=Sum(name)).values("sum_"), output_field=kind)

        counts = {f"{name}_sum": sum_of(name, IntegerField()) for name, _title in chart.KINDS}
        spent = sum_of("spendings", DecimalField(max_digits=14, decimal_places=2))
        return super().get_queryset(request).annotate(**counts, spendings_sum=spent)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("sync/<str:what>/", view(self.switch), name="channels_app_avito_sync"),
            path("<int:item_id>/promotion/", view(self.promotion), name="channels_app_avito_promotion"),
            *super().get_urls(),
        ]

    def promotion(self, request: HttpRequest, item_id: int) -> HttpResponse:
        return promotion_page.page(request, item_id, site=self.admin_site)

    # --- columns ---

    @display(description=_("listing"), ordering="title")
    def called(self, item: AvitoItem) -> SafeString:
        return format_html('<span class="bo-asked">{}</span>', item)

    @display(description=_("status"), ordering="status", label=STATUS_LABELS)
    def condition(self, item: AvitoItem) -> Labelled:
        return Labelled((item.status, item.get_status_display()))

    @display(description=_("views, 30 days"), ordering="views_sum")
    def views_(self, item: Any) -> int:
        return item.views_sum or 0

    @display(description=_("contacts"), ordering="contacts_sum")
    def contacts_(self, item: Any) -> int:
        return item.contacts_sum or 0

    @display(description=_("messages of customers"), ordering="messages_sum")
    def messages_(self, item: Any) -> int:
        return item.messages_sum or 0

    @display(description=_("leads"), ordering="leads_sum")
    def leads_(self, item: Any) -> int:
        return item.leads_sum or 0

    @display(description=_("quotes"), ordering="quotes_sum")
    def quotes_(self, item: Any) -> int:
        return item.quotes_sum or 0

    @display(description=_("spendings, roubles"), ordering="spendings_sum")
    def spent_(self, item: Any) -> str:
        return "—" if item.spendings_sum is None else f"{item.spendings_sum:.2f}"

    @display(description=_("on Avito"))
    def at_avito(self, item: AvitoItem) -> SafeString | str:
        if not item.url:
            return "—"
        return format_html(
            '<a class="link" href="{}" target="_blank" rel="noopener noreferrer">{}</a>', item.url, item.url
        )

    @display(description=_("purchases of promotion"))
    def purchases_(self, item: AvitoItem) -> SafeString:
        address = reverse("admin:channels_app_avitopurchase_changelist")
        many = item.purchases.count()
        return format_html('<a class="link" href="{}?item__id__exact={}">{}</a>', address, item.pk, many)

    # --- pages ---

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        extra = {
            **(extra_context or {}),
            "sync": items_sync.state(),
            "sync_run": items_sync.last_run(),
            "avito_on": account.is_on(),
            "may_sync": request.user.has_perm("channels_app.change_avitosync"),
        }
        return super().changelist_view(request, extra)

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        item = self.get_object(request, object_id) if object_id else None
        extra = dict(extra_context or {})
        if item is not None:
            asked = request.GET.get("days", "")
            many = int(asked) if asked in map(str, STRETCHES) else STRETCHES[0]
            days = chart.days_until(timezone.localdate(), many)
            found = list(item.days.filter(day__gte=days[0]))
            extra |= {
                "item": item,
                "may_promote": request.user.has_perm(PURCHASE_RIGHT),
                "days": days,
                "last_day": days[-1],
                "stretches": STRETCHES,
                "rows": chart.rows(found, days),
                "spent": sum(each.spendings or 0 for each in found),
                "changes": [_in_words(each) for each in item.changes.all()[:CHANGES]],
            }
        return super().changeform_view(request, object_id, form_url, extra)

    def switch(self, request: HttpRequest, what: str) -> HttpResponse:
        """The buttons: start, stop, read now."""
        if request.method != "POST" or not request.user.has_perm("channels_app.change_avitosync"):
            raise PermissionDenied
        now = timezone.now()
        try:
            if what == "start":
                items_sync.start(by=request.user, now=now)  # type: ignore[arg-type]
                messages.success(request, gettext("Listings are read by themselves from now on."))
            elif what == "stop":
                items_sync.stop(by=request.user, now=now)  # type: ignore[arg-type]
                messages.success(request, gettext("Listings aren't read by themselves any more."))
            elif what == "now":
                items_sync.run_now(by=request.user, now=now)  # type: ignore[arg-type]
                messages.success(request, gettext("The listings are being read; reload the page in a minute."))
            else:
                raise Http404
        except items_sync.Off:
            messages.error(request, gettext("Avito is off: its variables are empty."))
        return HttpResponseRedirect(reverse("admin:channels_app_avitoitem_changelist"))


def _in_words(change: Any) -> Any:
    """A change with the name of its field, and a status in words, in the page's language."""
    field: Any = AvitoItem._meta.get_field(change.field)
    change.words = str(field.verbose_name)
    if change.field == "status":
        words = dict(ItemStatus.choices)
        change.before = str(words.get(change.before, change.before))
        change.after = str(words.get(change.after, change.after))
    return change


@admin.register(AvitoSyncRun)
class AvitoSyncRunAdmin(ReadOnlyAdmin):
    """Each reading of the listings, latest first."""

    list_display = [
        "created_at",
        "condition",
        "step",
        "items_seen",
        "days_written",
        "finished_at",
        "asked_by",
        "problem",
    ]
    list_filter = ["state", "created_at"]
    list_select_related = ["asked_by"]
    list_per_page = 50
    fields = [
        *("created_at", "asked_by", "state", "step", "due_at", "items_seen", "days_written", "finished_at", "problem"),
    ]

    @display(description=_("state"), ordering="state", label=STATE_LABELS)
    def condition(self, run: AvitoSyncRun) -> Labelled:
        return Labelled((run.state, run.get_state_display()))


@admin.register(AvitoPurchase)
class AvitoPurchaseAdmin(ReadOnlyAdmin):
    """Purchases of promotion. What looking couldn't settle is settled by whoever may spend."""

    list_display = ["asked_at", "of_item", "services", "price", "condition", "asked_by", "problem"]
    list_filter = ["outcome", "asked_at", ("item", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["item", "asked_by"]
    list_per_page = 50
    fields = [
        *("of_item", "services", "stickers", "price", "condition", "operations", "problem"),
        *("asked_by", "asked_at", "settled_by", "settled_at", "decision"),
    ]
    readonly_fields = ["of_item", "services", "condition", "decision"]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.settle)
        return [path("<uuid:pk>/settle/<str:what>/", view, name="channels_app_avito_settle"), *super().get_urls()]

    @display(description=_("listing"))
    def of_item(self, row: AvitoPurchase) -> SafeString | str:
        return link_to(row.item)

    @display(description=_("services"))
    def services(self, row: AvitoPurchase) -> str:
        return ", ".join(row.slugs)

    @display(description=_("outcome"), ordering="outcome", label=OUTCOME_LABELS)
    def condition(self, row: AvitoPurchase) -> Labelled:
        return Labelled((row.outcome, row.get_outcome_display()))

    @display(description=_("what you saw at Avito"))
    def decision(self, row: AvitoPurchase) -> SafeString | str:
        if row.outcome != Outcome.UNCERTAIN:
            return "—"
        buttons = [
            button_to(
                reverse("admin:channels_app_avito_settle", args=[row.pk, what]), str(words), permission=PURCHASE_RIGHT
            )
            for what, words in (("bought", _("It was bought")), ("not_bought", _("It wasn't bought")))
        ]
        return format_html('<div class="bo-row">{}{}</div>', *buttons)

    def settle(self, request: HttpRequest, pk: Any, what: str) -> HttpResponse:
        """The buttons of somebody who has looked at Avito's own pages."""
        if request.method != "POST" or not request.user.has_perm(PURCHASE_RIGHT):
            raise PermissionDenied
        if what not in {"bought", "not_bought"}:
            raise Http404
        row = get_object_or_404(AvitoPurchase, pk=pk)
        promotion.decide(row, bought=what == "bought", by=request.user, now=timezone.now())  # type: ignore[arg-type]
        messages.success(request, gettext("Noted."))
        return HttpResponseRedirect(reverse("admin:channels_app_avitopurchase_change", args=[pk]))
