"""What staff do with a check: ask for it, and publish what has stood it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from common.locks import transaction_lock
from common.promise import State
from knowledge import operations as articles
from knowledge.enums import Status
from knowledge.models import Article
from knowledge.releases import trying
from knowledge.releases.models import DraftsChanged, ReleaseCheck, ReleaseDraft
from knowledge.signals import release_check_owed
from sales.models import User

#: drafts of one check: each is laid out anew for every conversation
DRAFTS_MOST = 50


class NothingToCheck(Exception):
    """None of the chosen articles is a draft."""


class TooManyDrafts(Exception):
    """More than ``DRAFTS_MOST``."""


class NoCases(Exception):
    """Neither staff nor the settings have a case to run, so a check would say yes to everything."""


class NotReady(Exception):
    """The check isn't finished, was not kept, or its drafts are published already."""


class GotWorse(Exception):
    """Cases got worse, so it takes the right to publish all the same."""


@transaction.atomic
def ask_for_check(*, chosen: Iterable[Article], by: User, now: datetime) -> tuple[ReleaseCheck, bool]:
    """Owe a check of the drafts among these articles; the one that is under way is returned, and False.

    Raises ``NothingToCheck``, ``TooManyDrafts``, ``NoCases``, and ``BadArticle`` for a draft that can't be published.
    """
    transaction_lock("knowledge.release")
    drafts = sorted((each for each in chosen if each.status == Status.DRAFT), key=lambda each: each.pk)
    if not drafts:
        raise NothingToCheck
    if len(drafts) > DRAFTS_MOST:
        raise TooManyDrafts
    for each in drafts:
        articles.check_publishable(each)
    if not trying.are_there_cases():
        raise NoCases
    wanted = {(each.pk, each.version) for each in drafts}
    for check in ReleaseCheck.objects.filter(state__in=[State.DUE, State.TAKEN]):
        if set(check.drafts.values_list("article_id", "version")) == wanted:
            return check, False
    check = ReleaseCheck.objects.create(created_by=by, created_at=now, due_at=now)
    ReleaseDraft.objects.bulk_create(
        [ReleaseDraft(release=check, article=each, title=str(each)[:500], version=each.version) for each in drafts]
    )
    release_check_owed.send(sender=ReleaseCheck, check=check)
    return check, True


@transaction.atomic
def publish(*, check_id: uuid.UUID, by: User, now: datetime, although_worse: bool = False) -> int:
    """Publish all drafts of a check or none. Returns how many.

    Raises ``NotReady``, ``DraftsChanged``, ``BadArticle``, and ``GotWorse`` unless ``although_worse``.
    """
    check = ReleaseCheck.objects.select_for_update(of=("self",)).get(pk=check_id)
    if check.state != State.KEPT or check.published_at is not None:
        raise NotReady
    if check.worse and not although_worse:
        raise GotWorse
    ids = check.drafts.values_list("article_id", flat=True)
    # held until they are published: nobody changes one between the look and the step
    drafts = list(Article.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=ids).order_by("pk"))
    if not trying.unchanged(check):
        raise DraftsChanged
    count = articles.set_status(articles=drafts, status=Status.PUBLISHED, by=by)
    check.published_at, check.published_by, check.overridden = now, by, bool(check.worse)
    check.save(update_fields=["published_at", "published_by", "overridden"])
    return count
