"""The back office of prices: the catalogue, the rules, the place to try them, and the quotes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from common.admin import HistoryAdmin, ReadOnlyAdmin, link_to
from pricing import snapshot
from pricing.check_page import PERMISSION, calculation_context, check_page
from pricing.models import Discount, PricingRules, Product, Quote, Service, Tier, VatMode
from pricing.queries import recompute, verify


class WithReasonForm(forms.ModelForm):
    """Asks beside the change why it is made; the history keeps it."""

    change_reason = forms.CharField(
        label=_("Why this change"),
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Kept in the history, beside who, when, before and after."),
    )


class RuleAdmin(HistoryAdmin):
    """A row of the rules: with history, and the way to the page that tries them."""

    form = WithReasonForm
    list_per_page = 50
    actions_list = ["check_a_calculation"]
    history_list_display: list[str] = []

    @action(
        description=_("Check a calculation"),
        url_path="check-a-calculation",
        icon="calculate",
        permissions=["check_page"],
    )
    def check_a_calculation(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:pricing_check"))

    def has_check_page_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj._change_reason = form.cleaned_data.get("change_reason") or None
        super().save_model(request, obj, form, change)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        reads_only = obj is not None and not self.has_change_permission(request, obj)
        return [each for each in fields if each != "change_reason"] if reads_only else fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # quotes, articles and files call a row by its code
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, "code"] if obj is not None and hasattr(obj, "code") else fields


class TierInline(TabularInline):
    model = Tier
    fields = ["code", "name", "up_to", "price_month", "position", "is_active"]
    extra = 0
    show_change_link = True


@admin.register(Product)
class ProductAdmin(RuleAdmin):
    list_display = ["title", "code", "of_unit", "position", "is_active"]
    list_editable = ["position", "is_active"]
    search_fields = ["code", "name"]
    fields = ["code", "name", "unit", "position", "is_active", "change_reason"]
    inlines = [TierInline]

    def get_urls(self) -> list[Any]:
        check = path("check/", self.admin_site.admin_view(self.check_view), name="pricing_check")
        return [check, *super().get_urls()]

    def check_view(self, request: HttpRequest) -> HttpResponse:
        return check_page(request, site=self.admin_site)

    @display(description=_("name"), ordering="name__ru")
    def title(self, product: Product) -> str:
        return str(product)

    @display(description=_("unit of volume"))
    def of_unit(self, product: Product) -> str:
        return product.unit.get("ru", "")


@admin.register(Tier)
class TierAdmin(RuleAdmin):
    """All prices on one page, to be edited in the list."""

    list_display = ["__str__", "code", "up_to", "price_month", "is_active"]
    list_editable = ["up_to", "price_month", "is_active"]
    list_filter = ["product", "is_active"]
    list_select_related = ["product"]
    fields = ["product", "code", "name", "up_to", "price_month", "position", "is_active", "change_reason"]


@admin.register(Service)
class ServiceAdmin(RuleAdmin):
    list_display = ["__str__", "code", "charge", "price", "position", "is_active"]
    list_editable = ["price", "position", "is_active"]
    list_filter = ["charge", "is_active"]
    fields = ["code", "name", "unit", "charge", "price", "position", "is_active", "change_reason"]


_BY_PERIOD = {"month": _("paid by the month"), "year": _("paid by the year")}


@admin.register(Discount)
class DiscountAdmin(RuleAdmin):
    """In the order they are taken."""

    list_display = ["__str__", "code", "order", "percent", "condition", "is_active"]
    list_editable = ["order", "percent", "is_active"]
    fields = [
        *("code", "name", "percent", "order", "distinct_products", "billing_period", "startup", "is_active"),
        "change_reason",
    ]

    @display(description=_("when"))
    def condition(self, discount: Discount) -> str:
        parts: list[Any] = []
        if discount.distinct_products is not None:
            parts.append(_("%d products and more") % discount.distinct_products)
        if discount.billing_period:
            parts.append(_BY_PERIOD[discount.billing_period])
        if discount.startup:
            parts.append(_("for startups"))
        return ", ".join(map(str, parts)) or str(_("always"))


@admin.register(PricingRules)
class PricingRulesAdmin(RuleAdmin):
    """The one row of what holds for every quote."""

    list_display = ["__str__", "discount_cap_percent", "valid_days"]
    fields = ["discount_cap_percent", "valid_days", "currency", "change_reason"]
    readonly_fields = ["currency"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(VatMode)
class VatModeAdmin(RuleAdmin):
    """VAT modes with their dates; which one is in force follows from the default seller."""

    list_display = ["name", "code", "rate", "now", "valid_from", "valid_to"]
    fields = [
        *("code", "name", "rate", "table_word", "total_words", "ground", "valid_from", "valid_to", "in_force"),
        "change_reason",
    ]
    readonly_fields = ["in_force"]

    @display(description=_("in force"), boolean=True, ordering="in_force")
    def now(self, mode: VatMode) -> bool:
        return mode.in_force

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        in_use = obj is not None and obj.in_force
        return not in_use and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> Any:
        # deleting from the list would pass by the mode in force
        return {name: each for name, each in super().get_actions(request).items() if name != "delete_selected"}


@admin.register(Quote)
class QuoteAdmin(ReadOnlyAdmin):
    """Prices that were named, each with how it came about and whether it is still as it was made."""

    list_display = ["number", "created_at", "total", "with_manager", "valid_until", "of_lead"]
    list_filter = ["on_request", "created_at"]
    list_select_related = ["lead"]
    list_per_page = 20
    search_fields = ["number"]
    date_hierarchy = "created_at"
    fields = ["number", "created_at", "valid_until", "sound", "of_lead", "of_conversation", "calculation", "digests"]
    readonly_fields = fields

    @display(description=_("needs a manager"), boolean=True, ordering="on_request")
    def with_manager(self, quote: Quote) -> bool:
        return quote.on_request

    @display(description=_("lead"))
    def of_lead(self, quote: Quote) -> str:
        return link_to(quote.lead)

    @display(description=_("conversation"))
    def of_conversation(self, quote: Quote) -> str:
        return link_to(quote.conversation)

    @display(description=_("as it was made"))
    def sound(self, quote: Quote) -> SafeString:
        problems = verify(quote)
        if not problems:
            return format_html('<span class="bo-sound">✓ {}</span>', _("Unchanged; it comes to the same again."))
        return format_html_join(
            "", '<p role="alert" class="text-red-600">✗ {}</p>', ((problem,) for problem in problems)
        )

    @display(description=_("calculation"))
    def calculation(self, quote: Quote) -> SafeString | str:
        try:
            rules = snapshot.rules_from_json(quote.rule_book.rules)
            context = calculation_context(recompute(quote), rules)
        except (ValueError, KeyError, TypeError, ArithmeticError):  # it was changed; the badge says how
            return "—"
        # the template escapes what it shows
        return mark_safe(render_to_string("admin/pricing/calculation.html", {"calculation": context}))  # noqa: S308

    @display(description=_("digests"))
    def digests(self, quote: Quote) -> SafeString:
        return format_html(
            '<div class="bo-text"><code>{}</code></div><div class="bo-text">{} <code>{}</code></div>',
            quote.sha256,
            _("rules"),
            quote.rule_book_id,
        )
