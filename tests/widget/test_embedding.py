"""On somebody else's page: hostile styles, strict policies, keyboards, phones, screen readers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import PHONE
from tests.widget.standin import StandIn
from tests.widget.support import begin, field, open_chat, see, write

pytestmark = pytest.mark.browser

#: nothing in the widget is still growing into its place
MOTIONLESS = """() => document.querySelector("aisales-chat").shadowRoot.getAnimations()
  .every((each) => each.playState === "finished" || each.effect.getComputedTiming().iterations === Infinity)"""

HOSTILE = """<style>
  * { all: unset !important; color: red !important; transform: rotate(3deg) !important; opacity: .1 !important; }
  div, aisales-chat { display: none !important; }
  button, section, article { display: none !important; font: 40px serif !important; }
  body { overflow: hidden; transform: translateZ(0); }
</style>"""


def test_the_page_pays_two_requests_until_somebody_reaches_for_the_button(
    embed: Callable[..., Page], server: StandIn
) -> None:
    page = embed()
    page.locator("button.launcher").wait_for()
    page.wait_for_timeout(500)
    assert [path for _, path, _ in server.seen] == ["/widget.js"]

    page.locator("button.launcher").hover()
    page.wait_for_timeout(500)

    assert sorted(path for _, path, _ in server.seen) == [
        "/static/widget/core.js",
        "/static/widget/ru.js",
        "/widget.js",
    ]
    assert page.locator(".panel:visible").count() == 0


def test_no_other_host_is_ever_asked(embed: Callable[..., Page], server: StandIn, site: StandIn) -> None:
    page = embed()
    begin(page)
    see(page, "Здравствуйте", "Ответ на: Здравствуйте")
    server.say("![x](https://evil.example/a.png) https://evil.example/b")
    see(page, "Здравствуйте", "Ответ на: Здравствуйте", "x https://evil.example/b")

    asked = {re.sub(r"^(\w+://[^/]+).*", r"\1", url) for url in page.requests}  # type: ignore[attr-defined]
    assert asked == {site.url, server.url}


def test_hostile_styles_of_the_page_change_nothing(embed: Callable[..., Page], server: StandIn) -> None:
    plain, hostile = embed(), embed(head=HOSTILE)

    boxes, looks = [], []
    for page in (plain, hostile):
        begin(page)
        see(page, "Здравствуйте", "Ответ на: Здравствуйте")
        server.conversations.clear()
        boxes.append(
            [page.locator(name).bounding_box() for name in ("button.launcher", ".panel", ".log", "textarea", ".top h2")]
        )
        looks.append(
            page.locator(".top h2").evaluate(
                "(node) => { const s = getComputedStyle(node); return [s.color, s.fontSize, s.fontFamily, s.opacity]; }"
            )
        )

    assert boxes[0] == boxes[1]
    assert looks[0] == looks[1]


def test_the_widget_leaves_the_page_alone(embed: Callable[..., Page]) -> None:
    page = embed(body="<div id='theirs' class='panel'>x</div>")
    styles = "() => getComputedStyle(document.querySelector('#theirs')).cssText"
    before = page.evaluate(styles)
    names = set(page.evaluate("Object.keys(window)"))

    open_chat(page)

    assert page.evaluate(styles) == before
    assert set(page.evaluate("Object.keys(window)")) - names == set()
    assert "aisales" in names


@pytest.mark.parametrize("policy", ["no style-src", "strict-dynamic with trusted types"])
def test_strict_policies_of_the_page_are_borne(embed: Callable[..., Page], server: StandIn, policy: str) -> None:
    if policy == "no style-src":
        csp = (
            f"default-src 'none'; script-src {server.url}; connect-src {server.url} {server.url.replace('http', 'ws')}"
        )
        page = embed(headers={"Content-Security-Policy": csp})
    else:
        csp = "script-src 'nonce-abc' 'strict-dynamic'; require-trusted-types-for 'script'; trusted-types 'none'"
        page = embed(headers={"Content-Security-Policy": csp}, nonce='nonce="abc"')

    begin(page)
    see(page, "Здравствуйте", "Ответ на: Здравствуйте")
    server.say("**Привет**, [ссылка](https://example.com)")

    see(page, "Здравствуйте", "Ответ на: Здравствуйте", "Привет, ссылка (example.com)")
    assert page.locator(".panel").bounding_box()["width"] == 404  # type: ignore[index]
    # the page's own missing picture aside, nothing was refused
    assert [line for line in page.complaints if "favicon" not in line] == []  # type: ignore[attr-defined]


def test_two_snippets_are_one_chat(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed(body=f'<script src="{server.url}/widget.js"></script>')

    page.locator("button.launcher").wait_for()
    page.wait_for_timeout(300)

    assert page.locator("aisales-chat").count() == 1


def test_the_accent_of_the_site_stays_readable(embed: Callable[..., Page]) -> None:
    colours = {}
    for accent in ("#ffd400", "#0a2540", "#fff"):
        page = embed(data=f'data-accent="{accent}"')
        colours[accent] = page.locator("button.launcher").evaluate(
            "(node) => [getComputedStyle(node).backgroundColor, getComputedStyle(node).color]"
        )

    assert colours == {
        "#ffd400": ["rgb(255, 212, 0)", "rgb(13, 15, 20)"],
        "#0a2540": ["rgb(10, 37, 64)", "rgb(255, 255, 255)"],
        "#fff": ["rgb(255, 255, 255)", "rgb(13, 15, 20)"],
    }


def test_a_site_may_have_its_own_button_and_fill_in_a_question(embed: Callable[..., Page]) -> None:
    page = embed(
        body="<button id='ask'>Спросить</button>"
        "<button id='price' onclick=\"aisales('prefill', 'Сколько стоит?')\">Цена</button>",
        data='data-launcher="#ask" data-side="left"',
    )
    assert page.locator("button.launcher").is_hidden()

    page.locator("#ask").click()
    panel = page.get_by_role("dialog")
    panel.wait_for()
    assert panel.bounding_box()["x"] == 20  # type: ignore[index]
    page.keyboard.press("Escape")
    expect(page.locator("#ask")).to_be_focused()
    page.locator("#price").click()

    expect(field(page)).to_have_value("Сколько стоит?")
    expect(field(page)).to_be_focused()


def test_a_core_that_failed_to_load_is_fetched_again_at_the_next_click(embed: Callable[..., Page]) -> None:
    page = embed()
    page.route("**/widget/core.js*", lambda route: route.abort())
    page.locator("button.launcher").click()
    page.wait_for_timeout(300)
    page.unroute("**/widget/core.js*")

    open_chat(page)


def test_everything_can_be_done_by_keyboard(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    page.locator("button.launcher").wait_for()
    focused = "document.querySelector('aisales-chat').shadowRoot.activeElement?."
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(field(page)).to_be_focused()

    page.keyboard.type("Здравствуйте")
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("checkbox")).to_be_checked()
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(field(page)).to_be_focused()
    page.keyboard.press("Enter")
    see(page, "Здравствуйте", "Ответ на: Здравствуйте")
    expect(field(page)).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate(f"{focused}getAttribute('aria-label')") == "Отправить"
    page.keyboard.press("Tab")
    assert page.evaluate(f"{focused}textContent") == "Позвать человека"
    page.keyboard.press("Escape")

    expect(page.locator(".panel")).to_be_hidden()
    assert page.evaluate(f"{focused}className") == "launcher"
    assert page.locator("button.launcher").get_attribute("aria-expanded") == "false"


def test_each_finished_message_is_read_out_once_and_history_never(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    begin(page)
    see(page, "Здравствуйте", "Ответ на: Здравствуйте")
    server.send(type="delta", turn="t", text="Ит")
    server.say("Итого **5**", author="operator")
    see(page, "Здравствуйте", "Ответ на: Здравствуйте", "Итого 5")
    spoken = page.locator(".panel > .sr[aria-live=polite] p")

    expect(spoken).to_have_text(["ИИ-помощник: Ответ на: Здравствуйте", "Сотрудник: Итого 5"])
    log = page.get_by_role("log", name="Переписка")
    assert log.get_attribute("aria-live") == "off"
    page.reload()
    open_chat(page)
    see(page, "Здравствуйте", "Ответ на: Здравствуйте", "Итого 5")
    expect(spoken).to_have_count(0)


def test_what_came_while_away_is_read_out_and_what_was_read_is_told(
    embed: Callable[..., Page], server: StandIn
) -> None:
    page = embed()
    begin(page)
    see(page, "Здравствуйте", "Ответ на: Здравствуйте")
    server.stop()
    server.store(next(iter(server.conversations.values())), "operator", "пока вас не было")
    server.start()

    expect(page.locator(".panel > .sr p").last).to_have_text("Сотрудник: пока вас не было")
    page.wait_for_timeout(300)
    assert [frame["seq"] for frame in server.frames if frame["type"] == "read"][-1] == 3


def test_a_closed_chat_counts_what_comes(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed()
    begin(page)
    see(page, "Здравствуйте", "Ответ на: Здравствуйте")
    page.keyboard.press("Escape")

    server.say("раз")
    server.say("два")

    button = page.get_by_role("button", name="Открыть чат, 2 новых сообщения")
    expect(button).to_be_visible()
    expect(page.locator(".badge")).to_have_text("2")
    button.click()
    expect(page.get_by_role("button", name="Закрыть чат").first).to_be_visible()
    expect(page.locator(".badge")).to_be_empty()


def test_on_a_phone_the_chat_is_the_whole_screen(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed(body="<p>x</p>" * 200, **PHONE)

    panel = open_chat(page)

    assert panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    assert panel.get_attribute("aria-modal") == "true"
    assert page.locator("h1").evaluate("(node) => node.inert")
    assert page.locator("button.launcher").is_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).overflow") == "hidden"
    # a smaller font makes iOS zoom into the field
    assert field(page).evaluate("(node) => getComputedStyle(node).fontSize") == "16px"
    page.get_by_role("checkbox").check()
    write(page, "Здравствуйте")
    see(page, "Здравствуйте", "Ответ на: Здравствуйте")
    panel.get_by_role("button", name="Закрыть чат").click()
    expect(panel).to_be_hidden()
    assert not page.locator("h1").evaluate("(node) => node.inert")
    assert page.evaluate("getComputedStyle(document.documentElement).overflow") == "visible"


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_what_is_pressed_is_large_enough(embed: Callable[..., Page], server: StandIn, size: str) -> None:
    page = embed(**(PHONE if size == "phone" else {}))
    open_chat(page)
    targets = (
        ".panel button:visible, .panel .box:visible, .panel textarea, "
        ".panel input:not([type=checkbox]):visible, .panel a.button"
    )
    small: list[Any] = []

    def measure() -> None:
        page.wait_for_function(MOTIONLESS)
        for target in page.locator(targets).all():
            box = target.bounding_box()
            if box and (box["width"] < 44 or box["height"] < 44):
                small.append((target.evaluate("(node) => node.outerHTML.slice(0, 80)"), box))

    measure()
    page.get_by_role("checkbox").check()
    server.reply = None
    write(page, "Здравствуйте")
    expect(page.locator(".item.customer[data-seq]")).to_have_count(1)
    server.say(
        "Вот",
        cards=[
            {"kind": "choices", "text": "", "options": [{"label": "Да", "text": "Да"}]},
            {"kind": "contact", "text": "", "fields": ["name", "phone", "email"]},
            {"kind": "document", "title": "КП", "url": "/documents/a/b.pdf", "size": 1},
        ],
    )
    expect(page.locator(".contact")).to_be_visible()
    measure()
    assert small == []


CONTRAST = """() => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (css) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = css;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const linear = (byte) => (byte / 255 <= .03928 ? byte / 3294.6 : ((byte / 255 + .055) / 1.055) ** 2.4);
    return .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = rgba(getComputedStyle(node).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const node of document.querySelector("aisales-chat").shadowRoot.querySelectorAll(".panel *")) {
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) continue;
    if (!node.checkVisibility() || node.closest(".sr, svg")) continue;
    const [a, b] = [light(rgba(getComputedStyle(node).color)), light(ground(node))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.push([node.textContent.trim().slice(0, 40), ratio]);
  }
  return bad;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(embed: Callable[..., Page], server: StandIn, scheme: str) -> None:
    page = embed(color_scheme=scheme)
    server.reply = None
    open_chat(page)
    field(page).fill("x")
    field(page).press("Enter")
    expect(page.locator("#agree-problem")).not_to_be_empty()
    assert page.evaluate(CONTRAST) == []

    page.get_by_role("checkbox").check()
    field(page).press("Enter")
    server.sockets = "on"
    expect(page.locator(".item.customer[data-seq]")).to_have_count(1)
    server.say(
        "# Тарифы\n`код` [ссылка](https://example.com)\n> цитата\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        citations=[{"article": "a", "title": "Тарифы"}],
        cards=[
            {"kind": "quote", "lines": [{"name": "a", "amount": "1.00", "detail": "b"}], "total": "1.00",
             "subscription": "1.00", "discounts": [{"name": "c", "amount": "1.00"}], "vat": {"words": "НДС"}},
            {"kind": "document", "title": "КП", "url": "/documents/a/b.pdf", "size": 1, "number": "1"},
            {"kind": "choices", "text": "x?", "options": [{"label": "Да", "text": "Да"}]},
            {"kind": "contact", "text": "y?", "fields": ["name", "phone", "email"]},
        ],
    )  # fmt: skip
    server.say("Здравствуйте", author="operator")
    server.say("Служебное", author="system")
    server.send(type="state", mode="waiting")
    expect(page.locator(".banner")).to_be_visible()
    assert page.evaluate(CONTRAST) == []


@pytest.mark.proof
def test_a_faint_text_would_be_found(embed: Callable[..., Page]) -> None:
    page = embed()
    panel = open_chat(page)

    panel.locator(".top h2").evaluate("(node) => node.style.setProperty('color', 'rgb(150 150 150)')")

    assert [words for words, _ in page.evaluate(CONTRAST)] == ["Чат с нами"]


def test_motion_stops_for_those_who_ask(embed: Callable[..., Page], server: StandIn) -> None:
    page = embed(reduced_motion="reduce")
    server.reply = None
    begin(page)

    expect(page.locator(".dots i").first).to_be_visible()
    running = "document.querySelector('aisales-chat').shadowRoot.getAnimations().length"
    assert page.evaluate(running) == 0
