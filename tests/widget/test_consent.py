"""Nothing leaves the browser before the visitor has agreed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.widget.standin import StandIn
from tests.widget.support import agree, field, open_chat, see, write

pytestmark = pytest.mark.browser


def test_the_first_screen_says_who_answers_and_what_one_may_ask(embed: Callable[..., Page]) -> None:
    page = embed()

    panel = open_chat(page)

    expect(panel).to_contain_text("Отвечает ИИ-помощник")
    expect(panel).to_contain_text("Здравствуйте!")
    expect(panel.locator(".chips button")).to_have_count(4)
    expect(panel.get_by_role("button", name="Позвать человека")).to_be_visible()
    expect(panel.get_by_role("checkbox")).not_to_be_checked()


def test_the_consent_has_two_links_to_two_texts(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    panel = open_chat(page)

    links = {link.inner_text(): link for link in panel.locator(".consent a").all()}

    assert {name: link.get_attribute("href") for name, link in links.items()} == {
        "согласие на обработку персональных данных": f"{server.url}/legal/consent",
        "Политика": f"{server.url}/legal/privacy",
    }
    assert {link.get_attribute("target") for link in links.values()} == {"_blank"}


@pytest.mark.parametrize("way", ["enter", "button", "chip", "person"])
def test_without_consent_nothing_is_sent_and_the_box_says_why(
    embed: Callable[..., Page], server: StandIn, way: str
) -> None:
    page = embed()
    panel = open_chat(page)
    field(page).fill("Мой телефон +7 916 000-00-00")

    if way == "enter":
        field(page).press("Enter")
    elif way == "button":
        panel.get_by_role("button", name="Отправить").click()
    elif way == "chip":
        panel.get_by_role("button", name="Какие есть скидки?").click()
    else:
        panel.get_by_role("button", name="Позвать человека").click()

    expect(panel.get_by_role("alert").filter(has_text="Отметьте согласие")).to_be_visible()
    expect(panel.get_by_role("checkbox")).to_be_focused()
    assert panel.get_by_role("checkbox").get_attribute("aria-invalid") == "true"
    page.wait_for_timeout(500)
    assert server.paths() == []
    assert server.paths("/chat") == []
    assert field(page).input_value() != ""


def test_with_consent_the_words_that_waited_are_sent(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed(query="?utm=mail&phone=79160000000#token=secret")
    panel = open_chat(page)
    panel.get_by_role("button", name="Какие есть скидки?").click()

    agree(page)
    expect(panel.locator("#agree-problem")).to_be_empty()
    field(page).press("Enter")

    see(page, "Какие есть скидки?", "Ответ на: Какие есть скидки?")
    (opened,) = [body for method, path, body in server.seen if path == "/api/v1/chat/sessions"]
    assert opened == {"consent": True, "page_url": page.evaluate("location.origin") + "/shop"}
    expect(panel.locator(".consent")).to_be_hidden()
    expect(panel.locator(".chips")).to_be_hidden()


def test_a_browser_keeps_its_key_and_sets_no_cookie(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    open_chat(page)
    agree(page)
    write(page, "Здравствуйте")
    see(page, "Здравствуйте", "Ответ на: Здравствуйте")

    kept = json.loads(page.evaluate("localStorage.getItem('aisales:main:session')"))

    assert kept.keys() == {"id", "token"}
    assert kept["id"] in server.conversations
    assert page.context.cookies() == []
    assert page.evaluate("Object.keys(localStorage).filter((key) => !key.startsWith('aisales:main:'))") == []
    # the token travels in the first frame and in a header, never in an address
    assert not [url for url in page.requests if kept["token"] in url]
    assert not [path for _, path, _ in server.seen if kept["token"] in path]


def test_a_conversation_that_is_gone_is_replaced_after_new_consent(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    open_chat(page)
    agree(page)
    write(page, "Здравствуйте")
    see(page, "Здравствуйте", "Ответ на: Здравствуйте")
    server.conversations.clear()
    page.reload()

    panel = open_chat(page)

    expect(panel.get_by_role("alert").filter(has_text="Прежний разговор больше недоступен")).to_be_visible()
    assert not panel.get_by_role("checkbox").is_checked()
    agree(page)
    write(page, "Снова я")
    see(page, "Снова я", "Ответ на: Снова я")


def test_a_closed_conversation_takes_no_more_and_a_new_one_asks_again(
    embed: Callable[..., Page], server: StandIn
) -> None:
    page = embed()
    panel = open_chat(page)
    agree(page)
    write(page, "Здравствуйте")
    see(page, "Здравствуйте", "Ответ на: Здравствуйте")

    server.send(type="state", mode="closed")

    expect(panel.locator(".banner")).to_contain_text("Этот разговор завершён")
    write(page, "Ещё вопрос")
    expect(panel.get_by_role("alert").filter(has_text="Отметьте согласие")).to_be_visible()
    assert server.texts() == ["Здравствуйте"]
    agree(page)
    field(page).press("Enter")
    see(page, "Ещё вопрос", "Ответ на: Ещё вопрос")
    assert len(server.conversations) == 2
