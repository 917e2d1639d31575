"""Who may use the staff API, and how its lists are cut into pages."""

from __future__ import annotations

from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import DjangoModelPermissions


class StaffWithModelPermissions(DjangoModelPermissions):
    """Staff only, and each method needs the model's permission of the same meaning; reading needs "view"."""

    perms_map = {
        **DjangoModelPermissions.perms_map,
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
    }

    def has_permission(self, request: Any, view: Any) -> bool:
        user = request.user
        return bool(user and user.is_active and user.is_staff and super().has_permission(request, view))


class Pages(PageNumberPagination):
    """``{"count", "next", "previous", "results"}``, 50 a page unless asked, 200 at most."""

    page_size_query_param = "page_size"
    max_page_size = 200
