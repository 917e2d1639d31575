"""Issue papers, make their PDFs, hand out and take back their links; choose who sells."""

from __future__ import annotations

import hashlib
import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from billing import links, numbering, snapshots
from billing.enums import Kind
from billing.models import Document, DocumentLink, Manager, Pdf, Seller
from billing.rendering import papers
from billing.rendering.renderer import renderer
from common.bell import ring
from common.locks import transaction_lock
from common.promise import State
from pricing.models import Quote
from pricing.operations import put_vat_mode_in_force
from pricing.queries import current_rules, recompute
from sales.enums import Stage
from sales.models import Conversation, Lead, User
from sales.operations import MoveNotAllowed, move_lead

#: which template new papers are made by; a template that papers were issued by is never changed, it gets a successor
EDITIONS: dict[str, int] = {Kind.PRICE_LIST: 1, Kind.PROPOSAL: 1}
#: for how long a price list is given out before it is issued anew under a fresh date, while nothing has changed
PRICE_LIST_LIVES = timedelta(days=30)


class NotIssued(Exception):
    """No paper can be issued; the message says why, in words for staff."""


class QuoteNotHere(NotIssued):
    """There is no such quote in this conversation."""


class QuoteOver(NotIssued):
    """The quote isn't valid any more, or was made under another VAT mode than the seller's."""


class SellerNotReady(NotIssued):
    """There is no seller or no manager to issue in the name of."""


class SellerMadeUp(SellerNotReady):
    """The seller or the manager is one for trying out, and this is production."""


@transaction.atomic
def prepare_proposal(
    *, quote_number: str, conversation_id: uuid.UUID, lead_id: uuid.UUID | None = None, now: datetime
) -> Document:
    """Issue the commercial proposal of a quote, once: asked again, the same document is returned.

    The PDF follows. Raises ``QuoteNotHere``, ``QuoteOver`` and ``SellerNotReady``.
    """
    conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
    quote = (
        Quote.objects.select_related("rule_book").filter(number=quote_number, conversation_id=conversation_id).first()
    )
    if quote is None:
        raise QuoteNotHere(_("There is no quote with this number in this conversation."))
    known = Document.objects.filter(kind=Kind.PROPOSAL, conversation=conversation, quote=quote).first()
    if known:
        return known
    today = timezone.localdate(now)
    seller, manager = _who_sells(conversation.lead_id if lead_id is None else lead_id)
    calculation = recompute(quote)
    if quote.valid_until < today:
        raise QuoteOver(_("The quote isn't valid any more. Make it anew."))
    if calculation.vat.mode != seller.vat_mode.code:
        raise QuoteOver(_("The seller's VAT mode has changed since the quote was made. Make it anew."))
    lead = Lead.objects.get(pk=conversation.lead_id if lead_id is None else lead_id)
    document = _issue(
        kind=Kind.PROPOSAL, seller=seller, quote=quote, conversation=conversation, lead=lead, total=quote.total, now=now
    )
    document.valid_until = quote.valid_until
    document.snapshot = snapshots.proposal(
        number=document.number,
        issued_on=document.issued_on,
        seller=seller,
        manager=manager,
        lead=lead,
        quote=quote,
        calculation=calculation,
    )
    document.save(force_insert=True)
    links.give(document, now=now)
    with suppress(MoveNotAllowed):  # a lead that is won or lost stays so
        move_lead(lead_id=lead.pk, to=Stage.PROPOSAL, by="assistant")
    ring(import_string("billing.tasks.render"), document.pk)
    return document


@transaction.atomic
def prepare_price_list(*, now: datetime) -> Document:
    """Issue the price list of the catalogue in force; while that says the same, the same paper is given to everybody.

    The PDF follows. Raises ``SellerNotReady``.
    """
    transaction_lock("billing.price_list")
    seller, _manager = _who_sells(None)
    says = snapshots.price_list(seller=seller, rules=current_rules())
    since = timezone.localdate(now - PRICE_LIST_LIVES)
    latest = Document.objects.filter(kind=Kind.PRICE_LIST, seller=seller, issued_on__gt=since).order_by("-created_at")
    known = latest.first()
    if known and {name: known.snapshot.get(name) for name in says} == says:
        return known
    document = _issue(kind=Kind.PRICE_LIST, seller=seller, total=Decimal(0), now=now)
    document.snapshot = {**says, "number": document.number, "issued_on": document.issued_on.isoformat()}
    document.save(force_insert=True)
    links.give(document, now=now)
    ring(import_string("billing.tasks.render"), document.pk)
    return document


