"""Avito from the terminal: is all well, where does it ring, poll once, which signature fits."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_app import arrivals
from channels_app.avito import account, polling, signatures, subscription
from channels_app.avito.client import PAGE, Client, KeysRefused, NoSubscription, Refused
from common.problems import LastingProblem, TemporaryProblem


class Command(BaseCommand):
    help = (
        "check: says in words whether everything is right. register, list, unregister: the webhook. poll: look once for"
        " unread chats and take what is new. signature: which way of signing fits the webhooks that came."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("what", choices=["check", "register", "list", "unregister", "poll", "signature"])

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        if what != "signature" and not account.is_on():
            raise CommandError(
                _(
                    "Avito is off: set AVITO_CLIENT_ID and AVITO_CLIENT_SECRET. They are given at"
                    " https://www.avito.ru/professionals/api"
                )
            )
        try:
            getattr(self, f"_{what}")()
        except KeysRefused as problem:
            raise CommandError(
                _(
                    "Avito refuses the keys (%(status)s %(words)s). Compare AVITO_CLIENT_ID and AVITO_CLIENT_SECRET"
                    " with https://www.avito.ru/professionals/api, letter by letter."
                )
                % {"status": problem.status, "words": problem.words}
            ) from None
        except NoSubscription as problem:
            raise CommandError(
                _(
                    "The keys are right, and Avito gives no access (%(status)s %(words)s). The messenger's API comes"
                    " with a paid tariff of the account: for services «Расширенный» or «Максимальный»."
                )
                % {"status": problem.status, "words": problem.words}
            ) from None
        except Refused as problem:
            raise CommandError(_("Avito refuses: %(problem)s") % {"problem": problem}) from None
        except (TemporaryProblem, LastingProblem) as problem:
            raise CommandError(
                _("Avito doesn't answer as it should: %(problem)s. Check AVITO_API_URL and the network.")
                % {"problem": problem}
            ) from None

    def _check(self) -> None:
        wrong = 0
        client = account.bare()
        me = client.me()
        number = int(me.get("id") or 0)
        self._ok(_("The keys are right: account %(number)s.") % {"number": number})
        if settings.AVITO_USER_ID and number != settings.AVITO_USER_ID:
            words = _("AVITO_USER_ID is %(given)s, but the keys are of %(number)s. Correct it.")
            wrong += self._bad(words % {"given": settings.AVITO_USER_ID, "number": number})
        client = Client(client.root, client.client_id, client.client_secret, number)
        unread = client.chats(unread_only=True)
        count = f"{len(unread)}+" if len(unread) == PAGE else str(len(unread))
        words = _("The messenger answers. Unread chats: %(count)s. They are answered when the product runs.")
        self._ok(words % {"count": count})
        wrong += self._check_webhook(client)
        if settings.AVITO_SIGNATURE and settings.AVITO_SIGNATURE not in {"present", *signatures.ways()}:
            wrong += self._bad(_("AVITO_SIGNATURE names no way that is known: every webhook is refused. Empty it."))
        if wrong:
            raise CommandError(_("To be mended: %(count)s; see above.") % {"count": wrong})
        self._ok(_("All is well. Without webhooks, too: unread chats are asked for every 60 seconds."))

    def _check_webhook(self, client: Client) -> int:
        if not settings.AVITO_WEBHOOK_SECRETS:
            self._ok(_("No webhook: AVITO_WEBHOOK_SECRET is empty. Answers come within a minute instead of at once."))
            return 0
        if min(map(len, settings.AVITO_WEBHOOK_SECRETS)) < 32:
            return self._bad(_("AVITO_WEBHOOK_SECRET is too short. Make one with: openssl rand -hex 32"))
        if not subscription.can_be_reached():
            self._ok(_("No webhook: PUBLIC_URL is no https address that Avito could reach. Polling does the work."))
            return 0
        found = subscription.look(client)
        for host in found.foreign:
            words = _("Avito also rings at %(host)s: another service may answer the same customers.")
            self.stdout.write(f"!  {words % {'host': host}}")
        if found.old:
            return self._bad(_("An address with an earlier secret is registered. Run: manage.py avito register"))
        if not found.stands:
            return self._bad(_("The webhook isn't registered. Run: manage.py avito register"))
        self._ok(_("The webhook is registered."))
        return 0

    def _register(self) -> None:
        if not subscription.address():
            raise CommandError(_("Set AVITO_WEBHOOK_SECRET first: openssl rand -hex 32"))
        if not subscription.can_be_reached():
            raise CommandError(_("Avito can only ring at an https address: set PUBLIC_URL to that of this site."))
        found = subscription.register()
        if not found.stands:
            raise CommandError(_("Avito took the address and doesn't list it. Try again in a minute."))
        self._ok(_("Avito rings here from now on."))
        for host in found.foreign:
            self.stdout.write(f"!  {_('It also rings at %(host)s.') % {'host': host}}")

    def _list(self) -> None:
        found = subscription.look()
        self.stdout.write(_("ours: registered") if found.stands else _("ours: not registered"))
        if found.old:
            self.stdout.write(_("ours with an earlier secret: %(count)s") % {"count": len(found.old)})
        for host in found.foreign:
            self.stdout.write(_("another service: %(host)s") % {"host": host})

    def _unregister(self) -> None:
        subscription.unregister()
        self._ok(_("Avito rings here no more. Unread chats are still asked for every 60 seconds."))

    def _poll(self) -> None:
        found = polling.poll(now=timezone.now())
        while arrivals.sweep(now=timezone.now()):
            pass
        self._ok(_("Chats seen: %(seen)s, with something new: %(owed)s.") % {"seen": found.seen, "owed": found.owed})

    def _signature(self) -> None:
        rows = signatures.kept()
        signed = sum(1 for _when, signature, _body in rows if signature)
        self.stdout.write(_("Webhooks kept: %(kept)s, signed: %(signed)s.") % {"kept": len(rows), "signed": signed})
        if not signed:
            self.stdout.write(_("Nothing to compare yet: it needs webhooks of the real Avito."))
            return
        for name, count in sorted(signatures.fitting().items(), key=lambda each: -each[1]):
            words = _("%(way)s: fits %(count)s of %(signed)s")
            self.stdout.write(words % {"way": name, "count": count, "signed": signed})

    def _ok(self, words: str) -> None:
        self.stdout.write(f"✓  {words}")

    def _bad(self, words: str) -> int:
        self.stdout.write(f"✗  {words}")
        return 1
