"""The kinds of paper and of seller; imports nothing of ours."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What a document is. The words are also those of the public API."""

    PRICE_LIST = "price_list", _("price list")
    PROPOSAL = "proposal", _("commercial proposal")
    CONTRACT = "contract", _("contract")
    INVOICE = "invoice", _("invoice")
    ACT = "act", _("act")


class LegalForm(models.TextChoices):
    ORGANISATION = "organisation", _("organisation")
    SOLE_TRADER = "sole_trader", _("sole trader")
