"""Vectors, and who made them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from pgvector.django import HalfVectorField, HnswIndex

from common.problems import TemporaryProblem
from common.promise import Promise, State
from knowledge.embedding.protocol import WIDTH

#: there are at most two embedders: one whose vectors serve, and one whose vectors are on their way
SLOTS = (0, 1)


class Unfinished(TemporaryProblem):
    """Not all is done and nothing is wrong: go on at the next look."""

    def __init__(self) -> None:
        super().__init__("there is more to do")


class Embedder(Promise):
    """An embedder we have met. As a promise it owes every passage a vector; it is due whenever passages change.

    Whichever *serves* answers questions: it once had the vectors of all passages. Its successor works in the other slot
    until it has all of them too, then takes over in one step.
    """

    #: longer than a round of work and the slowest request
    LEASE: ClassVar[timedelta] = timedelta(minutes=3)
    #: it never gives up: the last wait is repeated
    WAITS: ClassVar[tuple[timedelta, ...]] = tuple(timedelta(seconds=s) for s in (2, 10, 30, 60, 120, 300))

    name = models.CharField(_("embedder"), max_length=200, unique=True)
    slot = models.SmallIntegerField(unique=True, choices=[(each, str(each)) for each in SLOTS])
    serves = models.BooleanField(_("answers questions"), default=False)
    #: rounds in a row that ended with a problem
    failures = models.PositiveIntegerField(default=0)
    #: how alike are, on the average, a question and a text of different articles
    strange = models.FloatField(default=0.0)
    #: of questions, apart from the promise: when the last was answered and when the last failed, and why
    answered_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("embedder")
        verbose_name_plural = _("embedders")
        constraints = [
            models.UniqueConstraint(fields=["serves"], condition=models.Q(serves=True), name="embedder_one_serves"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def lock_name(self) -> str:
        return f"knowledge.embedder:{self.pk}"

    def later(self, problem: Exception) -> dict[str, Any]:
        if isinstance(problem, Unfinished):
            return {"state": State.DUE, "due_at": timezone.now(), "problem": ""}
        wait = self.WAITS[min(self.failures, len(self.WAITS) - 1)]
        return {**self.due_again(problem, wait=wait), "failures": self.failures + 1}


class Embedding(models.Model):
    """The vector of a passage's words, by one embedder. It belongs to the words: a passage made anew finds it again."""

    pk = models.CompositePrimaryKey("embedder", "digest")
    embedder = models.ForeignKey(Embedder, on_delete=models.CASCADE, related_name="embeddings", db_index=False)
    #: ``Passage.digest``
    digest = models.BigIntegerField()
    #: the embedder's, repeated: each slot has an index of its own, so that a search walks among its own kind
    slot = models.SmallIntegerField()
    #: of length one, filled up with zeros
    vector = HalfVectorField(dimensions=WIDTH)

    class Meta:
        verbose_name = _("embedding")
        indexes = [
            HnswIndex(
                name=f"embedding_near_{slot}",
                fields=["vector"],
                opclasses=["halfvec_ip_ops"],
                m=16,
                ef_construction=64,
                condition=models.Q(slot=slot),
            )
            for slot in SLOTS
        ]

    def __str__(self) -> str:
        return f"{self.embedder_id}:{self.digest}"
