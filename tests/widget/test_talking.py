"""Nothing is lost and nothing comes twice, whatever the line does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.stack import until
from tests.widget.standin import StandIn
from tests.widget.support import begin, bubbles, field, open_chat, pass_time, see, write

pytestmark = pytest.mark.browser


def _changed(page_options: dict[str, Any], embed: Callable[..., Page], old: str, new: str) -> Page:
    """The widget with a line of its code replaced: the twin of a test, with the guard off."""
    page = embed(**page_options)

    def replace(route: Route) -> None:
        answer = route.fetch()
        source = answer.text()
        assert source.count(old) == 1, old
        route.fulfill(response=answer, body=source.replace(old, new))

    page.route("**/widget/core.js", replace)
    return page


def test_a_message_shows_at_once_and_then_that_it_was_sent(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    server.reply = None
    begin(page, "первое")
    server.deaf = True

    write(page, "второе")

    expect(page.locator("[data-state=sending] .bubble")).to_have_text("второе", timeout=300)
    expect(page.locator("[data-state=sending] .foot")).to_contain_text("Отправляется")
    expect(page.locator(".typing, .dots").first).to_be_visible()


def test_the_last_message_says_that_it_was_sent(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    server.reply = None

    begin(page, "первое")

    expect(page.locator(".item.customer .foot").last).to_contain_text("Отправлено")


def test_an_outage_loses_nothing_and_doubles_nothing(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    panel = begin(page, "первое")
    see(page, "первое", "Ответ на: первое")

    # an answer between the two would be right as well, and make the order a matter of chance
    server.reply = None
    server.stop()
    write(page, "второе")
    write(page, "третье")
    expect(panel.locator(".banner")).to_have_text("Нет связи – отправим, когда появится")
    server.store(next(iter(server.conversations.values())), "operator", "вы тут?")
    server.start()

    see(page, "первое", "Ответ на: первое", "вы тут?", "второе", "третье")
    expect(panel.locator(".banner")).to_be_hidden()
    assert server.texts() == ["первое", "второе", "третье"]


def test_an_outage_of_minutes_ends_within_seconds_of_the_servers_return(
    embed: Callable[..., Page], server: StandIn
) -> None:
    page = embed(clock=True)
    begin(page, "первое")
    server.stop()
    write(page, "второе")
    pass_time(page, 14)
    expect(page.locator("[data-state=failed]")).to_contain_text("Не отправлено")

    server.start()
    began = time.monotonic()
    expect(page.locator("[data-seq]").filter(has_text="второе").first).to_be_visible(timeout=8000)

    assert time.monotonic() - began < 6.5
    assert server.texts() == ["первое", "второе"]


def test_again_sends_the_same_message_and_not_another(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed(clock=True)
    begin(page, "первое")
    server.stop()
    write(page, "второе")
    pass_time(page, 11)
    again = page.get_by_role("button", name="Повторить")
    again.wait_for()
    server.start()

    again.click()

    expect(page.locator(".item.customer[data-seq]")).to_have_count(2)
    assert server.texts() == ["первое", "второе"]


def test_a_lost_acknowledgement_doubles_nothing_on_the_server_or_on_the_screen(
    embed: Callable[..., Page], server: StandIn
) -> None:
    page = embed()
    server.reply = None
    begin(page, "первое")
    page.evaluate(WATCH)
    server.swallow_acks = 3

    write(page, "второе")

    expect(page.locator(".item.customer[data-seq]")).to_have_count(2, timeout=15_000)
    until(lambda: len([frame for frame in server.frames if frame["type"] == "message"]) >= 5, seconds=15, what="resent")
    page.wait_for_timeout(500)
    assert server.texts() == ["первое", "второе"]
    assert bubbles(page) == ["первое", "второе"]
    assert page.evaluate("most") == 2  # not even for a moment


#: counts the most customer bubbles that were ever shown at once
WATCH = """() => {
  const log = document.querySelector("aisales-chat").shadowRoot.querySelector(".log");
  window.most = 0;
  const count = () => (window.most = Math.max(window.most, log.querySelectorAll(".item.customer").length));
  new MutationObserver(count).observe(log, { childList: true, subtree: true });
}"""


@pytest.mark.proof
def test_with_a_new_id_at_each_try_the_server_would_have_it_twice(embed: Callable[..., Page], server: StandIn) -> None:
    page = _changed(
        {},
        embed,
        "client_id: item.client_id, text: item.text });\n    }",
        "client_id: `${Math.random()}`, text: item.text });\n    }",
    )
    server.reply = None
    open_chat(page)
    page.get_by_role("checkbox").check()
    server.swallow_acks = 1

    write(page, "второе")

    until(lambda: server.conversations and len(server.texts()) > 1, seconds=10, what="the double")


@pytest.mark.proof
def test_without_looking_for_the_twin_the_screen_would_show_it_twice(
    embed: Callable[..., Page], server: StandIn
) -> None:
    page = _changed({}, embed, "      return !twin;", "      return true;")
    server.reply = None
    begin(page, "первое")
    page.evaluate(WATCH)
    server.swallow_acks = 2

    write(page, "второе")

    expect(page.locator(".item.customer[data-seq]")).to_have_count(2, timeout=15_000)
    assert page.evaluate("most") == 3


def test_the_same_words_twice_are_two_messages(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    server.reply = None
    begin(page, "да")

    write(page, "да")
    write(page, "да")

    expect(page.locator(".item.customer[data-seq]")).to_have_count(3)
    assert server.texts() == ["да", "да", "да"]


def test_a_message_that_came_between_stands_where_the_server_put_it(
    embed: Callable[..., Page], server: StandIn
) -> None:
    page = embed()
    server.reply = None
    begin(page, "первое")
    server.stop()
    write(page, "второе")
    server.store(next(iter(server.conversations.values())), "operator", "между")

    server.start()

    see(page, "первое", "между", "второе")


def test_a_reload_shows_the_history_and_the_draft(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    begin(page, "первое")
    see(page, "первое", "Ответ на: первое")
    field(page).fill("не дописа")

    page.reload()
    open_chat(page)

    see(page, "первое", "Ответ на: первое")
    expect(field(page)).to_have_value("не дописа")
    assert len(server.conversations) == 1


def test_a_reload_while_the_server_is_away_keeps_what_was_not_sent(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    begin(page, "первое")
    see(page, "первое", "Ответ на: первое")
    server.stop()
    write(page, "второе")
    expect(page.locator("[data-state]")).to_have_count(1)

    server.start()
    page.reload()
    open_chat(page)

    see(page, "первое", "Ответ на: первое", "второе", "Ответ на: второе")
    assert server.texts() == ["первое", "второе"]


def test_a_first_message_waits_until_a_conversation_can_be_opened(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    open_chat(page)
    page.get_by_role("checkbox").check()
    server.rest = "fail"

    write(page, "первое")
    page.wait_for_timeout(2500)
    expect(page.locator(".banner")).to_contain_text("Нет связи")
    server.rest = "on"

    see(page, "первое", "Ответ на: первое")
    assert len(server.conversations) == 1


def test_two_tabs_are_one_conversation(embed: Callable[..., Page], server: StandIn) -> None:
    one = embed()
    begin(one, "из первой")
    two = embed(context=one.context)
    open_chat(two)
    see(two, "из первой", "Ответ на: из первой")

    write(two, "из второй")

    for page in (one, two):
        see(page, "из первой", "Ответ на: из первой", "из второй", "Ответ на: из второй")
    assert len(server.conversations) == 1
    assert server.texts() == ["из первой", "из второй"]


def test_a_tab_that_was_open_before_joins_the_conversation_of_the_other(
    embed: Callable[..., Page], server: StandIn
) -> None:
    two = embed()
    open_chat(two)
    one = embed(context=two.context)

    begin(one, "из первой")

    see(two, "из первой", "Ответ на: из первой")
    expect(two.locator(".consent")).to_be_hidden()


def test_where_websockets_are_blocked_the_chat_goes_by_rest(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed(clock=True)
    server.sockets = "refuse"
    open_chat(page)
    page.get_by_role("checkbox").check()

    write(page, "первое")

    see(page, "первое", "Ответ на: первое", timeout=15_000)
    expect(page.locator(".banner")).to_be_hidden()
    write(page, "второе")
    see(page, "первое", "Ответ на: первое", "второе", "Ответ на: второе")
    server.sockets = "on"
    pass_time(page, 8)
    until(lambda: any(frame["type"] == "hello" for frame in server.frames), seconds=10, what="a socket again")
    page.wait_for_timeout(300)
    before = len(server.paths())
    pass_time(page, 10)
    assert len(server.paths()) == before  # no polling beside a socket


def test_a_socket_that_opens_and_says_nothing_is_given_up(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed(clock=True)
    server.sockets = "silent"
    open_chat(page)
    page.get_by_role("checkbox").check()

    write(page, "первое")
    pass_time(page, 11)
    until(lambda: len(server.paths("/chat/ws/")) >= 2, seconds=2, what="another socket")
    server.sockets = "on"

    see(page, "первое", "Ответ на: первое", timeout=15_000)
    assert server.texts() == ["первое"]


def test_a_message_that_the_bell_dropped_is_fetched(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    server.reply = None
    begin(page, "первое")

    server.say("пропало", to_sockets=False)
    server.say("дошло")

    see(page, "первое", "пропало", "дошло")


def test_a_message_that_comes_twice_is_shown_once(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    begin(page, "первое")
    see(page, "первое", "Ответ на: первое")
    (conversation,) = server.conversations.values()

    for message in [*conversation["messages"], *conversation["messages"]]:
        server.send(type="message", message=message)
    server.say("последнее")

    see(page, "первое", "Ответ на: первое", "последнее")


def test_a_refused_message_says_so_and_holds_nothing_up(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    server.reply = None
    begin(page, "первое")
    server.refuse_text = "плохое"

    write(page, "плохое")
    write(page, "хорошее")

    expect(page.locator("[data-state=refused]")).to_contain_text("не принято")
    expect(page.locator(".item.customer[data-seq]")).to_have_count(2)
    assert server.texts() == ["первое", "хорошее"]


def test_states_are_told_in_words(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    panel = begin(page)

    server.send(type="state", mode="waiting")
    expect(panel.locator(".banner")).to_contain_text("Сотрудника позвали")
    server.send(type="state", mode="operator")
    expect(panel.locator(".banner")).to_contain_text("С вами говорит сотрудник")
    expect(panel.locator(".top p")).to_have_text("Отвечает сотрудник")
    server.send(type="state", mode="assistant")
    expect(panel.locator(".banner")).to_be_hidden()


def test_calling_a_person_is_a_message_and_only_one(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    panel = begin(page)
    call = panel.get_by_role("button", name="Позвать человека")

    call.click()
    expect(page.locator(".item.customer[data-seq]").last).to_contain_text("Позовите, пожалуйста, сотрудника.")
    server.send(type="state", mode="waiting")
    expect(panel.locator(".banner")).to_contain_text("Сотрудника позвали")
    call.click()

    expect(panel.locator(".banner")).to_contain_text("уже позвали")
    assert server.texts() == ["Здравствуйте", "Позовите, пожалуйста, сотрудника."]


def test_an_answer_that_is_late_gets_a_word_of_comfort(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed(clock=True)
    server.reply = None
    panel = begin(page)
    expect(page.locator(".dots")).to_be_visible()

    pass_time(page, 16)
    expect(panel.locator(".banner")).to_contain_text("Сообщение сохранено")
    expect(page.locator(".dots")).to_have_count(0)
    server.say("вот и ответ")

    expect(panel.locator(".banner")).to_be_hidden()


def test_what_is_too_long_is_counted_and_not_sent(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    server.reply = None
    begin(page)

    field(page).fill("😀" * 4000)
    expect(page.locator("#count")).to_have_text("4000 из 4000 символов")
    field(page).fill("😀" * 4001)
    expect(page.locator("#count")).to_contain_text("Слишком длинное сообщение: 4001")
    field(page).press("Enter")
    page.wait_for_timeout(300)

    assert server.texts() == ["Здравствуйте"]
    assert field(page).input_value() == "😀" * 4001
    write(page, "😀" * 4000)
    until(lambda: server.texts()[1:] == ["😀" * 4000], seconds=5, what="stored")


def test_enter_sends_shift_enter_breaks_and_composing_does_neither(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    server.reply = None
    begin(page)
    field(page).fill("раз")
    pressed = "{key: 'Enter', isComposing: true, cancelable: true}"
    composing = f"(node) => node.dispatchEvent(new KeyboardEvent('keydown', {pressed}))"

    field(page).press("Shift+Enter")
    field(page).press_sequentially("два")
    allowed = field(page).evaluate(composing)
    assert (field(page).input_value(), allowed) == ("раз\nдва", True)
    field(page).press("Enter")

    until(lambda: len(server.texts()) == 2, seconds=5, what="stored")
    assert server.texts()[1] == "раз\nдва"
    for nothing in ("", "   ", "\n\n"):
        field(page).fill(nothing)
        field(page).press("Enter")
    page.wait_for_timeout(200)
    assert len(server.texts()) == 2


def test_nasty_texts_of_a_visitor_are_shown_as_they_are(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    server.reply = None
    begin(page)
    nasty = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "**не жирно** [x](https://evil.example)",
        "{{7*7}} ${alert(1)} %s {0}",
        "\u202eнаоборот",
        "а" + "\u0301" * 500,
        "👨‍👩‍👧" * 200,
        "нуль\u200bширины",
        "x" * 3000,
    ]

    for text in nasty:
        write(page, text)

    expect(page.locator(".item.customer[data-seq] > .bubble")).to_have_text(["Здравствуйте", *nasty])
    assert page.locator(".item.customer > .bubble *").count() == 0
    assert page.dialogs == []
    log = page.locator(".log")
    assert log.evaluate("(node) => node.scrollWidth <= node.clientWidth")


def test_a_thousand_messages_come_up_whole(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    server.reply = None
    begin(page)
    (conversation,) = server.conversations.values()
    for number in range(1000):
        server.store(conversation, "assistant" if number % 2 else "customer", f"сообщение {number}", notify=False)
    page.reload()
    open_chat(page)

    expect(page.locator("article.item")).to_have_count(1001, timeout=15_000)
    expect(page.locator("article.item").last).to_be_visible()
