"""Every word the chat says is there in every language."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.widget.standin import StandIn

pytestmark = pytest.mark.browser

WIDGET = Path(__file__).parents[2] / "static" / "widget"
CORE = (WIDGET / "core.js").read_text()
#: keys that core.js puts together: their beginnings
BUILT = ("contact_", "chip_")


def _dictionaries(open_page: Callable[..., Page], server: StandIn) -> dict[str, dict[str, Any]]:
    server.pages["/blank"] = ({}, "<!doctype html><title>x</title>")
    page = open_page(f"{server.url}/blank")
    return {
        name: page.evaluate("(path) => import(path).then((module) => module.default)", f"/static/widget/{name}.js")
        for name in ("ru", "en")
    }


def test_both_languages_have_the_same_keys_with_the_same_gaps_to_fill(
    open_page: Callable[..., Page], server: StandIn
) -> None:
    words = _dictionaries(open_page, server)

    shapes = {
        name: {
            key: sorted(re.findall(r"\{\w+\}", value)) if isinstance(value, str) else sorted(value)
            for key, value in dictionary.items()
        }
        for name, dictionary in words.items()
    }
    assert shapes["ru"] == shapes["en"]
    assert [key for dictionary in words.values() for key, value in dictionary.items() if not value] == []


def test_each_key_is_asked_for_and_each_that_is_asked_for_is_there(
    open_page: Callable[..., Page], server: StandIn
) -> None:
    known = set(_dictionaries(open_page, server)["ru"])

    asked = set(re.findall(r'\bt\("(\w+)"', CORE))
    named = set(re.findall(r'["\s.](\w+)', CORE))
    unused = {key for key in known - named if not key.startswith(BUILT)}
    assert asked - known == set()
    assert unused == set()


def test_english_is_spoken_where_the_site_asks_for_it(embed: Callable[..., Page]) -> None:
    page = embed(data='data-locale="en"')

    page.get_by_role("button", name="Open the chat").click()

    expect(page.get_by_role("dialog", name="Chat with us")).to_be_visible()
    expect(page.get_by_role("dialog")).to_contain_text("An AI assistant answers")
    assert not re.search(r"[А-Яа-яЁё]|undefined", page.get_by_role("dialog").inner_text())


def test_the_browser_decides_where_the_site_leaves_it_to_it(embed: Callable[..., Page]) -> None:
    english = embed(data='data-locale="auto"', locale="en-GB")
    other = embed(data='data-locale="auto"', locale="fr-FR")

    expect(english.get_by_role("button", name="Open the chat")).to_be_visible()
    expect(other.get_by_role("button", name="Открыть чат")).to_be_visible()
