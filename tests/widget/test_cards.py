"""What the assistant shows beside its words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.stack import until
from tests.widget.standin import StandIn
from tests.widget.support import begin, see, write

pytestmark = pytest.mark.browser

NB = "\u00a0"
QUOTE: dict[str, Any] = {
    "kind": "quote",
    "text": "Расчёт № Р-000123: итого 522 472,00 ₽",
    "number": "Р-000123",
    "currency": "RUB",
    "lines": [
        {"code": "ai_manager", "name": "AI-менеджер", "detail": "тариф «Бизнес», 12 мес.", "amount": "418800.00"},
        {"code": "ai_analyst", "name": "AI-аналитик", "detail": "тариф «Enterprise»", "amount": None},
        {"code": "onboarding", "name": "Внедрение", "detail": "1 внедрение", "amount": "49000.00"},
    ],
    "subscription": "418800.00",
    "discounts": [{"code": "annual", "name": "Оплата за год", "amount": "83760.00"}],
    "services": "49000.00",
    "total": "384040.00",
    "vat": {"mode": "none_usn", "rate": None, "amount": "0.00", "words": "НДС не облагается"},
    "billing_period": "year",
    "valid_until": "2026-12-08",
    "on_request": True,
}
DOCUMENT: dict[str, Any] = {
    "kind": "document",
    "text": "Предложение",
    "document": "00000000-0000-0000-0000-000000000001",
    "title": "Коммерческое предложение",
    "number": "КП-17",
    "url": "/documents/token/proposal.pdf",
    "media_type": "application/pdf",
    "size": 182_334,
}
CHOICES: dict[str, Any] = {
    "kind": "choices",
    "text": "Что выбрать?",
    "options": [{"label": "За год", "text": "Посчитайте за год"}, {"label": "За месяц", "text": "Посчитайте за месяц"}],
}
CONTACT: dict[str, Any] = {"kind": "contact", "text": "Оставьте контакты", "fields": ["name", "phone", "email"]}


@pytest.fixture
def page(embed: Callable[..., Page], server: StandIn) -> Page:
    server.reply = None
    page = embed()
    begin(page)
    return page


def test_a_quote_is_a_table_to_the_kopeck(page: Page, server: StandIn) -> None:
    server.say("Посчитал.", cards=[QUOTE])

    card = page.get_by_role("region", name="Расчёт")
    rows = [[cell.strip() for cell in row.split("\t")] for row in card.locator("table").inner_text().split("\n") if row]
    flat = " | ".join(" ".join(row) for row in rows)
    for words in (
        f"418{NB}800,00{NB}₽",
        "по запросу",
        f"−83{NB}760,00{NB}₽",
        f"Итого 384{NB}040,00{NB}₽",
        "тариф «Бизнес», 12 мес.",
    ):
        assert words in flat
    expect(card).to_contain_text("Расчёт № Р-000123")
    expect(card).to_contain_text("Оплата за год")
    expect(card.locator("footer")).to_contain_text("НДС не облагается")
    expect(card.locator("footer")).to_contain_text("Цена действует до 8 декабря 2026")
    expect(card.locator("footer")).to_contain_text("назовёт сотрудник")


def test_a_date_of_a_card_is_the_same_in_every_time_zone(embed: Callable[..., Page], server: StandIn) -> None:
    server.reply = None
    page = embed(timezone_id="Pacific/Honolulu")
    begin(page)

    server.say("Посчитал.", cards=[QUOTE])

    expect(page.locator(".quote footer")).to_contain_text("8 декабря 2026")


def test_a_document_opens_apart_from_the_chats_own_server(page: Page, server: StandIn) -> None:
    server.say("Готово.", cards=[DOCUMENT])

    card = page.get_by_role("region", name="Документ")
    expect(card).to_contain_text("№ КП-17 · PDF · 182 КБ")
    link = card.get_by_role("link", name="Скачать: Коммерческое предложение")
    assert link.get_attribute("href") == f"{server.url}/documents/token/proposal.pdf"
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener noreferrer")
    expect(card).not_to_contain_text("Готовится")


def test_a_document_that_is_being_made_says_so_while_it_is_new(page: Page, server: StandIn) -> None:
    server.say("Готово.", cards=[{**DOCUMENT, "size": None}])
    server.say("Вчера.", cards=[{**DOCUMENT, "size": None}], created_at="2026-01-01T10:00:00+00:00")

    cards = page.get_by_role("region", name="Документ")
    expect(cards).to_have_count(2)
    new, old = cards.all()
    expect(new).to_contain_text("Готовится")
    expect(old).not_to_contain_text("Готовится")
    expect(old.get_by_role("link")).to_be_visible()


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        pytest.param("data:text/html,x", marks=pytest.mark.proof),
        "https://[",
        pytest.param(None, marks=pytest.mark.proof),
    ],
)
def test_a_document_with_a_bad_address_has_no_link(page: Page, server: StandIn, address: str | None) -> None:
    server.say("Готово.", cards=[{**DOCUMENT, "url": address}] if address else [{**DOCUMENT, "url": "vbscript:x"}])

    expect(page.get_by_role("region", name="Документ")).to_be_visible()
    assert page.get_by_role("region", name="Документ").get_by_role("link").count() == 0


def test_a_choice_is_said_and_the_chips_are_gone(page: Page, server: StandIn) -> None:
    server.say("Как удобнее?", cards=[CHOICES])
    expect(page.get_by_role("group", name="Что выбрать?")).to_contain_text("Что выбрать?")

    page.get_by_role("button", name="За год").click()

    see(page, "Здравствуйте", "Как удобнее?", "Посчитайте за год")
    expect(page.get_by_role("button", name="За месяц")).to_have_count(0)
    until(lambda: server.texts()[-1] == "Посчитайте за год", seconds=5, what="said")


def test_the_contact_form_is_an_ordinary_message(page: Page, server: StandIn) -> None:
    server.say("Куда прислать?", cards=[CONTACT])
    form = page.get_by_role("form", name="Как с вами связаться")

    form.get_by_role("button", name="Отправить контакты").click()
    expect(form.get_by_role("alert")).to_have_text("Укажите телефон или почту.")
    form.get_by_label("Имя").fill("Анна Петрова")
    form.get_by_label("Телефон").fill("12345")
    form.get_by_label("Эл. почта").fill("anna@example.com")
    form.get_by_label("Эл. почта").press("Enter")
    expect(form.get_by_role("alert")).to_contain_text("Проверьте номер")
    expect(form.get_by_label("Телефон")).to_be_focused()
    form.get_by_label("Телефон").fill("+7 (916) 123-45-67")
    form.get_by_role("button", name="Отправить контакты").click()

    expect(form).to_have_count(0)
    said = "Меня зовут Анна Петрова, телефон +7 (916) 123-45-67, почта anna@example.com."
    until(lambda: server.texts()[-1] == said, seconds=5, what="said")


def test_what_is_typed_into_the_form_stays_when_a_message_comes(page: Page, server: StandIn) -> None:
    server.say("Куда прислать?", cards=[CONTACT])
    form = page.get_by_role("form", name="Как с вами связаться")
    form.get_by_label("Имя").fill("Анна")

    server.say("Можно и потом.")

    see(page, "Здравствуйте", "Куда прислать?", "Можно и потом.")
    expect(form.get_by_label("Имя")).to_have_value("Анна")


def test_an_unknown_card_shows_its_text_and_a_broken_one_harms_nobody(page: Page, server: StandIn) -> None:
    cards = [
        {"kind": "slots", "text": "Время: **10:00**"},
        {"kind": "constructor"},
        {"kind": "quote"},
        {"kind": "toString"},
    ]
    server.say("Вот.", cards=cards)
    server.say("Дальше.")

    expect(page.locator("article.item > .bubble")).to_have_text(["Здравствуйте", "Вот.", "Время: 10:00", "Дальше."])
    assert [line for line in page.complaints if "favicon" not in line] == []  # type: ignore[attr-defined]


def test_sources_are_folded_under_the_answer(page: Page, server: StandIn) -> None:
    server.say("Ответ.", citations=[{"article": "a", "title": "Тарифы"}, {"article": "b", "title": "Скидки"}])
    server.say("Другой.", citations=[{"article": "a", "title": "<b>Тарифы</b>"}])

    expect(page.locator("details.source")).to_have_count(2)
    two, one = page.locator("details.source").all()
    expect(two.locator("summary")).to_have_text("Источники: 2")
    expect(two.locator("ul")).to_be_hidden()
    two.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(two.locator("li")).to_have_text(["Тарифы", "Скидки"])
    expect(one.locator("summary")).to_have_text("Источники: 1")
    expect(one.locator("li")).to_have_text(["<b>Тарифы</b>"])
    # what a screen reader is told of it: a list that opens
    assert page.get_by_role("group").filter(has_text="Источники").count() == 2


def test_cards_bear_html_in_every_field(page: Page, server: StandIn) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    server.say(
        nasty,
        cards=[
            {**QUOTE, "number": nasty, "total": nasty, "lines": [{"name": nasty, "detail": nasty, "amount": nasty}]},
            {**DOCUMENT, "title": nasty, "number": nasty},
            {"kind": "choices", "text": nasty, "options": [{"label": nasty, "text": nasty}]},
            {**CONTACT, "text": nasty},
        ],
        citations=[{"article": nasty, "title": nasty}],
    )
    expect(page.locator(".contact")).to_be_visible()
    page.wait_for_timeout(200)

    assert page.locator("article img").count() == 0
    assert page.dialogs == []  # type: ignore[attr-defined]


def test_an_old_form_and_old_chips_are_not_offered_again(page: Page, server: StandIn) -> None:
    server.say("Куда прислать?", cards=[CONTACT, CHOICES])
    write(page, "Потом")
    expect(page.locator(".contact")).to_have_count(0)

    page.reload()
    page.locator("button.launcher").click()

    see(page, "Здравствуйте", "Куда прислать?", "Потом")
    expect(page.locator(".contact, .choices")).to_have_count(0)


def test_labels_that_the_buttons_show_are_not_written_above_them_too(page: Page, server: StandIn) -> None:
    options = [{"label": "За год", "text": "А если за год?"}, {"label": "За месяц", "text": "А если помесячно?"}]
    server.say("Ответ.", cards=[{"kind": "choices", "text": "За год · За месяц", "options": options}])

    expect(page.locator(".choices .chip")).to_have_text(["За год", "За месяц"])
    assert page.locator(".choices p").count() == 0


def test_the_source_stands_beside_the_words_and_before_the_cards(page: Page, server: StandIn) -> None:
    server.say("Ответ.", cards=[QUOTE], citations=[{"article": "a", "title": "Тарифы"}])

    expect(page.locator(".item.assistant .bubble + .source + .quote")).to_be_visible()
