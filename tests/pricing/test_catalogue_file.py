"""A catalogue file is loaded whole or not at all, as often as one likes."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from pricing.models import Discount, PricingRules, Product, Service, Tier
from pricing.queries import rules_in_force

pytestmark = pytest.mark.django_db


def load(path: Path) -> str:
    out = io.StringIO()
    call_command("load_catalog", str(path), stdout=out)
    return out.getvalue()


def counts() -> dict[str, int]:
    models = (Product, Tier, Service, Discount)
    rows = {model.__name__: model._default_manager.count() for model in models}
    return rows | {f"{model.__name__} history": model.history.count() for model in models}


@pytest.fixture
def changed(catalogue_file: Path, tmp_path: Path) -> Any:
    """Writes the demo catalogue with one piece of text replaced."""

    def write(old: str, new: str) -> Path:
        text = catalogue_file.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path = tmp_path / "catalog.yaml"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path

    return write


def test_a_file_is_loaded_and_loading_it_again_changes_nothing(catalogue_file: Path) -> None:
    load(catalogue_file)
    once, rules = counts(), rules_in_force().sha256

    load(catalogue_file)

    assert counts() == once
    assert once["Tier"] == once["Tier history"] == 12
    assert rules_in_force().sha256 == rules
    assert PricingRules.objects.get().discount_cap_percent == Decimal("45.00")
    assert list(Discount.objects.values_list("code", flat=True)) == ["package_2", "package_3", "annual", "startup"]


def test_a_changed_price_is_updated_with_its_history(catalogue_file: Path, changed: Any) -> None:
    load(catalogue_file)

    load(changed("price_month: 34900.00", "price_month: 35000.10"))

    tier = Tier.objects.get(product__code="ai_manager", code="business")
    assert tier.price_month == Decimal("35000.10")
    assert [each.price_month for each in tier.history.all()] == [Decimal("35000.10"), Decimal("34900.00")]
    assert tier.history.first().history_change_reason == "load_catalog catalog.yaml"
    assert Tier.history.count() == 13


def test_what_the_file_does_not_name_is_left_alone(catalogue_file: Path, tmp_path: Path) -> None:
    load(catalogue_file)
    Product.objects.create(code="own", name={"ru": "Свой"}, unit={"ru": "штук"})
    small = tmp_path / "small.yaml"
    small.write_text("services:\n  - {code: hour, name: Час, unit: час, charge: one_time, price: 100}\n", "utf-8")

    load(small)

    assert Product.objects.filter(is_active=True).count() == 4
    assert (Service.objects.count(), Discount.objects.count()) == (8, 4)
    assert PricingRules.objects.get().discount_cap_percent == Decimal("45.00")


def test_a_tier_that_a_listed_product_no_longer_has_goes_off_sale(catalogue_file: Path, changed: Any) -> None:
    load(catalogue_file)
    line = '      - {code: pro,        name: "Про",        up_to: 400,  price_month: 79900.00}\n'

    said = load(changed(line, ""))

    assert "ai_analyst.pro" in said
    product = rules_in_force().rules.product("ai_analyst")
    assert product is not None and [tier.code for tier in product.tiers] == ["start", "business", "enterprise"]
    load(catalogue_file)
    product = rules_in_force().rules.product("ai_analyst")
    assert product is not None and len(product.tiers) == 4


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("price_month: 34900.00", "price_month: -1", "products[0].tiers[1].price_month"),
        ("price_month: 34900.00", "price_month: 34900.001", "products[0].tiers[1].price_month"),
        ("price_month: 34900.00", "price_month: '34900'", "products[0].tiers[1].price_month"),
        ("price_month: 34900.00", "price_month: .nan", "not a number|products[0].tiers[1].price_month"),
        ("price_month: 34900.00", "price_month: .inf", "not a number|products[0].tiers[1].price_month"),
        ("price_month: 34900.00", "price: 34900.00", "products[0].tiers[1].price"),
        ("up_to: 2000,", "up_to: 0,", "products[0].tiers[1].up_to"),
        ("up_to: 2000,", "up_to: 2000.0,", "products[0].tiers[1].up_to"),
        ("up_to: 2000,", "up_to: yes,", "products[0].tiers[1].up_to"),
        ("code: ai_lawyer", "code: ai_manager", "products"),
        ("code: ai_lawyer", "code: AI Lawyer", "products[1].code"),
        ("code: startup,", "code: annual,", "discounts"),
        ("percent: 25.00", "percent: 125.00", "discounts[3].percent"),
        ("{startup: true}", "{startup: maybe}", "discounts[3].when.startup"),
        ("{startup: true}", "{start_up: true}", "discounts[3].when.start_up"),
        ("charge: one_time, price: 4500.00", "charge: weekly, price: 4500.00", "services[4].charge"),
        ("currency: RUB", "currency: USD", "currency"),
        ("currency: RUB", "currency: RUB\ncurrency: RUB", "stands twice"),
        ("currency: RUB", "currency: [RUB", "line"),
        ("discount_cap_percent: 45.00", "discount_cap_percent: 145.00", "discount_cap_percent"),
        ('name: {ru: "AI-юрист", en: "AI Lawyer"}', 'name: {en: "AI Lawyer"}', "products[1].name.ru"),
        ("code: training", "code: !!python/name:os.system", "line"),
    ],
)
def test_a_bad_file_names_the_place_and_nothing_is_loaded(changed: Any, old: str, new: str, place: str) -> None:
    with pytest.raises(CommandError) as problem:
        load(changed(old, new))

    assert any(each in str(problem.value) for each in place.split("|"))
    assert set(counts().values()) == {0}


def test_files_that_are_no_catalogue_are_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "list.yaml").write_text("[1, 2]")
    (tmp_path / "empty.yaml").write_text("")

    for name in ("nowhere.yaml", "bytes.yaml", "list.yaml", "empty.yaml", "."):
        with pytest.raises(CommandError):
            load(tmp_path / name)


def test_a_failure_half_way_leaves_everything_as_it_was(
    catalogue_file: Path, changed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(catalogue_file)
    before = counts()
    path = changed("price_month: 34900.00", "price_month: 1.00")

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(PricingRules, "save", fail)
    PricingRules.objects.update(discount_cap_percent=1)
    with pytest.raises(OSError, match="full"):
        load(path)

    assert counts() == before
    assert Tier.objects.get(product__code="ai_manager", code="business").price_month == Decimal("34900.00")
