"""What every page of the back office shares."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.middleware.csrf import get_token
from django.utils.html import format_html
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin
from simple_history.models import HistoricalRecords
from unfold.admin import ModelAdmin

STATE_LABELS = {
    "due": "warning",
    "taken": "info",
    "kept": "success",
    "broken": "danger",
    "uncertain": "danger",
    "dropped": "default",
}


class ReadOnlyAdmin(ModelAdmin):
    """Rows that the system writes and people read."""

    actions_list: list[Any] = []

    def has_add_permission(self, request: Any) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return False


class HistoryAdmin(SimpleHistoryAdmin, ModelAdmin):
    """Rows whose every change is kept, with who made it and why."""

    def set_history_delta_changes(self, request: Any, historical_records: Any, *args: Any, **kwargs: Any) -> None:
        super().set_history_delta_changes(request, historical_records, *args, **kwargs)
        for record in historical_records:
            record.history_change_reason = record.history_change_reason or "—"  # the page would say None

    def history_form_view(self, request: Any, object_id: Any, version_id: Any, extra_context: Any = None) -> Any:
        # the theme draws the button "History" of this page without its address, and the page's scripts trip over that
        extra = {**(extra_context or {}), "show_history": False}
        return super().history_form_view(request, object_id, version_id, extra)


def instead(fields: Any, swaps: dict[str, str]) -> Any:
    """``fields`` of a form, nested as they are, with some replaced."""
    if isinstance(fields, str):
        return swaps.get(fields, fields)
    return [instead(each, swaps) if isinstance(each, str) else tuple(instead(each, swaps)) for each in fields]


class Labelled(tuple[str, Any]):
    """A code and its words: a coloured label in a list, which needs both, and the words alone on a form."""

    def __str__(self) -> str:
        return str(self[1])


def link_to(row: Any, text: str = "", *, place: str = "") -> SafeString | str:
    """A link to a row's page in the back office, safe to show; words alone for those who may not read that page.

    ``place`` is the id of an element there.
    """
    from django.urls import reverse

    if row is None:
        return SafeString("—")
    request = getattr(HistoricalRecords.context, "request", None)
    user = getattr(request, "user", None)
    if user is not None and not user.has_perm(f"{row._meta.app_label}.view_{row._meta.model_name}"):
        return text or str(row)
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    aim = f"{address}#{place}" if place else address
    return format_html('<a href="{}" class="link">{}</a>', aim, text or str(row))


def button_to(address: str, words: str, *, permission: str) -> SafeString:
    """A button that posts to ``address``; nothing for those without the permission, or where no page is made."""
    request = getattr(HistoricalRecords.context, "request", None)
    if request is None or not request.user.has_perm(permission):
        return SafeString("")
    return format_html(
        '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<button class="bo-button" type="submit">{}</button></form>',
        address,
        get_token(request),
        words,
    )


__all__ = [
    "STATE_LABELS",
    "HistoryAdmin",
    "Labelled",
    "ModelAdmin",
    "ReadOnlyAdmin",
    "admin",
    "button_to",
    "instead",
    "link_to",
]
