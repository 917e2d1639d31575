"""The back office of evaluation: the cases of staff, and the click that makes one of a conversation."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from common.admin import link_to
from common.text import clean
from knowledge.evaluation import staff
from knowledge.evaluation.cases import SAY_MOST
from knowledge.evaluation.models import EvaluationCase, EvaluationTurn
from sales.assistant.tools import TOOLS
from sales.models import Conversation, User


class TurnForm(forms.ModelForm):
    """Cleans what was typed, and refuses what a case can't be run with."""

    class Meta:
        model = EvaluationTurn
        fields = ["position", "say", "outcome", "total", "must", "must_not", "tools"]
        widgets = {
            "say": UnfoldAdminTextareaWidget(attrs={"rows": 3}),
            "must": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            "must_not": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            "tools": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        }

    def clean_say(self) -> str:
        said = clean(self.cleaned_data["say"]).strip()
        if len(said) > SAY_MOST:
            raise ValidationError(_("At most %(count)d characters.") % {"count": SAY_MOST})
        return said

    def clean_must(self) -> str:
        return "\n".join(staff.lines(clean(self.cleaned_data["must"])))

    def clean_must_not(self) -> str:
        return "\n".join(staff.lines(clean(self.cleaned_data["must_not"])))

    def clean_tools(self) -> str:
        names = staff.lines(self.cleaned_data["tools"])
        if unknown := [name for name in names if name not in TOOLS]:
            known = ", ".join(sorted(TOOLS))
            raise ValidationError(
                _("There is no tool %(name)s. There are: %(known)s.") % {"name": unknown[0], "known": known}
            )
        return "\n".join(names)


class TurnInline(StackedInline):
    model = EvaluationTurn
    form = TurnForm
    extra = 0
    min_num = 1
    max_num = 50
    fields = ["say", "outcome", "total", ("must", "must_not"), "tools", "position"]


@admin.register(EvaluationCase)
class EvaluationCaseAdmin(ModelAdmin):
    """Cases that ``manage.py evaluate`` holds again; made by hand or from a conversation."""

    inlines = [TurnInline]
    list_display = ["name", "tags", "is_active", "turn_count", "of_conversation", "created_at", "created_by"]
    list_filter = ["is_active", "created_at"]
    list_select_related = ["conversation", "created_by"]
    list_per_page = 50
    search_fields = ["name", "tags"]
    fields = ["name", "note", "tags", "is_active", "of_conversation", "created_at", "created_by"]
    readonly_fields = ["of_conversation", "created_at", "created_by"]
    actions = ["export", "switch_on", "switch_off"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(turn_count=Count("turns"))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.add_from)
        return [path("from/<uuid:conversation>/", view, name="knowledge_case_from"), *super().get_urls()]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "note":
            kwargs["widget"] = UnfoldAdminTextInputWidget
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)

    @display(description=_("turns"), ordering="turn_count")
    def turn_count(self, case: Any) -> int:
        return int(case.turn_count)

    @display(description=_("conversation"))
    def of_conversation(self, case: EvaluationCase) -> SafeString | str:
        return link_to(case.conversation)

    @action(description=_("Export as JSON lines"), permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        lines = staff.as_dataset(staff.cases_of(queryset.order_by("created_at")))
        answer = HttpResponse(lines, content_type="application/x-ndjson; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="evaluation-cases.jsonl"'
        return answer

    @action(description=_("Run these cases from now on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, active=True)

    @action(description=_("Don't run these cases any more"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, active=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Any], *, active: bool) -> None:
        changed = EvaluationCase.objects.filter(pk__in=queryset.values("pk")).update(is_active=active)
        self.message_user(request, gettext("Changed: %d") % changed, messages.SUCCESS)

    def add_from(self, request: HttpRequest, conversation: uuid.UUID) -> HttpResponse:
        """The click on a conversation's page: a case is made, and its page opened to be put right."""
        allowed = request.user.has_perms(["knowledge.add_evaluationcase", "sales.view_conversation"])
        if request.method != "POST" or not allowed:
            raise PermissionDenied
        talk = get_object_or_404(Conversation, pk=conversation)
        try:
            case, created = staff.add_from(conversation_id=talk.pk, by=cast(User, request.user), now=timezone.now())
        except staff.NothingSaid:
            messages.error(request, gettext("The customer hasn't written anything yet."))
            return HttpResponseRedirect(reverse("admin:sales_conversation_change", args=[talk.pk]))
        if created:
            self.log_addition(request, case, [{"added": {}}])
            messages.success(
                request,
                gettext("Added. What was answered is filled in as expected: put right what should be otherwise."),
            )
        else:
            messages.info(request, gettext("This conversation is in the evaluation set already."))
        return HttpResponseRedirect(reverse("admin:knowledge_evaluationcase_change", args=[case.pk]))
