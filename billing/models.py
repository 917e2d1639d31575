"""Who sells, the papers we issue, and the links they are fetched by.

A document is a promise: the row with its number and its snapshot is issued at once, the PDF follows. What is issued
is frozen; later changes of a seller, a price or a lead don't reach it.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from billing import requisites
from billing.enums import Kind, LegalForm
from billing.fields import EncryptedBytesField
from common.fields import EncryptedJSONField
from common.promise import Promise, State


class Seller(models.Model):
    """Who sells, with all that a paper must say about them. One is the default; new papers come from it."""

    form = models.CharField(_("legal form"), max_length=12, choices=LegalForm.choices, default=LegalForm.ORGANISATION)
    name = models.CharField(_("short name"), max_length=160, help_text=_("As it is printed: ООО «Пример»."))
    full_name = models.CharField(_("full name"), max_length=300, blank=True, default="")
    inn = models.CharField(_("ИНН"), max_length=12)
    kpp = models.CharField(_("КПП"), max_length=9, blank=True, default="", help_text=_("Organisations only."))
    ogrn = models.CharField(_("ОГРН or ОГРНИП"), max_length=15)
    address = models.CharField(_("address"), max_length=300, help_text=_("As in the state register."))
    phone = models.CharField(_("phone"), max_length=40, blank=True, default="")
    email = models.EmailField(_("e-mail"), blank=True, default="")
    site = models.CharField(_("site"), max_length=100, blank=True, default="")
    bank = models.CharField(_("bank"), max_length=100, help_text=_("At most 45 characters fit into a payment code."))
    bic = models.CharField(_("БИК"), max_length=9)
    account = models.CharField(_("settlement account"), max_length=20)
    corr_account = models.CharField(_("correspondent account"), max_length=20, blank=True, default="")
    signatory = models.CharField(_("who signs"), max_length=150, help_text=_("Surname, name, patronymic."))
    signatory_position = models.CharField(_("position"), max_length=100, blank=True, default="")
    signatory_basis = models.CharField(
        _("acts on the basis of"), max_length=200, blank=True, default="", help_text=_("Устава, доверенности № … от …")
    )
    vat_mode = models.ForeignKey(
        "pricing.VatMode", on_delete=models.PROTECT, related_name="sellers", verbose_name=_("VAT mode")
    )
    payment_terms = models.TextField(_("terms of payment"), help_text=_("Printed in proposals; a paragraph a line."))
    included = models.TextField(
        _("what is included"), blank=True, default="", help_text=_("Printed in proposals; an item a line.")
    )
    is_default = models.BooleanField(_("default"), default=False, editable=False)
    is_demo = models.BooleanField(
        _("made up, for trying out"), default=False, editable=False, help_text=_("Until another ИНН is entered.")
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("seller")
        verbose_name_plural = _("sellers")
        ordering = ["-is_default", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="seller_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_organisation(self) -> bool:
        return self.form == LegalForm.ORGANISATION

    def clean(self) -> None:
        """Refuse what can't be a requisite. A bank key that doesn't fit is a warning: see ``warnings``."""
        if problems := self._malformed():
            raise ValidationError(problems)

    def _malformed(self) -> dict[str, Any]:
        inn, ogrn = (10, 13) if self.is_organisation else (12, 15)
        problems: dict[str, Any] = {}
        if not (requisites.inn_ok(self.inn) and len(self.inn) == inn):
            problems["inn"] = _("This is no ИНН: %(count)d digits with right check digits are expected.") % {
                "count": inn
            }
        if not (requisites.ogrn_ok(self.ogrn) and len(self.ogrn) == ogrn):
            problems["ogrn"] = _("This is no ОГРН: %(count)d digits with a right check digit are expected.") % {
                "count": ogrn
            }
        if self.is_organisation and not requisites.kpp_ok(self.kpp):
            problems["kpp"] = _("An organisation has a КПП of nine characters.")
        if not self.is_organisation and self.kpp:
            problems["kpp"] = _("A sole trader has no КПП: leave it empty.")
        if not requisites.bic_ok(self.bic):
            problems["bic"] = _("A БИК has nine digits.")
        return problems

    def warnings(self) -> dict[str, Any]:
        """Fields that are probably mistyped, each with what is wrong; foreign and treasury accounts end up here too."""
        found: dict[str, Any] = {}
        if not requisites.settlement_account_ok(self.bic, self.account):
            found["account"] = _("The key of the settlement account doesn't fit the БИК: one of them is mistyped.")
        if self.corr_account and not requisites.correspondent_account_ok(self.bic, self.corr_account):
            found["corr_account"] = _(
                "The key of the correspondent account doesn't fit the БИК: one of them is mistyped."
            )
        return found


class Manager(models.Model):
    """Who answers for a proposal, with a phone and an e-mail to be printed."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="managers", verbose_name=_("seller"))
    name = models.CharField(_("name"), max_length=150)
    position = models.CharField(_("position"), max_length=100, blank=True, default="")
    phone = models.CharField(_("phone"), max_length=40)
    email = models.EmailField(_("e-mail"))
    user = models.OneToOneField(
        "sales.User",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="as_manager",
        verbose_name=_("account"),
        help_text=_("A lead that this account works on gets its papers in this name."),
    )
    is_active = models.BooleanField(_("works here"), default=True)
    is_demo = models.BooleanField(
        _("made up, for trying out"), default=False, editable=False, help_text=_("Until another name is entered.")
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("manager")
        verbose_name_plural = _("managers")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class Counter(models.Model):
    """The last number given to a kind of paper of a seller in a year. Locked while a paper is issued: no gaps."""

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="counters")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("counter")
        verbose_name_plural = _("counters")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["seller", "kind", "year"], name="counter_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.year}: {self.last}"


