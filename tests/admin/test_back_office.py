"""Staff at work in a real browser: every page of the menu, a conversation led by hand, an answer taken apart.

One running product serves all these tests: each of them works on its own conversation.
"""

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
from tests.browser import PHONE, browser, idle, open_page  # noqa: F401  fixtures
from tests.stack import Stack, running, until
from tests.standins.model_vendor import Say
from tests.standins.openai_chat import OpenAIChat

pytestmark = pytest.mark.timeout(240)
PASSWORD = "a long pass phrase"
ATTACK = "<script>document.title='taken'</script>"
PICTURE = "<img src=x onerror=document.title='taken'>"
WRONG, RIGHT = "Это стоит 77 700 ₽ в месяц.", "Назовите объём диалогов, и я посчитаю точную цену."
OTHER = "Назовите число диалогов в месяц – я сразу посчитаю точную цену."
#: the login of a member of each group; the superuser has none
STAFF = {f"user{number}": group for number, group in enumerate(GROUPS, 1)}
MAKE = """
from django.contrib.auth.models import Group
from knowledge.llm.models import ModelProfile
from sales.models import User
for login, group in {staff}.items():
    user = User.objects.create_user(username=login, password={password!r}, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
for slug, title in (("first", "Первая"), ("another", "Другая")):
    ModelProfile.objects.create(slug=slug, title=title, is_active=False, dialect="openai", model="demo-" + slug,
        base_url="{vendor}", key_variable="MODEL_KEY_OF_TESTS", price_in=100, price_out=1000)
"""
#: a message that nobody knows the fate of, as a channel without a look back leaves it
UNCERTAIN = """
INSERT INTO channels_app_delivery (id, message_id, conversation_id, seq, sent, state, attempts, due_at,
    created_at, problem)
SELECT gen_random_uuid(), id, conversation_id, seq, '{}', 'uncertain', 0, now(), now(), ''
FROM sales_message WHERE conversation_id = %s AND author = 'assistant'
"""
ANSWERED = "SELECT count(*) FROM sales_turn WHERE state = 'kept' AND conversation_id = %s"
#: words of other people's products and abbreviations
NAMES = {"English", "PDF", "RUB", "esc", "keyless", "load_catalog catalog.yaml", "admin", "Admin", *STAFF}
#: vendors of language models, and what they call their models
NAMES |= {"OpenAI", "Anthropic", "YandexGPT", "GigaChat", settings.OPENAI_MODEL, settings.ANTHROPIC_MODEL}
NAMES |= {settings.YANDEXGPT_MODEL, settings.GIGACHAT_MODEL, "demo-first", "demo-another"}
#: all that is written on a page, given its document
WORDS = """(page) => {
  const found = [page.title], walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  const skipped = 'script, style, code, pre, option, .material-symbols-outlined, .bo-transcript, .bo-text';
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!parent.closest(skipped)) found.push(walker.currentNode.textContent.trim());
  }
  for (const each of page.querySelectorAll('input[placeholder]:not([placeholder=English])'))
    found.push(each.placeholder);
  return found;
}"""
SHOWN = f"() => ({WORDS})(document)"
#: a page that is fetched and read without being drawn, which costs a fifth
FETCHED = f"""async (address) => {{
  const answer = await fetch(address);
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const first = page.querySelector('#result_list tbody tr:first-child th a[href*=change]');
  return {{status: answer.status, policy: answer.headers.get('content-security-policy'), words: ({WORDS})(page),
    first: first && first.getAttribute('href')}};
}}"""
ADDRESSES = "(where) => [...document.querySelectorAll(where)].map((each) => each.getAttribute('href'))"
#: lists look alike: the small run draws the one of conversations and the one that is edited in its rows
LIST = re.compile(r"/admin/\w+/\w+/")
DRAWN = {"/admin/sales/conversation/", "/admin/knowledge/modelprofile/"}


def answers(body: dict[str, Any]) -> Say:
    """A model that names a wrong price first, and another model of the same vendor that words it otherwise."""
    if body["model"] == "demo-another":
        return Say(OTHER, prompt_tokens=1500, answer_tokens=40)
    told = any("77 700" in str(each.get("content")) for each in body["messages"])
    return Say(RIGHT if told else f"{WRONG} {PICTURE}", prompt_tokens=1200, cached_tokens=800, answer_tokens=30)


@pytest.fixture(scope="module")
def office() -> Iterator[Stack]:
    """The product with its demo data, a member of staff in each group, and a customer who was given a proposal."""
    with (
        OpenAIChat() as vendor,
        running(
            demo=True, programs=("daphne", "worker"), RATE_LIMITS="off", MODEL_KEY_OF_TESTS="sk-of-nobody"
        ) as stack,
    ):
        vendor.reply = answers
        stack.manage("shell", "-c", MAKE.format(staff=STAFF, password=PASSWORD, vendor=vendor.url))
        _talk(
            stack,
            ATTACK,
            f"Сколько стоит AI-менеджер на 1800 диалогов в месяц? {ATTACK}",
            "Мой телефон +7 916 123-45-67, меня зовут Анна",
            "Пришлите коммерческое предложение",
            "Какие у вас открыты вакансии?",
            "Позовите человека",
        )
        until(lambda: stack.sql("SELECT 1 FROM billing_document WHERE state = 'kept'"), seconds=30, what="PDF")
        until(lambda: stack.sql("SELECT 1 FROM knowledge_gap"), seconds=30, what="the unanswered question")
        yield stack


