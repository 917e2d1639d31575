"""Kinds of fact and of condition; imports nothing of ours."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class FactKind(models.TextChoices):
    """What a fact is about."""

    COMPANY = "company", _("company")
    COMPANY_SIZE = "company_size", _("size of the company")
    NEED = "need", _("need")
    PRODUCT = "product", _("product of interest")
    VOLUME = "volume", _("volume a month")
    BUDGET = "budget", _("budget")
    TERM = "term", _("when it is needed")
    ROLE = "role", _("role in the company")


#: of these a lead has as many as were named; of the others what is said anew takes the place of what was said before
ADDED_UP = frozenset({FactKind.NEED, FactKind.PRODUCT})


class Condition(models.TextChoices):
    """What a rule of the score looks at."""

    FACT = "fact", _("a fact is known")
    NUMBER = "number", _("the number in a fact is at least")
    PRODUCT = "product", _("interest in a product")
    CONTACT = "contact", _("a contact is known")
    STAGE = "stage", _("the lead is at a stage")


class Contact(models.TextChoices):
    """Contact data of a lead, named as its fields are."""

    NAME = "name", _("name")
    PHONE = "phone", _("phone")
    EMAIL = "email", _("e-mail")
    COMPANY = "company", _("company")
