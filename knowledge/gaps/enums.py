"""Choices that need no models."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class GapState(models.TextChoices):
    """What became of questions that no article answered."""

    OPEN = "open", _("no answer yet")
    DRAFTED = "drafted", _("draft being written")
    ANSWERED = "answered", _("answered by an article")
    IGNORED = "ignored", _("left aside")
