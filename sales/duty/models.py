"""Hours of duty, and the calls that are owed to whoever is on duty."""

from __future__ import annotations

import uuid
from datetime import time, timedelta
from typing import ClassVar
from zoneinfo import available_timezones

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.promise import Promise, State


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


def known_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(_("No such time zone. Example: Europe/Moscow"))


def workdays() -> list[int]:
    return [0, 1, 2, 3, 4]


class Duty(models.Model):
    """Somebody of the staff who answers customers at certain hours. Whoever stands first is called first."""

    member = models.ForeignKey("sales.User", on_delete=models.CASCADE, related_name="+", verbose_name=_("member"))
    address = models.CharField(
        _("Telegram chat id"),
        max_length=100,
        blank=True,
        default="",
        help_text=_("Where calls go. The member has to write to the bot once; empty: the hours alone count."),
    )
    weekdays = ArrayField(models.PositiveSmallIntegerField(choices=Weekday), default=workdays, verbose_name=_("days"))
    begins = models.TimeField(_("from"), default=time(9))
    ends = models.TimeField(_("to"), default=time(18), help_text=_("Before the beginning: on the next day."))
    time_zone = models.CharField(_("time zone"), max_length=40, default="Europe/Moscow", validators=[known_zone])
    place = models.PositiveSmallIntegerField(_("place in the line"), default=1)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("duty")
        verbose_name_plural = _("duties")
        ordering = ["place", "pk"]

    def __str__(self) -> str:
        return f"{self.member} {self.begins:%H:%M}–{self.ends:%H:%M}"


class DutyCall(Promise):
    """That somebody on duty is owed a word of a notice: once each, and not at all when somebody has taken it before."""

    LEASE: ClassVar[timedelta] = timedelta(seconds=15)
    WAITS: ClassVar[tuple[timedelta, ...]] = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600))

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey("sales.Notice", on_delete=models.CASCADE, verbose_name=_("notice"))
    duty = models.ForeignKey(Duty, on_delete=models.CASCADE, verbose_name=_("duty"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("call of somebody on duty")
        verbose_name_plural = _("calls of those on duty")
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["notice", "duty"], name="duty_call_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state=State.DUE), name="duty_call_due"),
            models.Index(fields=["due_at"], condition=models.Q(state=State.TAKEN), name="duty_call_taken"),
        ]

    def __str__(self) -> str:
        return f"{self.notice} → {self.duty.member}"
