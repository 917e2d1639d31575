"""A browser, a misbehaving server, and a site on another origin that embeds the widget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import browser, idle, open_page  # noqa: F401  fixtures
from tests.widget.standin import StandIn

PAGE = """<!doctype html><html lang="ru"><head><meta charset="utf-8"><title>Чужой сайт</title>
<meta name="viewport" content="width=device-width, initial-scale=1">%(head)s</head>
<body><h1>Чужой сайт</h1><p><a href="#x">ссылка</a></p>%(body)s
<script async %(nonce)s src="%(origin)s/widget.js" data-site="main" %(data)s></script></body></html>"""


@pytest.fixture
def server() -> Iterator[StandIn]:
    running = StandIn()
    yield running
    running.end()


@pytest.fixture
def site() -> Iterator[StandIn]:
    """Another origin, which serves pages that embed the widget."""
    running = StandIn()
    yield running
    running.end()


@pytest.fixture
def embed(site: StandIn, server: StandIn, open_page: Callable[..., Page]) -> Callable[..., Page]:  # noqa: F811
    """Open a page of the other site with the widget in it."""

    def embed_(
        *,
        headers: dict[str, str] | None = None,
        head: str = "",
        body: str = "",
        data: str = "",
        nonce: str = "",
        query: str = "",
        **options: Any,
    ) -> Page:
        html = PAGE % {"head": head, "body": body, "data": data, "nonce": nonce, "origin": server.url}
        site.pages["/shop"] = (headers or {}, html)
        return open_page(f"{site.url}/shop{query}", **options)

    return embed_
