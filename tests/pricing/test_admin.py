"""Staff edit prices with history, try the rules, and read quotes; what each may do follows from permissions alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pricing.models import Discount, PricingRules, Product, Quote, Service, Tier, VatMode
from pricing.operations import make_quote
from sales.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

LISTS = ["product", "tier", "service", "discount", "vatmode", "pricingrules", "quote"]


@pytest.fixture
def boss(operator: Any) -> Client:
    client = Client(headers={"accept-language": "ru"})
    client.force_login(operator)
    return client


def member(*permissions: str) -> Client:
    """A member of staff with these permissions only."""
    user = User.objects.create_user(username="member", password="a long pass phrase", is_staff=True)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    client = Client()
    client.force_login(user)
    return client


def address(model: str, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:pricing_{model}_{page}", args=args)


CHECK = "/admin/pricing/product/check/"
ASKED = {
    "billing_period": "year",
    "startup": "on",
    "volume_ai_manager": "1800",
    "tier_ai_lawyer": "start",
    "quantity_onboarding": "1",
    "quantity_extra_channel": "2",
}


@pytest.mark.parametrize("model", LISTS)
def test_every_list_and_its_rows_open(boss: Client, worked_example: dict[str, Any], model: str) -> None:
    make_quote(data=worked_example, now=timezone.now())
    row: Any = {
        "product": Product,
        "tier": Tier,
        "service": Service,
        "discount": Discount,
        "vatmode": VatMode,
        "pricingrules": PricingRules,
        "quote": Quote,
    }[model].objects.first()

    assert boss.get(address(model)).status_code == 200
    assert boss.get(address(model, "change", row.pk)).status_code == 200
    if model not in {"quote", "pricingrules"}:
        assert boss.get(address(model, "add")).status_code == 200
    if model != "quote":
        assert boss.get(address(model, "history", row.pk)).status_code == 200


def test_a_price_edited_in_the_list_is_the_next_quotes_price_and_has_a_history(
    boss: Client, operator: Any, worked_example: dict[str, Any]
) -> None:
    tiers = list(Tier.objects.all())
    form: dict[str, Any] = {"form-TOTAL_FORMS": len(tiers), "form-INITIAL_FORMS": len(tiers), "_save": "Save"}
    for number, tier in enumerate(tiers):
        price = (
            Decimal("35000.00") if (tier.product.code, tier.code) == ("ai_manager", "business") else tier.price_month
        )
        form |= {
            f"form-{number}-id": tier.pk,
            f"form-{number}-up_to": tier.up_to or "",
            f"form-{number}-price_month": "" if price is None else price,
            f"form-{number}-is_active": "on",
        }

    response = boss.post(address("tier"), form)

    assert response.status_code == 302
    assert make_quote(data=worked_example, now=timezone.now()).subscription == Decimal("658800.00")
    tier = Tier.objects.get(product__code="ai_manager", code="business")
    newest = tier.history.first()
    assert (newest.price_month, newest.history_user) == (Decimal("35000.00"), operator)
    assert Tier.history.count() == 13  # the eleven others weren't touched
    page = boss.get(address("tier", "history", tier.pk)).content.decode()
    assert "34900.00" in page and "35000.00" in page


def test_a_product_is_added_with_its_tiers_and_both_names(boss: Client) -> None:
    form = {
        "code": "ai_hr",
        "name_ru": "AI-кадровик",
        "name_en": "AI HR",
        "unit_ru": "анкет в месяц",
        "unit_en": "",
        "position": "4",
        "is_active": "on",
        "change_reason": "новый продукт",
        "tiers-TOTAL_FORMS": "1",
        "tiers-INITIAL_FORMS": "0",
        "tiers-0-code": "start",
        "tiers-0-name_ru": "Старт",
        "tiers-0-name_en": "Start",
        "tiers-0-up_to": "10",
        "tiers-0-price_month": "100.50",
        "tiers-0-position": "1",
        "tiers-0-is_active": "on",
    }

    response = boss.post(address("product", "add"), form)

    assert response.status_code == 302, response.context["errors"]
    product = Product.objects.get(code="ai_hr")
    assert product.name == {"ru": "AI-кадровик", "en": "AI HR"}
    assert product.history.get().history_change_reason == "новый продукт"
    assert [tier.price_month for tier in product.tiers.all()] == [Decimal("100.50")]


def test_a_name_without_russian_is_refused(boss: Client) -> None:
    service = Service.objects.get(code="training")
    form = {
        "name_ru": "",
        "name_en": "Only English",
        "unit_ru": "час",
        "charge": "one_time",
        "price": "1",
        "position": "1",
    }

    response = boss.post(address("service", "change", service.pk), form)

    assert response.status_code == 200
    service.refresh_from_db()
    assert service.name["ru"] == "Обучение сотрудников"


def test_a_code_is_not_changed_once_it_is_given(boss: Client) -> None:
    service = Service.objects.get(code="training")
    form = {
        "code": "renamed",
        "name_ru": "Обучение",
        "name_en": "",
        "unit_ru": "час",
        "unit_en": "",
        "charge": "one_time",
        "price": "1.00",
        "position": "1",
    }

    assert boss.post(address("service", "change", service.pk), form).status_code == 302

    service.refresh_from_db()
    assert (service.code, service.name["ru"], service.is_active) == ("training", "Обучение", False)


def test_a_calculation_is_checked_with_its_trace_and_nothing_is_stored(boss: Client) -> None:
    response = boss.get(CHECK, ASKED)

    page = response.content.decode().replace("\u00a0", " ")
    assert response.status_code == 200
    assert "528 280 ₽" in page and "−111 792 ₽" in page
    told = [step.words.replace("\u00a0", " ") for step in response.context["calculation"]["trace"]]
    assert len(told) == 13
    assert "657 600 ₽" in told[2] and "6 576 ₽" in told[8]
    assert not Quote.objects.exists()


def test_mistakes_are_shown_beside_the_row_they_are_about(boss: Client) -> None:
    response = boss.get(
        CHECK,
        {"billing_period": "month", "tier_ai_lawyer": "start", "volume_ai_lawyer": "51", "volume_ai_manager": "5"},
    )

    form = response.context["form"]
    assert list(form.errors) == ["tier_ai_lawyer"]
    assert "«business»" in form.errors["tier_ai_lawyer"][0]
    assert response.context["calculation"] is None

    empty = boss.get(CHECK, {"billing_period": "month"})
    assert "Запрос пуст" in empty.context["form"].non_field_errors()[0]

    wrong = boss.get(CHECK, {"billing_period": "week", "volume_ai_manager": "-1", "tier_ai_lawyer": "nope"})
    assert set(wrong.context["form"].errors) == {"billing_period", "volume_ai_manager", "tier_ai_lawyer"}


@pytest.mark.parametrize("model", ["product", "tier", "service", "discount", "vatmode", "pricingrules"])
def test_the_lists_lead_to_the_page_that_checks(boss: Client, model: str) -> None:
    link = f"{address(model)}check-a-calculation/"

    assert link.removesuffix("/") in boss.get(address(model)).content.decode()
    assert boss.get(link)["Location"] == CHECK


def test_who_may_see_products_may_check_a_calculation_and_nobody_else() -> None:
    client = member("pricing.view_product")

    assert client.get(CHECK, ASKED).status_code == 200
    assert client.get(address("product")).status_code == 200
    assert client.get(address("tier")).status_code == 403
    product = Product.objects.get(code="ai_manager")
    assert client.post(address("product", "change", product.pk), {"code": "x"}).status_code == 403


def test_without_permissions_every_page_of_prices_is_closed() -> None:
    client = member()

    assert client.get(CHECK).status_code == 403
    assert {client.get(address(model)).status_code for model in LISTS} == {403}
    assert Client().get(CHECK).status_code == 302


def test_a_quote_is_read_with_its_trace_and_said_to_be_sound(boss: Client, worked_example: dict[str, Any]) -> None:
    quote = make_quote(data=worked_example, now=timezone.now())

    page = boss.get(address("quote", "change", quote.pk)).content.decode().replace("\u00a0", " ")

    assert "✓" in page and "✗" not in page
    assert "528 280 ₽" in page and quote.sha256 in page
    assert boss.post(address("quote", "change", quote.pk), {"number": "X"}).status_code == 403
    assert boss.post(address("quote", "delete", quote.pk), {"post": "yes"}).status_code == 403
    assert boss.get(address("quote", "add")).status_code == 403


@pytest.mark.parametrize(
    "statement", ["UPDATE pricing_quote SET total = 1", "UPDATE pricing_quote SET inputs = '{\"products\": 7}'"]
)
def test_a_quote_that_was_changed_is_marked(boss: Client, worked_example: dict[str, Any], statement: str) -> None:
    quote = make_quote(data=worked_example, now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(statement)

    page = boss.get(address("quote", "change", quote.pk)).content.decode()

    assert "✗" in page and "✓" not in page


def test_html_in_a_name_is_text_everywhere(boss: Client) -> None:
    evil = "<img src=x onerror=alert(1)>"
    Product.objects.filter(code="ai_manager").update(name={"ru": evil, "en": evil})
    quote = make_quote(
        data={"products": [{"product": "ai_manager", "tier": "start"}], "billing_period": "month"}, now=timezone.now()
    )

    for page in (address("product"), address("tier"), address("quote", "change", quote.pk)):
        assert evil not in boss.get(page).content.decode()
    assert evil not in boss.get(CHECK, {"billing_period": "month", "tier_ai_manager": "start"}).content.decode()


def test_the_vat_mode_in_force_cannot_be_deleted(boss: Client) -> None:
    mode = VatMode.objects.get(in_force=True)

    assert boss.post(address("vatmode", "delete", mode.pk), {"post": "yes"}).status_code == 403
    boss.post(address("vatmode"), {"action": "delete_selected", "_selected_action": [mode.pk], "post": "yes"})

    assert VatMode.objects.filter(pk=mode.pk).exists()


def test_the_list_of_quotes_costs_the_same_with_more_rows(
    boss: Client, worked_example: dict[str, Any], conversation: Any
) -> None:
    from django.test.utils import CaptureQueriesContext

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert boss.get(address("quote")).status_code == 200
        return len(found)

    make_quote(data=worked_example, now=timezone.now(), conversation_id=conversation.pk)
    one = cost()
    for _ in range(3):
        make_quote(data=worked_example, now=timezone.now(), conversation_id=conversation.pk)

    assert cost() == one


def test_a_leads_and_a_conversations_page_name_their_quotes(worked_example: dict[str, Any], conversation: Any) -> None:
    from pricing.panels import panels

    quote = make_quote(data=worked_example, now=timezone.now(), conversation_id=conversation.pk)

    for row in (conversation, conversation.lead):
        (line,) = panels(row)
        assert quote.number in line and str(quote.pk) in line


def test_an_earlier_price_is_restored_from_the_history(boss: Client, operator: Any) -> None:
    tier = Tier.objects.get(product__code="ai_manager", code="start")
    earlier = tier.history.latest()
    tier.price_month = Decimal("15900.00")
    tier.save()
    page = address("tier", "simple_history", tier.pk, earlier.pk)
    form = boss.get(page).context["adminform"].form
    values = {name: form[name].value() for name in ("up_to", "price_month", "position", "is_active")}
    values |= {"name_ru": "Старт", "name_en": "Start", "product": tier.product_id, "change_reason": "как было"}

    response = boss.post(page, values)

    assert response.status_code == 302
    tier.refresh_from_db()
    assert tier.price_month == Decimal("14900.00")
    assert (tier.history.latest().history_user, tier.history.count()) == (operator, 3)
