from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PricingConfig(AppConfig):
    name = "pricing"
    verbose_name = _("Prices")

    def ready(self) -> None:
        post_migrate.connect(_ensure_defaults, sender=self)


def _ensure_defaults(*, using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """After every migration and every flush: the rows without which no price can be named."""
    from pricing.models import VatMode  # app ready
    from pricing.operations import ensure_defaults  # app ready

    # going back to no tables at all ends here as well
    if VatMode._meta.db_table in connections[using].introspection.table_names():
        ensure_defaults()
