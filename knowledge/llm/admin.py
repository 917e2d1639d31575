"""The back office of language models: the chain, how each is doing, every call, and what may be spent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from common.admin import HistoryAdmin, Labelled, ReadOnlyAdmin, link_to
from knowledge.llm import breaker, budget, checking, profiles
from knowledge.llm.models import CallOutcome, ModelBreaker, ModelBudget, ModelCall, ModelDay, ModelProfile

CONDITION_LABELS = {"ok": "success", "off": "default", "down": "danger"}
OUTCOME_LABELS = {each: "success" if each == CallOutcome.OK else "danger" for each in CallOutcome.values}


class ProfileForm(forms.ModelForm):
    class Meta:
        model = ModelProfile
        exclude: list[str] = []
        widgets = {
            "options": UnfoldAdminTextareaWidget(attrs={"rows": 6}),
            "note": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        }


@admin.register(ModelProfile)
class ModelProfileAdmin(HistoryAdmin):
    """The chain. Its order is changed in the list; the model without a key stands behind all of them."""

    form = ProfileForm
    list_display = [
        "title",
        "condition",
        "position",
        "is_active",
        "model_now",
        "region",
        "personal_data",
        "spent_month",
    ]
    list_editable = ["position", "is_active"]
    list_filter = ["dialect", "region"]
    list_per_page = 50
    search_fields = ["title", "slug", "model"]
    ordering = ["position", "id"]
    history_list_display: list[str] = []
    change_form_outer_before_template = "admin/knowledge/model_state.html"
    list_before_template = "admin/knowledge/model_chain.html"
    fieldsets = [
        (None, {"fields": ["title", "slug", ("position", "is_active"), "note"]}),
        (
            _("The way to it"),
            {
                "fields": [
                    "dialect",
                    ("model", "model_variable"),
                    ("base_url", "url_variable"),
                    "key_variable",
                    "options",
                    ("context_tokens", "answer_tokens"),
                ]
            },
        ),
        (_("Personal data"), {"fields": ["region", "personal_data"]}),
        (_("Prices"), {"fields": [("price_in", "price_cached", "price_out")]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        first = budget.local_day(timezone.now()).replace(day=1)
        state = ModelBreaker.objects.filter(slug=OuterRef("slug"), open_until__isnull=False).values("failure")
        month = ModelDay.objects.filter(slug=OuterRef("slug"), day__gte=first).values("slug")
        return (
            super()
            .get_queryset(request)
            .annotate(down_by=Subquery(state[:1]), spent=Subquery(month.annotate(sum=Sum("roubles")).values("sum")[:1]))
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["slug"] if obj is not None else []

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.check_now)
        return [path("<int:pk>/check/", view, name="knowledge_model_check"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if set(form.changed_data) - {"position", "note", "title"}:
            breaker.close(obj.slug)  # what was wrong may be mended by this

    # --- columns ---

    @display(description=_("state"), label=CONDITION_LABELS)
    def condition(self, row: Any) -> Labelled:
        if why := checking.why_off(row):
            return Labelled(("off", why))
        if row.down_by is not None:
            return Labelled(("down", CallOutcome(row.down_by).label if row.down_by else "—"))
        return Labelled(("ok", gettext("is asked")))

    @display(description=_("model"))
    def model_now(self, row: ModelProfile) -> str:
        return profiles.profile_of(row).model or "—"

    @display(description=_("roubles this month"), ordering="spent")
    def spent_month(self, row: Any) -> str:
        return f"{row.spent or 0:.2f}"

    # --- the page of one ---

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if object_id else None
        extra = dict(extra_context or {})
        if row is not None:
            state = breaker.states([row.slug]).get(row.slug)
            extra |= {
                "profile": row,
                "off": checking.why_off(row),
                "breaker": state,
                "down": breaker.is_down(state),
                "failure": CallOutcome(state.failure).label if state is not None and state.failure else "",
                "may_check": request.user.has_perm("knowledge.change_modelprofile"),
            }
        return super().changeform_view(request, object_id, form_url, extra)

    def check_now(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The button: one tiny call, and in words what came of it."""
        if request.method != "POST" or not request.user.has_perm("knowledge.change_modelprofile"):
            raise PermissionDenied
        row = get_object_or_404(ModelProfile, pk=pk)
        checked = checking.check(row)
        if checked.good:
            words = gettext("%(model)s has answered in %(ms)d ms; tokens: %(tokens)d.")
            messages.success(request, words % {"model": row, "ms": checked.ms, "tokens": checked.tokens})
        else:
            words = gettext("%(model)s: %(problem)s. %(advice)s")
            said = {"model": row, "problem": checked.problem, "advice": checked.advice}
            messages.error(request, words % said)
        return HttpResponseRedirect(reverse("admin:knowledge_modelprofile_change", args=[row.pk]))


