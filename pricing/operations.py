"""Writes: name a price and keep it; change which VAT mode holds."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from pricing import snapshot
from pricing.calculator import EDITION, Calculation, calculate
from pricing.models import PricingRules, Quote, RuleBook, VatMode
from pricing.queries import COLUMNS, RulesInForce, rules_in_force
from pricing.reading import BadRequest, read
from sales.models import Conversation, User

__all__ = ["BadRequest", "VatModeNotAllowed", "ensure_defaults", "make_quote", "put_vat_mode_in_force", "try_out"]


class VatModeNotAllowed(ValueError):
    """There is no such VAT mode, or the law doesn't know it on that day."""


@transaction.atomic
def make_quote(
    *, data: Any, now: datetime, conversation_id: uuid.UUID | None = None, lead_id: uuid.UUID | None = None
) -> Quote:
    """Price a request and freeze the quote. ``data`` is parsed JSON in the form of the API.

    Raises ``BadRequest`` with every mistake of the request; then nothing is stored.
    """
    in_force = rules_in_force()
    request = read(data, in_force.rules)
    calculation = calculate(request, in_force.rules)
    if conversation_id is not None and lead_id is None:
        lead_id = Conversation.objects.values_list("lead_id", flat=True).get(pk=conversation_id)
    book = _keep(in_force)
    quote = Quote(
        number=_next_number(now),
        conversation_id=conversation_id,
        lead_id=lead_id,
        inputs=snapshot.request_to_json(request),
        rule_book=book,
        edition=EDITION,
        result=snapshot.result_to_json(calculation),
        trace=snapshot.trace_to_json(calculation),
        created_at=now,
        # the day is the seller's, not Greenwich's
        valid_until=_day(now) + timedelta(days=in_force.rules.valid_days),
        **{name: getattr(calculation, name) for name in COLUMNS},
    )
    quote.sha256 = snapshot.quote_digest(
        number=quote.number,
        created_at=quote.created_at,
        valid_until=quote.valid_until,
        inputs=quote.inputs,
        rules_sha256=quote.rule_book_id,
        result=quote.result,
        trace=quote.trace,
    )
    quote.save(force_insert=True)
    return quote


def try_out(*, data: Any) -> Calculation:
    """Price a request without keeping anything. Raises ``BadRequest``."""
    rules = rules_in_force().rules
    return calculate(read(data, rules), rules)


@transaction.atomic
def put_vat_mode_in_force(*, code: str, by: User | None, now: datetime) -> VatMode:
    """Make ``code`` the mode of all quotes from now on. Raises ``VatModeNotAllowed``."""
    modes = {mode.code: mode for mode in VatMode.objects.select_for_update().order_by("pk")}
    chosen = modes.get(code)
    if chosen is None:
        raise VatModeNotAllowed(f"There is no VAT mode called {code!r}.")
    if not chosen.holds_on(_day(now)):
        raise VatModeNotAllowed(f"The VAT mode {code!r} isn't valid on {_day(now)}.")
    if chosen.in_force:
        return chosen
    for mode in modes.values():
        if mode.in_force:  # first out, then in: the database allows one
            mode.in_force = False
            mode._history_user = by  # type: ignore[attr-defined]
            mode.save(update_fields=["in_force"])
    chosen.in_force = True
    chosen._history_user = by  # type: ignore[attr-defined]
    chosen.save(update_fields=["in_force"])
    return chosen


#: code, name, rate, word in tables, words under the total, ground, first and last day
_MODES = (
    (
        "none_usn",
        "УСН, без НДС",
        None,
        "Без НДС",
        "НДС не облагается",
        "в связи с освобождением по ст. 145 НК РФ (УСН)",
        "2025-01-01",
        None,
    ),
    (
        "none_register",
        "Права на ПО из реестра, без НДС",
        None,
        "Без НДС",
        "НДС не облагается",
        "пп. 26 п. 2 ст. 149 НК РФ",
        None,
        None,
    ),
    ("rate_22", "НДС 22%", "22.00", "22%", "В том числе НДС (22%): {amount} руб.", "", "2026-01-01", None),
    ("rate_5", "УСН, НДС 5%", "5.00", "5%", "В том числе НДС (5%): {amount} руб.", "", "2025-01-01", None),
    ("rate_7", "УСН, НДС 7%", "7.00", "7%", "В том числе НДС (7%): {amount} руб.", "", "2025-01-01", None),
    ("rate_20", "НДС 20%", "20.00", "20%", "В том числе НДС (20%): {amount} руб.", "", "2019-01-01", "2025-12-31"),
)


@transaction.atomic
def ensure_defaults() -> None:
    """Make what no installation can do without, where it is missing: the rules' row and the VAT modes."""
    if not PricingRules.objects.exists():
        PricingRules().save()
    if not VatMode.objects.exists():
        fields = ("code", "name", "rate", "table_word", "total_words", "ground", "valid_from", "valid_to")
        for values in _MODES:
            VatMode.objects.create(**dict(zip(fields, values, strict=True)), in_force=values[0] == "none_usn")


def _keep(in_force: RulesInForce) -> RuleBook:
    """Keep the rules under their digest, once; the row as it is or would be."""
    book = RuleBook(sha256=in_force.sha256, rules=dict(in_force.data))
    RuleBook.objects.bulk_create([book], ignore_conflicts=True)
    return book


def _next_number(now: datetime) -> str:
    """Quotes have gaps where a transaction was rolled back; only papers are numbered without."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('pricing_quote_number')")
        (serial,) = cursor.fetchone()
    return f"Q-{_day(now).year}-{serial:06d}"


def _day(now: datetime) -> Any:
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
