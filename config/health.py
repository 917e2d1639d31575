from typing import Any

from django.http import JsonResponse


def alive(request: Any) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def ready(request: Any) -> JsonResponse:
    return JsonResponse({"status": "ok"})
