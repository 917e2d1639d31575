"""The back office of qualification: a lead's facts and score on its page, the facts to put right, the rules to edit."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from common.admin import link_to
from common.fields import readable
from sales.models import Lead
from sales.qualification import facts, scoring
from sales.qualification.enums import FactKind
from sales.qualification.models import STAFF, LeadFact, ScoreRule

#: facts on a lead's page that hold no longer; the rest is in the list of facts
ENDED_MOST = 20


def facts_of(lead: Lead) -> SafeString:
    """What the lead has told, each with the words and the message they stand in; what holds first."""
    known = lead.facts.select_related("message", "message__conversation", "member", "withdrawn_by", "replaced_by")
    holding = sorted(known.holding(), key=lambda fact: (FactKind.values.index(fact.kind), fact.created_at))
    ended = known.exclude(ended_at=None)[:ENDED_MOST]
    lines = [*map(_line, holding), *map(_line, ended)]
    if not lines:
        return SafeString(gettext("Nothing has been told yet."))
    return format_html('<ul class="bo-facts">{}</ul>', format_html_join("", "{}", ((line,) for line in lines)))


def _line(fact: LeadFact) -> SafeString:
    held = fact.ended_at is None
    return format_html(
        '<li class="{}"><span class="bo-dim">{}:</span> {} <q>{}</q> <span class="bo-dim">{} · {}{}</span></li>',
        "" if held else "bo-ended",
        fact.get_kind_display(),
        link_to(fact, str(readable(fact, "value"))),
        readable(fact, "quote"),
        _place_of(fact),
        _author_of(fact),
        "" if held else f" · {_end_of(fact)}",
    )


def _place_of(fact: LeadFact) -> SafeString | str:
    said_at = f"{timezone.localtime(fact.message.created_at):%d.%m.%Y %H:%M}"
    return link_to(
        fact.message.conversation,
        gettext("message № %(number)s, %(when)s") % {"number": fact.message.seq, "when": said_at},
        place=f"m{fact.message.seq}",
    )


def _author_of(fact: LeadFact) -> str:
    if fact.noted_by != STAFF:
        return gettext("noted by: %s") % fact.noted_by
    return gettext("put right by: %s") % (fact.member or "—")


def _end_of(fact: LeadFact) -> str:
    if fact.replaced_by is not None:
        return gettext("replaced by a newer one")
    return gettext("withdrawn by: %s") % (fact.withdrawn_by or "—")


def score_of(lead: Lead) -> SafeString:
    """The score, and the rules that gave it."""
    found = scoring.explained(lead)
    lines = format_html_join(
        "", "<div>{} · {}</div>", ((f"{reason.points:+d}", link_to(reason.rule)) for reason in found)
    )
    owed = gettext("The rules have changed: the score is being reckoned anew.") if lead.score_due else ""
    return format_html('<strong>{}</strong>{}<div class="bo-dim">{}</div>', lead.score, lines, owed)


class FactForm(forms.ModelForm):
    value = forms.CharField(label=_("Fact"), max_length=facts.VALUE_MOST, widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = LeadFact
        fields = ["value"]


@admin.register(LeadFact)
class LeadFactAdmin(ModelAdmin):
    """Facts. Models note them; staff put them right or withdraw them."""

    form = FactForm
    list_display = ["__str__", "of_lead", "holds", "noted_by", "created_at"]
    list_filter = ["kind", ("ended_at", admin.EmptyFieldListFilter), "noted_by", "created_at"]
    list_select_related = ["lead"]
    list_per_page = 50
    fields = ["of_lead", "kind", "value", "quote", "where", "author", "created_at", "holds"]
    readonly_fields = ["of_lead", "kind", "quote", "where", "author", "created_at", "holds"]
    change_form_outer_before_template = "admin/sales/fact_actions.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a fact begins with a customer's words

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # it goes with its lead; what was never so is withdrawn

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.ended_at is None)

    @display(description=_("lead"))
    def of_lead(self, fact: LeadFact) -> SafeString | str:
        return link_to(fact.lead, readable(fact.lead, "name") or gettext("unnamed"))

    @display(description=_("message"))
    def where(self, fact: LeadFact) -> SafeString | str:
        return _place_of(fact)

    @display(description=_("noted by"))
    def author(self, fact: LeadFact) -> str:
        return _author_of(fact)

    @display(description=_("holds"), boolean=True)
    def holds(self, fact: LeadFact) -> bool:
        return fact.ended_at is None

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        try:
            facts.put_right(
                fact_id=obj.pk,
                value=form.cleaned_data["value"],
                by=request.user,  # type: ignore[arg-type]
                now=timezone.now(),
            )
        except facts.FactEnded:
            messages.error(request, gettext("It holds no longer."))

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return _to_lead(obj)  # a fact that was put right is another row now

    def get_urls(self) -> list[Any]:
        own = [path("<uuid:pk>/withdraw/", self.admin_site.admin_view(self.withdraw), name="sales_leadfact_withdraw")]
        return own + super().get_urls()

    def withdraw(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """It was never so."""
        if request.method != "POST" or not request.user.has_perm("sales.change_leadfact"):
            raise PermissionDenied
        fact = get_object_or_404(LeadFact, pk=pk)
        try:
            facts.withdraw(fact_id=fact.pk, by=request.user, now=timezone.now())  # type: ignore[arg-type]
        except facts.FactEnded:
            messages.error(request, gettext("It holds no longer."))
        else:
            messages.success(request, gettext("The fact is withdrawn."))
        return _to_lead(fact)


def _to_lead(fact: LeadFact) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:sales_lead_change", args=[fact.lead_id]))


@admin.register(ScoreRule)
class ScoreRuleAdmin(ModelAdmin):
    """What makes a lead's score. A change owes every open lead a new one."""

    list_display = ["title", "what", "points", "position", "is_active"]
    list_editable = ["points", "position", "is_active"]
    list_filter = ["condition", "is_active"]
    list_per_page = 50
    search_fields = ["title"]
    fields = [
        "title",
        "condition",
        "fact",
        "at_least",
        "product",
        "contact",
        "stage",
        "points",
        "position",
        "is_active",
    ]
    conditional_fields = {
        "fact": "condition == 'fact' || condition == 'number'",
        "at_least": "condition == 'number'",
        "product": "condition == 'product'",
        "contact": "condition == 'contact'",
        "stage": "condition == 'stage'",
    }

    @display(description=_("condition"), ordering="condition")
    def what(self, rule: ScoreRule) -> str:
        details = [
            rule.get_fact_display() if rule.fact else "",
            f"{rule.at_least.normalize():f}" if rule.at_least is not None else "",
            rule.product,
            rule.get_contact_display() if rule.contact else "",
            rule.get_stage_display() if rule.stage else "",
        ]
        return f"{rule.get_condition_display()}: {' · '.join(filter(None, details))}"
