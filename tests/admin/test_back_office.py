"""Staff of every group open what their menu offers, in a real browser: nothing fails, nothing is left in English."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page

from config.groups import GROUPS
from tests.browser import browser, open_page  # noqa: F401  fixtures
from tests.stack import Stack, running, until

pytestmark = pytest.mark.timeout(240)
PASSWORD = "a long pass phrase"
ATTACK = "<script>document.title='taken'</script>"
#: the login of a member of each group; the superuser has none
STAFF = {f"user{number}": group for number, group in enumerate(GROUPS, 1)}
MAKE = """
from django.contrib.auth.models import Group
from sales.models import User
for login, group in {staff}.items():
    user = User.objects.create_user(username=login, password={password!r}, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
"""
ANSWERED = "SELECT count(*) FROM sales_turn WHERE state = 'kept'"
#: words of other people's products and abbreviations
NAMES = {"English", "PDF", "RUB", "esc", "keyless", "load_catalog catalog.yaml", "admin", "Admin", *STAFF}
#: vendors of language models, and what they call their models
NAMES |= {"OpenAI", "Anthropic", "YandexGPT", "GigaChat", settings.OPENAI_MODEL, settings.ANTHROPIC_MODEL}
NAMES |= {settings.YANDEXGPT_MODEL, settings.GIGACHAT_MODEL}
WORDS = """() => {
  const found = [document.title], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const skipped = 'script, style, code, pre, option, .material-symbols-outlined, .bo-transcript, .bo-text';
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!parent.closest(skipped)) found.push(walker.currentNode.textContent.trim());
  }
  for (const each of document.querySelectorAll('input[placeholder]:not([placeholder=English])'))
    found.push(each.placeholder);
  return found;
}"""
ADDRESSES = "(where) => [...document.querySelectorAll(where)].map((each) => each.getAttribute('href'))"


@pytest.fixture(scope="module")
def office() -> Iterator[Stack]:
    """The product with its demo data, a member of staff in each group, and a customer who was given a proposal."""
    with running(demo=True, RATE_LIMITS="off") as stack:
        stack.manage("shell", "-c", MAKE.format(staff=STAFF, password=PASSWORD))
        talk = _post(stack, "", consent=True, name=ATTACK)
        words = (
            f"Сколько стоит AI-менеджер на 1800 диалогов в месяц? {ATTACK}",
            "Мой телефон +7 916 123-45-67, меня зовут Анна",
            "Пришлите коммерческое предложение",
            "Какие у вас открыты вакансии?",
            "Позовите человека",
        )
        for number, text in enumerate(words):
            _post(stack, f"/{talk['id']}/messages", token=talk["token"], client_id=str(number), text=text)
            until(lambda so_far=number: stack.sql(ANSWERED)[0][0] > so_far, seconds=30, what=text)
        until(lambda: stack.sql("SELECT 1 FROM billing_document WHERE state = 'kept'"), seconds=30, what="PDF")
        until(lambda: stack.sql("SELECT 1 FROM knowledge_gap"), seconds=30, what="the unanswered question")
        yield stack


@pytest.mark.parametrize("login", ["admin", *STAFF])
def test_every_page_of_the_menu_opens_and_speaks_russian(
    office: Stack,
    open_page: Callable[..., Page],  # noqa: F811
    login: str,
) -> None:
    page = _enter(office, open_page, login)
    known = NAMES | _codes(office)
    todo = page.evaluate(ADDRESSES, "#nav-sidebar-apps a[href]")
    if STAFF.get(login) == "Администратор":
        todo = [each for each in todo if "/user/" in each or "/group/" in each]  # the superuser opens all the others
    seen: set[str] = set()
    wrong: list[str] = []
    while todo:
        address = todo.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = page.goto(office.url + address)
        if answer is None or answer.status >= 400 or "unsafe-eval" not in answer.headers["content-security-policy"]:
            wrong.append(f"{address}: {answer and answer.status}")
        wrong += [f"{address}: {words}" for words in page.evaluate(WORDS) if _english(words, known)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{address}: wider than the screen")
        if login == "admin":
            first = page.evaluate(ADDRESSES, "#result_list tbody tr:first-child th a[href*=change]")
            todo += [each.split("?")[0] for each in first[:1]]

    assert len(seen) > 1
    assert (wrong, page.complaints) == ([], [])  # type: ignore[attr-defined]


def test_the_first_page_leads_to_who_waits_and_an_operator_takes_over(
    office: Stack,
    open_page: Callable[..., Page],  # noqa: F811
) -> None:
    page = _enter(office, open_page, "user1")

    page.locator("#waiting tbody a").first.click()
    page.get_by_role("button", name="Забрать").click()
    page.locator("#say").fill("Здравствуйте, это человек")
    page.get_by_role("button", name="Отправить").click()

    page.locator(".bo-operator", has_text="это человек").wait_for()
    page.goto(f"{office.url}/admin/")
    assert "Человека никто не ждёт" in page.locator("#waiting").inner_text()
    assert (page.title() == "taken", page.complaints) == (False, [])  # type: ignore[attr-defined]


def test_a_conversation_joins_the_evaluation_set_with_one_click(
    office: Stack,
    open_page: Callable[..., Page],  # noqa: F811
) -> None:
    page = _enter(office, open_page, "user1")
    page.goto(f"{office.url}/admin/sales/conversation/")
    page.locator("#result_list tbody th a").first.click()

    page.get_by_role("button", name="Добавить в проверочный набор").click()

    page.get_by_text("Ожидаемым записано то, что помощник ответил").wait_for()
    said = "\n".join(page.locator("textarea[name$=-say]").evaluate_all("found => found.map((each) => each.value)"))
    assert "1800 диалогов" in said
    assert "[ТЕЛЕФОН_1]" in said and "916" not in said
    english = [words for words in page.evaluate(WORDS) if _english(words, NAMES) and "__" not in words]
    assert [words for words in english if not words.lower().startswith("staff-")] == []  # the name of the case
    page.locator("input[name=tags]").fill("цены")
    page.get_by_role("button", name="Сохранить", exact=True).first.click()
    page.locator("#result_list tbody tr").first.wait_for()
    assert (page.title() == "taken", page.complaints) == (False, [])  # type: ignore[attr-defined]


def test_description_of_the_api_opens_under_the_policy(
    office: Stack,
    open_page: Callable[..., Page],  # noqa: F811
) -> None:
    page = open_page(f"{office.url}/api/docs")

    page.locator(".opblock").first.wait_for()

    assert page.complaints == []  # type: ignore[attr-defined]


def _enter(office: Stack, open_page: Callable[..., Page], login: str) -> Page:  # noqa: F811
    page = open_page(f"{office.url}/admin/login/")
    page.fill("[name=username]", login)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{office.url}/admin/")
    return page


def _english(words: str, known: set[str]) -> bool:
    """Whether a line has words and all of them are Latin, and it isn't a name, an address or a digest."""
    if not re.search("[A-Za-z]{3}", words) or re.search("[А-Яа-яЁё]", words) or "@" in words or ATTACK in words:
        return False
    if words.startswith('{"'):
        return False  # a model's options, in the words of its vendor
    return words not in known and not re.fullmatch(r"[0-9a-f]{64}|Q-\d{4}-\d+|: .*\*.*|: pbkdf2_sha256", words)


def _codes(office: Stack) -> set[str]:
    tables = ("pricing_product", "pricing_tier", "pricing_service", "pricing_discount", "pricing_vatmode")
    union = " UNION ".join(f"SELECT code FROM {table}" for table in tables)
    return {str(code) for (code,) in office.sql(f"{union} UNION SELECT slug FROM knowledge_modelprofile")}


def _post(office: Stack, path: str, *, token: str = "", **data: Any) -> Any:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{office.url}/api/v1/chat/sessions{path}", json.dumps(data).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)
