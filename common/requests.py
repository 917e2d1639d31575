"""One log line and one count for each HTTP request: the route's name, never the path."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from common import metrics

logger = logging.getLogger(__name__)


@sync_and_async_middleware
def access_line(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware, to stand right inside the one that gives a request its id."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            started = time.perf_counter()
            awaited: Awaitable[HttpResponse] = get_response(request)
            response = await awaited
            _note(request, response, time.perf_counter() - started)
            return response

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response: HttpResponse = get_response(request)
        _note(request, response, time.perf_counter() - started)
        return response

    return answer


def route_of(request: HttpRequest) -> str:
    """The name of the route that a request met, or its pattern; ``unmatched`` where it met none."""
    match = request.resolver_match
    return (match.view_name or match.route) if match else "unmatched"


def _note(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    route, status = route_of(request), response.status_code
    metrics.http_requests_total.labels(route=route, status=str(status)).inc()
    metrics.http_request_seconds.labels(route=route).observe(seconds)
    # probes come every few seconds and would drown the rest
    level = logging.DEBUG if route in {"health", "ready", "metrics"} and status < 400 else logging.INFO
    known = request.method if request.method in _METHODS else "other"
    logger.log(
        level, "request", extra={"route": route, "method": known, "status": status, "ms": round(seconds * 1e3, 1)}
    )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
