"""Cases that staff have made of real conversations. What customers said is masked, and encrypted all the same."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.fields import EncryptedTextField
from sales.models import Conversation, User


class Outcome(models.TextChoices):
    """What an answer may come to; see ``judging.outcomes``."""

    ANSWER = "answer", _("answers")
    ASK = "ask", _("asks back")
    REFUSE = "refuse", _("says that it can't or doesn't know")
    HANDOVER = "handover", _("calls a person")


def new_case_name() -> str:
    """An id for reports; staff may choose a better one."""
    return f"staff-{uuid.uuid4().hex[:8]}"


class EvaluationCase(models.Model):
    """A conversation to be held again and again, with what should come of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(_("id in reports"), max_length=60, unique=True, default=new_case_name)
    note = EncryptedTextField(
        _("note"),
        label="knowledge.evaluationcase.note",
        blank=True,
        default="",
        max_length=500,
        help_text=_("Why it is worth keeping."),
    )
    tags = models.CharField(
        _("tags"), max_length=200, blank=True, default="", help_text=_("By which reports sum up; separated by commas.")
    )
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Only active cases are run."))
    conversation = models.OneToOneField(
        Conversation,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="evaluation_case",
        verbose_name=_("conversation"),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("added by"),
    )

    class Meta:
        verbose_name = _("evaluation case")
        verbose_name_plural = _("evaluation cases")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class EvaluationTurn(models.Model):
    """What the customer says at once, and what is expected of the answer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(EvaluationCase, on_delete=models.CASCADE, related_name="turns", verbose_name=_("case"))
    position = models.PositiveSmallIntegerField(
        _("number"), default=0, help_text=_("The order of the turns; left at 0 it goes to the end.")
    )
    say = EncryptedTextField(
        _("the customer says"),
        label="knowledge.evaluationturn.say",
        help_text=_("An empty line parts messages that are written one after another and get one answer."),
    )
    outcome = models.CharField(
        _("the assistant"),
        max_length=10,
        choices=Outcome.choices,
        blank=True,
        default="",
        help_text=_("Empty: either."),
    )
    total = models.DecimalField(
        _("total of the quote"), max_digits=14, decimal_places=2, null=True, blank=True, help_text=_("To the kopeck.")
    )
    must = EncryptedTextField(
        _("must be in the answer"),
        label="knowledge.evaluationturn.must",
        blank=True,
        default="",
        help_text=_("Words or figures, one a line."),
    )
    must_not = EncryptedTextField(
        _("must not be in the answer"), label="knowledge.evaluationturn.must_not", blank=True, default=""
    )
    tools = models.TextField(
        _("tools that must be used"), blank=True, default="", help_text=_("Names as in the trace, one a line.")
    )

    class Meta:
        verbose_name = _("turn of a case")
        verbose_name_plural = _("turns of a case")
        ordering = ["position"]

    def __str__(self) -> str:
        return f"№ {self.position}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.position:
            last = EvaluationTurn.objects.filter(case=self.case_id).aggregate(last=models.Max("position"))["last"]
            self.position = (last or 0) + 1
        super().save(*args, **kwargs)
