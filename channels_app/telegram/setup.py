"""What stands between us and Telegram, looked at one thing after another and told in words."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from telegram import WebhookInfo

from channels_app.contract import Unreachable
from channels_app.telegram import client, inbox, payloads
from common import locks
from common.problems import LastingProblem, TemporaryProblem, UnknownOutcome

#: what a call of ours may end in
FAILURES = (TemporaryProblem, LastingProblem, UnknownOutcome, Unreachable)
#: where Telegram brings updates to
PORTS = frozenset({443, 80, 88, 8443})
_TOKEN = re.compile(r"\d{5,16}:[A-Za-z0-9_-]{20,100}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
#: shorter ones can be guessed
SECRET_LEAST = 24
#: the lock of whoever polls
POLLING = "channels_app.telegram.poll"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. ``advice`` is what to do where it isn't well."""

    well: bool
    words: str
    advice: str = ""


def webhook_url() -> str:
    return settings.PUBLIC_URL.rstrip("/") + reverse("webhook-telegram")


def look(*, now: datetime) -> Iterator[Finding]:
    """Everything, in the order in which it has to be well; what can't be known without it isn't looked at."""
    if not settings.TELEGRAM_BOT_TOKEN:
        advice = _("Take one from @BotFather in Telegram (/newbot) and set TELEGRAM_BOT_TOKEN.")
        yield Finding(False, _("There is no token: Telegram is off."), advice)
        return
    if not _TOKEN.fullmatch(settings.TELEGRAM_BOT_TOKEN):
        advice = _("It looks like 123456789:AA… Copy the whole line that @BotFather shows.")
        yield Finding(False, _("TELEGRAM_BOT_TOKEN is no token of a bot."), advice)
        return
    yield Finding(True, _("The token is set."))
    try:
        me = inbox.learn_name(now=now)
    except client.TokenRefused:
        advice = _("It was revoked or mistyped. Ask @BotFather for it again (/token) and set TELEGRAM_BOT_TOKEN.")
        yield Finding(False, _("Telegram refuses the token."), advice)
        return
    except FAILURES:
        advice = _(
            "Look whether this machine reaches %(url)s. Where the network blocks it, set HTTPS_PROXY, or"
            " TELEGRAM_API_URL to a Bot API server of your own."
        ) % {"url": settings.TELEGRAM_API_URL}
        yield Finding(False, _("Telegram can't be reached."), advice)
        return
    yield Finding(True, _("Telegram knows the bot: @%(name)s.") % {"name": me.username})
    try:
        info = client.webhook()
    except FAILURES:
        yield Finding(False, _("Telegram doesn't tell of the webhook."), _("Try again in a minute."))
        return
    if not info.url:
        yield from _polling()
        return
    yield from _secret()
    yield from _address()
    yield from _webhook(info)


def _polling() -> Iterator[Finding]:
    if not locks.is_free(POLLING):
        yield Finding(True, _("No webhook is set, and manage.py telegram poll runs: messages come."))
        return
    advice = _(
        "With a public address: manage.py telegram set_webhook. Without one keep manage.py telegram poll running."
    )
    yield Finding(False, _("No webhook is set: messages come only while manage.py telegram poll runs."), advice)


def _secret() -> Iterator[Finding]:
    secrets = settings.TELEGRAM_WEBHOOK_SECRETS
    advice = _("Make one with: openssl rand -hex 32, set TELEGRAM_WEBHOOK_SECRET, then manage.py telegram set_webhook.")
    if not secrets:
        yield Finding(False, _("TELEGRAM_WEBHOOK_SECRET is empty: every update is refused."), advice)
    elif not all(_SECRET.fullmatch(each) for each in secrets):
        words = _("TELEGRAM_WEBHOOK_SECRET may have only letters A–Z, digits, _ and -, at most 256.")
        yield Finding(False, words, advice)
    elif min(map(len, secrets)) < SECRET_LEAST:
        yield Finding(False, _("TELEGRAM_WEBHOOK_SECRET is so short that it can be guessed."), advice)
    else:
        yield Finding(True, _("The webhook's secret is set."))


def _address() -> Iterator[Finding]:
    if problem := address_problem():
        yield Finding(False, problem, _("Set PUBLIC_URL to the address that the internet sees, with https."))
    else:
        yield Finding(True, _("The public address is one that Telegram can call."))


def address_problem() -> str:
    """Why Telegram can't call PUBLIC_URL; empty where it may."""
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme != "https":
        return _("PUBLIC_URL doesn't begin with https: Telegram calls nothing else.")
    if (parts.port or 443) not in PORTS:
        return _("Telegram calls the ports 443, 80, 88 and 8443 only.")
    host = parts.hostname or ""
    try:
        private = not ipaddress.ip_address(host).is_global
    except ValueError:
        private = host == "localhost" or "." not in host
    return _("PUBLIC_URL is an address of this machine or this network only.") if private else ""


def _webhook(info: WebhookInfo) -> Iterator[Finding]:
    again = _("Set it again: manage.py telegram set_webhook")
    if info.url != webhook_url():
        yield Finding(
            False, _("The webhook leads somewhere else: %(url)s") % {"url": _without_secrets(info.url)}, again
        )
    else:
        yield Finding(True, _("The webhook leads here."))
    missing = sorted(set(payloads.KINDS) - set(info.allowed_updates or ()))
    if missing:
        yield Finding(False, _("Telegram doesn't bring: %(kinds)s.") % {"kinds": ", ".join(missing)}, again)
    fresh = info.last_error_date and (timezone.now() - info.last_error_date).total_seconds() < 3600
    if fresh:
        words = _("Telegram could not bring an update: %(error)s") % {"error": (info.last_error_message or "")[:200]}
        yield Finding(False, words, _advice_for(info.last_error_message or ""))
    if info.pending_update_count:
        words = _("%(count)d updates wait to be brought.") % {"count": info.pending_update_count}
        yield Finding(info.pending_update_count < 20, words, _("Look whether the site answers from outside."))


def _advice_for(error: str) -> str:
    lowered = error.lower()
    if "403" in lowered:
        return _("The secret that Telegram has is not ours: manage.py telegram set_webhook.")
    if "ssl" in lowered or "certificate" in lowered:
        return _("The certificate doesn't convince Telegram: serve the whole chain, for this very name.")
    if "resolve" in lowered:
        return _("The name of PUBLIC_URL isn't known to the internet's name servers.")
    if "refused" in lowered or "timed out" in lowered or "timeout" in lowered:
        return _("Nobody answers at PUBLIC_URL from outside: look at the proxy and the firewall.")
    return _("Look at the log of the site for this time.")


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}/…"
