"""Which language models may be asked, how each is doing, what was asked of them and what it has cost."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from knowledge.llm import options as profile_options
from sales.models import Turn

#: hosts of vendors abroad: personal data never goes there, whatever a row says
HOSTS_ABROAD = ("openai.com", "anthropic.com", "azure.com", "amazonaws.com", "googleapis.com", "openrouter.ai")


class DialectName(models.TextChoices):
    """How a server is spoken to; a server that speaks OpenAI's API is a row with the first of them."""

    OPENAI = "openai", _("OpenAI, or whoever speaks its API")
    ANTHROPIC = "anthropic", "Anthropic"
    YANDEXGPT = "yandexgpt", "YandexGPT"
    GIGACHAT = "gigachat", "GigaChat"


class Region(models.TextChoices):
    """Where the model itself runs, which a reseller's address doesn't say."""

    RUSSIA = "ru", _("in Russia")
    ABROAD = "abroad", _("abroad")


class CallOutcome(models.TextChoices):
    """What became of one call: an answer, or one of ``knowledge.llm.chat.Failure``."""

    OK = "ok", _("answered")
    TIMEOUT = "timeout", _("no answer in time")
    CONNECTION = "connection", _("no connection")
    LIMITED = "limited", _("too many requests")
    NO_MONEY = "no_money", _("no money on the account")
    KEY = "key", _("the key was refused")
    COUNTRY = "country", _("doesn't serve our country")
    NO_MODEL = "no_model", _("there is no such model")
    TOO_LONG = "too_long", _("the conversation was too long")
    BAD_REQUEST = "bad_request", _("the request was refused")
    SERVER = "server", _("the vendor's server failed")
    BROKEN = "broken", _("the answer broke off")
    MALFORMED = "malformed", _("the answer made no sense")
    FILTERED = "filtered", _("the vendor's filter stopped it")


class Purpose(models.TextChoices):
    TURN = "turn", _("an answer to a customer")
    CHECK = "check", _("a check by staff")


def _money(name: Any, help_text: Any = "") -> models.DecimalField:
    return models.DecimalField(
        name, max_digits=10, decimal_places=2, default=0, validators=[MinValueValidator(0)], help_text=help_text
    )


