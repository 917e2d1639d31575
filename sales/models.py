"""Leads, their conversations, the messages in them, and the assistant's turns.

What a person told us is encrypted at rest; rows that hold such fields have a UUID key made in Python, because the
ciphertext is bound to it. Phones, e-mails, names and companies are found by keyed digests.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.blind_index import email_digest, phone_digest, word_digests
from common.fields import EncryptedJSONField, EncryptedTextField
from common.promise import Promise, State
from sales.enums import Author, Direction, HandoverReason, Mode, NoticeKind, Stage


class User(AbstractUser):
    """Someone of the staff."""

    class Meta(AbstractUser.Meta):
        verbose_name = _("user")  # type: ignore[assignment]
        verbose_name_plural = _("users")  # type: ignore[assignment]


class LeadQuerySet(models.QuerySet["Lead"]):
    def open(self) -> Self:
        """Those still being worked on."""
        return self.exclude(stage__in=[Stage.WON, Stage.LOST])

    def known_as(self, text: str) -> Self:
        """Leads whose phone or e-mail is ``text``, or whose name or company has all its words."""
        digest = models.Q(pk__in=[])
        if phone := phone_digest(text):
            digest |= models.Q(phone_digest=phone)
        if "@" in text and (email := email_digest(text)):
            digest |= models.Q(email_digest=email)
        if words := word_digests(text):
            digest |= models.Q(word_digests__contains=words)
        return self.filter(digest)


class Lead(models.Model):
    """A person, or someone of a company, who may become a customer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = EncryptedTextField(_("name"), label="sales.lead.name", blank=True, default="")
    phone = EncryptedTextField(_("phone"), label="sales.lead.phone", blank=True, default="")
    email = EncryptedTextField(_("e-mail"), label="sales.lead.email", blank=True, default="")
    company = EncryptedTextField(_("company"), label="sales.lead.company", blank=True, default="")
    phone_digest = models.CharField(max_length=64, blank=True, default="", editable=False, db_index=True)
    email_digest = models.CharField(max_length=64, blank=True, default="", editable=False, db_index=True)
    word_digests = ArrayField(models.CharField(max_length=64), blank=True, default=list, editable=False)
    channel = models.CharField(_("channel"), max_length=20)
    stage = models.CharField(_("stage"), max_length=12, choices=Stage.choices, default=Stage.NEW)
    score = models.PositiveSmallIntegerField(_("score"), default=0, help_text=_("0 to 100: how ready to buy."))
    #: the rules have changed since it was reckoned
    score_due = models.BooleanField(default=False, editable=False)
    manager = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="leads", verbose_name=_("manager")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = LeadQuerySet.as_manager()

    class Meta:
        verbose_name = _("lead")
        verbose_name_plural = _("leads")
        ordering = ["-created_at"]
        indexes = [
            GinIndex(fields=["word_digests"], name="lead_words"),
            models.Index(fields=["-created_at"], name="lead_newest"),
            models.Index(fields=["id"], condition=models.Q(score_due=True), name="lead_score_due"),
        ]

    def __str__(self) -> str:
        # an admin log and a history keep this: no name here
        return f"{self._meta.verbose_name} {str(self.pk)[:8]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.phone_digest = phone_digest(self.phone)
        self.email_digest = email_digest(self.email)
        self.word_digests = sorted({*word_digests(self.name), *word_digests(self.company)})
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, "phone_digest", "email_digest", "word_digests", "updated_at"}
        super().save(*args, **kwargs)


class Consent(models.Model):
    """That a person agreed to the processing of personal data: which text, when, from where. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="consents", verbose_name=_("lead"))
    version = models.CharField(_("version of the text"), max_length=40)
    text_sha256 = models.CharField(_("digest of the text"), max_length=64)
    given_at = models.DateTimeField(_("given at"))
    address = EncryptedTextField(_("network address"), label="sales.consent.address", blank=True, default="")
    user_agent = EncryptedTextField(_("browser"), label="sales.consent.user_agent", blank=True, default="")
    channel = models.CharField(_("channel"), max_length=20)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-given_at"]

    def __str__(self) -> str:
        return f"{self.version} · {timezone.localtime(self.given_at):%d.%m.%Y %H:%M}"


class Conversation(models.Model):
    """What is said with one person over one channel. ``channel`` and ``external_id`` mean nothing here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lead = models.ForeignKey(Lead, on_delete=models.PROTECT, related_name="conversations", verbose_name=_("lead"))
    channel = models.CharField(_("channel"), max_length=20)
    external_id = models.CharField(_("id in the channel"), max_length=200)
    mode = models.CharField(_("led by"), max_length=10, choices=Mode.choices, default=Mode.ASSISTANT)
    operator = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("operator")
    )
    language = models.CharField(_("language"), max_length=2, default="ru")
    last_seq = models.PositiveIntegerField(_("messages"), default=0, editable=False)
    waiting_since = models.DateTimeField(_("waiting since"), null=True, blank=True, editable=False)
    led_since = models.DateTimeField(_("led since"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    last_message_at = models.DateTimeField(_("last message"), null=True, blank=True, editable=False)
    #: what tools want the assistant to know in later turns, by topic; so a turn needn't search its own past
    memory = EncryptedJSONField(_("memory"), label="sales.conversation.memory", default=dict, blank=True)

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["channel", "external_id"], name="conversation_once_per_channel"),
        ]
        indexes = [models.Index(fields=["-last_message_at"], name="conversation_newest")]

    def __str__(self) -> str:
        return f"{gettext(self.channel)} {str(self.pk)[:8]}"


