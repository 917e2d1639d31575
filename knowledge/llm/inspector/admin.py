"""The back office of answers: each taken apart, and asked for again beside the first."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from common import locks
from common.admin import STATE_LABELS, ReadOnlyAdmin, link_to
from common.fields import readable
from common.markdown import to_html
from knowledge.llm import profiles
from knowledge.llm.inspector.again import CannotAskAgain, ask_again
from knowledge.llm.inspector.differing import differences
from knowledge.llm.inspector.models import InspectedTurn
from knowledge.llm.inspector.reading import Inspection, inspect, questions
from knowledge.llm.models import CallOutcome, Purpose
from knowledge.llm.prompting import version, versions

KEYLESS = "keyless"
AGAIN = "knowledge.again_inspectedturn"
#: what the guard may find, for people
FINDINGS = {
    "amount": _("an amount that nothing proves"),
    "attribution": _("an amount of something else"),
    "link": _("a link to a stranger"),
    "promise": _("a promise that no rule makes"),
    "leak": _("instructions that are nobody's business"),
    "broken": _("it could not be checked"),
}


class AgainForm(forms.Form):
    """With which model and which prompts to ask again."""

    model = forms.ChoiceField(label=_("model"), widget=UnfoldAdminSelectWidget)
    prompt = forms.ChoiceField(label=_("version of the prompt"), widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.profiles = {profile.slug: profile for profile in profiles.usable()}
        named = [(slug, f"{slug} · {profile.model}") for slug, profile in self.profiles.items()]
        self.fields["model"].choices = [*named, (KEYLESS, gettext("keyless: the model without a key"))]  # type: ignore[attr-defined]
        self.fields["prompt"].choices = [(name, name) for name in versions()]  # type: ignore[attr-defined]
        self.fields["prompt"].initial = version()


@admin.register(InspectedTurn)
class InspectedTurnAdmin(ReadOnlyAdmin):
    """Answers, newest first, with what each has cost. Opened, one shows how it came about."""

    list_display = ["__str__", "talk", "condition", "model", "tried", "cost", "opened_at", "answered_at"]
    list_filter = ["state", "model", "opened_at"]
    list_select_related = ["conversation"]
    list_per_page = 20
    show_full_result_count = False
    change_form_template = "admin/knowledge/inspector.html"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # what was said stands on the page
        return super().has_view_permission(request, obj) and request.user.has_perm("sales.view_conversation")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        own = Q(model_calls__purpose=Purpose.TURN)
        return (
            super()
            .get_queryset(request)
            .annotate(
                roubles=Sum("model_calls__roubles", filter=own),
                call_count=Count("model_calls", filter=own),
                failed_count=Count("model_calls", filter=own & ~Q(model_calls__outcome=CallOutcome.OK)),
            )
        )

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.again)
        return [path("<uuid:pk>/again/", view, name="knowledge_inspectedturn_again"), *super().get_urls()]

    @display(description=_("conversation"))
    def talk(self, turn: InspectedTurn) -> SafeString | str:
        return link_to(turn.conversation)

    @display(description=_("state"), label=STATE_LABELS, ordering="state")
    def condition(self, turn: InspectedTurn) -> tuple[str, str]:
        return turn.state, turn.get_state_display()

    @display(description=_("calls of models, failed of them"))
    def tried(self, turn: Any) -> str:
        return f"{turn.call_count} / {turn.failed_count}" if turn.call_count else "—"

    @display(description=_("roubles"), ordering="roubles")
    def cost(self, turn: Any) -> str:
        return f"{turn.roubles:.2f}" if turn.roubles is not None else "—"

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        turn = self.get_object(request, object_id) if object_id else None
        extra = dict(extra_context or {})
        if turn is not None and self.has_view_permission(request, turn):
            extra |= _page_of(request, turn)
        return super().changeform_view(request, object_id, form_url, extra)

    def again(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """The answer once more, beside the first. Nothing is sent, and nothing but the cost is kept."""
        turn = get_object_or_404(InspectedTurn.objects.select_related("conversation", "reply"), pk=pk)
        if request.method != "POST" or not (self.has_view_permission(request, turn) and request.user.has_perm(AGAIN)):
            raise PermissionDenied
        page = HttpResponseRedirect(reverse("admin:knowledge_inspectedturn_change", args=[pk]))
        form = AgainForm(request.POST)
        if not form.is_valid():
            messages.error(request, gettext("Choose a model and a version of the prompt that there are."))
            return page
        with locks.session_lock(f"knowledge.again:{request.user.pk}") as mine:
            if not mine:
                messages.warning(request, gettext("You are asking already: wait for that answer."))
                return page
            try:
                second = ask_again(
                    turn,
                    profile=form.profiles.get(form.cleaned_data["model"]),
                    prompt_version=form.cleaned_data["prompt"],
                )
            except CannotAskAgain:
                messages.error(request, gettext("There is nothing to ask again: the turn has read no message."))
                return page
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Asked again"),
            "opts": self.model._meta,
            "original": turn,
            **_page_of(request, turn, form=form, second=second),
        }
        return TemplateResponse(request, "admin/knowledge/inspector_again.html", context)


def _page_of(
    request: HttpRequest, turn: Any, *, form: AgainForm | None = None, second: Inspection | None = None
) -> dict[str, Any]:
    first = inspect(turn)
    context = {
        "turn": turn,
        "conversation_link": link_to(turn.conversation),
        "questions": [
            {
                "text": str(readable(message, "text")),
                "link": link_to(
                    turn.conversation,
                    gettext("message № %(number)s") % {"number": message.seq},
                    place=f"m{message.seq}",
                ),
            }
            for message in questions(turn)
        ],
        "first": _shown(first),
        "form": form or AgainForm(),
        "may_ask": turn.answered_at is not None and turn.upto_seq > turn.after_seq and request.user.has_perm(AGAIN),
    }
    if second is not None:
        context |= {"second": _shown(second), "differences": differences(first.text, second.text)}
    return context


def _shown(found: Inspection) -> dict[str, Any]:
    """An inspection with what a page adds to it: safe HTML, and the names of the kinds of step."""
    names = {
        "model": pgettext("step of an answer", "model"),
        "call": pgettext("step of an answer", "call of the vendor"),
        "tool": pgettext("step of an answer", "tool"),
        "guard": pgettext("step of an answer", "guard"),
        "stream": pgettext("step of an answer", "first words to the customer"),
    }
    return {
        "is": found,
        "html": to_html(found.text),
        "bars": [{"is": bar, "kind": names.get(bar.kind, bar.kind)} for bar in found.bars],
        "judged": [
            {"is": each, "pieces": [(FINDINGS.get(kind, kind), piece) for kind, piece in each.pieces]}
            for each in found.judged
        ],
    }
