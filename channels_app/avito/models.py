"""Our listings on Avito: what each is, what it brings day by day, and what was bought to promote it.

A listing's key is the vendor's number. Nothing here is personal data: chats are counted, not kept.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.promise import Promise, State
from sales.models import Conversation, User


class ItemStatus(models.TextChoices):
    """As the vendor has them."""

    ACTIVE = "active", _("active")
    REMOVED = "removed", _("removed")
    OLD = "old", _("out of date")
    BLOCKED = "blocked", _("blocked by Avito")
    REJECTED = "rejected", _("rejected by Avito")


class AvitoItem(models.Model):
    """A listing of ours. Known from the vendor's list, or from a chat about it before the list was read."""

    id = models.BigIntegerField(_("number on Avito"), primary_key=True)
    title = models.CharField(_("title"), max_length=300, blank=True, default="")
    price = models.DecimalField(_("price"), max_digits=14, decimal_places=2, null=True, blank=True)
    url = models.URLField(_("address"), max_length=500, blank=True, default="")
    #: a word of the vendor; empty while it is known from a chat only
    status = models.CharField(_("status"), max_length=20, blank=True, default="")
    category_id = models.BigIntegerField(_("number of the category"), null=True, blank=True)
    category = models.CharField(_("category"), max_length=200, blank=True, default="")
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        verbose_name = _("listing on Avito")
        verbose_name_plural = _("listings on Avito")
        ordering = ["-last_seen_at", "id"]
        permissions = [("promote_avitoitem", "Can spend money on promoting listings")]

    def __str__(self) -> str:
        return self.title or str(self.pk)

    def get_status_display(self) -> str:
        """A word of the vendor that we don't know is shown as it came."""
        return str(dict(ItemStatus.choices).get(self.status, self.status)) or "—"


class AvitoItemChange(models.Model):
    """That something about a listing became different, and when we saw it."""

    item = models.ForeignKey(AvitoItem, on_delete=models.CASCADE, related_name="changes", verbose_name=_("listing"))
    seen_at = models.DateTimeField(_("seen at"), default=timezone.now)
    field = models.CharField(_("field"), max_length=20)
    before = models.CharField(_("before"), max_length=500, blank=True, default="")
    after = models.CharField(_("after"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("change of a listing")
        verbose_name_plural = _("changes of listings")
        ordering = ["-seen_at", "-id"]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.field}"


class AvitoItemDay(models.Model):
    """What a listing brought on a day: the vendor's counts, and ours of what became of its chats."""

    item = models.ForeignKey(AvitoItem, on_delete=models.CASCADE, related_name="days", verbose_name=_("listing"))
    day = models.DateField(_("day"))
    views = models.PositiveIntegerField(_("views"), default=0)
    contacts = models.PositiveIntegerField(_("contacts"), default=0)
    favourites = models.PositiveIntegerField(_("favourites"), default=0)
    messages = models.PositiveIntegerField(_("messages of customers"), default=0)
    leads = models.PositiveIntegerField(_("leads"), default=0)
    quotes = models.PositiveIntegerField(_("quotes"), default=0)
    #: roubles; empty where the vendor doesn't tell
    spendings = models.DecimalField(_("spendings, roubles"), max_digits=12, decimal_places=2, null=True, blank=True)

    class Meta:
        verbose_name = _("day of a listing")
        verbose_name_plural = _("days of listings")
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["item", "day"], name="avito_item_day_once")]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.day}"


class AvitoItemChat(models.Model):
    """Which listing a conversation is about. Its number alone: the listing may not be known yet."""

    conversation = models.OneToOneField(Conversation, on_delete=models.CASCADE, related_name="avito_item_chat")
    #: 0 where the chat is about none
    item_number = models.BigIntegerField(db_index=True)

    class Meta:
        verbose_name = _("chat about a listing")
        verbose_name_plural = _("chats about listings")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.item_number)


class AvitoSync(models.Model):
    """Whether listings are read by themselves, how often, and when next. One row."""

    is_on = models.BooleanField(_("switched on"), default=False)
    every_minutes = models.PositiveIntegerField(_("every, minutes"), default=60)
    next_at = models.DateTimeField(_("next run"), default=timezone.now)
    #: the vendor allows one request for spendings a minute
    spendings_free_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(_("changed at"), null=True, blank=True, editable=False)
    changed_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("changed by")
    )

    class Meta:
        verbose_name = _("reading of listings")
        verbose_name_plural = _("reading of listings")
        default_permissions = ("view", "change")

    def __str__(self) -> str:
        return str(self._meta.verbose_name)


