"""Whether papers can be issued and made: a seller and a manager, and the libraries that lay out PDFs."""

from __future__ import annotations

from ctypes.util import find_library
from functools import cache

from django.conf import settings

from billing.models import Seller
from common.health import Dependency

#: what WeasyPrint loads, and what makes it more than twice as fast
LIBRARIES = ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset")


def health() -> list[Dependency]:
    return [seller(), pdf()]


def seller() -> Dependency:
    """The default seller; a made-up one can't issue in production."""
    chosen = Seller.objects.filter(is_default=True).first()
    if chosen is None:
        return Dependency("seller", "down", "no default seller is chosen")
    if not chosen.managers.filter(is_active=True).exists():
        return Dependency("seller", "down", "the default seller has no manager")
    if chosen.is_demo:
        return Dependency("seller", "down" if settings.IS_PRODUCTION else "ok", "a made-up seller for trying out")
    return Dependency("seller", "ok")


def pdf() -> Dependency:
    """The system's libraries; without ``harfbuzz-subset`` PDFs are made at less than half the speed."""
    missing = _missing()
    if set(missing) - {"harfbuzz-subset"}:
        return Dependency("pdf", "down", f"missing libraries: {', '.join(missing)}")
    return Dependency("pdf", "ok", "slow: libharfbuzz-subset0 is missing" if missing else "")


@cache
def _missing() -> tuple[str, ...]:
    return tuple(name for name in LIBRARIES if not find_library(name))
