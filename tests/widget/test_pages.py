"""What is served around the chat: the loader, the demo site, the legal texts, and how big it all is."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from channels_app.webchat import consent
from channels_app.webchat.pages import loader_script

WIDGET = Path(__file__).parents[2] / "static" / "widget"


def test_the_loader_is_a_script_that_any_site_may_fetch_and_keep_for_five_minutes(client: Client) -> None:
    answer = client.get("/widget.js")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer["Cache-Control"] == "public, max-age=300"
    assert answer.content.decode() == loader_script()


def test_a_browser_that_has_the_loader_gets_no_second_copy(client: Client) -> None:
    etag = client.get("/widget.js")["ETag"]

    again = client.get("/widget.js", headers={"if-none-match": etag})
    other = client.get("/widget.js", headers={"if-none-match": '"of yesterday"'})

    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200


def test_the_loader_names_the_files_of_this_release(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
    settings.STATIC_ROOT = str(tmp_path)
    paths = {f"widget/{name}.js": f"widget/{name}.0123456789ab.js" for name in ("core", "ru", "en")}
    (tmp_path / "staticfiles.json").write_text(json.dumps({"version": "1.1", "hash": "x", "paths": paths}))

    script = loader_script()

    assert set(re.findall(r"/static/widget/\S+?\.js", script)) == {f"/static/{hashed}" for hashed in paths.values()}


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_loader_is_only_read(client: Client, method: str) -> None:
    assert getattr(client, method)("/widget.js").status_code == 405


def test_the_widget_is_small() -> None:
    sizes = {path.stem: len(gzip.compress(path.read_bytes(), 9)) for path in WIDGET.glob("*.js")}
    loader = len(gzip.compress(loader_script().encode(), 9))

    assert loader <= 3 * 1024
    assert sizes["core"] + sizes["ru"] <= 22 * 1024
    assert sizes["en"] <= 2 * 1024
    assert loader + sum(sizes.values()) <= 30 * 1024


def test_nothing_the_widget_is_made_of_writes_html() -> None:
    sinks = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc|\beval\b|new Function")

    for path in WIDGET.glob("*.js"):
        assert sinks.findall(path.read_text()) == [], path.name
    assert sinks.findall(loader_script()) == []


def test_the_demo_site_embeds_the_chat_by_one_line(client: Client) -> None:
    answer = client.get("/")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert '<script async src="/widget.js" data-site="main"></script>' in page
    assert page.count("widget.js") == 2  # and once as the snippet to copy
    # a price typed into a page would be wrong after the next change of prices
    assert not re.search(r"\d[\d\s]*(₽|руб)", page)


@pytest.mark.parametrize("path", ["/", "/legal/consent", "/legal/privacy"])
def test_pages_of_the_site_keep_to_a_strict_policy(client: Client, path: str) -> None:
    answer = client.get(path)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "'unsafe-inline'" not in answer["Content-Security-Policy"]
    assert "<style" not in page
    assert " style=" not in page
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert set(re.findall(r'(?:src|href)="(https?://[^"/]+)', page)) <= {"http://testserver"}
    assert answer.cookies == {}


def test_the_consent_page_shows_the_very_text_that_is_recorded(client: Client) -> None:
    page = client.get("/legal/consent").content.decode()

    assert consent.VERSION in page
    for paragraph in consent.text().split("\n\n"):
        assert paragraph in page