def _issue(*, kind: Kind, seller: Seller, total: Any, now: datetime, **about: Any) -> Document:
    """A new paper with its number, not saved yet; the counter is locked from here to the commit."""
    today = timezone.localdate(now)
    serial = numbering.next_serial(seller=seller, kind=kind, on=today)
    return Document(
        kind=kind,
        seller=seller,
        year=today.year,
        serial=serial,
        number=numbering.number(serial, on=today),
        total=total,
        issued_on=today,
        created_at=now,
        due_at=now,
        edition=EDITIONS[kind],
        **about,
    )


def _who_sells(lead_id: uuid.UUID | None) -> tuple[Seller, Manager]:
    """The default seller, and of its managers the one who works on the lead, else the first."""
    seller = Seller.objects.select_related("vat_mode").filter(is_default=True).first()
    if seller is None:
        raise SellerNotReady(_("No seller is chosen as the default: do so on the page of sellers."))
    managers = seller.managers.filter(is_active=True)
    manager = managers.filter(user__leads=lead_id).first() if lead_id else None
    manager = manager or managers.first()
    if manager is None:
        raise SellerNotReady(_("The seller has no manager: add one on the page of managers."))
    if settings.IS_PRODUCTION and (seller.is_demo or manager.is_demo):
        raise SellerMadeUp(
            _("The seller or the manager is made up, for trying out. Enter the real ones before issuing documents.")
        )
    return seller, manager


def make_pdf(document: Document) -> None:
    """Make the PDF of an issued paper and store it: what a worker calls to keep the promise.

    The file of a paper never changes: where one is there and the new one differs, the old one stays.
    """
    rendered = renderer().render(papers.html_of(document))
    digest = hashlib.sha256(rendered.pdf).hexdigest()
    # the outcome is written in the transaction that stores the file, so a worker that dies leaves both or neither
    with document.fenced():
        if document.sha256 and document.sha256 != digest:
            document.problem = _("Made again it would look different; the file that was issued stays.")[:500]
        elif not document.sha256:
            Pdf(document=document, content=rendered.pdf).save(force_insert=True)
            document.sha256, document.size, document.pages = digest, len(rendered.pdf), rendered.pages
            document.rendered_at = timezone.now()
            document.problem = ""
        else:
            document.problem = ""
        document.state = State.KEPT
        document.save(update_fields=["state", "problem", "sha256", "size", "pages", "rendered_at"])


@transaction.atomic
def make_again(*, document_id: uuid.UUID, by: User | None, now: datetime) -> bool:
    """Owe the PDF anew, with all tries before it; returns False while a worker is at it."""
    document = Document.objects.select_for_update(of=("self",)).get(pk=document_id)
    if document.state == State.TAKEN:
        return False
    document.state, document.due_at, document.attempts, document.problem = State.DUE, now, 0, ""
    document.save(update_fields=["state", "due_at", "attempts", "problem"])
    ring(import_string("billing.tasks.render"), document.pk)
    return True


@transaction.atomic
def revoke_links(*, document_id: uuid.UUID, by: User | None, now: datetime) -> int:
    """Make every link of the document stop working; returns how many did."""
    return DocumentLink.objects.alive(now).filter(document_id=document_id).update(revoked_at=now)


@transaction.atomic
def give_link(*, document_id: uuid.UUID, by: User | None, now: datetime) -> DocumentLink:
    """Make a fresh link to the document, for instance after the first was revoked or has ended."""
    return links.give(Document.objects.get(pk=document_id), now=now)


@transaction.atomic
def set_default_seller(*, seller_id: int, by: User | None, now: datetime) -> Seller:
    """Issue new papers, and price new quotes, in this seller's name and VAT mode.

    Raises ``pricing.operations.VatModeNotAllowed`` where the law doesn't know the mode today.
    """
    sellers = {seller.pk: seller for seller in Seller.objects.select_for_update(of=("self",)).order_by("pk")}
    chosen = sellers[seller_id]
    for seller in sellers.values():
        if seller.is_default and seller is not chosen:  # first out, then in: the database allows one
            seller.is_default = False
            seller._history_user = by  # type: ignore[attr-defined]
            seller.save(update_fields=["is_default"])
    if not chosen.is_default:
        chosen.is_default = True
        chosen._history_user = by  # type: ignore[attr-defined]
        chosen.save(update_fields=["is_default"])
    put_vat_mode_in_force(code=chosen.vat_mode.code, by=by, now=now)
    return chosen
