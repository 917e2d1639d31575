"""What we know: articles that staff write, and the index by which a passage of them is found.

An article is cut into passages: pieces of its body, and each question it answers (its title is the first). A passage
has marks of its words (``knowledge.words``); the posting lists are the same turned over, from a mark to the passages
that have it. Everything but the articles and the synonyms can be made anew from the articles.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from common.promise import Promise
from knowledge.enums import Kind, Language, Status
from knowledge.words import PHRASE_MOST, phrases, split

TITLE_MOST = 500
QUESTION_MOST = 500
EXTERNAL_ID_MOST = 200
#: characters of a body: more is no article but a book, and would hold the index up
BODY_MOST = 2_000_000
#: fields of an article that follow from its text
READ_FROM_TEXT = ("placeholder_codes", "linked", "typed_figures")


class ArticleQuerySet(models.QuerySet["Article"]):
    def published(self) -> ArticleQuerySet:
        return self.filter(status=Status.PUBLISHED)


class Article(models.Model):
    """A page of the knowledge base. The body is Markdown, with placeholders of ``pricing`` for prices."""

    external_id = models.CharField(
        _("external id"),
        max_length=EXTERNAL_ID_MOST,
        unique=True,
        blank=True,
        help_text=_("How imports and the outside call it; made for you when left empty."),
    )
    title = models.CharField(_("title"), max_length=TITLE_MOST, blank=True)
    body = models.TextField(
        _("text"),
        max_length=BODY_MOST,
        blank=True,
        help_text=_("Markdown. Prices only by placeholder, as {{ price:ai_manager.business }}."),
    )
    product = models.CharField(
        _("product"),
        max_length=50,
        blank=True,
        default="",
        validators=[RegexValidator(r"^[a-z][a-z0-9_]{0,49}$", _("The code of a product."))],
        help_text=_("The code of the product it is about; empty for all."),
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.DRAFT)
    language = models.CharField(_("language"), max_length=2, choices=Language.choices, default=Language.RU)
    own_figures = ArrayField(
        models.CharField(max_length=100),
        verbose_name=_("figures of its own"),
        blank=True,
        default=list,
        help_text=_("Amounts, percentages and volumes in the text that aren't our prices, one a line."),
    )
    #: what was found in title and text when they were stored: codes of placeholders, ids of articles that are linked
    #: to, and typed figures that aren't its own
    placeholder_codes = ArrayField(models.TextField(), default=list, blank=True, editable=False)
    linked = ArrayField(models.TextField(), default=list, blank=True, editable=False)
    typed_figures = ArrayField(models.TextField(), default=list, blank=True, editable=False)
    #: counts the changes of what a reader or the search sees
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    #: of what the version counts, to know a change from a mere saving
    digest = models.CharField(max_length=64, blank=True, default="", editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed at"), auto_now=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("changed by"),
    )

    history = HistoricalRecords(excluded_fields=["digest", "version", *READ_FROM_TEXT])

    objects = ArticleQuerySet.as_manager()

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering = ["-updated_at", "-id"]

    def __str__(self) -> str:
        return self.title or self.external_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.external_id = self.external_id or uuid.uuid4().hex[:12]
        super().save(*args, **kwargs)


class ArticleQuestion(models.Model):
    """A question the article answers, as customers ask it."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="questions", verbose_name=_("article"))
    text = models.CharField(_("question"), max_length=QUESTION_MOST)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("question it answers")
        verbose_name_plural = _("questions it answers")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.text