class Document(Promise):
    """A paper that was issued. ``snapshot`` is all it says; the PDF is owed until it is made.

    A paper belongs to the conversation it was asked for in, so asking again for the same quote finds it again.
    """

    # one process makes all PDFs, one after another, so a worker may have to wait its turn
    LEASE: ClassVar[timedelta] = timedelta(seconds=120)
    WAITS: ClassVar[tuple[timedelta, ...]] = tuple(timedelta(seconds=s) for s in (1, 5, 30, 120))

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="documents", verbose_name=_("seller"))
    year = models.PositiveSmallIntegerField(editable=False)
    serial = models.PositiveIntegerField(editable=False)
    number = models.CharField(_("number"), max_length=15)
    quote = models.ForeignKey(
        "pricing.Quote",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="documents",
        verbose_name=_("quote"),
    )
    conversation = models.ForeignKey(
        "sales.Conversation",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="documents",
        verbose_name=_("conversation"),
    )
    lead = models.ForeignKey(
        "sales.Lead",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="documents",
        verbose_name=_("lead"),
    )
    total = models.DecimalField(_("total"), max_digits=30, decimal_places=2)
    issued_on = models.DateField(_("issued on"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    snapshot = EncryptedJSONField(label="billing.document.snapshot", default=dict)
    edition = models.PositiveSmallIntegerField(_("edition of the template"), default=1)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    rendered_at = models.DateTimeField(_("PDF made at"), null=True, blank=True, editable=False)
    sha256 = models.CharField(_("digest of the PDF"), max_length=64, blank=True, default="", editable=False)
    size = models.PositiveIntegerField(_("size in bytes"), null=True, blank=True, editable=False)
    pages = models.PositiveSmallIntegerField(_("pages"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["seller", "kind", "year", "serial"], name="document_number_once"),
            models.UniqueConstraint(fields=["kind", "conversation", "quote"], name="document_once_per_quote"),
            models.CheckConstraint(
                condition=models.Q(rendered_at=None, sha256="", size=None, pages=None)
                | models.Q(rendered_at__isnull=False, size__isnull=False, pages__isnull=False) & ~models.Q(sha256=""),
                name="document_pdf_is_described",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at"], name="document_newest"),
            models.Index(fields=["due_at"], condition=models.Q(state=State.DUE), name="document_due"),
            models.Index(fields=["due_at"], condition=models.Q(state=State.TAKEN), name="document_taken"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} № {self.number}"


class Pdf(models.Model):
    """The file of a document: a row of its own, so that lists needn't read it.

    It lies in the database and not in a folder, so that it appears in the same transaction that says it is there, is
    in the same backup, is reached by every process on every machine, and is encrypted anew with the other columns.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.OneToOneField(Document, on_delete=models.CASCADE, related_name="pdf")
    content = EncryptedBytesField(label="billing.pdf.content")

    class Meta:
        verbose_name = _("PDF")
        verbose_name_plural = _("PDFs")
        default_permissions = ()

    def __str__(self) -> str:
        return f"PDF {str(self.pk)[:8]}"


class LinkQuerySet(models.QuerySet["DocumentLink"]):
    def alive(self, now: datetime) -> Self:
        """Links that still open their document."""
        return self.filter(revoked_at=None, expires_at__gt=now)


class DocumentLink(models.Model):
    """A way to fetch a document without logging in. The token itself is kept nowhere: see ``billing.links``."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="links", verbose_name=_("document"))
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("works until"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        default_permissions = ()
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return str(self.pk)[:8]
