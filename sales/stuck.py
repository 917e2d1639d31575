"""One list of everything owed that a person should look at, over all kinds of promise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.urls import NoReverseMatch, reverse

from common.promise import Promise


@dataclass(frozen=True)
class StuckRow:
    """A promise that failed, is uncertain, or is long overdue."""

    row: Any

    @property
    def key(self) -> str:
        return f"{self.row._meta.label_lower}:{self.row.pk}"

    @property
    def kind(self) -> str:
        return str(self.row._meta.verbose_name)

    @property
    def address(self) -> str:
        try:
            return reverse(f"admin:{self.row._meta.app_label}_{self.row._meta.model_name}_change", args=[self.row.pk])
        except NoReverseMatch:
            return ""

    def try_again(self, *, now: datetime) -> None:
        """Owe it anew, with all its tries before it."""
        self.row.owe_anew(now=now)


def stuck_rows(*, now: datetime, limit: int = 100) -> list[StuckRow]:
    """The stuck promises of every app, those owed longest first."""
    rows = []
    for model in apps.get_models():
        if issubclass(model, Promise) and not model._meta.proxy:
            rows += [StuckRow(row) for row in model._default_manager.stuck(now).order_by("due_at")[:limit]]
    return sorted(rows, key=lambda each: each.row.due_at)[:limit]
