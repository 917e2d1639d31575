"""The back office of checks before publishing: how far each is, what got worse, and the two buttons."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from common.admin import Labelled, ReadOnlyAdmin, link_to
from common.fields import Undecryptable
from common.promise import State
from knowledge.evaluation.models import Outcome
from knowledge.operations import BadArticle
from knowledge.releases import operations, trying
from knowledge.releases.models import DraftsChanged, ReleaseCase, ReleaseCheck, Verdict
from sales.models import User

PUBLISH = "knowledge.change_article"
#: asking for a check, and publishing what has stood one
MAY_CHECK = (PUBLISH, "knowledge.view_releasecheck")
OVERRIDE = "knowledge.override_releasecheck"
#: cases that the page shows of one kind
SHOWN = 100
#: seconds after which the page of a check that is under way looks again
REFRESH = 3
#: expectations that weren't met, for people
KINDS = {
    "reply": _("no answer"),
    "must": _("must be in the answer"),
    "any_of": _("one of these must be in the answer"),
    "must_not": _("must not be in the answer"),
    "total": _("total of the quote"),
    "totals": _("total of the quote"),
    "tools": _("tool that must be used"),
    "no_tools": _("tool that must not be used"),
    "outcome": _("the assistant"),
    "chips": _("must be on a button"),
    "citations": _("must be named as a source"),
    "cards": _("card that must be shown"),
    "no_cards": _("card that must not be shown"),
    "forbidden": _("must never be in an answer"),
}
#: what came instead, where it is no name or text of its own
FOUND = {"no quote": _("no quote"), "no call": _("no tool")}
CONDITIONS = {
    "waiting": (_("under way"), "info"),
    "failed": (_("could not be finished"), "danger"),
    "dropped": (_("drafts have changed"), "warning"),
    "clean": (_("nothing got worse"), "success"),
    "worse": (_("cases got worse"), "danger"),
    "published": (_("published"), "success"),
    "overridden": (_("published all the same"), "warning"),
}


def condition_of(check: ReleaseCheck) -> str:
    """How a check stands: a key of ``CONDITIONS``."""
    if check.published_at is not None:
        return "overridden" if check.overridden else "published"
    if check.state == State.KEPT:
        return "worse" if check.worse else "clean"
    if check.state in {State.BROKEN, State.UNCERTAIN}:
        return "failed"
    return "dropped" if check.state == State.DROPPED else "waiting"


def check_chosen(model_admin: Any, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
    """The action of the list of articles: owe a check of the drafts among them, and show its page."""
    published = chosen.exclude(status="draft").count()
    try:
        check, created = operations.ask_for_check(chosen=chosen, by=cast(User, request.user), now=timezone.now())
    except operations.NothingToCheck:
        words = gettext("None of the chosen articles is a draft.")
    except operations.TooManyDrafts:
        words = gettext("Check at most %d drafts at once.") % operations.DRAFTS_MOST
    except operations.NoCases:
        words = gettext("There are no cases to check with: add conversations to the evaluation set first.")
    except BadArticle as problem:
        words = str(problem)
    else:
        if not created:
            messages.info(request, gettext("These drafts are being checked already."))
        if published:
            messages.info(request, gettext("Left out because they are published already: %d") % published)
        return HttpResponseRedirect(reverse("admin:knowledge_releasecheck_change", args=[check.pk]))
    model_admin.message_user(request, words, messages.ERROR)
    return None


@admin.register(ReleaseCheck)
class ReleaseCheckAdmin(ReadOnlyAdmin):
    """Checks, newest first. Opened, one shows how far it is, then which cases got worse, with both answers."""

    list_display = ["__str__", "condition", "draft_count", "progress", "worse", "better", "created_by", "published_by"]
    list_filter = ["state", "overridden", "created_at"]
    list_select_related = ["created_by", "published_by"]
    list_per_page = 20
    change_form_template = "admin/knowledge/release_check.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(draft_count=Count("drafts"))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.publish)
        return [path("<uuid:pk>/publish/", view, name="knowledge_releasecheck_publish"), *super().get_urls()]

    @display(description=_("state"), label={key: colour for key, (_words, colour) in CONDITIONS.items()})
    def condition(self, check: ReleaseCheck) -> Labelled:
        key = condition_of(check)
        return Labelled((key, CONDITIONS[key][0]))

    @display(description=_("drafts"), ordering="draft_count")
    def draft_count(self, check: Any) -> int:
        return int(check.draft_count)

    @display(description=_("cases run"))
    def progress(self, check: ReleaseCheck) -> str:
        return f"{check.done} / {check.total if check.total is not None else '…'}"

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        check = self.get_object(request, object_id) if object_id else None
        extra = dict(extra_context or {})
        if check is not None and self.has_view_permission(request, check):
            extra |= _page_of(request, check)
        answer = super().changeform_view(request, object_id, form_url, extra)
        if extra.get("condition") == "waiting":
            answer["Refresh"] = str(REFRESH)
        return answer

    def publish(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The two buttons. Which one was pressed says whether worse cases are put up with."""
        although_worse = "although_worse" in request.POST
        wanted = [*MAY_CHECK, *([OVERRIDE] if although_worse else [])]
        if request.method != "POST" or not request.user.has_perms(wanted):
            raise PermissionDenied
        check = get_object_or_404(ReleaseCheck, pk=pk)
        try:
            count = operations.publish(
                check_id=pk, by=cast(User, request.user), now=timezone.now(), although_worse=although_worse
            )
        except operations.NotReady:
            messages.error(request, gettext("This check isn't finished, or its drafts are published already."))
        except operations.GotWorse:
            messages.error(request, gettext("Cases got worse: nothing was published."))
        except DraftsChanged:
            messages.error(request, gettext("The drafts have changed since: they have to be checked anew."))
        except BadArticle as problem:
            messages.error(request, str(problem))
        else:
            check.refresh_from_db()
            worse = gettext("Published although cases got worse: %d") % check.worse
            self.log_change(request, check, worse if check.overridden else gettext("Published: %d") % count)
            messages.success(request, gettext("Published: %d") % count)
        return HttpResponseRedirect(reverse("admin:knowledge_releasecheck_change", args=[pk]))