class Sums:
    """The sums over what a list shows, above it."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        answer: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]
        shown = getattr(answer, "context_data", {}).get("cl")
        if shown is not None:
            answer.context_data["sums"] = self.sums(shown.queryset.order_by())  # type: ignore[attr-defined]
        return answer

    def sums(self, rows: QuerySet[Any]) -> dict[str, Any]:
        raise NotImplementedError


@admin.register(ModelCall)
class ModelCallAdmin(Sums, ReadOnlyAdmin):
    """Every call, newest first. No text of anybody is in it."""

    list_display = ["at", "slug", "what_came", "read", "answer_tokens", "roubles", "ms", "first_piece_ms", "of_turn"]
    list_filter = ["slug", "outcome", "purpose", "at"]
    list_select_related = ["turn__conversation"]
    list_per_page = 50
    date_hierarchy = "at"
    show_full_result_count = False
    list_before_template = "admin/knowledge/model_sums.html"
    fields = [
        *("at", "purpose", "of_turn", "attempt", "step", "slug", "model", "prompt_version", "what_came", "words"),
        *("prompt_tokens", "cached_tokens", "answer_tokens", "estimated", "roubles", "ms", "first_piece_ms"),
        "request_id",
    ]
    readonly_fields = ["of_turn", "what_came"]

    @display(description=_("outcome"), ordering="outcome", label=OUTCOME_LABELS)
    def what_came(self, call: ModelCall) -> Labelled:
        return Labelled((call.outcome, call.get_outcome_display()))

    @display(description=_("tokens read, cached"))
    def read(self, call: ModelCall) -> str:
        return f"{call.prompt_tokens} · {call.cached_tokens}"

    @display(description=_("conversation"))
    def of_turn(self, call: ModelCall) -> SafeString | str:
        return link_to(call.turn.conversation) if call.turn is not None else "—"

    def sums(self, rows: QuerySet[Any]) -> dict[str, Any]:
        found = rows.aggregate(
            calls=Count("pk"),
            failures=Count("pk", filter=~Q(outcome=CallOutcome.OK)),
            prompt=Sum("prompt_tokens"),
            cached=Sum("cached_tokens"),
            answer=Sum("answer_tokens"),
            roubles=Sum("roubles"),
            ms=Sum("ms"),
        )
        return _shown(found)


@admin.register(ModelDay)
class ModelDayAdmin(Sums, ReadOnlyAdmin):
    """What each model did on each day."""

    list_display = [
        "day",
        "slug",
        "calls",
        "failures",
        "prompt_tokens",
        "cached",
        "answer_tokens",
        "roubles",
        "average",
    ]
    list_filter = ["slug", "day"]
    list_per_page = 62
    date_hierarchy = "day"
    list_before_template = "admin/knowledge/model_sums.html"

    @display(description=_("cached, %"))
    def cached(self, day: ModelDay) -> str:
        return f"{day.cached_tokens * 100 / day.prompt_tokens:.0f}" if day.prompt_tokens else "—"

    @display(description=_("average, ms"))
    def average(self, day: ModelDay) -> str:
        return f"{day.ms / day.calls:.0f}" if day.calls else "—"

    def sums(self, rows: QuerySet[Any]) -> dict[str, Any]:
        found = rows.aggregate(
            calls_=Sum("calls"),
            failures_=Sum("failures"),
            prompt=Sum("prompt_tokens"),
            cached=Sum("cached_tokens"),
            answer=Sum("answer_tokens"),
            roubles_=Sum("roubles"),
            ms_=Sum("ms"),
        )
        return _shown({name.rstrip("_"): value for name, value in found.items()})


def _shown(found: dict[str, Any]) -> dict[str, Any]:
    sums = {name: value or 0 for name, value in found.items()}
    sums["cached_share"] = round(sums["cached"] * 100 / sums["prompt"]) if sums["prompt"] else 0
    sums["average"] = round(sums["ms"] / sums["calls"]) if sums["calls"] else 0
    return sums


@admin.register(ModelBudget)
class ModelBudgetAdmin(HistoryAdmin):
    """The one row of what may be spent, beside what is."""

    list_display = ["__str__", "day_roubles", "spent_today", "month_roubles", "spent_this_month"]
    fields = ["day_roubles", "spent_today", "month_roubles", "spent_this_month", "by_days"]
    readonly_fields = ["spent_today", "spent_this_month", "by_days"]
    history_list_display: list[str] = []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("spent today, roubles"))
    def spent_today(self, row: ModelBudget) -> str:
        return f"{budget.spent(now=timezone.now()).day:.2f}"

    @display(description=_("spent this month, roubles"))
    def spent_this_month(self, row: ModelBudget) -> str:
        return f"{budget.spent(now=timezone.now()).month:.2f}"

    @display(description=_("the last seven days"))
    def by_days(self, row: ModelBudget) -> str:
        since = budget.local_day(timezone.now()) - timedelta(days=6)
        days = ModelDay.objects.filter(day__gte=since).values("day").annotate(sum=Sum("roubles")).order_by("day")
        return " · ".join(f"{each['day']:%d.%m}: {each['sum']:.2f}" for each in days) or "—"


def trouble(request: HttpRequest) -> dict[str, Any]:
    """For the overview: models that need a person, and whether a limit is reached. Nothing when all is well."""
    if not request.user.has_perm("knowledge.view_modelprofile"):
        return {}
    rows = [row for row in ModelProfile.objects.filter(is_active=True) if not profiles.off(row)]
    if not rows:
        return {}
    states = breaker.states(row.slug for row in rows)
    down = [
        f"{row}: {CallOutcome(state.failure).label}"
        for row in rows
        if (state := states.get(row.slug)) is not None and breaker.is_down(state) and state.failure
    ]
    return {"models_down": down, "models_limit": budget.limit_reached(now=timezone.now())}