class Message(models.Model):
    """One thing said. ``seq`` counts from 1 within the conversation, without gaps, in the order of arrival."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    seq = models.PositiveIntegerField(_("number"))
    direction = models.CharField(_("direction"), max_length=3, choices=Direction.choices)
    author = models.CharField(_("author"), max_length=10, choices=Author.choices)
    operator = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    external_id = models.CharField(_("id in the channel"), max_length=200, null=True, blank=True)
    text = EncryptedTextField(_("text"), label="sales.message.text")
    cards = EncryptedJSONField(_("cards"), label="sales.message.cards", default=list, blank=True)
    citations = models.JSONField(_("sources"), default=list, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["conversation", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="message_number_once"),
            models.UniqueConstraint(
                fields=["conversation", "direction", "external_id"], name="message_once_per_external_id"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_author_display()} № {self.seq}"


class Turn(Promise):
    """An answer owed to a conversation, and how it came about.

    A conversation has at most one open turn. A message of the customer makes one *due* unless one is open; what came
    after an open turn had begun to read gets the next, made in the transaction that closes the first. ``after_seq``
    and ``upto_seq`` bound what it read; ``attempts`` fences every write.
    """

    LEASE: ClassVar[timedelta] = timedelta(seconds=45)
    WAITS: ClassVar[tuple[timedelta, ...]] = tuple(timedelta(seconds=s) for s in (0, 1, 5, 15))

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    after_seq = models.PositiveIntegerField(_("read from"), default=0)
    upto_seq = models.PositiveIntegerField(_("read up to"), default=0)
    opened_at = models.DateTimeField(_("opened at"), default=timezone.now, editable=False)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    reply = models.OneToOneField(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="turn", verbose_name=_("reply")
    )
    model = models.CharField(_("model"), max_length=60, blank=True, default="")
    trace = EncryptedJSONField(_("trace"), label="sales.turn.trace", default=dict, blank=True)

    class Meta:
        verbose_name = _("turn")
        verbose_name_plural = _("turns")
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=models.Q(state__in=[State.DUE, State.TAKEN]),
                name="turn_one_open_per_conversation",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state=State.DUE), name="turn_due"),
            models.Index(fields=["due_at"], condition=models.Q(state=State.TAKEN), name="turn_taken"),
            models.Index(fields=["conversation", "-upto_seq"], name="turn_of_conversation"),
        ]

    def __str__(self) -> str:
        return f"{_('turn')} {str(self.pk)[:8]}"

    @property
    def lock_name(self) -> str:
        """One turn at a time in each conversation."""
        return f"sales.conversation:{self.conversation_id}"


class ToolCall(models.Model):
    """What a tool was asked and what it said: the journal that a repeated turn reads instead of acting again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="tool_calls")
    key = models.CharField(max_length=64)
    position = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(_("tool"), max_length=80)
    arguments = EncryptedJSONField(_("arguments"), label="sales.toolcall.arguments", default=dict)
    result = EncryptedJSONField(_("result"), label="sales.toolcall.result", default=dict)
    failed = models.BooleanField(_("refused"), default=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("tool call")
        verbose_name_plural = _("tool calls")
        ordering = ["turn", "position"]
        constraints = [models.UniqueConstraint(fields=["turn", "key"], name="tool_call_once_per_turn")]

    def __str__(self) -> str:
        return self.name


class HandoverQuerySet(models.QuerySet["Handover"]):
    def open(self) -> Self:
        """Those where nobody of the staff has come yet."""
        return self.filter(taken_at=None)


class Handover(models.Model):
    """That a person was called into a conversation: why, what is open, and who came."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="handovers", verbose_name=_("conversation")
    )
    reason = models.CharField(_("reason"), max_length=20, choices=HandoverReason.choices)
    question = EncryptedTextField(_("open question"), label="sales.handover.question", blank=True, default="")
    summary = EncryptedTextField(_("in short"), label="sales.handover.summary", blank=True, default="")
    created_at = models.DateTimeField(_("called at"), default=timezone.now, editable=False)
    taken_at = models.DateTimeField(_("taken at"), null=True, blank=True)
    taken_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("taken by")
    )

    objects = HandoverQuerySet.as_manager()

    class Meta:
        verbose_name = _("call for a person")
        verbose_name_plural = _("calls for a person")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=models.Q(taken_at=None), name="handover_one_open_per_conversation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {str(self.pk)[:8]}"


class Notice(models.Model):
    """Something that needs somebody of the staff, told once a day however often it happens. No personal data."""

    kind = models.CharField(_("kind"), max_length=20, choices=NoticeKind.choices)
    #: what it is about, in the words of whoever tells it: a model, a month, a row's id
    subject = models.CharField(_("subject"), max_length=100)
    text = models.TextField(_("text"))
    #: the page of the back office that it leads to
    address = models.CharField(_("page"), max_length=200, blank=True, default="")
    told_on = models.DateField(_("day"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    seen_at = models.DateTimeField(_("seen at"), null=True, blank=True)
    seen_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("seen by")
    )

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["kind", "subject", "told_on"], name="notice_once_a_day")]
        indexes = [
            models.Index(fields=["-created_at"], condition=models.Q(seen_at=None), name="notice_unseen"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"


# what the parts of this app keep
from sales.duty.models import Duty, DutyCall  # noqa: E402, F401
from sales.qualification.models import LeadFact, ScoreRule  # noqa: E402, F401
