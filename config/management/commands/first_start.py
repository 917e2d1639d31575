"""What a new installation begins with. Safe to run at every start: only what is missing is made."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from billing.models import Seller
from config.groups import make_groups
from knowledge.models import Article, Synonyms
from pricing.models import Product
from sales.models import User


class Command(BaseCommand):
    help = "Load the demo catalogue, seller and articles, the groups of staff, and make the first account."

    def handle(self, *args: Any, **options: Any) -> None:
        make_groups()
        if not Product.objects.exists():
            self._say("loading the demo catalogue")
            call_command(
                "load_catalog", str(Path(settings.BASE_DIR) / "pricing" / "data" / "catalog.yaml"), stdout=self.stderr
            )
        if not Seller.objects.exists():
            self._say("loading the demo seller")
            call_command("load_demo_seller", stdout=self.stderr)
        if not Article.objects.exists():
            self._say("loading and indexing the knowledge base")
            call_command(
                "import_articles", str(Path(settings.BASE_DIR) / "knowledge" / "data" / "articles"), stdout=self.stderr
            )
        if not Synonyms.history.exists():
            self._say("loading synonyms")
            call_command(
                "load_synonyms",
                str(Path(settings.BASE_DIR) / "knowledge" / "data" / "synonyms.txt"),
                stdout=self.stderr,
            )
        self._first_account()

    @transaction.atomic
    def _first_account(self) -> None:
        if User.objects.exists():
            return
        given = os.environ.get("ADMIN_PASSWORD", "").strip()
        if given and len(given) < 8:
            raise CommandError("ADMIN_PASSWORD is too short: at least 8 characters.")
        password = given or secrets.token_urlsafe(12)
        User.objects.create_superuser(username="admin", password=password)
        if given:
            self._say("the account admin has the password of ADMIN_PASSWORD")
        else:
            # printed once, and kept nowhere
            self.stdout.write(f"\n  Back office account: login admin, password {password} (shown only this once)\n")

    def _say(self, words: str) -> None:
        self.stderr.write(words)
