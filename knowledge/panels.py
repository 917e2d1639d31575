"""What the knowledge base shows on a conversation's page: what was left unanswered in it, and its evaluation case."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from common.admin import button_to, link_to
from knowledge.evaluation.models import EvaluationCase
from knowledge.gaps.models import Gap
from sales.models import Conversation

#: unanswered questions shown of one conversation
GAPS_MOST = 10


def panels(row: Any) -> Iterable[SafeString]:
    """A line for a conversation; nothing for a lead."""
    if not isinstance(row, Conversation):
        return
    for gap in Gap.objects.filter(questions__conversation=row, questions__article=None).distinct()[:GAPS_MOST]:
        yield format_html("{} · {}", link_to(gap), gap.get_state_display())
    case = EvaluationCase.objects.filter(conversation=row).first()
    if case is not None:
        yield format_html("{}: {}", _("In the evaluation set"), link_to(case))
    elif button := button_to(
        reverse("admin:knowledge_case_from", args=[row.pk]),
        _("Add to the evaluation set"),
        permission="knowledge.add_evaluationcase",
    ):
        yield button
