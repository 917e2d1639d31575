"""What the benchmark of channels adds to the site: a bare view of one row, and a model that thinks for no time."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from sales.assistant.protocol import Reply


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    """As little as a webhook can do that loses nothing: one row, committed, then 200."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_bare (body) VALUES (%s)", [request.body.decode()])
    return HttpResponse(status=200)


urlpatterns = [path("bare", bare), path("", include("config.urls"))]


class AtOnce:
    """Answers with words that need no proof."""

    name = "at once"

    def reply(self, **kwargs: Any) -> Reply:
        return Reply(text="Здравствуйте! Чем помочь?")


def model() -> AtOnce:
    """The model for the next turn."""
    return AtOnce()
