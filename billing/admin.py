"""The back office of documents: who sells, who answers for a proposal, what was issued."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing import links, operations
from billing.models import Document, Manager, Pdf, Seller
from billing.views import pdf_response
from common.admin import STATE_LABELS, HistoryAdmin, Labelled, ReadOnlyAdmin, instead, link_to
from pricing.operations import VatModeNotAllowed
from pricing.words import money


@admin.register(Seller)
class SellerAdmin(HistoryAdmin):
    """Sellers. What can't be a requisite is refused; a bank key that doesn't fit is a warning that stays in sight."""

    list_display = ["name", "inn", "vat_mode", "condition", "requisites"]
    list_select_related = ["vat_mode"]
    list_filter = ["form"]
    list_per_page = 20
    search_fields = ["name", "inn"]
    readonly_fields = ["requisites", "is_default", "is_demo"]
    actions = ["make_default"]
    fieldsets = (
        (None, {"fields": ["requisites", ("form", "vat_mode"), "name", "full_name", ("is_default", "is_demo")]}),
        (_("Registration"), {"fields": [("inn", "kpp"), "ogrn", "address"]}),
        (_("Bank"), {"fields": ["bank", ("bic", "corr_account"), "account"]}),
        (_("Who signs"), {"fields": ["signatory", ("signatory_position", "signatory_basis")]}),
        (_("Contact"), {"fields": [("phone", "email"), "site"]}),
        (_("Printed in proposals"), {"fields": ["payment_terms", "included"]}),
    )

    @display(description=_("state"), label={"default": "success", "demo": "warning", "": "default"})
    def condition(self, seller: Seller) -> tuple[str, str] | None:
        if seller.is_demo:
            return "demo", gettext("made up") + (f" · {gettext('default')}" if seller.is_default else "")
        return ("default", gettext("default")) if seller.is_default else None

    @display(description=_("requisites"))
    def requisites(self, seller: Seller) -> SafeString | str:
        if seller.pk is None:
            return "—"
        warnings = seller.warnings()
        if not warnings:
            return gettext("The check digits fit.")
        return format_html_join("", "<div>⚠ {}</div>", ((words,) for words in warnings.values()))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if obj.is_demo and "inn" in form.changed_data:
            obj.is_demo = False  # its ИНН was made up too: with another one it is a real seller
        super().save_model(request, obj, form, change)
        for words in obj.warnings().values():
            messages.warning(request, words)
        if obj.is_default or not Seller.objects.filter(is_default=True).exists():
            self._put_in_force(request, obj)

    @admin.action(description=_("Make it the default seller"), permissions=["change"])
    def make_default(self, request: HttpRequest, queryset: Any) -> None:
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            messages.error(request, gettext("Choose exactly one seller."))
            return
        self._put_in_force(request, chosen[0])

    def _put_in_force(self, request: HttpRequest, seller: Seller) -> None:
        try:
            operations.set_default_seller(seller_id=seller.pk, by=request.user, now=timezone.now())  # type: ignore[arg-type]
        except VatModeNotAllowed as problem:
            messages.error(request, str(problem))
        else:
            messages.success(
                request, gettext("%(name)s: new quotes and documents are made in this name.") % {"name": seller.name}
            )


@admin.register(Manager)
class ManagerAdmin(HistoryAdmin):
    list_display = ["name", "position", "phone", "email", "seller", "is_active", "is_demo"]
    list_select_related = ["seller"]
    list_filter = ["seller", "is_active"]
    list_per_page = 20
    search_fields = ["name", "email"]
    readonly_fields = ["is_demo"]
    fields = ["seller", "name", "position", ("phone", "email"), "user", ("is_active", "is_demo")]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # who only reads a manager may not read the seller's page or the user's: words there, no link
        plain = {} if self.has_change_permission(request, obj) else {"seller": "of_seller", "user": "of_user"}
        return instead(super().get_fields(request, obj), plain)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "of_seller", "of_user"]

    @display(description=_("seller"))
    def of_seller(self, manager: Manager) -> SafeString | str:
        return link_to(manager.seller)

    @display(description=_("user"))
    def of_user(self, manager: Manager) -> SafeString | str:
        return link_to(manager.user)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if obj.is_demo and "name" in form.changed_data:
            obj.is_demo = False  # somebody else, so somebody real
        super().save_model(request, obj, form, change)


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    """What was issued: read, download, make the PDF again, take back or renew the link."""

    HANDLE = "billing.change_document"

    list_display = ["title", "of_lead", "sum", "condition", "issued_on", "valid_until", "file"]
    list_filter = ["kind", "state", "issued_on", "seller"]
    list_select_related = ["lead", "seller", "quote"]
    list_per_page = 20
    search_fields = ["number", "quote__number"]
    date_hierarchy = "issued_on"
    change_form_outer_before_template = "admin/billing/document_actions.html"
    fieldsets = (
        (None, {"fields": [("kind", "number"), ("issued_on", "valid_until"), "sum", "file"]}),
        (_("Whose"), {"fields": ["of_seller", "of_lead", "of_conversation", "of_quote"]}),
        (_("PDF"), {"fields": ["condition", "problem", "attempts", "rendered_at", ("size", "pages"), "sha256"]}),
        (_("Links"), {"fields": ["given_links"]}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for _title, options in self.fieldsets for name in _flat(options["fields"])]

    @display(description=_("document"), ordering="number")
    def title(self, document: Document) -> str:
        return str(document)

    @display(description=_("seller"))
    def of_seller(self, document: Document) -> SafeString | str:
        return link_to(document.seller)

    @display(description=_("lead"))
    def of_lead(self, document: Document) -> SafeString | str:
        return link_to(document.lead)

    @display(description=_("conversation"))
    def of_conversation(self, document: Document) -> SafeString | str:
        return link_to(document.conversation)

    @display(description=_("quote"))
    def of_quote(self, document: Document) -> SafeString | str:
        return link_to(document.quote)

    @display(description=_("total"), ordering="total")
    def sum(self, document: Document) -> str:
        return money(document.total)

    @display(description=_("state"), label=STATE_LABELS, ordering="state")
    def condition(self, document: Document) -> Labelled:
        return Labelled((document.state, document.get_state_display()))

    @display(description=_("file"))
    def file(self, document: Document) -> SafeString | str:
        if not document.sha256:
            return "—"
        address = reverse("admin:billing_document_pdf", args=[document.pk])
        return format_html('<a href="{}" class="link" target="_blank">PDF</a>', address)

    @display(description=_("links"))
    def given_links(self, document: Document) -> SafeString | str:
        now = timezone.now()
        lines = format_html_join(
            "",
            "<div>{} · {}</div>",
            ((self._state(link, now), self._address(link, now)) for link in document.links.all()),
        )
        return lines or "—"

    def _state(self, link: Any, now: Any) -> str:
        if link.revoked_at:
            return gettext("revoked %(day)s") % {"day": f"{timezone.localtime(link.revoked_at):%d.%m.%Y %H:%M}"}
        until = f"{timezone.localtime(link.expires_at):%d.%m.%Y}"
        return (gettext("works until %(day)s") if link.expires_at > now else gettext("ended %(day)s")) % {"day": until}

    def _address(self, link: Any, now: Any) -> SafeString | str:
        if link.revoked_at or link.expires_at <= now or not (address := links.path_of(link)):
            return "—"
        return format_html(
            '<a href="{}" class="link" target="_blank" rel="noreferrer">{}</a>', address, gettext("open")
        )

    def get_urls(self) -> list[Any]:
        own = [
            path("<uuid:pk>/pdf/", self.admin_site.admin_view(self.pdf), name="billing_document_pdf"),
            path("<uuid:pk>/do/<slug:verb>/", self.admin_site.admin_view(self.act), name="billing_document_act"),
        ]
        return own + super().get_urls()

    def pdf(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """The file, for staff who may see documents."""
        document = get_object_or_404(Document, pk=pk)
        if not self.has_view_permission(request, document):
            raise PermissionDenied
        stored = Pdf.objects.filter(document=document).first()
        if stored is None:
            raise Http404
        return pdf_response(document, stored.content)

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        extra = {**(extra_context or {}), "may_handle": request.user.has_perm(self.HANDLE)}
        return super().changeform_view(request, object_id, form_url, extra)

    def act(self, request: HttpRequest, pk: Any, verb: str) -> HttpResponse:
        """What staff do from the document's page; each changes something, so by POST only."""
        if request.method != "POST" or not request.user.has_perm(self.HANDLE):
            raise PermissionDenied
        document = get_object_or_404(Document, pk=pk)
        about: Any = {"document_id": document.pk, "by": request.user, "now": timezone.now()}
        if verb == "make-again":
            if operations.make_again(**about):
                messages.success(request, gettext("The PDF is being made; look again in a few seconds."))
            else:
                messages.warning(request, gettext("It is being made right now."))
        elif verb == "revoke-links":
            count = operations.revoke_links(**about)
            messages.success(request, gettext("Links that don't work any more: %(count)d.") % {"count": count})
        elif verb == "give-link":
            operations.give_link(**about)
            messages.success(request, gettext("The new link stands below."))
        else:
            raise Http404
        return HttpResponseRedirect(reverse("admin:billing_document_change", args=[document.pk]))


def _flat(fields: Any) -> list[str]:
    return [name for each in fields for name in (each if isinstance(each, tuple) else (each,))]
