"""A rule by which something is said unasked, and that it was said: once in each conversation."""

from __future__ import annotations

import uuid
from datetime import time
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sales.models import Conversation, Message

#: the shortest of what channels carry, with room for the notice that the first message may have to bring
TEXT_MOST = 700
#: a customer is not written to after a longer silence
SILENCE_MOST = 72


class Situation(models.TextChoices):
    """When a rule speaks."""

    OUT_OF_HOURS = "out_of_hours", _("out of hours")
    FIRST_CONTACT = "first_contact", _("first contact")
    SILENCE = "silence", _("the customer is silent")


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


def every_day() -> list[int]:
    return list(Weekday.values)


class AutoReply(models.Model):
    """What is said, when, and on which channel. Hours are of our time zone; until before from goes over midnight."""

    title = models.CharField(_("title"), max_length=100)
    situation = models.CharField(_("situation"), max_length=15, choices=Situation.choices)
    silence_hours = models.PositiveSmallIntegerField(
        _("hours of silence"), null=True, blank=True, help_text=_("Only for silence: 1 to 72.")
    )
    channel = models.CharField(
        _("channel"), max_length=20, blank=True, default="", help_text=_("Empty: on every channel.")
    )
    text = models.TextField(_("text"), max_length=TEXT_MOST, help_text=_("Plain text, at most 700 characters."))
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=Weekday.choices), verbose_name=_("days of the week"), default=every_day
    )
    from_time = models.TimeField(_("from"), default=time(0, 0))
    until_time = models.TimeField(
        _("until"),
        default=time(0, 0),
        help_text=_(
            "Out of hours: the working time, outside of which the rule speaks. Otherwise the time in which it may "
            "speak. Until 00:00 is the end of the day; until before from goes over midnight."
        ),
    )
    is_active = models.BooleanField(_("active"), default=False)
    #: what happened before isn't spoken to
    active_since = models.DateTimeField(_("active since"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("auto-reply")
        verbose_name_plural = _("auto-replies")
        ordering = ["situation", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(situation="silence", silence_hours__gte=1, silence_hours__lte=SILENCE_MOST)
                | (~models.Q(situation="silence") & models.Q(silence_hours=None)),
                name="auto_reply_hours_of_silence",
            ),
            models.CheckConstraint(
                condition=models.Q(is_active=False) | models.Q(active_since__isnull=False),
                name="auto_reply_active_since",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.is_active:
            self.active_since = None
        elif self.active_since is None:
            self.active_since = timezone.now()
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, "active_since"}
        super().save(*args, **kwargs)

    def clean(self) -> None:
        if self.situation == Situation.SILENCE:
            if not self.silence_hours or self.silence_hours > SILENCE_MOST:
                raise ValidationError({"silence_hours": _("Say how many hours of silence: 1 to 72.")})
        else:
            self.silence_hours = None
        if not self.weekdays:
            raise ValidationError({"weekdays": _("Choose at least one day.")})
        if not self.text.strip():
            raise ValidationError({"text": _("Say something.")})


class AutoReplySent(models.Model):
    """That a rule has spoken in a conversation: it never does again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule = models.ForeignKey(AutoReply, on_delete=models.CASCADE, related_name="sent", verbose_name=_("rule"))
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="auto_replies", verbose_name=_("conversation")
    )
    message = models.OneToOneField(
        Message, on_delete=models.CASCADE, related_name="auto_reply", verbose_name=_("message")
    )
    sent_at = models.DateTimeField(_("said at"), default=timezone.now)

    class Meta:
        verbose_name = _("auto-reply that was said")
        verbose_name_plural = _("auto-replies that were said")
        ordering = ["-sent_at"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["rule", "conversation"], name="auto_reply_once_per_conversation"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id}: {str(self.conversation_id)[:8]}"
