"""How much was spent on models, and whether a limit is reached: then the paid ones are left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from knowledge.llm.models import ModelBudget, ModelDay
from sales import notices
from sales.enums import NoticeKind

Limit = Literal["", "day", "month"]


@dataclass(frozen=True)
class Spent:
    """Roubles since midnight and since the first of the month, both of our time zone."""

    day: Decimal
    month: Decimal


def spent(*, now: datetime) -> Spent:
    today = local_day(now)
    sums = ModelDay.objects.filter(day__gte=today.replace(day=1), day__lte=today).aggregate(
        month=Sum("roubles"), day=Sum("roubles", filter=Q(day=today))
    )
    return Spent(day=sums["day"] or Decimal(0), month=sums["month"] or Decimal(0))


def reached(*, now: datetime) -> Limit:
    """Which limit is reached now; staff are told of it once a day."""
    found, used, limits = _look(now)
    if found:
        _tell(found, used=used, limits=limits, now=now)
    return found


def limit_reached(*, now: datetime) -> Limit:
    """The same without telling anybody."""
    return _look(now)[0]


def _look(now: datetime) -> tuple[Limit, Spent, ModelBudget]:
    limits = ModelBudget.objects.first() or ModelBudget()
    if limits.day_roubles is None and limits.month_roubles is None:
        return "", Spent(Decimal(0), Decimal(0)), limits
    used = spent(now=now)
    if limits.month_roubles is not None and used.month >= limits.month_roubles:
        return "month", used, limits
    if limits.day_roubles is not None and used.day >= limits.day_roubles:
        return "day", used, limits
    return "", used, limits


def local_day(now: datetime) -> date:
    return timezone.localtime(now).date()


def _tell(limit: Limit, *, used: Spent, limits: ModelBudget, now: datetime) -> None:
    today = local_day(now)
    if limit == "month":
        subject, figure, most = f"{today:%m.%Y}", used.month, limits.month_roubles
        text = _(
            "%(spent)s of %(limit)s roubles for language models are spent this month. Paid models are left out until"
            " it ends or the budget is raised; the assistant goes on without them."
        )
    else:
        subject, figure, most = f"{today:%d.%m.%Y}", used.day, limits.day_roubles
        text = _(
            "%(spent)s of %(limit)s roubles for language models are spent today. Paid models are left out until"
            " midnight or the budget is raised; the assistant goes on without them."
        )
    said = text % {"spent": f"{figure:.2f}", "limit": f"{most:.2f}"}
    notices.tell(NoticeKind.BUDGET, subject=subject, text=said, now=now)