class Passage(models.Model):
    """A piece of an article as search finds it. ``marks`` are those that it is in the postings of, four bytes each."""

    id = models.AutoField(primary_key=True)  # four bytes: every posting repeats it
    article = models.ForeignKey(
        Article, on_delete=models.CASCADE, related_name="passages", db_index=False, verbose_name=_("article")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    position = models.PositiveIntegerField(_("position"))
    heading = models.CharField(_("heading"), max_length=500, blank=True, default="")
    text = models.TextField(_("text"))
    #: of all whose words were counted; a passage that has the same need not be indexed again
    digest = models.BigIntegerField()
    words = models.PositiveIntegerField()
    runs = models.PositiveIntegerField()
    marks = models.BinaryField()

    class Meta:
        verbose_name = _("passage")
        verbose_name_plural = _("passages")
        constraints = [
            models.UniqueConstraint(
                fields=["article", "kind", "position"],
                name="passage_once_in_its_place",
                deferrable=models.Deferrable.DEFERRED,  # places are swapped in one statement
            ),
        ]
        indexes = [
            # whose passage it is, and which an article has, without reading any text
            models.Index(fields=["id"], include=["article", "kind"], name="passage_belongs_to"),
            models.Index(fields=["article"], include=["id", "kind", "position"], name="passages_of_article"),
            # whose vector it is
            models.Index(fields=["digest"], name="passage_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.article_id}:{self.kind}:{self.position}"


class PostingList(models.Model):
    """Which passages of a range of ids have a mark, four bytes each. Written and read by ``knowledge.search`` alone."""

    pk = models.CompositePrimaryKey("mark", "range")
    mark = models.IntegerField()
    range = models.IntegerField()
    postings = models.BinaryField()

    class Meta:
        verbose_name = _("posting list")

    def __str__(self) -> str:
        return f"{self.mark}:{self.range}"


class Mark(models.Model):
    """The letters of a stem, to find the nearest to a misspelt word, and in how many passages it occurs.

    In how many any mark occurs, the length of its posting list says.
    """

    mark = models.IntegerField(primary_key=True)
    passages = models.IntegerField()
    stem = models.CharField(max_length=40, blank=True, default="", db_collation="C")
    stem_reversed = models.CharField(max_length=40, blank=True, default="", db_collation="C")

    class Meta:
        verbose_name = _("mark")
        indexes = [
            models.Index(fields=["stem"], name="mark_stem", condition=~models.Q(stem="")),
            models.Index(fields=["stem_reversed"], name="mark_stem_reversed", condition=~models.Q(stem="")),
        ]

    def __str__(self) -> str:
        return self.stem or str(self.mark)


class Synonyms(models.Model):
    """Words and phrases that mean the same to a customer; a question that has one finds the others too."""

    words = models.TextField(
        _("words"),
        max_length=1000,
        help_text=_("Words and phrases that mean the same, separated by commas: “price list, prices, how much”."),
    )
    is_active = models.BooleanField(_("used by the search"), default=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("synonyms")
        verbose_name_plural = _("synonyms")

    def __str__(self) -> str:
        return self.words[:80]

    def clean(self) -> None:
        given = phrases(self.words)
        if len(given) < 2:
            raise ValidationError({"words": _("At least two words or phrases, separated by commas.")})
        for each in given:
            if not 1 <= len(split(each)) <= PHRASE_MOST:
                raise ValidationError(
                    {
                        "words": _("“%(phrase)s” has to have 1 to %(most)d words.")
                        % {"phrase": each, "most": PHRASE_MOST}
                    }
                )
        self.words = ", ".join(given)


class Yardstick(models.Model):
    """One row: how many passages there are and how long they are together, for the averages that scores need."""

    bodies = models.PositiveIntegerField(default=0)
    words_in_bodies = models.BigIntegerField(default=0)
    runs_in_bodies = models.BigIntegerField(default=0)
    questions = models.PositiveIntegerField(default=0)
    words_in_questions = models.BigIntegerField(default=0)
    runs_in_questions = models.BigIntegerField(default=0)
    #: another number whenever a synonym has changed: processes keep them
    synonyms = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("yardstick")

    def __str__(self) -> str:
        return f"{self.bodies}, {self.questions}"


class Indexing(Promise):
    """That the index owes an article its present version."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="indexings", verbose_name=_("article"))
    version = models.PositiveIntegerField(_("version"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("indexing")
        verbose_name_plural = _("indexings")
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["article", "version"], name="indexing_once_a_version"),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="indexing_open", condition=models.Q(state__in=["due", "taken"])),
        ]

    def __str__(self) -> str:
        return f"{self.article_id} v{self.version}"

    @property
    def lock_name(self) -> str:
        # two versions of one article must not be indexed at once
        return f"knowledge.article:{self.article_id}"


# stories of their own; Django looks for all models of an app here
from knowledge.embedding.models import Embedder, Embedding  # noqa: E402, F401
from knowledge.evaluation.models import EvaluationCase, EvaluationTurn  # noqa: E402, F401
from knowledge.gaps.models import Gap, GapQuestion  # noqa: E402, F401
from knowledge.llm.inspector.models import InspectedTurn  # noqa: E402, F401
from knowledge.llm.models import ModelBreaker, ModelBudget, ModelCall, ModelDay, ModelProfile  # noqa: E402, F401
from knowledge.releases.models import ReleaseCase, ReleaseCheck, ReleaseDraft  # noqa: E402, F401
