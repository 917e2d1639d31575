"""A real Chromium for tests: which one, how it is started, and what it must not do on its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

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
#: what moves costs a browser without a graphics card more than all the rest; on a phone everything moves
DESKTOP = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
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


class Profile:
    """A visitor's browser profile with a page that is open in it.

    A page in a new profile costs a new process, which is two thirds of what a small test costs. So a profile is handed
    on to the next test of the file that wants the same options, with everything forgotten but the cache of files.
    """

    def __init__(self, browser: Browser, options: dict[str, Any]) -> None:
        self.context: BrowserContext = browser.new_context(**options)
        self.context.set_default_timeout(10_000)
        self.page = self.open()

    def open(self) -> Page:
        """A page that gathers what it complains of and where it goes."""
        page: Any = self.context.new_page()
        page.complaints, page.requests, page.dialogs = [], [], []
        page.on("pageerror", lambda problem: page.complaints.append(str(problem)))
        page.on("console", lambda said: said.type == "error" and page.complaints.append(f"{said.text} {said.location}"))
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("dialog", lambda dialog: (page.dialogs.append(dialog.message), dialog.dismiss()))
        return page

    def forget(self) -> None:
        """Become as a new profile: no other page, no cookie, nothing stored, no word of what was."""
        page: Any = self.page
        met = {url for each in self.context.pages for url in each.requests}  # type: ignore[attr-defined]
        for other in self.context.pages:
            if other is not page:
                other.close()
        page.unroute_all(behavior="ignoreErrors")
        page.goto("about:blank")  # nothing of the last test goes on beside the next one
        devtools = self.context.new_cdp_session(page)
        for origin in {f"{each.scheme}://{each.netloc}" for each in map(urlsplit, met) if each.netloc}:
            devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        devtools.send("Page.resetNavigationHistory")
        devtools.detach()
        self.context.clear_cookies()
        page.complaints, page.requests, page.dialogs = [], [], []


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


@pytest.fixture(scope="module")
def idle(browser: Browser) -> dict[str, Profile]:
    """Profiles that no test uses at the moment, by their options."""
    return {}


@pytest.fixture
def open_page(browser: Browser, idle: dict[str, Profile]) -> Iterator[Callable[..., Page]]:
    """Open a page in a visitor's own browser profile: ``open_page(url, **options of the profile)``.

    A page gathers what it complained of in ``page.complaints``, and where it went in ``page.requests``. ``context``
    opens one more page in a profile that the test already has. With ``clock`` the test may move the page's time on.
    """
    used: list[tuple[str, Profile]] = []

    def open_(
        url: str | None = None, *, context: Any = None, wait: str = "load", clock: bool = False, **options: Any
    ) -> Page:
        if context is None:
            wanted = {**DESKTOP, "locale": "ru-RU", **options}
            # a clock that was taken over can't be given back
            key = "" if clock else repr(sorted(wanted.items()))
            profile = idle.pop(key, None) or Profile(browser, wanted)
            if clock:
                profile.context.clock.install()
            used.append((key, profile))
            page = profile.page
        else:
            page = next(each for _, each in used if each.context is context).open()
        if url:
            page.goto(url, wait_until=wait)  # type: ignore[arg-type]
        return page

    yield open_
    for key, profile in used:
        if not key or key in idle:
            profile.context.close()
            continue
        profile.forget()
        idle[key] = profile
