"""Set Telegram up, look at how it is, and fetch updates where nobody can call us."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_app.telegram import client, inbox, payloads, setup
from channels_app.telegram.words import COMMANDS
from common import locks

#: seconds after a failure of polling: the first time, and at most
REST, REST_MOST = 1.0, 30.0
#: seconds that Telegram holds a poll open for
HELD = 25


class Command(BaseCommand):
    help = "Telegram: set_webhook, delete_webhook, info, check, poll, set_commands"

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("set_webhook", help="let Telegram bring updates to PUBLIC_URL, and set the menu")
        actions.add_parser("delete_webhook", help="let Telegram keep updates for polling")
        actions.add_parser("info", help="what Telegram says of the bot and its webhook")
        actions.add_parser("check", help="look at everything and say in words what is wrong")
        actions.add_parser("set_commands", help="set the menu of commands")
        poll = actions.add_parser("poll", help="fetch updates, for a machine without a public address")
        poll.add_argument("--once", action="store_true", help="fetch what waits and end")
        poll.add_argument("--take-over", action="store_true", help="delete the webhook first")

    def handle(self, *args: Any, **options: Any) -> None:
        action = options["action"]
        try:
            if action == "poll":
                self.poll(once=options["once"], take_over=options["take_over"])
            else:
                # Django's commands have a check of their own
                getattr(self, "look" if action == "check" else action)()
        except client.TokenRefused:
            raise CommandError(_("Telegram refuses the token.")) from None
        except setup.FAILURES as problem:
            raise CommandError(_("Telegram: %(problem)s") % {"problem": problem}) from None

    def look(self) -> None:
        """Say what is well and what isn't; the exit status is 1 where something isn't."""
        well = True
        for finding in setup.look(now=timezone.now()):
            well = well and finding.well
            self.stdout.write(f"{'✓' if finding.well else '✗'} {finding.words}")
            if not finding.well and finding.advice:
                self.stdout.write(f"  {finding.advice}")
        self.stdout.write(_("Telegram is ready.") if well else _("Something is left to do."))
        if not well:
            raise SystemExit(1)

    def set_webhook(self) -> None:
        if not settings.TELEGRAM_WEBHOOK_SECRETS:
            raise CommandError(_("TELEGRAM_WEBHOOK_SECRET is empty. Make one with: openssl rand -hex 32"))
        if problem := setup.address_problem():
            raise CommandError(problem)
        inbox.learn_name(now=timezone.now())
        client.set_webhook(setup.webhook_url(), secret=settings.TELEGRAM_WEBHOOK_SECRETS[0], kinds=payloads.KINDS)
        client.set_commands(COMMANDS)
        self.stdout.write(_("Telegram brings updates to %(url)s") % {"url": setup.webhook_url()})

    def delete_webhook(self) -> None:
        client.delete_webhook()
        self.stdout.write(_("The webhook is removed; updates wait for manage.py telegram poll."))

    def set_commands(self) -> None:
        client.set_commands(COMMANDS)
        self.stdout.write(_("The menu of commands is set."))

    def info(self) -> None:
        me, webhook = inbox.learn_name(now=timezone.now()), client.webhook()
        self.stdout.write(_("Bot: @%(name)s, %(id)d") % {"name": me.username, "id": me.id})
        self.stdout.write(_("Webhook: %(url)s") % {"url": webhook.url or "–"})
        self.stdout.write(_("Waiting updates: %(count)d") % {"count": webhook.pending_update_count})
        if webhook.last_error_message:
            self.stdout.write(_("Last error: %(error)s") % {"error": webhook.last_error_message[:200]})

    def poll(self, *, once: bool, take_over: bool) -> None:
        """Fetch for ever. Only one may poll, and none while a webhook is set: Telegram says so, and so do we."""
        with locks.session_lock(setup.POLLING) as mine:
            if not mine:
                raise CommandError(_("Somebody polls already."))
            if take_over:
                client.delete_webhook()
            elif client.webhook().url:
                words = _("A webhook is set, so a poll gets nothing. Remove it: manage.py telegram delete_webhook")
                raise CommandError(words)
            inbox.learn_name(now=timezone.now())
            if not once:
                self.stderr.write(_("Polling. Leave it running; Ctrl-C ends it."))
            self._fetch(once=once)

    def _fetch(self, *, once: bool) -> None:
        offset: int | None = None
        rest = REST
        while True:
            try:
                before = offset
                offset = inbox.fetch(offset=offset, wait=0 if once else HELD, now=timezone.now())
                rest = REST
            except client.TokenRefused:
                raise
            except client.PollsElsewhere:
                if client.webhook().url:
                    raise CommandError(_("A webhook was set meanwhile: it brings updates from now on.")) from None
                self.stderr.write(_("Somebody else polls with this token."))
                rest = self._rest(rest)
            except setup.FAILURES as problem:
                if once:
                    raise
                self.stderr.write(f"{type(problem).__name__}: {problem}")
                rest = self._rest(rest)
            else:
                if once and offset == before:
                    return

    def _rest(self, rest: float) -> float:
        time.sleep(rest)
        return min(rest * 2, REST_MOST)
