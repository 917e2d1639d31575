"""A member of staff takes a conversation over, answers, decides about a message and closes, in a real browser."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import PHONE, browser, open_page  # noqa: F401  fixtures
from tests.stack import Stack, running, until

pytestmark = pytest.mark.timeout(240)
PASSWORD = "a long pass phrase"
ANSWERED = "SELECT count(*) FROM sales_turn WHERE state = 'kept'"
#: a message that nobody knows the fate of, as a channel without a look back leaves it
UNCERTAIN = """
from channels_app.models import Delivery
from sales.models import Conversation, Message
talk = Conversation.objects.get()
said = Message.objects.filter(conversation=talk, author="assistant").latest("seq")
Delivery.objects.create(message=said, conversation=talk, seq=said.seq, state="uncertain")
"""


@pytest.fixture(scope="module")
def office() -> Iterator[Stack]:
    with running(demo=True, RATE_LIMITS="off", EMBEDDER="") as stack:
        yield stack


def _post(office: Stack, path: str, *, token: str = "", **data: Any) -> Any:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{office.url}/api/v1/chat/sessions{path}", json.dumps(data).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def test_conversation_is_led_from_its_page(office: Stack, open_page: Callable[..., Page]) -> None:  # noqa: F811
    talk = _post(office, "", consent=True, name="Анна")
    _post(office, f"/{talk['id']}/messages", token=talk["token"], client_id="1", text="Добрый день!")
    until(lambda: office.sql(ANSWERED)[0][0] > 0, seconds=60, what="an answer")
    office.manage("shell", "-c", UNCERTAIN)
    page = open_page(f"{office.url}/admin/login/", **PHONE)
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{office.url}/admin/")
    page.goto(f"{office.url}/admin/sales/conversation/{talk['id']}/change/")

    page.get_by_role("button", name="Дошло").click()
    page.locator(".bo-fate", has_text="отправлено").wait_for()
    page.get_by_role("button", name="Забрать").click()
    page.get_by_text("оператор").first.wait_for()
    page.fill("#say", "Здравствуйте, это Олег.")
    page.get_by_role("button", name="Отправить", exact=True).dblclick()
    page.locator(".bo-operator", has_text="это Олег").wait_for()
    _post(office, f"/{talk['id']}/messages", token=talk["token"], client_id="2", text="Спасибо, Олег")
    page.locator(".bo-customer", has_text="Спасибо, Олег").wait_for(timeout=15_000)  # the page looks by itself
    page.fill("#say", "Пишу долго")
    _post(office, f"/{talk['id']}/messages", token=talk["token"], client_id="3", text="Жду")
    page.locator(".bo-fresh").wait_for(timeout=15_000)
    assert page.input_value("#say") == "Пишу долго"  # what is being written is never lost to a reload
    page.fill("#say", "")
    page.get_by_text("Завершить разговор").click()
    page.locator("#close-now").click()
    page.locator("#say").wait_for(state="detached")

    said = "SELECT count(*) FROM sales_message WHERE author = 'operator'"
    assert office.sql(said)[0][0] == 1
    assert office.sql("SELECT mode FROM sales_conversation") == [("closed",)]
    assert office.sql("SELECT state FROM channels_app_delivery") == [("kept",)]
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert page.complaints == []  # type: ignore[attr-defined]
