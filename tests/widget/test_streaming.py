"""An answer that grows before the visitor's eyes, and is heard once, when it is done."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.widget.standin import StandIn
from tests.widget.support import begin, open_chat, see

pytestmark = pytest.mark.browser

GROWING = "[aria-busy=true] .bubble"


@pytest.fixture
def page(embed: Callable[..., Page], server: StandIn) -> Page:
    server.reply = None
    page = embed()
    begin(page, "первое")
    return page


def grow(server: StandIn, *texts: str, turn: str = "t1") -> None:
    for text in texts:
        server.send(type="delta", turn=turn, text=text)


def test_a_stream_grows_and_the_finished_message_takes_its_place(page: Page, server: StandIn) -> None:
    grow(server, "**Тариф", "** Бизнес. ")

    expect(page.locator(GROWING)).to_have_text("Тариф Бизнес.")
    expect(page.locator(f"{GROWING} strong")).to_have_text("Тариф")
    server.say("**Тариф** Бизнес. Берёте?")
    see(page, "первое", "Тариф Бизнес. Берёте?")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def test_growing_words_are_drawn_as_the_finished_ones_and_stay_where_they_are(page: Page, server: StandIn) -> None:
    text = "Есть три:\n\n- **Старт**\n- Бизнес\n\n| тариф | цена |\n| --- | --- |\n| Старт | 1 |\n\nЧто выбрать? "
    grow(server, text)
    expect(page.locator(f"{GROWING} td")).to_have_count(2)
    before = page.locator(GROWING).inner_html()
    box = page.locator(GROWING).bounding_box()

    server.say(text.strip())

    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    after = page.locator(".item.assistant .bubble").last
    assert (after.inner_html(), after.bounding_box()) == (before, box)


def test_there_is_no_moment_without_the_words(page: Page, server: StandIn) -> None:
    grow(server, "Слова. ")
    expect(page.locator(GROWING)).to_be_visible()
    page.evaluate(
        """() => {
            const root = [...document.querySelectorAll("*")].find((node) => node.shadowRoot)?.shadowRoot || document;
            const log = root.querySelector("[role=log]");
            window.gaps = 0;
            const look = () => {
                if (!log.textContent.includes("Слова.")) window.gaps += 1;
                requestAnimationFrame(look);
            };
            look();
        }"""
    )

    grow(server, "И ещё. ")
    server.say("Слова. И ещё. Конец.")
    see(page, "первое", "Слова. И ещё. Конец.")

    assert page.evaluate("window.gaps") == 0


def test_nothing_that_grows_is_markup_or_a_way_out(page: Page, server: StandIn) -> None:
    grow(server, "<img src=x onerror=alert(1)> [нажми](javascript:alert(1)) ![](https://evil.example/x.png) ")

    expect(page.locator(GROWING)).to_contain_text("<img src=x onerror=alert(1)>")
    page.wait_for_timeout(200)
    assert page.locator(f"{GROWING} img, {GROWING} a").count() == 0
    assert page.dialogs == []  # type: ignore[attr-defined]
    assert [url for url in page.requests if "evil" in url] == []  # type: ignore[attr-defined]


def test_another_draft_takes_the_place_of_the_first(page: Page, server: StandIn) -> None:
    grow(server, "Первый начал. ")
    grow(server, "Второй ", "начал. ", turn="t1:1.1")

    expect(page.locator(GROWING)).to_have_text("Второй начал.")
    server.say("Второй начал. И кончил.")
    see(page, "первое", "Второй начал. И кончил.")


def test_dots_show_until_the_first_words_and_not_beside_them(page: Page, server: StandIn) -> None:
    server.send(type="typing", author="assistant")
    expect(page.locator(".dots")).to_be_visible()

    grow(server, "Слова. ")

    expect(page.locator(GROWING)).to_be_visible()
    expect(page.locator(".dots")).to_have_count(0)


def test_what_an_operator_breaks_off_is_gone(page: Page, server: StandIn) -> None:
    grow(server, "Начало. ")
    expect(page.locator(GROWING)).to_be_visible()

    server.send(type="state", mode="operator")

    expect(page.locator(GROWING)).to_have_count(0)


def test_a_line_that_breaks_in_the_middle_leaves_no_torn_answer(page: Page, server: StandIn) -> None:
    grow(server, "Начало. ")
    expect(page.locator(GROWING)).to_be_visible()

    server.stop()
    expect(page.locator(GROWING)).to_have_count(0)
    server.start()
    server.say("Начало. Конец.")

    see(page, "первое", "Начало. Конец.", timeout=15_000)


def test_two_tabs_read_along(page: Page, server: StandIn, open_page: Callable[..., Page]) -> None:
    other = open_page(page.url, context=page.context)
    open_chat(other)
    see(other, "первое")

    grow(server, "Слова. ")

    for tab in (page, other):
        expect(tab.locator(GROWING)).to_have_text("Слова.")
    server.say("Слова. Всё.")
    for tab in (page, other):
        see(tab, "первое", "Слова. Всё.")


def test_a_screen_reader_hears_only_the_finished_answer(page: Page, server: StandIn) -> None:
    grow(server, "Одно. ", "Второе. ")
    expect(page.locator(GROWING)).to_contain_text("Второе.")
    spoken = page.locator(".panel > .sr[aria-live=polite] p")
    expect(spoken).to_have_count(0)

    server.say("Одно. Второе. Третье.")

    expect(spoken).to_have_text(["ИИ-помощник: Одно. Второе. Третье."])


def test_a_long_answer_is_read_from_its_beginning(page: Page, server: StandIn) -> None:
    grow(server, "Начало.\n\n")
    expect(page.locator(GROWING)).to_be_visible()
    for number in range(40):
        grow(server, f"Абзац {number}.\n\n")
    expect(page.locator(GROWING)).to_contain_text("Абзац 39.")

    top = page.locator(GROWING).bounding_box()
    log = page.get_by_role("log").bounding_box()
    assert top and log
    assert top["y"] >= log["y"] - 1
