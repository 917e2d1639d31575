"""Where a customer fetches a document: by a token, without logging in, waiting for a PDF that is still being made."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from billing import links
from billing.models import Document, Pdf
from billing.queries import file_name
from common.promise import State

#: how long a request waits for a PDF; it looks soon at first, then more and more seldom; in seconds
WAITS = 20.0
FIRST_LOOK, RAREST_LOOK = 0.05, 0.5


@require_safe
async def document(request: HttpRequest, token: str, filename: str) -> HttpResponse:
    """The PDF of a link; 404 for a link that doesn't work, whatever the reason, 503 while there is no PDF yet."""
    found = await _apart(_find, token, timezone.now())
    if found is None:
        return _page("billing/link_gone.html", status=404)
    ends, pause = time.monotonic() + WAITS, FIRST_LOOK
    while not found.sha256:
        if found.state not in {State.DUE, State.TAKEN}:
            return _page("billing/link_failed.html", status=503, retry_after=3600)
        if time.monotonic() >= ends:
            return _page("billing/link_wait.html", status=503, retry_after=5)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, RAREST_LOOK)
        found = await _apart(_find, token, timezone.now())
        if found is None:  # revoked while we waited
            return _page("billing/link_gone.html", status=404)
    return pdf_response(found, await _apart(_content, found))


def pdf_response(document: Document, content: bytes) -> HttpResponse:
    """A PDF that is shown in place, kept by nobody on the way, and gives its address to no other page."""
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = content_disposition_header(False, file_name(document)) or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    # browsers apply the policy to their own PDF viewer, which then shows nothing
    response._csp_exempt = True  # type: ignore[attr-defined]
    return _private(response)


async def _apart(look: Any, *args: Any) -> Any:
    """Look into the database and give the connection back: one that waits for a PDF must not keep it from others."""

    def once() -> Any:
        try:
            return look(*args)
        finally:
            close_old_connections()

    return await sync_to_async(once)()


def _find(token: str, now: datetime) -> Document | None:
    link = links.find(token, now=now)
    return link.document if link else None


def _content(document: Document) -> bytes:
    return Pdf.objects.get(document=document).content


def _page(template: str, *, status: int, retry_after: int | None = None) -> HttpResponse:
    response = HttpResponse(render_to_string(template, {"retry_after": retry_after}), status=status)
    if retry_after:
        response["Retry-After"] = str(retry_after)
    return _private(response)


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    # Django would write a line with the path for every answer from 400 up, and the path is a secret
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
