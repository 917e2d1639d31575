"""What a listing brought day by day, as rows of bars that a template draws: one row for each kind of count."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext_lazy as _

from channels_app.avito.models import AvitoItemDay

#: of the drawing, in its own units
WIDTH, HEIGHT = 600, 44
KINDS = (
    ("views", _("Views")),
    ("contacts", _("Contacts")),
    ("messages", _("Messages of customers")),
    ("leads", _("Leads")),
    ("quotes", _("Quotes")),
)


@dataclass(frozen=True)
class Bar:
    """One day; the numbers are text, since a template would write them in the page's language."""

    day: date
    count: int
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class Row:
    """One kind of count over all days."""

    name: str
    title: str
    total: int
    most: int
    bars: tuple[Bar, ...]


def days_until(last: date, many: int) -> list[date]:
    return [last - timedelta(days=back) for back in range(many - 1, -1, -1)]


def rows(found: Iterable[AvitoItemDay], days: list[date]) -> list[Row]:
    """Each row has a scale of its own: views would leave nothing of quotes."""
    by_day = {each.day: each for each in found}
    step = WIDTH / max(len(days), 1)
    made = []
    for name, title in KINDS:
        counts = [int(getattr(by_day[day], name)) if day in by_day else 0 for day in days]
        most = max(counts, default=0)
        bars = []
        for place, (day, count) in enumerate(zip(days, counts, strict=True)):
            tall = HEIGHT * count / most if most else 0
            tall = max(tall, 2) if count else 1
            sizes = (place * step, HEIGHT - tall, step * 0.8, tall)
            bars.append(Bar(day, count, *(f"{each:.2f}" for each in sizes)))
        made.append(Row(name, str(title), sum(counts), most, tuple(bars)))
    return made