class ModelProfile(models.Model):
    """A language model and the way to it. The chain asks the active ones that have their key, by their position."""

    slug = models.SlugField(
        _("short name"),
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^(?!keyless$)[a-z][a-z0-9-]*$", _("Small Latin letters, digits and hyphens."))],
        help_text=_("As it is called in traces and metrics; it can't be changed later."),
    )
    title = models.CharField(_("title"), max_length=100)
    position = models.PositiveSmallIntegerField(
        _("place in the chain"),
        default=100,
        help_text=_("The smallest is asked first. The model without a key is last."),
    )
    is_active = models.BooleanField(
        _("in the chain"), default=True, help_text=_("It is asked when its key is set in the environment, too.")
    )
    dialect = models.CharField(_("dialect"), max_length=12, choices=DialectName.choices)
    model = models.CharField(
        _("model"),
        max_length=200,
        blank=True,
        default="",
        help_text=_("Its id; empty: the one that the variable names."),
    )
    model_variable = models.CharField(_("variable with the model"), max_length=60, blank=True, default="")
    base_url = models.CharField(
        _("address"),
        max_length=300,
        blank=True,
        default="",
        validators=[RegexValidator(r"^https?://[^\s/?#@]+(/[^\s?#]*)?$", _("An address that begins with https://."))],
        help_text=_("Empty: the one that the variable names."),
    )
    url_variable = models.CharField(_("variable with the address"), max_length=60, blank=True, default="")
    key_variable = models.CharField(
        _("variable with the key"),
        max_length=60,
        blank=True,
        default="",
        help_text=_(
            "The name of a variable of the environment, never the key: one of the vendors', or one that begins with"
            " MODEL_KEY_. Empty for a server of our own that asks for none."
        ),
    )
    options = models.JSONField(
        _("options"), default=dict, blank=True, help_text=_("What this vendor knows or doesn't; see docs/models.md.")
    )
    price_in = _money(_("roubles for a million tokens read"))
    price_cached = _money(_("of these, from the vendor's cache"))
    price_out = _money(_("roubles for a million tokens written"))
    context_tokens = models.PositiveIntegerField(
        _("tokens that question and answer may have"),
        default=32_000,
        validators=[MinValueValidator(4_000), MaxValueValidator(2_000_000)],
    )
    answer_tokens = models.PositiveIntegerField(
        _("tokens that an answer may have"),
        default=1_000,
        validators=[MinValueValidator(100), MaxValueValidator(20_000)],
    )
    region = models.CharField(
        _("where it runs"),
        max_length=10,
        choices=Region.choices,
        default=Region.ABROAD,
        help_text=_("The model itself: a reseller in Russia of a model abroad is abroad."),
    )
    personal_data = models.BooleanField(
        _("may see personal data"),
        default=False,
        help_text=_("Only for models that run in Russia; the others are shown marks such as [ТЕЛЕФОН_1]."),
    )
    note = models.TextField(_("note"), blank=True, default="", max_length=1000)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("language model")
        verbose_name_plural = _("language models")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(personal_data=False) | (Q(region=Region.RUSSIA) & ~Q(dialect=DialectName.ANTHROPIC)),
                name="model_abroad_sees_no_personal_data",
                violation_error_message=_("A model abroad may not see personal data."),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def address(self) -> str:
        """Where it is in force now: the row's own address, or what its variable says."""
        named: str = (
            getattr(settings, self.url_variable, "") if self.url_variable in settings.MODEL_URL_VARIABLES else ""
        )
        return (self.base_url or named).rstrip("/")

    @property
    def sees_personal_data(self) -> bool:
        """Whether it may see personal data: what the row says, and where it would really go."""
        return self.personal_data and self.region == Region.RUSSIA and not self._is_abroad()

    def _is_abroad(self) -> bool:
        host = (urlsplit(self.address).hostname or "").lower()
        vendors = self.dialect == DialectName.ANTHROPIC or (self.dialect == DialectName.OPENAI and not host)
        return vendors or any(host == each or host.endswith(f".{each}") for each in HOSTS_ABROAD)

    def clean(self) -> None:
        wrong: dict[str, Any] = {}
        if found := profile_options.problems(self.options):
            wrong["options"] = found
        if self.personal_data and (self.region != Region.RUSSIA or self._is_abroad()):
            wrong["personal_data"] = _("A model abroad may not see personal data.")
        for field, allowed in (
            ("model_variable", settings.MODEL_ID_VARIABLES),
            ("url_variable", settings.MODEL_URL_VARIABLES),
            ("key_variable", (*settings.MODEL_KEY_VARIABLES, *settings.MODEL_KEYS)),
        ):
            name = getattr(self, field)
            later = field == "key_variable" and name.startswith("MODEL_KEY_") and len(name) > len("MODEL_KEY_")
            if name and name not in allowed and not later:
                wrong[field] = _("There is no variable of this name. There are: %(known)s.") % {
                    "known": ", ".join(allowed)
                }
        if not self.model and not self.model_variable:
            wrong.setdefault("model", _("Give the model's id, or the variable that names it."))
        if not self.base_url and not self.url_variable:
            wrong.setdefault("base_url", _("Give the address, or the variable that names it."))
        if self.answer_tokens and self.context_tokens and self.answer_tokens * 2 > self.context_tokens:
            wrong["answer_tokens"] = _("At most half of what question and answer may have together.")
        if wrong:
            raise ValidationError(wrong)


class ModelBreaker(models.Model):
    """How a model is doing, for all processes: failures in a row, and until when nobody asks it.

    Open until ``open_until``; then whoever sets ``probing_until`` first asks once, and the others still don't.
    """

    slug = models.SlugField(_("model"), max_length=40, primary_key=True)
    failures = models.PositiveSmallIntegerField(_("failures in a row"), default=0)
    #: how often it was opened since the last answer: each time for longer
    openings = models.PositiveSmallIntegerField(default=0)
    open_until = models.DateTimeField(_("isn't asked until"), null=True, blank=True)
    probing_until = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(_("last problem"), max_length=12, choices=CallOutcome.choices, blank=True, default="")
    words = models.CharField(max_length=500, blank=True, default="")
    failed_at = models.DateTimeField(_("failed at"), null=True, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)

    class Meta:
        verbose_name = _("state of a language model")

    def __str__(self) -> str:
        return self.slug


