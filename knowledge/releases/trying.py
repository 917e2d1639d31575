"""Trying: each case is held twice in rehearsal, as things are and at once again with the drafts published."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from common import promise as promises
from common.problems import LastingProblem, TemporaryProblem
from common.promise import State, Superseded
from knowledge.enums import Status
from knowledge.evaluation import report
from knowledge.evaluation.cases import Case, read
from knowledge.evaluation.running import Judged, Run, run_all
from knowledge.evaluation.staff import active_cases
from knowledge.evaluation.variants import AS_IT_IS, Variant
from knowledge.releases.models import DraftsChanged, MoreToDo, ReleaseCase, ReleaseCheck, ReleaseDraft, Verdict
from knowledge.signals import release_check_owed

SHIPPED = Path(settings.BASE_DIR) / "knowledge" / "data" / "evaluation"
#: seconds of one round: in a task, and in the sweep, where the rest of the knowledge base waits for its end
ROUND, SHORT_ROUND = 60.0, 10.0
#: what was said and answered is kept so long; that there was a check, and who published, stays
KEPT = timedelta(days=90)
#: what a database says that was away or had to choose between two: a case is not worse for it
_NOT_THE_CASE = ("OperationalError", "InterfaceError")


# --- which cases ------------------------------------------------------------------------------------------------


def chosen() -> list[Case]:
    """The active cases of staff, then a sample of those that come with the product."""
    own = active_cases()
    names = {case.id for case in own}
    return [*own, *(case for case in _shipped(settings.CHECK_SHIPPED_CASES) if case.id not in names)]


def are_there_cases() -> bool:
    return bool(settings.CHECK_SHIPPED_CASES or active_cases())


def _shipped(most: int) -> Sequence[Case]:
    """At most so many, evenly spread: each file of the dataset has its share, and every check the same."""
    if not most:
        return []
    cases = read(SHIPPED)
    if len(cases) <= most:
        return cases
    return [cases[number * len(cases) // most] for number in range(most)]


# --- keeping it -------------------------------------------------------------------------------------------------


def keep(check_id: str) -> None:
    """Do one round of a check, unless somebody else does or it is gone; where there is more to do, say so."""
    check = ReleaseCheck.objects.filter(pk=check_id).first()
    if check is None or not check.keep(lambda each: fulfil(each, seconds=ROUND), now=timezone.now()):
        return
    if check.state == State.DUE and check.due_at <= timezone.now():
        release_check_owed.send(sender=ReleaseCheck, check=check)


def sweep(*, now: datetime) -> int:
    """Do a short round of each check that is due. Returns how many."""
    return promises.sweep(ReleaseCheck.objects.all(), lambda each: fulfil(each, seconds=SHORT_ROUND), now=now, limit=3)


def fulfil(check: ReleaseCheck, *, seconds: float) -> None:
    """Run cases until the time is up or all are run. Safe to repeat: what is stored isn't run again."""
    until = time.monotonic() + seconds
    cases = {case.id: case for case in chosen()}
    if check.total is None:
        _plan(check, list(cases))
    _still_the_same(check)
    for row in check.cases.filter(verdict=Verdict.WAITING).defer("turns"):
        _run(check, row, cases.get(row.name))
        if time.monotonic() > until:
            raise MoreToDo
    with check.fenced():
        ReleaseCheck.objects.filter(pk=check.pk).update(finished_at=timezone.now())


def _plan(check: ReleaseCheck, names: Sequence[str]) -> None:
    """Note which cases are to be run: those of now, whatever staff add meanwhile."""
    if not names:
        raise LastingProblem("there are no cases to run")
    with check.fenced():
        ReleaseCase.objects.filter(release=check).delete()
        for position, name in enumerate(names):
            ReleaseCase(release=check, position=position, name=name).save(force_insert=True)
        ReleaseCheck.objects.filter(pk=check.pk).update(total=len(names))
    check.total = len(names)


def unchanged(check: ReleaseCheck) -> bool:
    """Whether each draft is still a draft and of the version that the check is about."""
    same = models.Q(article__status=Status.DRAFT, article__version=models.F("version"))
    return not ReleaseDraft.objects.filter(release=check).exclude(same).exists() and check.drafts.exists()


def _still_the_same(check: ReleaseCheck) -> None:
    if not unchanged(check):
        raise DraftsChanged


def _run(check: ReleaseCheck, row: ReleaseCase, case: Case | None) -> None:
    if case is None:  # staff have deleted it or switched it off meanwhile
        _store(check, row, Verdict.GONE, "")
        return
    drafts = tuple(check.drafts.values_list("article_id", flat=True))
    (before,) = run_all([case], variant=AS_IT_IS)
    _lengthen(check)
    (after,) = run_all([case], variant=Variant(drafts=drafts))
    for run in (before, after):
        if any(turn.seen.problem.startswith(_NOT_THE_CASE) for turn in run.turns):
            raise TemporaryProblem("the database was away or busy while a case was run")
    _still_the_same(check)  # or the second conversation may have been held without them
    _store(check, row, verdict_of(before, after), json.dumps(list(_beside(before, after)), ensure_ascii=False))


def verdict_of(before: Run, after: Run) -> Verdict:
    """What became of a case; *worse* is what ``manage.py evaluate --no-worse`` calls so."""
    was, is_now = (report.report([run], threshold=0.0, now=timezone.now()) for run in (before, after))
    found = report.differences(was, is_now)
    if found["worse"]:
        return Verdict.WORSE
    if found["newly_passing"]:
        return Verdict.BETTER
    return Verdict.CHANGED if found["changed_replies"] else Verdict.SAME


def _beside(before: Run, after: Run) -> Iterator[dict[str, Any]]:
    """Of each turn what is said and both answers."""
    for was, is_now in zip(before.turns, after.turns, strict=True):
        yield {"said": list(was.case.say), "before": _told(was), "after": _told(is_now)}


def _told(turn: Judged) -> dict[str, Any]:
    return {
        "text": turn.seen.text,
        "total": turn.seen.total,
        "problem": turn.seen.problem,
        "missed": [{"kind": each.kind, "wanted": each.wanted, "found": each.found} for each in turn.missed],
    }


_COUNTED = {Verdict.WORSE: "worse", Verdict.BETTER: "better", Verdict.CHANGED: "changed"}


def _store(check: ReleaseCheck, row: ReleaseCase, verdict: Verdict, turns: str) -> None:
    """Keep what became of a case, and the check's lease alive."""
    counted = ["done", *filter(None, [_COUNTED.get(verdict)])]
    with check.fenced():
        # an answer that says nothing new is not worth its room
        row.verdict, row.turns = verdict, "" if verdict == Verdict.SAME else turns
        row.save(update_fields=["verdict", "turns"])
        values = {name: models.F(name) + 1 for name in counted}
        lease = timezone.now() + check.LEASE
        ReleaseCheck.objects.filter(pk=check.pk).update(due_at=lease, failures=0, **values)
    check.failures = 0


def _lengthen(check: ReleaseCheck) -> None:
    mine = ReleaseCheck.objects.filter(pk=check.pk, state=State.TAKEN, attempts=check.attempts)
    if not mine.update(due_at=timezone.now() + check.LEASE):
        raise Superseded(check.lock_name)


@transaction.atomic
def tidy(*, now: datetime) -> None:
    """Forget what was said and answered in old checks."""
    ReleaseCase.objects.filter(release__created_at__lt=now - KEPT).delete()
