"""Whether we are alive, and whether what we lean on is there."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from common.health import look


@never_cache
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """This process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Each dependency with its state; 503 only when one that we can't do without is down."""
    found = look()
    missing = any(each.required and each.state == "down" for each in found)
    degraded = any(each.state == "down" for each in found)
    return JsonResponse(
        {
            "status": "down" if missing else "degraded" if degraded else "ok",
            "dependencies": {each.name: {"state": each.state, "detail": each.detail} for each in found},
        },
        status=503 if missing else 200,
    )