class ModelCall(models.Model):
    """One call of a model: what for, what became of it, how much was read and written, what it cost. No texts."""

    at = models.DateTimeField(_("time"), default=timezone.now)
    purpose = models.CharField(_("what for"), max_length=8, choices=Purpose.choices, default=Purpose.TURN)
    turn = models.ForeignKey(
        Turn, on_delete=models.SET_NULL, null=True, blank=True, related_name="model_calls", verbose_name=_("turn")
    )
    attempt = models.PositiveSmallIntegerField(_("try of the turn"), default=1)
    step = models.PositiveSmallIntegerField(_("step of the turn"), default=0)
    slug = models.SlugField(_("model"), max_length=40, db_index=False)
    model = models.CharField(_("model's id"), max_length=200)
    prompt_version = models.CharField(_("version of the prompt"), max_length=40, blank=True, default="")
    outcome = models.CharField(_("outcome"), max_length=12, choices=CallOutcome.choices)
    #: ours, or of the vendor's code: never a text of anybody
    words = models.CharField(_("problem"), max_length=500, blank=True, default="")
    prompt_tokens = models.PositiveIntegerField(_("tokens read"), default=0)
    cached_tokens = models.PositiveIntegerField(_("of these cached"), default=0)
    answer_tokens = models.PositiveIntegerField(_("tokens written"), default=0)
    estimated = models.BooleanField(_("estimated"), default=False, help_text=_("The vendor said nothing of tokens."))
    roubles = models.DecimalField(_("roubles"), max_digits=12, decimal_places=4, default=0)
    ms = models.PositiveIntegerField(_("milliseconds"), default=0)
    first_piece_ms = models.PositiveIntegerField(_("milliseconds to the first words"), null=True, blank=True)
    request_id = models.CharField(_("request at the vendor"), max_length=100, blank=True, default="")

    class Meta:
        verbose_name = _("call of a model")
        verbose_name_plural = _("calls of models")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at"], name="model_call_at"),
            models.Index(fields=["slug", "-at"], name="model_call_slug"),
        ]

    def __str__(self) -> str:
        return f"{self.slug} {self.at:%Y-%m-%d %H:%M:%S}"


class ModelDay(models.Model):
    """What a model did on a day of our time zone, added up as it happens: for budgets and statistics."""

    day = models.DateField(_("day"))
    slug = models.SlugField(_("model"), max_length=40, db_index=False)
    calls = models.PositiveIntegerField(_("calls"), default=0)
    failures = models.PositiveIntegerField(_("failed"), default=0)
    prompt_tokens = models.PositiveBigIntegerField(_("tokens read"), default=0)
    cached_tokens = models.PositiveBigIntegerField(_("of these cached"), default=0)
    answer_tokens = models.PositiveBigIntegerField(_("tokens written"), default=0)
    roubles = models.DecimalField(_("roubles"), max_digits=14, decimal_places=4, default=0)
    ms = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = _("day of a model")
        verbose_name_plural = _("days of models")
        ordering = ["-day", "slug"]
        constraints = [models.UniqueConstraint(fields=["day", "slug"], name="model_day_once")]

    def __str__(self) -> str:
        return f"{self.slug} {self.day}"


class ModelBudget(models.Model):
    """How much may be spent on models. There is one row. At a limit the paid models are left out until it ends."""

    day_roubles = models.DecimalField(
        _("a day, roubles"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Empty: no limit."),
    )
    month_roubles = models.DecimalField(
        _("a month, roubles"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Empty: no limit."),
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("budget of language models")
        verbose_name_plural = _("budget of language models")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="model_budget_is_one_row")]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)
