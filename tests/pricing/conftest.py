"""The demo catalogue: loaded for the tests that use the database, and as plain rules for those that don't."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pricing.calculator import Rules
from tests.pricing.catalogues import DEMO, as_rules, demo

WORKED_EXAMPLE: dict[str, Any] = {
    "products": [{"product": "ai_manager", "volume": 1800}, {"product": "ai_lawyer", "tier": "start"}],
    "services": [{"service": "onboarding", "quantity": 1}, {"service": "extra_channel", "quantity": 2}],
    "billing_period": "year",
    "startup": True,
}


@pytest.fixture
def worked_example() -> dict[str, Any]:
    return {**WORKED_EXAMPLE}


@pytest.fixture
def rules() -> Rules:
    """The demo catalogue's rules, for a seller without VAT."""
    return as_rules(demo())


@pytest.fixture
def catalogue_file() -> Path:
    return DEMO


@pytest.fixture
def catalogue(db: Any) -> None:
    """The demo catalogue in the database."""
    from pricing.catalogue_file import load

    load(DEMO)
