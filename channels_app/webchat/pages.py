"""Pages around the web chat: the demo site, its two legal texts, and the loader that other sites embed."""

from __future__ import annotations

import hashlib
import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.safestring import mark_safe
from django.views.decorators.http import condition, require_http_methods, require_safe

from channels_app import consents, continuing
from channels_app.webchat import consent as consent_text
from channels_app.webchat import threads
from common.ratelimits import client_address

#: the loader may be this old on a visitor's machine after a release; the files it names never change their content
LOADER_AGE = 300
#: a speech bubble with three lines, 24 by 24
ICON = (
    "M4.5 3h15A2.5 2.5 0 0 1 22 5.5v10a2.5 2.5 0 0 1-2.5 2.5H12l-5.1 3.8a.6.6 0 0 1-.9-.5V18H4.5A2.5 2.5 0 0 1 2 15.5"
    "v-10A2.5 2.5 0 0 1 4.5 3Zm3 4.25a.75.75 0 0 0 0 1.5h9a.75.75 0 0 0 0-1.5Zm0 4a.75.75 0 0 0 0 1.5h5.5"
    "a.75.75 0 0 0 0-1.5Z"
)


def loader_script() -> str:
    """The loader's JavaScript, with the addresses of the files it fetches, relative to its own origin."""
    files = {
        "core": static("widget/core.js"),
        "ru": static("widget/ru.js"),
        "en": static("widget/en.js"),
        "consent": reverse("legal-consent"),
        "privacy": reverse("legal-privacy"),
    }
    # both values are ours and JSON is JavaScript: nothing of a visitor's comes into this file
    return render_to_string("widget/loader.js", {"files": mark_safe(json.dumps(files)), "icon": ICON})  # noqa: S308


def _loader_etag(request: HttpRequest) -> str:
    return f'"{hashlib.sha256(loader_script().encode()).hexdigest()[:32]}"'


@require_safe
@condition(etag_func=_loader_etag)
def loader(request: HttpRequest) -> HttpResponse:
    """The script that a site embeds; any site may fetch it, which sites may talk is decided where they talk."""
    response = HttpResponse(loader_script(), content_type="text/javascript; charset=utf-8")
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_cache_control(response, public=True, max_age=LOADER_AGE)
    return response


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The demo site of a company, with the chat embedded as any site would embed it."""
    return render(request, "site/home.html")


@require_safe
def consent(request: HttpRequest) -> HttpResponse:
    """The consent to the processing of personal data, as the chat asks for it."""
    paragraphs = consent_text.text().split("\n\n")
    return render(request, "site/consent.html", {"paragraphs": paragraphs, "version": consent_text.VERSION})


@require_safe
def consent_in_chats(request: HttpRequest) -> HttpResponse:
    """The same for those who write in a vendor's chat."""
    paragraphs = consents.text().split("\n\n")
    return render(request, "site/consent.html", {"paragraphs": paragraphs, "version": consents.VERSION})


@require_http_methods(["GET", "HEAD", "POST"])
def go_on(request: HttpRequest, token: str) -> HttpResponse:
    """Where a link of another channel leads: looking changes nothing, so a preview doesn't use it up."""
    now = timezone.now()
    session = None
    if request.method == "POST" and request.POST.get("consent") == "yes":
        session = threads.continue_by(
            token, now=now, address=client_address(request), browser=request.headers.get("User-Agent", "")
        )
    alive = session is None and continuing.alive(token, now=now)
    shown = {"session": {"id": session.conversation_id, "token": session.token} if session else None, "alive": alive}
    response = render(request, "site/continue.html", shown, status=200 if session or alive else 410)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """The policy on personal data."""
    return render(request, "site/privacy.html", {"version": consent_text.VERSION})
