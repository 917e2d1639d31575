"""Hours of duty as staff set them, and what became of the calls."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from common.admin import STATE_LABELS, ReadOnlyAdmin
from sales.duty.models import Duty, DutyCall, Weekday


class DutyForm(forms.ModelForm):  # type: ignore[type-arg]
    weekdays = forms.TypedMultipleChoiceField(
        label=_("days"), choices=Weekday, coerce=int, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    class Meta:
        model = Duty
        fields = ["member", "address", "weekdays", "begins", "ends", "time_zone", "place", "is_active"]


@admin.register(Duty)
class DutyAdmin(ModelAdmin):
    form = DutyForm
    list_display = ["member", "days", "begins", "ends", "time_zone", "place", "is_active"]
    list_select_related = ["member"]
    list_per_page = 20

    @display(description=_("days"))
    def days(self, duty: Duty) -> str:
        return ", ".join(str(Weekday(each).label) for each in sorted(duty.weekdays))


@admin.register(DutyCall)
class DutyCallAdmin(ReadOnlyAdmin):
    list_display = ["notice", "duty", "condition", "due_at", "attempts", "sent_at"]
    list_filter = ["state", "created_at"]
    list_select_related = ["notice", "duty__member"]
    list_per_page = 20
    fields = ["notice", "duty", "state", "due_at", "attempts", "problem", "created_at", "sent_at"]

    @display(description=_("state"), label=STATE_LABELS, ordering="state")
    def condition(self, call: Any) -> tuple[str, str]:
        return call.state, call.get_state_display()
