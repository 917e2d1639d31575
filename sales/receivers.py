"""When something happens on the ground floor, then this follows."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from common.bell import ring
from sales import tasks
from sales.qualification import scoring
from sales.qualification.models import ScoreRule


@receiver([post_save, post_delete], sender=ScoreRule)
def owe_new_scores(sender: Any, **kwargs: Any) -> None:
    """When a rule of the score has changed, then every open lead is owed a new one."""
    scoring.rules_changed()
    ring(tasks.rescore)
