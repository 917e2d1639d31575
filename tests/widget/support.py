"""How a visitor uses the chat in a browser."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

CONSENT = "Даю согласие"


def open_chat(page: Page) -> Locator:
    """Press the button; returns the panel."""
    page.locator("button.launcher").click()
    panel = page.get_by_role("dialog", name="Чат с нами")
    panel.wait_for()
    return panel


def agree(page: Page) -> None:
    page.get_by_role("checkbox").check()


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Сообщение")


def write(page: Page, text: str) -> None:
    field(page).fill(text)
    field(page).press("Enter")


def begin(page: Page, text: str = "Здравствуйте") -> Locator:
    """Open, agree, write, and wait until the server has it."""
    panel = open_chat(page)
    agree(page)
    write(page, text)
    expect(page.locator(".item.customer[data-seq]").last).to_contain_text(text)
    return panel


def pass_time(page: Page, seconds: int) -> None:
    """So much time passes for the page, opened with a ``clock``; in between the network has its say."""
    for _ in range(seconds * 2):
        page.clock.run_for(500)
        page.wait_for_timeout(20)


def bubbles(page: Page) -> list[str]:
    """What the log shows after the greeting, in order; unsent messages too."""
    shown: list[Any] = page.locator("article.item > .bubble").all_inner_texts()
    return shown


def see(page: Page, *texts: str, timeout: float = 10_000) -> None:
    """Wait until the log shows exactly these messages."""
    expect(page.locator("article.item > .bubble")).to_have_text(list(texts), timeout=timeout)
