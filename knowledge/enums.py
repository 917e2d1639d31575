"""Choices that need no models."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")


class Language(models.TextChoices):
    RU = "ru", _("Russian")
    EN = "en", _("English")


class Kind(models.TextChoices):
    """What of an article a passage is."""

    BODY = "body", _("text")
    QUESTION = "question", _("question")


class IndexState(models.TextChoices):
    """How an article stands in the index, in words for staff."""

    INDEXED = "indexed", _("indexed")
    WAITING = "waiting", _("waiting")
    PROBLEM = "problem", _("problem")
    NOT_SEARCHED = "not_searched", _("not searched")


class Doubt(models.TextChoices):
    """What is doubtful in an article's text, in words for staff, gravest first."""

    PLACEHOLDER = "placeholder", _("dead placeholder")
    LINK = "link", _("dead link")
    FIGURE = "figure", _("typed price")
