"""The alternatives that prices are made of; imports nothing of ours."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class BillingPeriod(models.TextChoices):
    MONTH = "month", _("month")
    YEAR = "year", _("year")


class ChargeKind(models.TextChoices):
    MONTHLY = "monthly", _("every month")
    ONE_TIME = "one_time", _("once")
