"""Whether a price can be named, and by a VAT mode that the law still knows."""

from __future__ import annotations

from django.utils import timezone

from common.health import Dependency
from pricing.models import VatMode


def health() -> list[Dependency]:
    """The VAT mode in force: a price named by one that has ended would be printed with wrong words."""
    mode = VatMode.objects.filter(in_force=True).first()
    if mode is None:
        return [Dependency("vat mode", "down", "none is in force")]
    if not mode.holds_on(timezone.localdate()):
        return [Dependency("vat mode", "down", f"{mode.code} is in force and not valid today")]
    return [Dependency("vat mode", "ok", mode.code)]
