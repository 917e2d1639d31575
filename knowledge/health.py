"""Whether there is anything to search, and whether the index keeps up with the articles."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from common.health import Dependency
from common.promise import State
from knowledge.models import Indexing, Passage

#: an article that waits longer than this waits for somebody to look
LATE = timedelta(minutes=10)


def health() -> list[Dependency]:
    """The knowledge base's index."""
    if not Passage.objects.exists():
        return [Dependency("knowledge index", "off", "no article is published")]
    problems = Indexing.objects.filter(state=State.BROKEN).count()
    late = Indexing.objects.filter(state__in=[State.DUE, State.TAKEN], due_at__lt=timezone.now() - LATE).count()
    if problems or late:
        return [Dependency("knowledge index", "down", f"{problems} failed, {late} late")]
    return [Dependency("knowledge index", "ok")]
