"""Questions that no article answered, and the groups of those that ask for the same thing.

What a customer wrote is encrypted at rest and goes with its conversation; nothing that is made of its words is stored
beside it. A group has no words of its own: it is called by the best of its questions.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.fields import EncryptedTextField
from common.promise import Promise, State
from knowledge.gaps.enums import GapState
from sales.models import Conversation, Turn, User

#: characters of a question that are kept: the questions of articles have no more either
TEXT_MOST = 500


class Gap(models.Model):
    """A group of questions that ask for the same thing, and what was decided about it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=GapState.choices, default=GapState.OPEN)
    #: the one that answers, or will when it is published
    article = models.ForeignKey(
        "knowledge.Article",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="gaps",
        verbose_name=_("article"),
    )
    times = models.PositiveIntegerField(_("times asked"), default=0)
    channels = ArrayField(models.CharField(max_length=20), default=list, blank=True, verbose_name=_("channels"))
    first_asked_at = models.DateTimeField(_("first asked"), default=timezone.now)
    last_asked_at = models.DateTimeField(_("last asked"), default=timezone.now)
    #: what the search held nearest when it was asked last, and the share of the possible score
    nearest = models.ForeignKey(
        "knowledge.Article",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("nearest article"),
    )
    nearest_share = models.FloatField(default=0)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    #: it was asked again after that, and still not answered
    reopened_at = models.DateTimeField(_("asked again"), null=True, blank=True)
    answered_times = models.PositiveIntegerField(_("answered since then"), default=0)
    last_answered_at = models.DateTimeField(_("last answered"), null=True, blank=True)

    class Meta:
        verbose_name = _("unanswered question")
        verbose_name_plural = _("unanswered questions")
        ordering = ["-times", "-last_asked_at"]
        indexes = [
            models.Index(fields=["-times", "-last_asked_at"], name="gap_most_asked"),
            models.Index(fields=["id"], name="gap_open", condition=models.Q(state=GapState.OPEN)),
        ]

    def __str__(self) -> str:
        # an admin log keeps this: no words of a customer
        return f"{self._meta.verbose_name} {str(self.pk)[:8]}"


class GapQuestion(Promise):
    """A question as it was asked. Owed a place in a group; ``answered`` ones are those asked after an article came."""

    WAITS: ClassVar[tuple[timedelta, ...]] = tuple(timedelta(seconds=s) for s in (2, 10, 60, 300))

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    gap = models.ForeignKey(
        Gap, on_delete=models.CASCADE, null=True, blank=True, related_name="questions", verbose_name=_("group")
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="+", verbose_name=_("conversation")
    )
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="+", verbose_name=_("turn"))
    position = models.PositiveSmallIntegerField(default=0)
    #: of the reply, to find the place in the conversation
    seq = models.PositiveIntegerField(_("number"), default=0)
    asked_at = models.DateTimeField(_("asked at"))
    text = EncryptedTextField(_("question"), label="knowledge.gapquestion.text")
    #: by which article, when it was answered
    article = models.ForeignKey(
        "knowledge.Article",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("article"),
    )
    #: one of the different wordings by which a group is recognised
    face = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("question of a group")
        verbose_name_plural = _("questions of a group")
        ordering = ["-asked_at"]
        constraints = [models.UniqueConstraint(fields=["turn", "position"], name="gap_question_once_a_turn")]
        indexes = [
            models.Index(fields=["gap", "-asked_at"], name="gap_question_newest"),
            models.Index(fields=["gap"], name="gap_question_face", condition=models.Q(face=True)),
            models.Index(
                fields=["due_at"],
                name="gap_question_open",
                condition=models.Q(state__in=[State.DUE, State.TAKEN]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {str(self.pk)[:8]}"