def _page_of(request: HttpRequest, check: ReleaseCheck) -> dict[str, Any]:
    condition = condition_of(check)
    unchanged = trying.unchanged(check)
    ready = condition in {"clean", "worse"} and unchanged
    may_publish = request.user.has_perm(PUBLISH)
    return {
        "check": check,
        "condition": condition,
        "condition_words": CONDITIONS[condition][0],
        "drafts": [
            {"link": link_to(each.article, each.title) if each.article else each.title, "version": each.version}
            for each in check.drafts.select_related("article")
        ],
        "stale": condition in {"clean", "worse", "dropped"} and not unchanged,
        "may_publish": may_publish,
        "can_publish": ready and condition == "clean",
        "can_override": ready and condition == "worse" and request.user.has_perm(OVERRIDE),
        "kinds": [
            (verdict, words, rows)
            for verdict, words in (
                (Verdict.WORSE, gettext("Got worse")),
                (Verdict.BETTER, gettext("Got better")),
                (Verdict.CHANGED, gettext("Answered otherwise, neither better nor worse")),
            )
            if (rows := [_case(row) for row in check.cases.filter(verdict=verdict)[:SHOWN]])
        ],
    }


def _case(row: ReleaseCase) -> dict[str, Any]:
    """A case as the page shows it: the turns that differ, or that aren't answered as they should be."""
    try:
        turns = json.loads(row.turns or "[]")
    except Undecryptable:
        turns = []
    return {"name": row.name, "turns": [_turn(number, each) for number, each in enumerate(turns, 1) if _matters(each)]}


def _matters(turn: Mapping[str, Any]) -> bool:
    return bool(turn["before"] != turn["after"] or turn["after"]["missed"])


def _turn(number: int, turn: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "number": number,
        "said": turn["said"],
        "sides": [
            (gettext("As it is now"), _answer(turn["before"])),
            (gettext("With the drafts published"), _answer(turn["after"])),
        ],
    }


def _answer(told: Mapping[str, Any]) -> dict[str, Any]:
    return {"text": told["text"], "total": told["total"], "missed": [_missed(each) for each in told["missed"]]}


def _missed(verdict: Mapping[str, str]) -> dict[str, Any]:
    kind, wanted, found = verdict["kind"], verdict["wanted"], verdict["found"]
    if kind == "reply":  # what was wanted is plain
        return {"kind": KINDS[kind], "wanted": "", "found": found}
    if kind == "outcome":
        wanted, found = _outcomes(wanted.split(" | ")), _outcomes(found.split(", "))
    return {"kind": KINDS.get(kind, kind), "wanted": wanted, "found": FOUND.get(found, found)}


def _outcomes(names: list[str]) -> str:
    return ", ".join(str(Outcome(each).label) if each in Outcome.values else each for each in names)
