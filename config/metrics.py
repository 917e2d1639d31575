from typing import Any

from django.http import HttpResponse


def page(request: Any) -> HttpResponse:
    return HttpResponse("")
