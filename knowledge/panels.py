"""What the knowledge base shows on a conversation's page: its evaluation case, or the button that makes one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from common.admin import button_to, link_to
from knowledge.evaluation.models import EvaluationCase
from sales.models import Conversation


def panels(row: Any) -> Iterable[SafeString]:
    """A line for a conversation; nothing for a lead."""
    if not isinstance(row, Conversation):
        return
    case = EvaluationCase.objects.filter(conversation=row).first()
    if case is not None:
        yield format_html("{}: {}", _("In the evaluation set"), link_to(case))
    elif button := button_to(
        reverse("admin:knowledge_case_from", args=[row.pk]),
        _("Add to the evaluation set"),
        permission="knowledge.add_evaluationcase",
    ):
        yield button