class Step(models.TextChoices):
    """Where a run is: in this order."""

    ITEMS = "items", _("listings")
    STATS = "stats", _("statistics")
    SPENDINGS = "spendings", _("spendings")
    OURS = "ours", _("our own counts")


class AvitoSyncRun(Promise):
    """One reading of all listings and their statistics, made in bites of one call each; ``cursor`` says what is next.

    Between bites it is *due* again, so any worker goes on with it; ``failures`` counts those in a row.
    """

    LEASE: ClassVar[timedelta] = timedelta(seconds=40)
    WAITS: ClassVar[tuple[timedelta, ...]] = tuple(timedelta(seconds=s) for s in (5, 30, 60, 300))

    step = models.CharField(_("step"), max_length=10, choices=Step.choices, default=Step.ITEMS)
    cursor = models.JSONField(default=dict, blank=True, editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    items_seen = models.PositiveIntegerField(_("listings read"), default=0)
    days_written = models.PositiveIntegerField(_("days written"), default=0)
    created_at = models.DateTimeField(_("begun at"), default=timezone.now, editable=False)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    asked_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("asked by")
    )
    #: always the same: there is one account, and so at most one open run
    account = models.CharField(max_length=10, default="own", editable=False)

    class Meta:
        verbose_name = _("run of reading listings")
        verbose_name_plural = _("runs of reading listings")
        ordering = ["-created_at"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(state__in=[State.DUE, State.TAKEN]),
                name="avito_one_open_run",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {timezone.localtime(self.created_at):%d.%m.%Y %H:%M}"

    def later(self, problem: Exception) -> dict[str, Any]:
        """Attempts count bites here, so what bounds the tries are the failures in a row."""
        over = self.failures >= len(self.WAITS)
        again = self.due_again(problem, wait=self.WAITS[-1 if over else self.failures])
        if over:
            return {**again, "state": State.BROKEN, "failures": 0, "finished_at": timezone.now()}
        return {**again, "failures": self.failures + 1}


class Outcome(models.TextChoices):
    """What became of a purchase. ``under_way`` and ``uncertain``: money may have been spent, nobody knows yet."""

    UNDER_WAY = "under_way", _("under way")
    BOUGHT = "bought", _("bought")
    REFUSED = "refused", _("refused by Avito")
    UNCERTAIN = "uncertain", _("uncertain")
    NOT_BOUGHT = "not_bought", _("not bought")


class AvitoPurchase(models.Model):
    """That a person bought promotion for a listing, at the price that they were shown. Asked of the vendor once.

    The row is stored before the call. What nobody knows is settled by looking at the listing, or by a person.
    """

    OPEN: ClassVar[tuple[str, ...]] = (Outcome.UNDER_WAY, Outcome.UNCERTAIN)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: chosen by who asks: the same again is the same purchase
    request_id = models.UUIDField(_("number of the request"), unique=True)
    item = models.ForeignKey(AvitoItem, on_delete=models.PROTECT, related_name="purchases", verbose_name=_("listing"))
    slugs = ArrayField(models.CharField(max_length=40), verbose_name=_("services"))
    stickers = ArrayField(models.IntegerField(), verbose_name=_("stickers"), default=list, blank=True)
    price = models.DecimalField(_("price shown, roubles"), max_digits=12, decimal_places=2)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices, default=Outcome.UNDER_WAY)
    #: the vendor's, by service
    operations = models.JSONField(_("operations on Avito"), default=dict, blank=True)
    problem = models.CharField(_("last problem"), max_length=500, blank=True, default="")
    #: what the listing had before: service → when it ends
    before = models.JSONField(default=dict, blank=True, editable=False)
    asked_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)
    #: when the listing is looked at next, while nobody knows
    look_at = models.DateTimeField(null=True, blank=True, editable=False)
    looks = models.PositiveSmallIntegerField(default=0, editable=False)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    settled_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("settled by")
    )

    class Meta:
        verbose_name = _("purchase of promotion")
        verbose_name_plural = _("purchases of promotion")
        ordering = ["-asked_at"]
        default_permissions = ("view", "change")
        constraints = [
            models.UniqueConstraint(
                fields=["item"],
                condition=models.Q(outcome__in=["under_way", "uncertain"]),
                name="avito_one_open_purchase_per_item",
            ),
        ]
        indexes = [
            models.Index(
                fields=["look_at"],
                condition=models.Q(outcome__in=["under_way", "uncertain"]),
                name="avito_purchase_to_look_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {str(self.pk)[:8]}"
