"""A quote is frozen: it keeps request, rules and figures, comes to the same again, and shows when it was changed."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import IntegrityError

from pricing import queries
from pricing.models import CatalogueVersion, Discount, PricingRules, Product, Quote, RuleBook, Service, Tier, VatMode
from pricing.operations import BadRequest, VatModeNotAllowed, ensure_defaults, make_quote, put_vat_mode_in_force

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def quote_of(data: Any, **more: Any) -> Quote:
    """Made, and read back from the database."""
    return Quote.objects.get(pk=make_quote(data=data, now=NOW, **more).pk)


def change_everything() -> None:
    Tier.objects.update(price_month=Decimal("1.00"))
    Service.objects.update(price=Decimal("1.00"))
    Discount.objects.update(percent=Decimal("1.00"))
    PricingRules.objects.update(discount_cap_percent=Decimal("1.00"), valid_days=1)
    put_vat_mode_in_force(code="rate_22", by=None, now=NOW)
    Product.objects.filter(code="ai_lawyer").delete()


def test_the_worked_example_is_answered_in_the_fixed_form(worked_example: dict[str, Any]) -> None:
    quote = quote_of(worked_example)

    answer = queries.answer(quote)

    summary = answer.pop("summary")
    assert answer == {
        "number": quote.number,
        "tiers": {"ai_manager": "business", "ai_lawyer": "start"},
        "subscription": "657600.00",
        "discounts": [
            {"code": "package_2", "amount": "65760.00"},
            {"code": "annual", "amount": "118368.00"},
            {"code": "startup", "amount": "111792.00"},
        ],
        "services": "166600.00",
        "total": "528280.00",
        "vat": {"mode": "none_usn", "amount": "0.00"},
        "on_request": False,
    }
    figures = ("657 600", "65 760", "118 368", "111 792", "295 920", "49 000", "117 600", "166 600", "528 280")
    assert all(figure.replace(" ", "\u00a0") in summary for figure in figures)
    assert "НДС не облагается" in summary
    assert "8\u00a0декабря 2026" in summary


def test_a_quote_is_valid_until_its_day_in_moscow(worked_example: dict[str, Any]) -> None:
    late = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)  # the new year has begun in Moscow

    quote = make_quote(data=worked_example, now=late)

    assert quote.valid_until == date(2027, 1, 15)
    assert quote.number.startswith("Q-2027-")


def test_numbers_are_never_given_twice(worked_example: dict[str, Any]) -> None:
    numbers = [quote_of(worked_example).number for _ in range(3)]

    assert len(set(numbers)) == 3
    assert sorted(numbers) == numbers


def test_an_old_quote_comes_to_the_same_kopeck_and_digest_after_prices_have_changed(
    worked_example: dict[str, Any],
) -> None:
    quote = quote_of(worked_example)
    before = queries.answer(quote)
    card = queries.card(quote)

    change_everything()

    old = Quote.objects.get(pk=quote.pk)
    again = queries.recompute(old)
    assert again.total == Decimal("528280.00")
    assert queries.digest_of(old, again) == quote.sha256
    assert queries.verify(old) == ()
    assert queries.answer(old) == before
    assert queries.card(old) == card


def test_the_next_quote_knows_a_changed_price(worked_example: dict[str, Any]) -> None:
    before = quote_of(worked_example)
    tier = Tier.objects.get(product__code="ai_manager", code="business")
    tier.price_month = Decimal("35000.00")
    tier.save()

    after = quote_of(worked_example)

    assert (before.subscription, after.subscription) == (Decimal("657600.00"), Decimal("658800.00"))
    assert before.rule_book_id != after.rule_book_id


def test_quotes_made_by_the_same_rules_share_them(worked_example: dict[str, Any]) -> None:
    quote_of(worked_example)
    quote_of({**worked_example, "billing_period": "month"})

    assert RuleBook.objects.count() == 1


TAMPERINGS = [
    ("UPDATE pricing_quote SET total = 1", 1),
    ("UPDATE pricing_quote SET vat_amount = 1", 1),
    ("UPDATE pricing_quote SET valid_until = '2030-01-01'", 2),
    ("UPDATE pricing_quote SET number = 'Q-2026-999999'", 2),
    ("UPDATE pricing_quote SET created_at = created_at + interval '1 second'", 2),
    ("UPDATE pricing_quote SET result = jsonb_set(result, '{total}', '\"1.00\"')", 2),
    ("UPDATE pricing_quote SET trace = '[]'", 1),
    ("UPDATE pricing_quote SET inputs = jsonb_set(inputs, '{startup}', 'false')", 3),
    ("UPDATE pricing_quote SET inputs = '{}'", 2),
    ("UPDATE pricing_quote SET sha256 = repeat('0', 64)", 2),
    ("UPDATE pricing_rulebook SET rules = jsonb_set(rules, '{discount_cap_percent}', '\"99.00\"')", 3),
]


@pytest.mark.parametrize(("statement", "found"), TAMPERINGS)
def test_a_quote_that_was_changed_shows_it(worked_example: dict[str, Any], statement: str, found: int) -> None:
    quote = quote_of(worked_example)
    assert queries.verify(quote) == ()

    with connection.cursor() as cursor:
        cursor.execute(statement)

    assert len(queries.verify(Quote.objects.get(pk=quote.pk))) == found


def test_a_bad_request_stores_nothing_and_takes_no_number(worked_example: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as refused:
        make_quote(data={**worked_example, "billing_period": "week", "startup": 1}, now=NOW)

    assert [error["field"] for error in refused.value.errors] == ["billing_period", "startup"]
    assert (Quote.objects.count(), RuleBook.objects.count()) == (0, 0)


def test_a_quote_knows_its_conversation_and_lead(worked_example: dict[str, Any], conversation: Any) -> None:
    quote = quote_of(worked_example, conversation_id=conversation.pk)

    assert (quote.conversation_id, quote.lead_id) == (conversation.pk, conversation.lead_id)


def test_the_lines_of_a_card_minus_discounts_come_to_the_total(worked_example: dict[str, Any]) -> None:
    card = queries.card(quote_of(worked_example))

    lines = sum(Decimal(line["amount"]) for line in card["lines"])
    discounts = sum(Decimal(each["amount"]) for each in card["discounts"])
    assert lines - discounts == Decimal(card["total"]) == Decimal("528280.00")
    assert [line["name"] for line in card["lines"]] == [
        "AI-менеджер по продажам",
        "AI-юрист",
        "Внедрение",
        "Дополнительный канал",
    ]
    assert card["vat"] == {"mode": "none_usn", "rate": None, "amount": "0.00", "words": "НДС не облагается"}
    assert (card["kind"], card["billing_period"], card["valid_until"]) == ("quote", "year", "2026-12-08")
    assert json.dumps(card)


def test_a_card_of_a_product_on_request_has_no_amount_and_speaks_english_when_asked() -> None:
    quote = quote_of({"products": [{"product": "ai_manager", "volume": 7000}], "billing_period": "month"})

    card = queries.card(quote, "en")

    assert card["lines"] == [
        {"code": "ai_manager", "name": "AI Manager", "detail": "Enterprise tier, on request", "amount": None}
    ]
    assert (card["on_request"], card["total"]) == (True, "0.00")
    assert "A manager will name the total." in card["text"]


@pytest.mark.parametrize(
    ("code", "vat"),
    [("rate_22", "95263.61"), ("rate_7", "34560.37"), ("rate_5", "25156.19"), ("none_register", "0.00")],
)
def test_the_vat_mode_in_force_is_in_every_quote(worked_example: dict[str, Any], code: str, vat: str) -> None:
    put_vat_mode_in_force(code=code, by=None, now=NOW)

    quote = quote_of(worked_example)

    assert queries.answer(quote)["vat"] == {"mode": code, "amount": vat}
    assert queries.answer(quote)["total"] == "528280.00"
    if vat != "0.00":
        words = queries.card(quote)["vat"]["words"]
        assert words.startswith("В том числе НДС (") and words.endswith(" руб.")


def test_a_vat_mode_is_put_in_force_only_while_the_law_knows_it(operator: Any) -> None:
    put_vat_mode_in_force(code="rate_22", by=operator, now=NOW)

    for code in ("rate_20", "nope"):  # 20 % ended with 2025
        with pytest.raises(VatModeNotAllowed):
            put_vat_mode_in_force(code=code, by=operator, now=NOW)

    assert list(VatMode.objects.filter(in_force=True).values_list("code", flat=True)) == ["rate_22"]
    newest = VatMode.history.filter(code="rate_22").latest()
    assert (newest.in_force, newest.history_user) == (True, operator)


def test_the_database_allows_one_vat_mode_in_force() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        VatMode.objects.update(in_force=True)


def test_what_is_off_sale_cannot_be_quoted(worked_example: dict[str, Any]) -> None:
    Tier.objects.filter(product__code="ai_lawyer", code="start").update(is_active=False)
    Service.objects.filter(code="onboarding").update(is_active=False)

    with pytest.raises(BadRequest) as refused:
        make_quote(data=worked_example, now=NOW)

    assert [error["code"] for error in refused.value.errors] == ["unknown_tier", "unknown_service"]

    Product.objects.filter(code="ai_manager").update(is_active=False)
    Discount.objects.update(is_active=False)
    assert queries.current_rules().product("ai_manager") is None
    assert queries.current_rules().discounts == ()


CHANGES = [
    "UPDATE pricing_tier SET price_month = price_month + 1",
    "UPDATE pricing_product SET is_active = false WHERE code = 'ai_analyst'",
    "DELETE FROM pricing_service WHERE code = 'training'",
    "UPDATE pricing_discount SET percent = 1",
    "UPDATE pricing_pricingrules SET discount_cap_percent = 1",
    "UPDATE pricing_vatmode SET ground = 'другое' WHERE in_force",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_any_change_of_the_rules_is_seen_at_once_whoever_made_it(statement: str) -> None:
    before = queries.rules_in_force()
    assert queries.rules_in_force() is before  # kept while nothing changes

    with connection.cursor() as cursor:
        cursor.execute(statement)

    assert queries.rules_in_force().sha256 != before.sha256


def test_without_the_trigger_a_change_would_be_missed() -> None:
    """The twin with the guard off."""
    before = queries.rules_in_force()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE pricing_tier DISABLE TRIGGER rules_changed")
        cursor.execute(CHANGES[0])

    assert queries.rules_in_force() is before


def change_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let prices and discounts change together while the rules are being read, after the prices have been."""
    read, times = queries._name, iter([True])

    def read_then_change(value: Any) -> Any:
        if next(times, False):
            Tier.objects.update(price_month=Decimal("7.00"))
            Discount.objects.update(percent=Decimal("7.00"))
        return read(value)

    CatalogueVersion.objects.update(token=uuid.uuid4())
    monkeypatch.setattr(queries, "_name", read_then_change)


