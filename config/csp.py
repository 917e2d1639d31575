"""The content security policy of each part of the site."""

from __future__ import annotations

from typing import Any

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts

#: what the back office's theme (Alpine evaluates its attributes) and Swagger UI can't do without
LOOSER = {"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}
PREFIXES = ("/admin/", "/api/docs")


class Policy(CSPMiddleware):
    """One policy for the site, and two words more where other people's pages need them; inline scripts run nowhere."""

    def get_policy_parts(self, request: Any, response: Any, report_only: bool = False) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(PREFIXES):
            parts.update = {**(parts.update or {}), **LOOSER}
        return parts
