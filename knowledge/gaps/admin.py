"""The back office of unanswered questions: what customers ask and no article answers, and what staff make of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Count, IntegerField, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin import ReadOnlyAdmin, link_to
from common.fields import readable
from common.text import clean
from knowledge.gaps import grouping, operations, queries
from knowledge.gaps.enums import GapState
from knowledge.gaps.likeness import read
from knowledge.gaps.models import Gap, GapQuestion
from knowledge.models import Article
from knowledge.operations import BadArticle
from sales.models import User

STATE_LABELS = {
    GapState.OPEN: "danger",
    GapState.DRAFTED: "warning",
    GapState.ANSWERED: "success",
    GapState.IGNORED: "default",
}
#: examples on a group's page; the rest is counted
SHOWN = 30
#: in the list a question is cut
_CUT = 120
#: groups that a search in the list may find, and how alike they must be: less than for grouping
_FOUND_MOST, _FOUND_FROM = 100, 0.15


class StateFilter(admin.SimpleListFilter):
    """What waits for a decision is shown unless something else is asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [*GapState.choices, ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        for value, title in self.lookup_choices:
            yield {
                "selected": (self.value() or GapState.OPEN) == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.value() or GapState.OPEN
        return queryset.filter(state=wanted) if wanted in GapState.values else queryset


@admin.register(Gap)
class GapAdmin(ReadOnlyAdmin):
    """Groups of questions that no article answered. The system makes them, staff decide."""

    list_display = ["question", "state_label", "times", "asked_last", "of_channels", "near", "since_then"]
    list_filter = [StateFilter, "last_asked_at"]
    list_select_related = ["article", "nearest"]
    list_per_page = 50
    search_fields = ["pk"]  # shows the field; `get_search_results` compares words, which the database can't
    search_help_text = _("Words of a question: like questions are found, with slips of the pen too.")
    actions = ["join", "leave_aside"]
    change_form_template = "admin/knowledge/gap.html"

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("knowledge.change_gap")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("knowledge.delete_gap")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return queries.with_faces(super().get_queryset(request))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term.strip():
            return queryset, False
        near = grouping.like([read(search_term[:500])])
        found = [gap for gap, likeness in near if likeness >= _FOUND_FROM][:_FOUND_MOST]
        ranks = [When(pk=gap, then=Value(rank)) for rank, gap in enumerate(found)]
        if not ranks:
            return queryset.none(), False
        rank = Case(*ranks, output_field=IntegerField())
        return queryset.filter(pk__in=found).annotate(rank=rank).order_by("rank"), False

    # --- columns ---

    @display(description=_("question"))
    def question(self, gap: Gap) -> SafeString:
        return format_html('<span class="bo-asked">{}</span>', Truncator(queries.name_of(gap)).chars(_CUT))

    @display(description=_("channels"))
    def of_channels(self, gap: Gap) -> str:
        return _channels(gap)

    @display(description=_("last asked"), ordering="last_asked_at")
    def asked_last(self, gap: Gap) -> str:
        return f"{timezone.localtime(gap.last_asked_at):%d.%m.%Y}"

    @display(description=_("nearest article"), ordering="nearest_share")
    def near(self, gap: Gap) -> SafeString | str:
        if gap.nearest is None:
            return "—"
        return format_html("{} · {} %", Truncator(str(gap.nearest)).chars(40), round(gap.nearest_share * 100))

    @display(description=_("state"), ordering="state", label=STATE_LABELS)
    def state_label(self, gap: Gap) -> tuple[str, str]:
        return gap.state, gap.get_state_display()

    @display(description=_("since then"))
    def since_then(self, gap: Gap) -> str:
        return _since_then(gap)

    # --- a group's page ---

    def get_urls(self) -> list[Any]:
        act = self.admin_site.admin_view(self.act)
        return [path("<uuid:pk>/do/<slug:verb>/", act, name="knowledge_gap_act"), *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        gap = self.get_object(request, object_id) if object_id else None
        extra = dict(extra_context or {})
        if gap is not None and self.has_view_permission(request, gap):
            extra |= self._page(request, gap)
        return super().changeform_view(request, object_id, form_url, extra)

    def _page(self, request: HttpRequest, gap: Any) -> dict[str, Any]:
        may = request.user.has_perm
        texts = queries.wordings(gap)
        asked = GapQuestion.objects.filter(gap=gap).select_related("conversation")
        wanted = " ".join(clean(request.GET.get("find", "")).split())[:200]
        decides = may("knowledge.change_gap")
        return {
            "gap": gap,
            "name": texts[0] if texts else "—",
            "channels": _channels(gap),
            "since_then": _since_then(gap),
            "talks": asked.filter(article=None).aggregate(n=Count("conversation", distinct=True))["n"],
            "examples": [_example(each) for each in asked.filter(article=None)[:SHOWN]],
            "answered": [_example(each) for each in asked.exclude(article=None)[:SHOWN]],
            "article_link": link_to(gap.article) if gap.article else "",
            "trials": [
                {"trial": each, "link": link_to(each.article) if each.article else ""}
                for each in queries.try_now(gap, texts)
            ]
            if "try" in request.GET
            else None,
            "questions": "\n".join(queries.fit_for_article(texts)),
            "suggested": [{"suggestion": each, "link": link_to(each.article)} for each in queries.suggestions(texts)]
            if decides
            else [],
            "wanted": wanted,
            "found": [{"article": each, "link": link_to(each)} for each in queries.articles_named(wanted)]
            if wanted
            else [],
            "may_draft": decides and may("knowledge.add_article"),
            "may_answer": decides and may("knowledge.change_article"),
            "may_decide": decides,
        }

    # --- what staff decide ---

    def act(self, request: HttpRequest, pk: uuid.UUID, verb: str) -> HttpResponse:
        """A button of a group's page."""
        do = _VERBS.get(verb)
        if do is None:
            raise Http404
        permission, function = do
        if request.method != "POST" or not request.user.has_perms(["knowledge.change_gap", permission]):
            raise PermissionDenied
        gap = get_object_or_404(Gap, pk=pk)
        here = reverse("admin:knowledge_gap_change", args=[gap.pk])
        try:
            there = function(request, gap)
        except BadArticle as problem:
            messages.error(request, str(problem))
            return HttpResponseRedirect(here)
        gap.refresh_from_db()
        self.log_change(request, gap, gap.get_state_display())
        return HttpResponseRedirect(there or here)

    @action(description=_("Make one group of these"), permissions=["decide"])
    def join(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        if len(ids) < 2:
            self.message_user(request, gettext("Choose at least two groups."), messages.WARNING)
            return
        gap = operations.merge(gap_ids=ids, by=cast(User, request.user))
        self.log_change(request, gap, gettext("Groups joined: %d") % len(ids))
        self.message_user(request, gettext("Groups joined: %d") % len(ids), messages.SUCCESS)

    @action(description=_("Leave aside: no answer is needed"), permissions=["decide"])
    def leave_aside(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        for pk in ids:
            operations.ignore(gap_id=pk, by=cast(User, request.user), now=timezone.now())
        self.message_user(request, gettext("Changed: %d") % len(ids), messages.SUCCESS)


def badge(request: HttpRequest) -> str:
    """How many groups wait, for the menu; counted once for a page."""
    return str(waiting(request))


def waiting(request: Any) -> int:
    if not hasattr(request, "_open_gaps"):
        request._open_gaps = queries.open_count()
    return int(request._open_gaps)


def _draft(request: HttpRequest, gap: Gap) -> str:
    by = cast(User, request.user)
    article = operations.make_draft(gap_id=gap.pk, questions=_questions(request), by=by, now=timezone.now())
    messages.success(
        request,
        gettext("Here is the draft. Write what is to be answered and publish it: the group will count as answered."),
    )
    return reverse("admin:knowledge_article_change", args=[article.pk])


def _answer(request: HttpRequest, gap: Gap) -> str:
    chosen = request.POST.get("article", "")
    article = Article.objects.filter(pk=chosen).first() if chosen.isdecimal() else None
    if article is None:
        messages.error(request, gettext("Choose the article that answers."))
        return ""
    added = operations.answer_with(
        gap_id=gap.pk, article=article, questions=_questions(request), by=cast(User, request.user), now=timezone.now()
    )
    words = ngettext(
        "%d question was added to the article. In a few seconds the search will know it.",
        "%d questions were added to the article. In a few seconds the search will know them.",
        len(added),
    )
    messages.success(request, words % len(added) if added else gettext("The article has these questions already."))
    return ""


def _leave(request: HttpRequest, gap: Gap) -> str:
    operations.ignore(gap_id=gap.pk, by=cast(User, request.user), now=timezone.now())
    messages.success(request, gettext("Left aside. Like questions still join the group, and nobody is reminded."))
    return ""


def _open(request: HttpRequest, gap: Gap) -> str:
    operations.reopen(gap_id=gap.pk, by=cast(User, request.user), now=timezone.now())
    messages.success(request, gettext("The group is open again."))
    return ""


_VERBS: dict[str, tuple[str, Callable[[HttpRequest, Gap], str]]] = {
    "draft": ("knowledge.add_article", _draft),
    "answer": ("knowledge.change_article", _answer),
    "ignore": ("knowledge.change_gap", _leave),
    "reopen": ("knowledge.change_gap", _open),
}


def _questions(request: HttpRequest) -> list[str]:
    return clean(request.POST.get("questions", ""))[:20_000].splitlines()[: queries.WORDINGS_MOST * 2]


def _channels(gap: Gap) -> str:
    return ", ".join(gettext(each) for each in gap.channels)


def _since_then(gap: Gap) -> str:
    """What came after the decision, in words."""
    if gap.reopened_at is not None:
        return gettext("asked again and not answered")
    if gap.state != GapState.ANSWERED:
        return "—"
    if not gap.answered_times or gap.last_answered_at is None:
        return gettext("not asked yet")
    words = ngettext(
        "answered %(count)d time, last %(when)s", "answered %(count)d times, last %(when)s", gap.answered_times
    )
    return words % {"count": gap.answered_times, "when": f"{timezone.localtime(gap.last_answered_at):%d.%m.%Y %H:%M}"}


def _example(question: GapQuestion) -> dict[str, Any]:
    place = f"m{question.seq}" if question.seq else ""
    return {
        "text": readable(question, "text"),
        "asked_at": question.asked_at,
        "channel": gettext(question.conversation.channel),
        "conversation": question.conversation,
        "link": link_to(question.conversation, gettext("conversation"), place=place),
    }
