"""The widget and the real server: a visitor's whole way, and what happens when processes die under it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import PHONE
from tests.stack import Stack, running, until
from tests.widget.support import begin, bubbles, field, open_chat, write

pytestmark = pytest.mark.browser

NB = "\u00a0"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running(demo=True) as started:
        yield started


def _answered(page: Page, count: int) -> None:
    # a process that has just been started takes its time on a busy machine
    expect(page.locator(".item.assistant[data-seq]")).to_have_count(count, timeout=60_000)


def _conversation(page: Page) -> str:
    return page.evaluate("JSON.parse(localStorage.getItem('aisales:main:session')).id")


def _stored(stack: Stack, page: Page, author: str = "customer") -> int:
    query = "SELECT count(*) FROM sales_message WHERE conversation_id = %s AND author = %s"
    return int(str(stack.sql(query, _conversation(page), author)[0][0]))


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_visitor_asks_gets_a_price_to_the_kopeck_and_leaves_with_a_proposal(
    open_page: Callable[..., Page], stack: Stack, size: str
) -> None:
    page = open_page(f"{stack.url}/", **(PHONE if size == "phone" else {}))
    begin(page, "Сколько стоит AI-менеджер на 1 800 диалогов в месяц вместе с AI-юристом Старт, если платить за год?")
    _answered(page, 1)

    card = page.get_by_role("region", name="Расчёт")
    expect(card.locator(".total")).to_contain_text(f"473{NB}472,00{NB}₽")
    expect(card).to_contain_text(f"−118{NB}368,00{NB}₽")
    write(page, "Меня зовут Анна Петрова, телефон +7 916 123-45-67")
    _answered(page, 2)
    write(page, "Подготовьте коммерческое предложение")
    _answered(page, 3)

    address = page.get_by_role("link", name=re.compile("^Скачать")).last.get_attribute("href")
    document = page.request.get(str(address))
    assert document.status == 200
    assert document.headers["content-type"] == "application/pdf"
    assert document.body().startswith(b"%PDF-")
    assert page.complaints == []  # type: ignore[attr-defined]
    assert {url.split("/")[2] for url in page.requests} == {stack.url.split("/")[2]}  # type: ignore[attr-defined]


def test_a_chip_is_a_question_and_the_answer_names_its_source(open_page: Callable[..., Page], stack: Stack) -> None:
    page = open_page(f"{stack.url}/")
    panel = open_chat(page)
    page.get_by_role("checkbox").check()

    panel.get_by_role("button", name="Что умеет AI-менеджер?").click()

    _answered(page, 1)
    expect(page.locator("details.source summary")).to_contain_text("Источники:")


def test_a_button_of_the_site_opens_the_chat_with_its_question(open_page: Callable[..., Page], stack: Stack) -> None:
    page = open_page(f"{stack.url}/")

    page.get_by_role("button", name="Узнать цену для вас").click()

    expect(field(page)).to_have_value(re.compile("Сколько стоит AI-менеджер"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_button_calls_a_person(open_page: Callable[..., Page], stack: Stack) -> None:
    page = open_page(f"{stack.url}/")
    panel = begin(page)

    panel.get_by_role("button", name="Позвать человека").click()

    expect(panel.locator(".banner")).to_contain_text("Сотрудника позвали", timeout=15_000)
    until(
        lambda: stack.sql("SELECT mode FROM sales_conversation WHERE id = %s", _conversation(page)) == [("waiting",)],
        seconds=5,
        what="the conversation waits for a person",
    )


def test_a_killed_server_that_returns_has_lost_and_doubled_nothing(
    open_page: Callable[..., Page], stack: Stack
) -> None:
    page = open_page(f"{stack.url}/")
    panel = begin(page, "Какие есть скидки?")
    _answered(page, 1)
    stack.kill("daphne")
    write(page, "Сколько стоит AI-юрист Старт в месяц?")
    expect(panel.locator(".banner")).to_contain_text("Нет связи")

    stack.start("daphne")

    expect(page.locator(".item.customer[data-seq]")).to_have_count(2, timeout=10_000)
    _answered(page, 2)
    expect(panel.locator(".banner")).to_be_hidden()
    shown = bubbles(page)
    assert shown[0::2] == ["Какие есть скидки?", "Сколько стоит AI-юрист Старт в месяц?"]
    assert (_stored(stack, page), _stored(stack, page, "assistant")) == (2, 2)
    page.reload()
    open_chat(page)
    until(lambda: bubbles(page) == shown, seconds=10, what="the same history")


def test_while_nobody_can_answer_the_visitor_is_told_so(open_page: Callable[..., Page], stack: Stack) -> None:
    page = open_page(f"{stack.url}/")
    stack.kill("worker")
    stack.kill("sweep")
    try:
        panel = begin(page, "Какие есть скидки?")
        expect(panel.locator(".banner")).to_contain_text("Сообщение сохранено", timeout=20_000)
    finally:
        stack.start("worker")
        stack.start("sweep")

    _answered(page, 1)
    expect(panel.locator(".banner")).to_be_hidden()


def test_without_valkey_the_answer_comes_all_the_same(open_page: Callable[..., Page], stack: Stack) -> None:
    page = open_page(f"{stack.url}/")
    begin(page, "Какие есть скидки?")
    _answered(page, 1)
    stack.kill("valkey")
    try:
        write(page, "Сколько стоит AI-юрист Старт в месяц?")
        _answered(page, 2)
    finally:
        stack.start("valkey")


def test_two_tabs_see_the_same(open_page: Callable[..., Page], stack: Stack) -> None:
    one = open_page(f"{stack.url}/")
    begin(one, "Какие есть скидки?")
    _answered(one, 1)
    two = open_page(f"{stack.url}/", context=one.context)
    open_chat(two)
    _answered(two, 1)

    write(two, "Сколько стоит AI-юрист Старт в месяц?")

    for page in (one, two):
        _answered(page, 2)
    assert bubbles(one) == bubbles(two)
    assert _stored(stack, one) == 2


def test_what_a_visitor_types_is_text_for_the_real_server_too(open_page: Callable[..., Page], stack: Stack) -> None:
    page = open_page(f"{stack.url}/")
    nasty: list[Any] = ["<img src=x onerror=alert(1)>", "**a** [x](javascript:alert(1))", "\u202eабв \U0001f600"]
    begin(page, nasty[0])
    for text in nasty[1:]:
        write(page, text)
    _answered(page, 1)
    page.reload()
    open_chat(page)

    expect(page.locator(".item.customer > .bubble")).to_have_text(nasty)
    assert page.locator(".item.customer > .bubble *").count() == 0
    assert page.dialogs == []  # type: ignore[attr-defined]


def test_a_word_of_a_site_on_another_origin_reaches_the_real_server(
    open_page: Callable[..., Page], stack: Stack, site: Any
) -> None:
    site.pages["/shop"] = ({}, f'<title>x</title><h1>x</h1><script async src="{stack.url}/widget.js"></script>')
    page = open_page(f"{site.url}/shop?phone=79160000000")

    begin(page, "Какие есть скидки?")

    _answered(page, 1)