@pytest.mark.parametrize("login", ["admin", *STAFF])
def test_every_page_of_the_menu_opens_and_speaks_russian(
    office: Stack,
    open_page: Callable[..., Page],  # noqa: F811
    login: str,
) -> None:
    drawn, wrong = _walk(office, _enter(office, open_page, login), login, draws=login == "admin" and _is_drawn)

    assert (wrong, drawn > 10) == ([], login == "admin")


@pytest.mark.proof
@pytest.mark.parametrize("login", ["admin", *STAFF])
def test_every_page_of_the_menu_is_drawn_without_a_complaint(
    office: Stack,
    open_page: Callable[..., Page],  # noqa: F811
    login: str,
) -> None:
    drawn, wrong = _walk(office, _enter(office, open_page, login), login, draws=lambda address: True)

    assert (wrong, drawn > 1) == ([], True)


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
    english = [words for words in page.evaluate(SHOWN) if _english(words, NAMES) and "__" not in words]
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


def test_conversation_is_led_from_its_page(office: Stack, open_page: Callable[..., Page]) -> None:  # noqa: F811
    talk = _talk(office, "Анна", "Добрый день!")
    office.sql(UNCERTAIN, talk["id"])
    page = _enter(office, open_page, "admin", **PHONE)
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

    said = "SELECT count(*) FROM sales_message WHERE author = 'operator' AND conversation_id = %s"
    assert office.sql(said, talk["id"])[0][0] == 1
    assert office.sql("SELECT mode FROM sales_conversation WHERE id = %s", talk["id"]) == [("closed",)]
    fate = "SELECT state FROM channels_app_delivery WHERE conversation_id = %s"
    assert office.sql(fate, talk["id"]) == [("kept",)]
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert page.complaints == []  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def priced(office: Stack) -> Any:
    """A conversation with one answer, of a model of a vendor that got the price wrong at first."""
    active = "UPDATE knowledge_modelprofile SET is_active = %s WHERE slug = 'first'"
    office.sql(active, True)
    talk = _talk(office, "Анна", f"Сколько стоит AI-менеджер? Мой телефон +7 916 123-45-67 {PICTURE}")
    office.sql(active, False)
    return talk


@pytest.mark.parametrize("screen", [{}, PHONE])
def test_answer_is_taken_apart_and_asked_for_again(
    office: Stack,
    priced: Any,
    open_page: Callable[..., Page],  # noqa: F811
    screen: dict[str, Any],
) -> None:
    page = _enter(office, open_page, "admin", **screen)
    page.goto(f"{office.url}/admin/sales/conversation/{priced['id']}/change/")
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
    assert "demo-another" in page.locator("#second").inner_text()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert (page.title() == "taken", page.complaints) == (False, [])  # type: ignore[attr-defined]
    assert office.sql("SELECT count(*) FROM sales_message WHERE conversation_id = %s", priced["id"])[0][0] == 2


def _walk(office: Stack, page: Page, login: str, *, draws: Any) -> tuple[int, list[str]]:
    """Open what the menu offers; returns how many pages were drawn, and all that is wrong with any of them."""
    known = NAMES | _codes(office)
    todo = page.evaluate(ADDRESSES, "#nav-sidebar-apps a[href]")
    if STAFF.get(login) == "Администратор":
        todo = [each for each in todo if "/user/" in each or "/group/" in each]  # the superuser opens all the others
    assert len(todo) > 1
    seen: set[str] = set()
    wrong: list[str] = []
    drawn = 0
    while todo:
        address = todo.pop()
        if address in seen:
            continue
        seen.add(address)
        if draws and draws(address):
            drawn += 1
            answer: Any = page.goto(office.url + address)
            status, policy = answer.status, answer.headers["content-security-policy"]
            words = page.evaluate(SHOWN)
            first = page.evaluate(ADDRESSES, "#result_list tbody tr:first-child th a[href*=change]")
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{address}: wider than the screen")
        else:
            read = page.evaluate(FETCHED, address)
            status, policy, words, first = read["status"], read["policy"], read["words"], [read["first"]]
        if status >= 400 or "unsafe-eval" not in policy:
            wrong.append(f"{address}: {status}")
        wrong += [f"{address}: {each}" for each in words if _english(each, known)]
        if login == "admin":
            todo += [each.split("?")[0] for each in first[:1] if each]
    return drawn, wrong + page.complaints  # type: ignore[attr-defined]


def _is_drawn(address: str) -> bool:
    return not LIST.fullmatch(address) or address in DRAWN


def _enter(office: Stack, open_page: Callable[..., Page], login: str, **screen: Any) -> Page:  # noqa: F811
    page = open_page(f"{office.url}/admin/login/", **screen)
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


def _talk(office: Stack, name: str, *words: str) -> Any:
    """A customer says this, each time after the answer to what went before."""
    talk = _post(office, "", consent=True, name=name)
    for number, text in enumerate(words, 1):
        _post(office, f"/{talk['id']}/messages", token=talk["token"], client_id=f"said {number}", text=text)
        until(
            lambda so_far=number: office.sql(ANSWERED, talk["id"])[0][0] >= so_far,  # type: ignore[misc]
            seconds=30,
            what=text,
        )
    return talk


def _post(office: Stack, path: str, *, token: str = "", **data: Any) -> Any:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{office.url}/api/v1/chat/sessions{path}", json.dumps(data).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)
