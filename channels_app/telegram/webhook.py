"""Where Telegram brings updates. Stored before it is acknowledged; no call of anybody in between."""

from __future__ import annotations

import hmac
import logging

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from channels_app.telegram import inbox
from common.parsers import loads

logger = logging.getLogger(__name__)

#: an update is a few kilobytes; nothing that Telegram sends comes near this
BODY_MOST = 1024 * 1024


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """200 for whatever is JSON and comes with the secret; what we don't know is passed over."""
    if not knows_secret(request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")):
        return HttpResponse(status=403)
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
        update = loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return HttpResponse(status=400)
    try:
        callback = inbox.take(update, now=timezone.now())
    except (OperationalError, InterfaceError):
        logger.error("no database for an update", extra={"channel": "telegram"})
        return HttpResponse(status=503)  # Telegram comes again
    if callback:
        # the answer may itself be a call: so the spinner stops at once and nobody calls anybody
        return JsonResponse({"method": "answerCallbackQuery", "callback_query_id": callback})
    return HttpResponse(status=200)


def knows_secret(given: str) -> bool:
    """Whether it is one of ours; each is compared, in a time that tells nothing."""
    if not settings.TELEGRAM_BOT_TOKEN:
        return False
    known = [each.encode() for each in settings.TELEGRAM_WEBHOOK_SECRETS]
    same = [hmac.compare_digest(each, given.encode("utf-8", "surrogatepass")) for each in known]
    return any(same)
