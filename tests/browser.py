"""A real Chromium for tests: which one, how it is started, and what it must not do on its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

#: the browser asks nobody about updates, features or safety: a test counts the requests of the page
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
}


def executable() -> str | None:
    """The path of the browser: `CHROMIUM`, else the system's own; None lets Playwright use the one it downloaded."""
    given = os.environ.get("CHROMIUM")
    return given or shutil.which("chromium") or shutil.which("chromium-browser")


def launch(playwright: Any) -> Browser:
    """Start a browser without a window."""
    return playwright.chromium.launch(executable_path=executable(), args=list(QUIET), headless=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of one file.

    Playwright keeps an event loop running in this thread, so Django's ORM and async tests can't be used while it is
    there; a whole run must not have it.
    """
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page in a visitor's own browser profile: ``open_page(url, **options of the profile)``.

    A page gathers what it complained of in ``page.complaints``, and where it went in ``page.requests``.
    """
    with ExitStack() as contexts:

        def open_(url: str | None = None, *, context: Any = None, wait: str = "load", **options: Any) -> Page:
            if context is None:
                context = browser.new_context(**{**DESKTOP, "locale": "ru-RU", **options})
                contexts.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(10_000)
            page.complaints, page.requests, page.dialogs = [], [], []  # type: ignore[attr-defined]
            page.on("pageerror", lambda problem: page.complaints.append(str(problem)))
            page.on(
                "console", lambda said: said.type == "error" and page.complaints.append(f"{said.text} {said.location}")
            )
            page.on("request", lambda request: page.requests.append(request.url))
            page.on("dialog", lambda dialog: (page.dialogs.append(dialog.message), dialog.dismiss()))
            if url:
                page.goto(url, wait_until=wait)
            return page

        yield open_
