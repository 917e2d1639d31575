"""Staff take an answer apart and ask for it again, in a real browser, with a vendor on loopback."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import PHONE, browser, open_page  # noqa: F401  fixtures
from tests.stack import Stack, running, until
from tests.standins.model_vendor import Say
from tests.standins.openai_chat import OpenAIChat

pytestmark = pytest.mark.timeout(240)
PASSWORD = "a long pass phrase"
WRONG, RIGHT = "Это стоит 77 700 ₽ в месяц.", "Назовите объём диалогов, и я посчитаю точную цену."
OTHER = "Назовите число диалогов в месяц – я сразу посчитаю точную цену."
ATTACK = "<img src=x onerror=document.title='taken'>"
ANSWERED = "SELECT count(*) FROM sales_turn WHERE state = 'kept'"


def answers(body: dict[str, Any]) -> Say:
    """A model that names a wrong price first, and another model of the same vendor that words it otherwise."""
    if body["model"] == "demo-other":
        return Say(OTHER, prompt_tokens=1500, answer_tokens=40)
    told = any("77 700" in str(each.get("content")) for each in body["messages"])
    return Say(RIGHT if told else f"{WRONG} {ATTACK}", prompt_tokens=1200, cached_tokens=800, answer_tokens=30)


@pytest.fixture(scope="module")
def office() -> Iterator[Stack]:
    """The product with a model that answers, another one to ask again, and one answer."""
    with OpenAIChat() as vendor:
        vendor.reply = answers
        keys = {"OPENAI_API_KEY": "sk-of-nobody", "OPENAI_BASE_URL": vendor.url, "OPENAI_MODEL": "demo-first"}
        with running(demo=True, RATE_LIMITS="off", EMBEDDER="", **keys) as stack:
            stack.manage("shell", "-c", MORE.format(url=vendor.url))
            talk = _post(stack, "", consent=True, name="Анна")
            text = f"Сколько стоит AI-менеджер? Мой телефон +7 916 123-45-67 {ATTACK}"
            _post(stack, f"/{talk['id']}/messages", token=talk["token"], client_id="1", text=text)
            until(lambda: stack.sql(ANSWERED)[0][0] > 0, seconds=60, what="an answer")
            yield stack


MORE = """
from knowledge.llm.models import ModelProfile
ModelProfile.objects.create(slug="another", title="Другая", is_active=False, dialect="openai", model="demo-other",
    base_url="{url}", key_variable="OPENAI_API_KEY", price_in=100, price_out=1000)
"""


@pytest.mark.parametrize("screen", [{}, PHONE])
def test_answer_is_taken_apart_and_asked_for_again(
    office: Stack,
    open_page: Callable[..., Page],  # noqa: F811
    screen: dict[str, Any],
) -> None:
    page = open_page(f"{office.url}/admin/login/", **screen)
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{office.url}/admin/")
    page.goto(f"{office.url}/admin/sales/conversation/")
    page.locator("#result_list tbody th a").first.click()
    page.locator(".bo-trace summary", has_text="Как получился этот ответ").first.click()
    page.get_by_role("link", name="Разобрать этот ответ").first.click()

    shown = page.locator(".bo-page").inner_text()
    for words in ("demo-first", "77 700", "knowledge__search", "Вызовы языковых моделей", "1200 / 800", "пропущено"):
        assert words in shown
    drawn = page.locator(".bo-bar-own").evaluate_all("found => found.map((each) => each.clientWidth)")
    assert len(drawn) >= 7 and all(width > 0 for width in drawn)
    page.get_by_label("модель").select_option("another")
    page.get_by_role("button", name="Спросить ещё раз").click()
    page.locator("#second").wait_for()

    assert "сразу" in " ".join(page.locator(".bo-differences ins").all_inner_texts())
    assert "demo-other" in page.locator("#second").inner_text()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert (page.title() == "taken", page.complaints) == (False, [])  # type: ignore[attr-defined]
    assert office.sql("SELECT count(*) FROM sales_message")[0][0] == 2


def _post(office: Stack, path: str, *, token: str = "", **data: Any) -> Any:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{office.url}/api/v1/chat/sessions{path}", json.dumps(data).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)
