"""Whether there is anything to search, whether the index keeps up with the articles, and how the models are."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from common.health import Dependency
from common.promise import State
from knowledge.embedding import asking, keeping, registry
from knowledge.embedding.models import Embedder
from knowledge.llm import breaker, budget, profiles
from knowledge.llm.models import ModelProfile
from knowledge.models import Indexing, Passage

#: an article that waits longer than this waits for somebody to look
LATE = timedelta(minutes=10)


def health() -> list[Dependency]:
    """The knowledge base's index, the embedder that may stand beside it, and each language model."""
    return [*_index(), _embedder(), *_models()]


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


def _models() -> list[Dependency]:
    """Each language model, and the budget once a limit is reached. Without any the keyless one answers."""
    rows = list(ModelProfile.objects.all())
    states = breaker.states(row.slug for row in rows)
    now = timezone.now()
    found = []
    for row in rows:
        name, state = f"model {row.slug}", states.get(row.slug)
        if why := profiles.off(row):
            found.append(Dependency(name, "off", why))
        elif state is not None and state.open_until is not None:
            seconds = round((state.open_until - now).total_seconds())
            again = f"asked again in {seconds} s" if seconds > 0 else "asked again with the next message"
            found.append(Dependency(name, "down", f"{state.words}; {again}"))
        else:
            found.append(Dependency(name, "ok"))
    if any(each.state != "off" for each in found) and (limit := budget.limit_reached(now=now)):
        found.append(
            Dependency("model budget", "down", f"the limit of the {limit} is reached: paid models are left out")
        )
    return found
