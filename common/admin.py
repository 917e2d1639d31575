"""What every page of the back office shares."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
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


def link_to(row: Any, text: str = "") -> SafeString:
    """A link to a row's page in the back office, safe to show."""
    from django.urls import reverse

    if row is None:
        return SafeString("—")
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}" class="link">{}</a>', address, text or str(row))


__all__ = ["STATE_LABELS", "ModelAdmin", "ReadOnlyAdmin", "admin", "link_to"]
