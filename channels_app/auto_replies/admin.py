"""Auto-replies in the back office: rules to write, and what they have said."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from channels_app import registry
from channels_app.auto_replies.models import TEXT_MOST, AutoReply, AutoReplySent, Weekday
from common.admin import ModelAdmin, ReadOnlyAdmin, link_to


class RuleForm(forms.ModelForm):
    weekdays = forms.TypedMultipleChoiceField(
        label=capfirst(_("days of the week")),
        choices=Weekday.choices,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        initial=list(Weekday.values),
    )

    class Meta:
        model = AutoReply
        exclude: list[str] = []
        widgets = {"text": UnfoldAdminTextareaWidget(attrs={"rows": 5, "maxlength": TEXT_MOST})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "channel" in self.fields:
            choices = [("", gettext("every channel")), *((name, gettext(name)) for name in registry.names())]
            self.fields["channel"] = forms.ChoiceField(
                choices=choices, widget=UnfoldAdminSelectWidget, label=capfirst(_("channel")), required=False
            )


@admin.register(AutoReply)
class AutoReplyAdmin(ModelAdmin):
    """Rules. One that is switched on speaks only to what happens from then on."""

    form = RuleForm
    list_display = ["title", "situation", "where", "when", "is_active", "said"]
    list_filter = ["situation", "is_active"]
    list_per_page = 50
    search_fields = ["title", "text"]
    fieldsets = [
        (None, {"fields": ["title", ("situation", "silence_hours"), "channel", "text"]}),
        (_("When"), {"fields": ["weekdays", ("from_time", "until_time")]}),
        (None, {"fields": ["is_active"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(times=Count("sent"))

    @display(description=_("channel"), ordering="channel")
    def where(self, rule: AutoReply) -> str:
        return gettext(rule.channel) if rule.channel else gettext("every channel")

    @display(description=_("days and hours"))
    def when(self, rule: AutoReply) -> str:
        days = ", ".join(str(Weekday(each).label) for each in sorted(rule.weekdays) if each in Weekday.values)
        words = gettext("every day") if len(set(rule.weekdays)) == len(Weekday) else days
        return f"{words}, {rule.from_time:%H:%M}–{rule.until_time:%H:%M}"

    @display(description=_("was said"), ordering="times")
    def said(self, rule: Any) -> str:
        return ngettext("%(times)d time", "%(times)d times", rule.times) % {"times": rule.times}


@admin.register(AutoReplySent)
class AutoReplySentAdmin(ReadOnlyAdmin):
    """What rules have said, latest first."""

    list_display = ["sent_at", "rule", "talk"]
    list_filter = ["rule", "sent_at"]
    list_select_related = ["rule", "conversation"]
    list_per_page = 50
    fields = ["sent_at", "rule", "talk"]
    readonly_fields = ["talk"]

    @display(description=_("conversation"))
    def talk(self, row: AutoReplySent) -> SafeString | str:
        return link_to(row.conversation)
