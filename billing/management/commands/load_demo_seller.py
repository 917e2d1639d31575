"""The made-up seller that a new installation tries things out with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from billing.models import Manager, Seller
from billing.operations import set_default_seller
from pricing.models import VatMode

FILE = Path(settings.BASE_DIR) / "billing" / "data" / "demo_seller.yaml"


class Command(BaseCommand):
    help = "Load a made-up seller and manager, marked as such; real ones that are there stay the default."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
        fields = dict(data["seller"])
        mode = VatMode.objects.get(code=fields.pop("vat_mode"))
        seller, created = Seller.objects.update_or_create(
            is_demo=True, inn=fields["inn"], defaults={**fields, "vat_mode": mode}
        )
        Manager.objects.update_or_create(
            is_demo=True, seller=seller, email=data["manager"]["email"], defaults=data["manager"]
        )
        if not Seller.objects.filter(is_default=True).exists():
            set_default_seller(seller_id=seller.pk, by=None, now=timezone.now())
        self.stdout.write(f"{'made' if created else 'updated'}: {seller.name}")
