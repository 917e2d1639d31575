"""Promotion is bought by a person, at the price that they were shown, once.

The vendor has no key that makes a purchase safe to repeat, and says itself that an error without a known code may have
bought. So the purchase is a row before it is a call; it is asked once; and what nobody knows is settled by looking
at the services that the listing has, never by asking again. The vendor names only some services there; where looking
can't tell, a person decides.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from channels_app.avito import items_client
from channels_app.avito.account import client
from channels_app.avito.items_client import NotBought, Offer
from channels_app.avito.models import AvitoItem, AvitoPurchase, Outcome
from common.locks import session_lock
from common.problems import LastingProblem, TemporaryProblem, UnknownOutcome
from sales import notices
from sales.enums import NoticeKind
from sales.models import User

logger = logging.getLogger(__name__)

#: a call of ten seconds is certainly over
CALL_OVER = timedelta(seconds=60)
#: when the listing is looked at after an unknown outcome: the vendor speaks of some minutes
LOOKS = tuple(timedelta(minutes=m) for m in (2, 5, 15, 60))
#: services that the vendor names among those of a listing, so that their absence tells something
SEEN_ON_ITEM = frozenset({"highlight", "xl"})


class PriceChanged(Exception):
    """The sum isn't what the person was shown; ``price`` is what it is now."""

    def __init__(self, price: Decimal) -> None:
        self.price = price
        super().__init__(f"{price}")


class NotOffered(Exception):
    """The vendor doesn't offer this for the listing; ``names`` says what."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        super().__init__(", ".join(self.names))


class StillOpen(Exception):
    """Of an earlier purchase for this listing nobody knows yet whether it happened."""

    def __init__(self, purchase: AvitoPurchase) -> None:
        self.purchase = purchase
        super().__init__(str(purchase.pk))


def offer(item: AvitoItem) -> Offer:
    """What can be bought for a listing, and for how much, as of now."""
    return items_client.offers(client(), [item.pk]).get(item.pk) or Offer(item.pk, (), ())


def total(offered: Offer, slugs: Sequence[str], stickers: Sequence[int] = ()) -> Decimal:
    """The sum of these services. Raises ``NotOffered``."""
    prices = {each.slug: each.price for each in offered.services}
    known = {each["id"] for each in offered.stickers}
    missing = [slug for slug in slugs if slug not in prices]
    missing += [f"sticker {number}" for number in stickers if number not in known]
    if missing:
        raise NotOffered(missing)
    return sum((prices[slug] for slug in slugs), Decimal(0))


def buy(
    *,
    item: AvitoItem,
    slugs: Sequence[str],
    stickers: Sequence[int] = (),
    price: Decimal,
    request_id: uuid.UUID,
    by: User,
    now: datetime,
) -> AvitoPurchase:
    """Buy these services for the price that ``by`` was shown. The same ``request_id`` again is the same purchase.

    Raises ``PriceChanged``, ``NotOffered``, ``StillOpen``, and what reading the prices raises; nothing is bought then.
    """
    known = AvitoPurchase.objects.filter(request_id=request_id).first()
    if known is not None:
        return known
    if (earlier := _open_of(item)) is not None:
        raise StillOpen(earlier)
    slugs, stickers = list(dict.fromkeys(slugs)), list(dict.fromkeys(stickers))
    current = total(offer(item), slugs, stickers)
    if current != price:
        raise PriceChanged(current)
    before = items_client.services_of(items_client.info(client(), item.pk))
    try:
        with transaction.atomic():
            row = AvitoPurchase.objects.create(
                request_id=request_id,
                item=item,
                slugs=slugs,
                stickers=stickers,
                price=price,
                before=before,
                asked_by=by,
                asked_at=now,
                look_at=now + CALL_OVER,
            )
    except IntegrityError:  # somebody asks at the same time: the same request, or another for this listing
        known = AvitoPurchase.objects.filter(request_id=request_id).first()
        if known is not None:
            return known
        raise StillOpen(AvitoPurchase.objects.get(item=item, outcome__in=AvitoPurchase.OPEN)) from None
    with session_lock(_lock(row)):
        _ask(row)
    row.refresh_from_db()
    return row


def _ask(row: AvitoPurchase) -> None:
    """The one call. The row is committed: whatever becomes of this process, it is known that it was made."""
    try:
        operations = items_client.buy(client(), row.item_id, slugs=row.slugs, stickers=row.stickers)
    except NotBought as problem:
        _write(row, outcome=Outcome.REFUSED, problem=str(problem), settled_at=timezone.now(), look_at=None)
    except TemporaryProblem as problem:  # the vendor wasn't reached, or was too busy to begin
        _write(row, outcome=Outcome.NOT_BOUGHT, problem=str(problem), settled_at=timezone.now(), look_at=None)
    except (UnknownOutcome, LastingProblem) as problem:
        look_at = timezone.now() + LOOKS[0]
        _write(row, outcome=Outcome.UNCERTAIN, problem=str(problem), look_at=look_at)
        _tell(row)
    else:
        _write(row, outcome=Outcome.BOUGHT, operations=operations, settled_at=timezone.now(), look_at=None)


def sweep(*, now: datetime) -> int:
    """Look at the listings of purchases of which nobody knows."""
    looked = 0
    for row in AvitoPurchase.objects.filter(outcome__in=AvitoPurchase.OPEN, look_at__lte=now).order_by("look_at")[:5]:
        with session_lock(_lock(row)) as mine:
            if mine:
                row.refresh_from_db()
                if row.outcome in AvitoPurchase.OPEN and row.look_at is not None and row.look_at <= now:
                    _look(row, now=now)
                    looked += 1
    return looked


def _look(row: AvitoPurchase, *, now: datetime) -> None:
    """Compare what the listing has with what it had. After the last look it is a person's turn."""
    if row.outcome == Outcome.UNDER_WAY:  # whoever asked is gone
        _write(row, outcome=Outcome.UNCERTAIN, problem="the call was cut")
        _tell(row)
    looks = row.looks + 1
    again = row.asked_at + LOOKS[looks] if looks < len(LOOKS) else None
    try:
        has = items_client.services_of(items_client.info(client(), row.item_id))
    except (TemporaryProblem, LastingProblem) as problem:
        _write(row, looks=looks, look_at=again, problem=str(problem))
        return
    came = {slug for slug, ends in has.items() if row.before.get(slug) != ends}
    asked = set(row.slugs)
    if asked & came:  # they are bought together or not at all
        _write(row, outcome=Outcome.BOUGHT, settled_at=now, look_at=None, looks=looks, problem="")
    elif asked & SEEN_ON_ITEM and looks >= 2:  # it would be there by now
        _write(row, outcome=Outcome.NOT_BOUGHT, settled_at=now, look_at=None, looks=looks)
    else:
        _write(row, looks=looks, look_at=max(again, now + timedelta(seconds=30)) if again else None)


