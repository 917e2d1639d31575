"""What a channel needs to know of a conversation beside what the ground knows, and what it owes."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.fields import EncryptedJSONField, EncryptedTextField
from common.promise import Promise, State
from sales.models import Conversation, Message


class Thread(models.Model):
    """A conversation as its channel sees it: for the web chat, who may enter it and where it began.

    Of the visitor's token only a digest is kept. The visitor's network address stands in the consent and nowhere else.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.OneToOneField(
        Conversation, on_delete=models.CASCADE, related_name="thread", verbose_name=_("conversation")
    )
    #: of the web chat's token; empty where the vendor says who writes
    token_digest = models.CharField(max_length=64, blank=True, default="", editable=False)
    page_url = EncryptedTextField(_("page"), label="channels_app.thread.page_url", blank=True, default="")
    read_seq = models.PositiveIntegerField(_("read up to"), default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("token valid until"), null=True, blank=True)
    #: what the vendor tells and a later call needs: the item that is asked about, a name to write to
    data = EncryptedJSONField(_("told by the channel"), label="channels_app.thread.data", null=True, blank=True)
    #: since when the customer doesn't want to hear from us
    unreachable_since = models.DateTimeField(_("unreachable since"), null=True, blank=True)
    #: up to where the vendor's history has been read
    looked_at = models.DateTimeField(_("looked at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("thread")
        verbose_name_plural = _("threads")

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {str(self.pk)[:8]}"


class Delivery(Promise):
    """That a message of ours is owed to a customer over a channel of a vendor.

    ``sent`` has the vendor's ids of the pieces that have arrived, in order. ``sending_since`` is set while a call is
    under way; whoever finds it set after a crash has a doubt to settle before anything is sent again.
    """

    #: a send has ten seconds
    LEASE: ClassVar[timedelta] = timedelta(seconds=15)
    WAITS: ClassVar[tuple[timedelta, ...]] = tuple(timedelta(seconds=s) for s in (2, 5, 15, 60, 300, 900, 3600))
    #: who says "again" has decided that it did not arrive
    FORGOTTEN: ClassVar[Mapping[str, Any]] = {"sending_since": None}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.OneToOneField(
        Message, on_delete=models.CASCADE, related_name="delivery", verbose_name=_("message")
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("conversation")
    )
    seq = models.PositiveIntegerField(_("number"))
    sent = ArrayField(models.CharField(max_length=100), default=list, blank=True, editable=False)
    sending_since = models.DateTimeField(_("sending since"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True, editable=False)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True, editable=False)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state=State.DUE), name="delivery_due"),
            models.Index(fields=["due_at"], condition=models.Q(state=State.TAKEN), name="delivery_taken"),
            models.Index(fields=["conversation", "seq"], name="delivery_of_conversation"),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {str(self.pk)[:8]}"

    @property
    def lock_name(self) -> str:
        """One send at a time in each conversation."""
        return f"channels_app.delivery:{self.conversation_id}"

    def due_again(self, problem: Exception, *, wait: timedelta) -> dict[str, Any]:
        """Many that failed together shall not come again together."""
        return super().due_again(problem, wait=wait * random.uniform(0.8, 1.25))

    def take(self, *, now: datetime) -> bool:
        """Only the first of its conversation: what was said before has to arrive before."""
        earlier = Delivery.objects.filter(
            conversation=self.conversation_id, seq__lt=self.seq, state__in=[State.DUE, State.TAKEN]
        )
        return not earlier.exists() and super().take(now=now)


class Arrival(Promise):
    """That something has happened in a chat of a vendor whose word we don't take: the chat is owed a look.

    A look reads the chat back and stores what is new, so one that is owed covers all that came before it.
    """

    LEASE: ClassVar[timedelta] = timedelta(seconds=45)
    WAITS: ClassVar[tuple[timedelta, ...]] = tuple(timedelta(seconds=s) for s in (1, 5, 15, 60, 300))

    channel = models.CharField(_("channel"), max_length=20)
    chat = models.CharField(_("chat"), max_length=200)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("arrival")
        verbose_name_plural = _("arrivals")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "chat"], condition=models.Q(state=State.DUE), name="arrival_one_due_per_chat"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state=State.DUE), name="arrival_due"),
            models.Index(fields=["due_at"], condition=models.Q(state=State.TAKEN), name="arrival_taken"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {str(self.pk)[:8]}"

    @property
    def lock_name(self) -> str:
        return f"channels_app.chat:{self.channel}:{self.chat}"

    def _write(self, outcome: dict[str, Any]) -> None:
        """One that has to be had again is covered by one that has come to be owed meanwhile."""
        try:
            with transaction.atomic():
                super()._write(outcome)
        except IntegrityError:
            super()._write({"state": State.DROPPED, "problem": outcome.get("problem", "")})


class TelegramBot(models.Model):
    """What Telegram calls our bot: without its name nobody knows who a group means. One row for each token's bot."""

    bot_id = models.BigIntegerField(primary_key=True)
    username = models.CharField(max_length=64, blank=True, default="")
    told_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("Telegram bot")
        verbose_name_plural = _("Telegram bots")
        default_permissions = ()

    def __str__(self) -> str:
        return f"@{self.username}"


class TelegramUpdate(Promise):
    """An update of Telegram that came: each number of each bot once, by whichever road and however often.

    What it says is kept only where it could not be taken, so that it is tried again and nobody waits for it.
    """

    WAITS: ClassVar[tuple[timedelta, ...]] = tuple(timedelta(seconds=s) for s in (2, 10, 60, 300, 1800))

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    bot_id = models.BigIntegerField(_("bot"))
    update_id = models.BigIntegerField(_("number"))
    content = EncryptedJSONField(_("content"), label="channels_app.telegramupdate.content", null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("Telegram update")
        verbose_name_plural = _("Telegram updates")
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["bot_id", "update_id"], name="telegram_update_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state=State.DUE), name="telegram_update_due"),
            models.Index(fields=["due_at"], condition=models.Q(state=State.TAKEN), name="telegram_update_taken"),
            models.Index(fields=["created_at"], name="telegram_update_age"),
        ]

    def __str__(self) -> str:
        return f"{self.bot_id}: {self.update_id}"


class Continuation(models.Model):
    """A link by which a customer of another channel goes on in the web chat: once, and not for long.

    It opens an empty conversation of the same lead; what was said elsewhere isn't shown there. Only its digest is kept.
    """

    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="continuations")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(editable=False)
    used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("link to the web chat")
        verbose_name_plural = _("links to the web chat")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


# what the parts of this app keep
from channels_app.auto_replies.models import AutoReply, AutoReplySent  # noqa: E402, F401
from channels_app.avito.models import (  # noqa: E402, F401
    AvitoItem,
    AvitoItemChange,
    AvitoItemChat,
    AvitoItemDay,
    AvitoPurchase,
    AvitoSync,
    AvitoSyncRun,
)