def figures() -> set[Decimal]:
    rules = queries.current_rules()
    prices = {tier.price_month for product in rules.products for tier in product.tiers}
    return {price for price in prices if price is not None} | {discount.percent for discount in rules.discounts}


def test_rules_that_change_while_they_are_read_are_never_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    change_between(monkeypatch)

    assert figures() == {Decimal("7.00")}


def test_without_reading_again_old_prices_would_meet_new_discounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin with the guard off."""
    monkeypatch.setattr(queries, "_read_at_once", lambda before: (queries._read_rules(), before))
    change_between(monkeypatch)

    mixed = figures()

    assert {Decimal("7.00"), Decimal("14900.00")} <= mixed


def test_a_change_that_was_rolled_back_is_forgotten() -> None:
    before = queries.rules_in_force()
    with transaction.atomic():
        Tier.objects.update(price_month=1)
        changed = queries.rules_in_force()
        transaction.set_rollback(True)

    assert changed.sha256 != before.sha256
    assert queries.rules_in_force().sha256 == before.sha256


def test_rules_are_asked_for_with_one_query_while_nothing_changes(django_assert_num_queries: Any) -> None:
    queries.current_rules()

    with django_assert_num_queries(1):
        queries.current_rules()


def test_reading_the_rules_costs_the_same_with_more_products(django_assert_num_queries: Any) -> None:
    CatalogueVersion.objects.all().delete()  # so nothing is kept

    with django_assert_num_queries(8):
        queries.current_rules()
    for number in range(20):
        product = Product.objects.create(code=f"p{number}", name={"ru": "П"}, unit={"ru": "шт."})
        Tier.objects.create(product=product, code="t", name={"ru": "Т"}, price_month=1)
    CatalogueVersion.objects.all().delete()
    with django_assert_num_queries(8):
        queries.current_rules()


def test_defaults_are_made_once_and_not_again_over_what_staff_did() -> None:
    VatMode.objects.filter(code="rate_20").delete()
    PricingRules.objects.update(valid_days=30)

    ensure_defaults()

    assert not VatMode.objects.filter(code="rate_20").exists()
    assert PricingRules.objects.get().valid_days == 30


def test_a_change_has_a_history_of_who_when_before_and_after(operator: Any) -> None:
    tier = Tier.objects.get(product__code="ai_manager", code="start")
    tier.price_month = Decimal("15900.00")
    tier._history_user = operator
    tier._change_reason = "с декабря"
    tier.save()

    newest, oldest = tier.history.all()[:2]

    (change,) = newest.diff_against(oldest).changes
    assert (change.field, change.old, change.new) == ("price_month", Decimal("14900.00"), Decimal("15900.00"))
    assert (newest.history_user, newest.history_change_reason) == (operator, "с декабря")
    assert newest.history_date > oldest.history_date


def test_health_tells_of_a_vat_mode_that_has_ended() -> None:
    from pricing.health import health

    assert [(each.name, each.state) for each in health()] == [("vat mode", "ok")]
    VatMode.objects.filter(in_force=True).update(valid_to=date(2025, 12, 31))
    assert [each.state for each in health()] == ["down"]
    VatMode.objects.update(in_force=False)
    assert [(each.state, each.detail) for each in health()] == [("down", "none is in force")]


@pytest.mark.django_db(transaction=True)
def test_an_emptied_database_has_its_defaults_again_and_forgets_the_old_rules() -> None:
    before = queries.rules_in_force()

    call_command("flush", interactive=False, verbosity=0)

    assert VatMode.objects.get(in_force=True).code == "none_usn"
    assert PricingRules.objects.get().valid_days == 14
    assert queries.rules_in_force().sha256 != before.sha256
    assert queries.current_rules().products == ()
