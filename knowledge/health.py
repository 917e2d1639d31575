"""Whether there is anything to search, and whether the index keeps up with the articles."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from common.health import Dependency
from common.promise import State
from knowledge.embedding import asking, keeping, registry
from knowledge.embedding.models import Embedder
from knowledge.models import Indexing, Passage

#: an article that waits longer than this waits for somebody to look
LATE = timedelta(minutes=10)


def health() -> list[Dependency]:
    """The knowledge base's index, and the embedder that may stand beside it."""
    return [*_index(), _embedder()]


def _index() -> list[Dependency]:
    if not Passage.objects.exists():
        return [Dependency("knowledge index", "off", "no article is published")]
    problems = Indexing.objects.filter(state=State.BROKEN).count()
    late = Indexing.objects.filter(state__in=[State.DUE, State.TAKEN], due_at__lt=timezone.now() - LATE).count()
    if problems or late:
        return [Dependency("knowledge index", "down", f"{problems} failed, {late} late")]
    return [Dependency("knowledge index", "ok")]


def _embedder() -> Dependency:
    """How the last vectors went, of passages and of a question. What waits is found by its words meanwhile."""
    name = registry.configured()
    if not name:
        return Dependency("embedder", "off", "no key: search goes by words alone")
    if registry.by_name(name) is None:
        return Dependency("embedder", "down", "its name is not known")
    embedder = Embedder.objects.filter(name=name).first()
    if embedder is None:
        return Dependency("embedder", "ok", "nothing has been asked yet")
    waiting = keeping.missing(embedder)
    said = [f"{waiting} passages wait"] if waiting else []
    if waiting and not embedder.serves and Embedder.objects.filter(serves=True).exists():
        said.append("the one before serves meanwhile")
    if problem := embedder.problem or (embedder.failure if asking.is_down(embedder) else ""):
        return Dependency("embedder", "down", "; ".join([problem, *said]))
    return Dependency("embedder", "ok", "; ".join(said))
