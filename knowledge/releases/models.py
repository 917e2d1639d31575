"""A check before publishing: which drafts at which version, what became of each case, and who published them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.fields import EncryptedTextField
from common.problems import TemporaryProblem
from common.promise import Promise, State
from knowledge.models import TITLE_MOST, Article
from sales.models import User


class MoreToDo(TemporaryProblem):
    """The round is over and nothing is wrong: go on at the next look."""

    def __init__(self) -> None:
        super().__init__("there is more to do")


class DraftsChanged(TemporaryProblem):
    """A draft isn't what it was when the check began, so what the check would say is of no use."""

    def __init__(self) -> None:
        super().__init__("a draft was changed, published or deleted meanwhile")


class Verdict(models.TextChoices):
    """What became of a case once the drafts counted as published. ``report.differences`` says which."""

    WAITING = "waiting", _("not run yet")
    SAME = "same", _("the same")
    CHANGED = "changed", _("answered otherwise")
    BETTER = "better", _("better")
    WORSE = "worse", _("worse")
    GONE = "gone", _("not in the set any more")


class ReleaseCheck(Promise):
    """That drafts are to be tried on the cases before they are published.

    It is kept in rounds, a case after the other, each stored as it is done: whoever comes after a worker that died goes
    on with the next.
    """

    #: longer than the longest conversation with a slow model. It is lengthened with each; a dead worker's lock is free
    #: at once, so only one that froze is waited for
    LEASE: ClassVar[timedelta] = timedelta(minutes=10)
    FORGOTTEN: ClassVar[Mapping[str, Any]] = {"failures": 0}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(_("asked for at"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("asked for by")
    )
    #: rounds in a row that ended with a problem: rounds as such are no failed tries
    failures = models.PositiveIntegerField(default=0, editable=False)
    #: how many cases there are to run; unknown until the first round
    total = models.PositiveIntegerField(_("cases"), null=True, editable=False)
    done = models.PositiveIntegerField(_("run"), default=0, editable=False)
    worse = models.PositiveIntegerField(_("worse"), default=0, editable=False)
    better = models.PositiveIntegerField(_("better"), default=0, editable=False)
    changed = models.PositiveIntegerField(_("answered otherwise"), default=0, editable=False)
    finished_at = models.DateTimeField(_("finished at"), null=True, editable=False)
    published_at = models.DateTimeField(_("published at"), null=True, editable=False)
    published_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("published by")
    )
    #: published although cases got worse, by ``published_by``
    overridden = models.BooleanField(_("published all the same"), default=False, editable=False)

    class Meta:
        default_permissions = ("view",)
        permissions = [("override_releasecheck", "Can publish although cases got worse")]
        verbose_name = _("check before publishing")
        verbose_name_plural = _("checks before publishing")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(overridden=False) | models.Q(published_at__isnull=False, worse__gt=0),
                name="release_overridden_when_published_though_worse",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="release_check_open", condition=models.Q(state__in=["due", "taken"])),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.created_at):%d.%m.%Y %H:%M}"

    def later(self, problem: Exception) -> dict[str, Any]:
        if isinstance(problem, MoreToDo):
            return {"state": State.DUE, "due_at": timezone.now(), "problem": ""}
        if isinstance(problem, DraftsChanged):
            return {"state": State.DROPPED, "problem": str(problem)}
        wait = self.WAITS[min(self.failures, len(self.WAITS) - 1)]
        again = {**self.due_again(problem, wait=wait), "failures": self.failures + 1}
        return again | {"state": State.BROKEN} if self.failures >= len(self.WAITS) else again


class ReleaseDraft(models.Model):
    """A draft as it was when the check was asked for."""

    release = models.ForeignKey(ReleaseCheck, on_delete=models.CASCADE, related_name="drafts")
    article = models.ForeignKey(Article, on_delete=models.SET_NULL, null=True, related_name="+")
    title = models.CharField(_("title"), max_length=TITLE_MOST)
    version = models.PositiveIntegerField(_("version"))

    class Meta:
        verbose_name = _("draft of a check")
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["release", "article"], name="release_draft_once"),
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.version}"


class ReleaseCase(models.Model):
    """A case of a check. Answers may repeat what a customer wrote, so they are encrypted like the case itself."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    release = models.ForeignKey(ReleaseCheck, on_delete=models.CASCADE, related_name="cases")
    position = models.PositiveIntegerField()
    name = models.CharField(_("id in reports"), max_length=100)
    verdict = models.CharField(max_length=10, choices=Verdict.choices, default=Verdict.WAITING)
    #: JSON: of each turn what was said and the two answers
    turns = EncryptedTextField(label="knowledge.releasecase.turns", blank=True, default="")

    class Meta:
        verbose_name = _("case of a check")
        default_permissions = ()
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["release", "name"], name="release_case_once"),
        ]

    def __str__(self) -> str:
        return self.name
