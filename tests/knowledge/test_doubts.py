"""Typed prices, dead placeholders and dead links: stopped where staff save, and shown when they die later."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from knowledge import importing
from knowledge.models import Article
from knowledge.queries import doubted
from pricing.models import Discount, Product, Tier
from tests.knowledge.test_admin import form
from tests.knowledge.test_tool import run

ADD = "/admin/knowledge/article/add/"


def errors(answer) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return {name: list(found) for name, found in answer.context["adminform"].form.errors.items()}


@pytest.fixture
def office(client, operator):
    client.force_login(operator)
    return client


@pytest.fixture
def api(operator):
    client = APIClient()
    client.force_authenticate(operator)
    return client


# --- saving in the back office ----------------------------------------------------------------------------------


def test_a_typed_price_stops_saving_and_says_what_to_write_instead(office, catalogue):
    answer = office.post(ADD, form(body="Раз.\n\nСтоит 34 900 ₽, скидка 7 %."))

    assert errors(answer)["body"][:2] == [
        "Строка 3: вместо «34 900 ₽» напишите {{ price:ai_manager.business }}.",
        "Строка 3: «7 %» написано цифрами от руки.",
    ]
    assert Article.objects.count() == 0


def test_figures_of_an_example_are_confirmed_once(office, catalogue):
    assert office.post(ADD, form(body="Потеряли 180 000 ₽.", confirm_figures="on")).status_code == 302
    article = Article.objects.get()
    assert (article.own_figures, article.typed_figures) == (["180 000 ₽"], [])

    address = f"/admin/knowledge/article/{article.pk}/change/"
    same = {"questions-INITIAL_FORMS": "1", "questions-0-id": str(article.questions.get().pk)}
    same |= {"questions-0-article": str(article.pk), "external_id": article.external_id, "own_figures": "180 000 ₽\r\n"}
    assert office.post(address, form(body="Потеряли 180 000 ₽ за год.", **same)).status_code == 302
    again = office.post(address, form(body="Потеряли 180 000 ₽, вернули 20 000 ₽.", **same))

    assert "20 000 ₽" in errors(again)["body"][0]


def test_a_draft_may_be_unfinished_and_is_marked(office, catalogue):
    assert office.post(ADD, form(body="Стоит 34 900 ₽.", status="draft")).status_code == 302

    assert Article.objects.get().typed_figures == ["34 900 ₽"]
    page = office.get("/admin/knowledge/article/?doubt=figure").content.decode()
    assert "Доставка" in page and "цена от руки" in page


def test_publishing_from_the_list_tells_of_typed_prices(office, write, catalogue):
    article = write("a", "Доставка", "Стоит 500 ₽.", status="draft")

    page = office.post(
        "/admin/knowledge/article/", {"action": "publish", "_selected_action": [str(article.pk)]}, follow=True
    ).content.decode()

    assert "500 ₽" in page and "написаны от руки" in page


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Скидка {{ discount:no_such }}", "{{ discount:no_such }}"),
        ("[скидки](article:no_such)", "ведёт на статью, которой нет"),
        ("[сайт](www.example.com)", "https://"),
        ("[сайт](javascript:alert(1))", "не разрешены"),
    ],
)
def test_dead_placeholders_and_links_stop_saving_in_the_office_and_in_the_api(
    office,
    api,
    catalogue,
    body,
    words,
):
    in_office = office.post(ADD, form(body=body, status="draft"))
    in_api = api.post("/api/v1/articles", {"title": "T", "body": body}, format="json")

    assert words in " ".join(errors(in_office)["body"])
    assert (in_api.status_code, in_api.json()["errors"][0]["field"]) == (400, "body")
    assert words in in_api.json()["errors"][0]["message"]
    assert Article.objects.count() == 0


def test_an_article_may_lead_to_another_and_to_itself(office, write, catalogue):
    write("discounts", "Скидки", "Разные.")

    answer = office.post(ADD, form(body="[a](article:discounts) [b](article:me)", external_id="me"))

    assert answer.status_code == 302
    assert Article.objects.get(external_id="me").linked == ["discounts", "me"]


def test_the_api_takes_a_typed_price_and_tells_of_it(api, catalogue):
    made = api.post("/api/v1/articles", {"title": "T", "body": "Стоит 500 ₽ и 34 900 ₽."}, format="json")
    assert (made.status_code, made.json()["typed_figures"]) == (201, ["500 ₽", "34 900 ₽"])

    changed = api.patch(f"/api/v1/articles/{made.json()['id']}", {"own_figures": ["500 ₽"]}, format="json")

    assert (changed.json()["own_figures"], changed.json()["typed_figures"]) == (["500 ₽"], ["34 900 ₽"])


# --- what dies later --------------------------------------------------------------------------------------------


def test_an_article_shows_when_the_catalogue_has_dropped_what_it_names(office, write, catalogue):
    write("a", "Первая", "Стоит {{ price:ai_manager.business }}.")
    write("b", "Вторая", "Скидка {{ discount:annual }}, не больше {{ cap }}.")
    write("c", "Третья", "{{ tiers:ai_lawyer }}")
    write("d", "Четвёртая", "Без цен.")
    assert doubted() == 0

    Tier.objects.filter(product__code="ai_manager", code="business").update(is_active=False)
    assert [a.external_id for a in _dead(office)] == ["a"]
    Discount.objects.get(code="annual").delete()
    Product.objects.filter(code="ai_lawyer").update(is_active=False)

    assert [a.external_id for a in _dead(office)] == ["a", "b", "c"]
    assert doubted() == 3
    page = office.get(f"/admin/knowledge/article/{Article.objects.get(external_id='a').pk}/change/").content.decode()
    assert "{{ price:ai_manager.business }}" in page and 'role="alert"' in page


def test_an_article_shows_when_the_one_it_leads_to_is_gone(office, write, catalogue):
    target = write("target", "Цель", "Текст.")
    write("a", "Первая", "[туда](article:target)")
    assert doubted() == 0

    target.delete()

    assert [a.external_id for a in _dead(office)] == ["a"]


def test_the_first_page_counts_what_visitors_read_wrongly(client, django_user_model, write, catalogue):
    client.force_login(django_user_model.objects.create_superuser(username="boss", password="a long pass phrase"))
    write("a", "Первая", "Стоит {{ price:ai_manager.business }}.")
    write("b", "Вторая", "Стоит {{ price:ai_manager.business }}.", status="draft")
    assert "doubt=dead" not in client.get("/admin/").content.decode()

    Tier.objects.filter(product__code="ai_manager", code="business").update(is_active=False)

    assert "doubt=dead" in client.get("/admin/").content.decode()
    assert doubted() == 1


def _dead(office) -> list[Article]:
    answer = office.get("/admin/knowledge/article/?doubt=dead")
    return sorted(answer.context["cl"].queryset, key=lambda article: article.external_id)


# --- importing --------------------------------------------------------------------------------------------------


def imported(path, *entries: dict) -> tuple[int, list[str]]:
    path.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in entries))
    err = StringIO()
    try:
        call_command("import_articles", str(path), stdout=StringIO(), stderr=err)
    except SystemExit as ended:
        return int(ended.code or 0), err.getvalue().splitlines()
    return 0, err.getvalue().splitlines()


def test_lines_from_outside_come_in_whatever_amounts_and_links_they_have(tmp_path, catalogue):
    status, err = imported(
        tmp_path / "a.jsonl",
        {"id": "a", "title": "Кредит", "text": "Ставка 17 %, платёж 12 000 рублей.\nСтоит 34 900 ₽."},
        {"id": "b", "title": "Ссылки", "text": "[1](см. ниже) [туда](article:a) [сюда](article:no_such)"},
        {"id": "c", "title": "Ничего", "text": "Текст."},
    )

    assert status == 0
    assert Article.objects.published().count() == 3
    assert len(err) == 2
    assert "(a)" in err[0] and "{{ price:ai_manager.business }}" in err[0] and "17 %" in err[0]
    assert "(b)" in err[1] and "no_such" in err[1] and "article:a" not in err[1]


def test_a_dead_placeholder_of_ours_names_its_line_and_the_rest_is_in(tmp_path, catalogue):
    status, err = imported(
        tmp_path / "a.jsonl",
        {"id": "a", "title": "Жива", "text": "{{ price:ai_manager.start }} {{ name }} {% if %}"},
        {"id": "b", "title": "Мертва", "text": "{{ tiers:no_such }}"},
    )

    assert (status, len(err)) == (1, 1)
    assert "2 (b)" in err[0] and "{{ tiers:no_such }}" in err[0]
    assert Article.objects.get().external_id == "a"


def test_an_import_full_of_amounts_tells_of_the_first_and_counts_the_rest(tmp_path, catalogue):
    count = importing.WARNINGS_MOST + 5

    status, err = imported(
        tmp_path / "a.jsonl", *({"id": f"n{n}", "title": "T", "text": f"Стоит {n + 1} ₽."} for n in range(count))
    )

    assert (status, Article.objects.count()) == (0, count)
    assert len(err) == importing.WARNINGS_MOST + 1
    assert err[-1].endswith("5")


def test_a_file_lists_its_own_figures_and_a_change_of_them_is_a_change(tmp_path, catalogue):
    path = tmp_path / "case.md"
    path.write_text("---\ntitle: Пример\n---\nПотеряли 180 000 ₽.")
    call_command("import_articles", str(tmp_path), stdout=StringIO(), stderr=StringIO())
    assert Article.objects.get().typed_figures == ["180 000 ₽"]

    path.write_text('---\ntitle: Пример\nown_figures: ["180 000 ₽"]\n---\nПотеряли 180 000 ₽.')
    err = StringIO()
    call_command("import_articles", str(tmp_path), stdout=StringIO(), stderr=err)

    assert (Article.objects.get().typed_figures, err.getvalue()) == ([], "")


# --- reading ----------------------------------------------------------------------------------------------------


def test_a_visitor_is_told_the_words_of_a_link_and_the_price_of_this_moment(write, catalogue):
    write("discounts", "Скидки", "Разные.")
    write("a", "Единорог", "Стоит {{ price:ai_manager.business }}, есть [скидки](article:discounts).")

    hit = run("единорог").data["hits"][0]

    assert "есть скидки." in hit["text"] and "34\u00a0900" in hit["text"]
    assert "article:" not in hit["body"]
