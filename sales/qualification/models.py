"""Facts about a lead, and the rules of its score."""

from __future__ import annotations

import uuid
from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.fields import EncryptedTextField
from sales.enums import Stage
from sales.qualification.enums import Condition, Contact, FactKind

#: who noted a fact that somebody of the staff has put right
STAFF = "staff"


class LeadFactQuerySet(models.QuerySet["LeadFact"]):
    def holding(self) -> Self:
        """Those that nothing newer has replaced and nobody has withdrawn."""
        return self.filter(ended_at=None)


class LeadFact(models.Model):
    """One thing that a customer has told about themselves, with their own words for it.

    Rows are never changed: what is put right or said anew is a row of its own, and the old one names it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lead = models.ForeignKey(
        "sales.Lead", on_delete=models.CASCADE, related_name="facts", verbose_name=_("lead"), editable=False
    )
    message = models.ForeignKey(
        "sales.Message", on_delete=models.CASCADE, related_name="facts", verbose_name=_("message"), editable=False
    )
    kind = models.CharField(_("about"), max_length=16, choices=FactKind.choices, editable=False)
    value = EncryptedTextField(_("fact"), label="sales.leadfact.value")
    quote = EncryptedTextField(_("words of the customer"), label="sales.leadfact.quote", editable=False)
    noted_by = models.CharField(_("noted by"), max_length=60, editable=False, help_text=_("A model, or staff."))
    member = models.ForeignKey(
        "sales.User",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("put right by"),
        editable=False,
    )
    created_at = models.DateTimeField(_("noted at"), default=timezone.now, editable=False)
    ended_at = models.DateTimeField(_("no longer holds since"), null=True, blank=True, editable=False)
    withdrawn_by = models.ForeignKey(
        "sales.User",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("withdrawn by"),
        editable=False,
    )
    replaced_by = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="replaces",
        verbose_name=_("replaced by"),
        editable=False,
    )

    objects = LeadFactQuerySet.as_manager()

    class Meta:
        verbose_name = _("fact about a lead")
        verbose_name_plural = _("facts about leads")
        ordering = ["-created_at", "id"]
        indexes = [
            models.Index(fields=["lead", "created_at"], condition=models.Q(ended_at=None), name="fact_holding"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {str(self.pk)[:8]}"


class ScoreRule(models.Model):
    """So many points when a condition holds. The points of all rules that hold make the score, from 0 to 100."""

    #: condition → the fields that it needs; all others stay empty
    NEEDS = {
        Condition.FACT: ("fact",),
        Condition.NUMBER: ("fact", "at_least"),
        Condition.PRODUCT: ("product",),
        Condition.CONTACT: ("contact",),
        Condition.STAGE: ("stage",),
    }

    title = models.CharField(
        _("name of the rule"), max_length=100, help_text=_("Shown beside the points as the reason.")
    )
    condition = models.CharField(_("condition"), max_length=8, choices=Condition.choices)
    fact = models.CharField(_("fact about"), max_length=16, choices=FactKind.choices, blank=True, default="")
    at_least = models.DecimalField(
        _("at least"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("The largest number in the fact is compared: of “10–20 thousand” 20 000."),
    )
    product = models.CharField(
        _("product"), max_length=100, blank=True, default="", help_text=_("A word of its name is enough.")
    )
    contact = models.CharField(_("contact"), max_length=8, choices=Contact.choices, blank=True, default="")
    stage = models.CharField(_("stage"), max_length=12, choices=Stage.choices, blank=True, default="")
    points = models.SmallIntegerField(
        _("points"),
        validators=[MinValueValidator(-100), MaxValueValidator(100)],
        help_text=_("From -100 to 100. The sum is held between 0 and 100."),
    )
    position = models.PositiveSmallIntegerField(_("order"), default=100)
    is_active = models.BooleanField(_("in force"), default=True)

    class Meta:
        verbose_name = _("rule of the score")
        verbose_name_plural = _("rules of the score")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        """Take away what the condition doesn't look at, and ask for what it does."""
        needed = self.NEEDS.get(self.condition, ())  # type: ignore[call-overload]
        for name in ("fact", "at_least", "product", "contact", "stage"):
            if name not in needed:
                setattr(self, name, None if name == "at_least" else "")
        missing = {name: gettext("This condition needs it.") for name in needed if getattr(self, name) in {None, ""}}
        if missing:
            raise ValidationError(missing)