@transaction.atomic
def decide(purchase: AvitoPurchase, *, bought: bool, by: User, now: datetime) -> AvitoPurchase:
    """A person has looked at Avito: it was bought, or it wasn't."""
    row = AvitoPurchase.objects.select_for_update(of=("self",)).get(pk=purchase.pk)
    if row.outcome == Outcome.UNCERTAIN:
        row.outcome = Outcome.BOUGHT if bought else Outcome.NOT_BOUGHT
        row.settled_at, row.settled_by, row.look_at = now, by, None
        row.save(update_fields=["outcome", "settled_at", "settled_by", "look_at"])
        notices.see(notices.about(NoticeKind.PURCHASE, str(row.pk)), by=by, now=now)
    return row


def _open_of(item: AvitoItem) -> AvitoPurchase | None:
    return AvitoPurchase.objects.filter(item=item, outcome__in=AvitoPurchase.OPEN).first()


def _write(row: AvitoPurchase, **fields: object) -> None:
    """Only while nobody knows yet: what is settled stays settled."""
    if "problem" in fields:
        fields["problem"] = str(fields["problem"])[:500]
    if AvitoPurchase.objects.filter(pk=row.pk, outcome__in=AvitoPurchase.OPEN).update(**fields):
        for name, value in fields.items():
            setattr(row, name, value)
        if row.outcome not in AvitoPurchase.OPEN:
            notices.see(notices.about(NoticeKind.PURCHASE, str(row.pk)), by=None, now=timezone.now())


def _tell(row: AvitoPurchase) -> None:
    """Staff learn that money may have been spent; looking goes on meanwhile."""
    logger.warning("purchase uncertain", extra={"purchase": str(row.pk)})
    notices.tell(
        NoticeKind.PURCHASE,
        subject=str(row.pk),
        text=f"{row.item}: {', '.join(row.slugs)}, {row.price:.2f} ₽",
        address=reverse("admin:channels_app_avitopurchase_change", args=[row.pk]),
        now=timezone.now(),
    )


def _lock(row: AvitoPurchase) -> str:
    return f"channels_app.avitopurchase:{row.pk}"
