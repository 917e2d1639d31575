"""What we sell and by which rules, as rows that staff edit, and the quotes that were made by them.

Every change of a rule has a history. A quote keeps the rules it was made by and never follows them afterwards.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from pricing import calculator
from pricing.enums import BillingPeriod, ChargeKind
from pricing.fields import NameField

_code = RegexValidator(r"^[a-z][a-z0-9_]{0,49}$", _("Small Latin letters, digits and _; a letter first."))
_percent = [MinValueValidator(0), MaxValueValidator(100)]


def _name(value: dict[str, str]) -> calculator.Name:
    return calculator.Name(value.get("ru", ""), value.get("en", ""))


class Product(models.Model):
    """A subscription that is sold in tiers."""

    code = models.CharField(_("code"), max_length=50, unique=True, validators=[_code])
    name = NameField(pgettext_lazy("catalogue", "name"))
    unit = NameField(_("unit of volume"), help_text=_("As it follows a number: “conversations per month”."))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("on sale"), default=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name.get("ru") or self.code


class Tier(models.Model):
    """A size of a product and its price per month; no price means “on request”."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="tiers", verbose_name=_("product"))
    code = models.CharField(_("code"), max_length=50, validators=[_code])
    name = NameField(pgettext_lazy("catalogue", "name"))
    up_to = models.PositiveBigIntegerField(
        _("holds up to"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("The volume that is included; empty for any volume."),
    )
    price_month = models.DecimalField(
        _("price per month"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("In roubles; empty for “on request”."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("on sale"), default=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering = ["product__position", "product", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "code"], name="tier_once_per_product"),
            models.CheckConstraint(condition=Q(up_to__gte=1), name="tier_holds_something"),
            models.CheckConstraint(condition=Q(price_month__gte=0), name="tier_price_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.product} · {self.name.get('ru') or self.code}"

    def as_rule(self) -> calculator.Tier:
        return calculator.Tier(self.code, _name(self.name), self.up_to, self.price_month)


class Service(models.Model):
    """An extra beside the subscription; discounts don't touch it."""

    code = models.CharField(_("code"), max_length=50, unique=True, validators=[_code])
    name = NameField(pgettext_lazy("catalogue", "name"))
    unit = NameField(_("unit"), help_text=_("What one of it is: “hour”, “channel”."))
    charge = models.CharField(_("charged"), max_length=8, choices=ChargeKind.choices)
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2, validators=[MinValueValidator(0)])
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("on sale"), default=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        ordering = ["position", "id"]
        constraints = [models.CheckConstraint(condition=Q(price__gte=0), name="service_price_not_negative")]

    def __str__(self) -> str:
        return self.name.get("ru") or self.code

    def as_rule(self) -> calculator.Service:
        charge: Any = self.charge
        return calculator.Service(self.code, _name(self.name), _name(self.unit), charge, self.price)


class Discount(models.Model):
    """A percentage off the subscription. Each condition that is filled in has to hold."""

    code = models.CharField(_("code"), max_length=50, unique=True, validators=[_code])
    name = NameField(pgettext_lazy("catalogue", "name"))
    percent = models.DecimalField(_("percent"), max_digits=5, decimal_places=2, validators=_percent)
    order = models.PositiveSmallIntegerField(
        _("order"), default=0, help_text=_("Smaller first: each takes its percentage off what the one before left.")
    )
    distinct_products = models.PositiveSmallIntegerField(
        _("products, at least"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Different products with a price; of several such discounts the highest that holds is used."),
    )
    billing_period = models.CharField(
        _("paid by the"), max_length=5, choices=BillingPeriod.choices, blank=True, default=""
    )
    startup = models.BooleanField(_("for startups only"), default=False)
    is_active = models.BooleanField(_("in force"), default=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("discount")
        verbose_name_plural = _("discounts")
        ordering = ["order", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(percent__gte=0, percent__lte=100), name="discount_percent_is_one")
        ]

    def __str__(self) -> str:
        return self.name.get("ru") or self.code

    def as_rule(self) -> calculator.Discount:
        period: Any = self.billing_period or None
        return calculator.Discount(
            self.code, _name(self.name), self.percent, self.distinct_products, period, self.startup
        )


class PricingRules(models.Model):
    """What holds for every quote. There is one row."""

    discount_cap_percent = models.DecimalField(
        _("discounts together, at most %"),
        max_digits=5,
        decimal_places=2,
        default=100,
        validators=_percent,
        help_text=_("Of the subscription; what is above is cut from the last discounts."),
    )
    valid_days = models.PositiveSmallIntegerField(
        _("a quote is valid for, days"), default=14, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    currency = models.CharField(_("currency"), max_length=3, default="RUB", editable=False)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("rules of calculation")
        verbose_name_plural = _("rules of calculation")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="pricing_rules_are_one_row"),
            models.CheckConstraint(
                condition=Q(discount_cap_percent__gte=0, discount_cap_percent__lte=100), name="cap_percent_is_one"
            ),
        ]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)


class VatMode(models.Model):
    """How a seller stands to VAT, with the words that papers print. One is in force: the default seller's."""

    code = models.CharField(_("code"), max_length=50, unique=True, validators=[_code])
    name = models.CharField(pgettext_lazy("catalogue", "name"), max_length=200)
    rate = models.DecimalField(
        _("rate, %"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Empty: no VAT is charged. Prices include it."),
    )
    table_word = models.CharField(_("word in tables"), max_length=40)
    total_words = models.CharField(
        _("words under the total"), max_length=200, help_text=_("{amount} stands for the amount of VAT.")
    )
    ground = models.CharField(_("ground to print"), max_length=300, blank=True, default="")
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_to = models.DateField(_("valid to"), null=True, blank=True, help_text=_("The last day."))
    in_force = models.BooleanField(_("in force"), default=False, editable=False)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("VAT mode")
        verbose_name_plural = _("VAT modes")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["in_force"], condition=Q(in_force=True), name="vat_mode_one_in_force"),
            models.CheckConstraint(condition=Q(rate__gte=0, rate__lte=100), name="vat_rate_is_a_percentage"),
            models.CheckConstraint(
                condition=Q(valid_to__gte=models.F("valid_from")), name="vat_mode_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.rate is not None and "{amount}" not in self.total_words:
            raise ValidationError({"total_words": _("Put {amount} where the amount of VAT is to stand.")})
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValidationError({"valid_to": _("It can't end before it begins.")})

    def holds_on(self, day: Any) -> bool:
        """Whether the mode exists in law on that day."""
        return not (self.valid_from and day < self.valid_from) and not (self.valid_to and day > self.valid_to)

    def as_rule(self) -> calculator.Vat:
        return calculator.Vat(self.code, self.rate, self.table_word, self.total_words, self.ground)


class CatalogueVersion(models.Model):
    """A token that the database changes with every change of the rules, whoever makes it: see the triggers.

    It is random and no counter: a number that a rolled back change had used would come again with other rules.
    """

    token = models.UUIDField(default=uuid.uuid4)

    class Meta:
        verbose_name = _("version of the catalogue")
        verbose_name_plural = _("versions of the catalogue")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.token)


class RuleBook(models.Model):
    """The rules as they stood when a quote was made, kept once under their digest. Never changed."""

    sha256 = models.CharField(_("digest"), max_length=64, primary_key=True)
    rules = models.JSONField(_("rules"))
    kept_at = models.DateTimeField(_("kept at"), auto_now_add=True)

    class Meta:
        verbose_name = _("rules of a quote")
        verbose_name_plural = _("rules of quotes")
        default_permissions = ()

    def __str__(self) -> str:
        return self.sha256[:12]


def _money(label: Any) -> models.DecimalField:
    # wide enough for the largest quantity of the dearest service for a year, many times over
    return models.DecimalField(label, max_digits=30, decimal_places=2)


class Quote(models.Model):
    """A price that was named: frozen with its request, rules and trace, and valid until its day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(_("number"), max_length=30, unique=True)
    conversation = models.ForeignKey(
        "sales.Conversation",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="quotes",
        verbose_name=_("conversation"),
    )
    lead = models.ForeignKey(
        "sales.Lead", on_delete=models.SET_NULL, null=True, blank=True, related_name="quotes", verbose_name=_("lead")
    )
    inputs = models.JSONField(_("request"))
    rule_book = models.ForeignKey(RuleBook, on_delete=models.PROTECT, related_name="quotes", verbose_name=_("rules"))
    edition = models.PositiveSmallIntegerField(_("edition of the calculator"))
    result = models.JSONField(_("result"))
    trace = models.JSONField(_("trace"))
    subscription = _money(_("subscription"))
    discount_total = _money(_("discounts"))
    services_total = _money(_("services"))
    total = _money(_("total"))
    vat_amount = _money(_("VAT"))
    on_request = models.BooleanField(_("needs a manager"))
    sha256 = models.CharField(_("digest"), max_length=64)
    created_at = models.DateTimeField(_("made at"))
    valid_until = models.DateField(_("valid until"))

    class Meta:
        verbose_name = _("quote")
        verbose_name_plural = _("quotes")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["-created_at"], name="quote_newest")]

    def __str__(self) -> str:
        return self.number
