"""A turn as the inspector shows it: the same rows, with rights of their own."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sales.models import Turn


class InspectedTurn(Turn):
    """An answer of the assistant. To ask for it again is a right of its own: a language model is paid for it."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        permissions = [("again_inspectedturn", "Can ask for an answer again")]
        verbose_name = _("answer of the assistant")
        verbose_name_plural = _("answers of the assistant")
