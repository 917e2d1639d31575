"""Where Avito rings. It is told 200 within its two seconds: one statement of the database, and no call of anybody.

Nothing of what it says is believed but that a chat is worth a look; that is why a forged ring can only cost a look.
"""

from __future__ import annotations

import hmac
import logging
import re
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from channels_app import arrivals
from channels_app.avito import account, signatures
from common.parsers import loads

logger = logging.getLogger(__name__)

#: an event is a few kilobytes
BODY_MOST = 1024 * 1024
_CHAT = re.compile(r"[!-~]{1,200}")


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, secret: str) -> HttpResponse:
    """404 without the secret, 400 for what isn't JSON, 200 for the rest, known or not."""
    if not knows_secret(secret):
        return HttpResponse(status=404)
    try:
        if int(request.headers.get("Content-Length") or 0) > BODY_MOST:
            return HttpResponse(status=413)
        body = request.body
    except RequestDataTooBig:
        return HttpResponse(status=413)
    except (UnreadablePostError, ValueError):
        return HttpResponse(status=400)
    if len(body) > BODY_MOST:
        return HttpResponse(status=413)
    try:
        event = loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return HttpResponse(status=400)
    signature = request.headers.get(signatures.HEADER, "")[:200]
    if not signatures.is_taken(signature, body):
        logger.warning("webhook without a right signature", extra={"channel": "avito"})
        return HttpResponse(status=403)
    chat = chat_of(event)
    if not chat:
        return HttpResponse(status=200)
    try:
        signatures.keep_some(signature, body, now=timezone.now())
        arrivals.owe(channel="avito", chat=chat, now=timezone.now())
    except (OperationalError, InterfaceError):
        logger.error("no database for an event", extra={"channel": "avito"})
        return HttpResponse(status=503)
    return HttpResponse(status=200)


def knows_secret(given: str) -> bool:
    """Whether it is one of ours; each is compared, in a time that tells nothing."""
    if not account.is_on():
        return False
    told = given.encode("utf-8", "surrogatepass")
    same = [hmac.compare_digest(each.encode(), told) for each in settings.AVITO_WEBHOOK_SECRETS]
    return any(same)


def chat_of(event: Any) -> str:
    """The chat that is worth a look; empty for what asks for none: a probe, an unknown event, another's account."""
    payload = event.get("payload") if isinstance(event, dict) else None
    value = payload.get("value") if isinstance(payload, dict) and payload.get("type") == "message" else None
    if not isinstance(value, dict):
        return ""
    chat, ours, told = value.get("chat_id"), account.known_number(), value.get("user_id")
    if not isinstance(told, int) or isinstance(told, bool) or (ours and told != ours):
        return ""
    return chat if isinstance(chat, str) and _CHAT.fullmatch(chat) else ""
