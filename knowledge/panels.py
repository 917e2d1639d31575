"""What the knowledge base shows on a conversation's page: what was unanswered, its evaluation case, the inspector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from common.admin import button_to, link_to
from knowledge.evaluation.models import EvaluationCase
from knowledge.gaps.models import Gap
from knowledge.llm.inspector.models import InspectedTurn
from knowledge.models import Article
from sales.models import Conversation, Turn

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


def turn_panels(turn: Turn) -> Iterable[SafeString]:
    """The way to the page that takes an answer apart, for those who may read it."""
    link = link_to(InspectedTurn(pk=turn.pk), _("Take this answer apart"))
    if isinstance(link, SafeString):
        yield link


def source_links(titles: Mapping[str, str]) -> dict[str, SafeString | str]:
    """Cited articles that are still there, as links to them; in one query for all of a page."""
    found = Article.objects.filter(external_id__in=titles)
    return {each.external_id: link_to(each, titles[each.external_id]) for each in found}
