"""The back office of the knowledge base."""

from __future__ import annotations

import pytest
from django.utils import timezone

from knowledge import indexing
from knowledge.models import Article, Indexing
from knowledge.search import search


@pytest.fixture
def office(client, operator):
    client.force_login(operator)
    return client


def form(**fields: str) -> dict[str, str]:
    """An article's form with one question."""
    return {
        "title": "Доставка",
        "body": "Курьер за **день**.",
        "product": "",
        "status": "published",
        "language": "ru",
        "external_id": "",
        "questions-TOTAL_FORMS": "1",
        "questions-INITIAL_FORMS": "0",
        "questions-0-text": "Когда привезёте?",
        "questions-0-position": "0",
        **fields,
    }


def test_a_saved_article_is_owed_to_the_index_with_its_questions(office, operator, catalogue):
    answer = office.post("/admin/knowledge/article/add/", form())

    assert answer.status_code == 302, answer.context and answer.context["errors"]
    article = Article.objects.get()
    assert (article.updated_by, article.version) == (operator, 1)
    assert Indexing.objects.get().state == "due"
    indexing.sweep(now=timezone.now())
    assert [hit.article for hit in search("когда привезёте")] == [article]


def test_an_edit_makes_a_new_version_with_history(office, write, catalogue):
    article = write("a", "Доставка", "Курьер.", questions=("Когда?",))
    question = article.questions.get()
    address = f"/admin/knowledge/article/{article.pk}/change/"

    answer = office.post(
        address,
        form(
            body="Дрон.",
            external_id="a",
            **{
                "questions-INITIAL_FORMS": "1",
                "questions-0-id": str(question.pk),
                "questions-0-article": str(article.pk),
                "questions-0-text": "Когда прилетит?",
            },
        ),
    )

    assert answer.status_code == 302
    article.refresh_from_db()
    assert (article.version, article.body) == (2, "Дрон.")
    assert [row.body for row in article.history.all()] == ["Дрон.", "Курьер."]
    assert office.get(f"/admin/knowledge/article/{article.pk}/history/").status_code == 200


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"body": "Стоит {{ price:ai_manager.golden }}"}, "{{ price:ai_manager.golden }}"),
        ({"title": "  "}, "title"),
        ({"product": "no_such"}, "product"),
        ({"title": "я" * 501}, "title"),
    ],
)
def test_what_cannot_be_saved_is_an_error_on_the_page(office, catalogue, fields, words):
    answer = office.post("/admin/knowledge/article/add/", form(**fields))

    assert answer.status_code == 200
    assert words in str(answer.context["adminform"].form.errors.as_data())
    assert Article.objects.count() == 0


def test_the_list_shows_the_state_of_the_index_in_as_many_queries_for_three_as_for_one(
    office, write, django_assert_max_num_queries
):
    write("a", "A", "x")
    office.get("/admin/knowledge/article/")
    with django_assert_max_num_queries(20) as one:
        office.get("/admin/knowledge/article/")
    write("b", "B", "x")
    write("c", "C", "x")

    with django_assert_max_num_queries(20) as three:
        page = office.get("/admin/knowledge/article/").content.decode()

    assert len(three) == len(one)
    assert page.count("/change/") >= 3


def test_the_preview_shows_prices_and_no_script(office, write, catalogue):
    article = write("a", "A", "<script>alert(1)</script> Стоит {{ price:ai_manager.business }}.")

    page = office.get(f"/admin/knowledge/article/{article.pk}/change/").content.decode()

    assert "34&nbsp;900" in page
    assert "<script>alert(1)" not in page


def test_articles_are_withdrawn_and_published_from_the_list(office, write):
    article = write("a", "Доставка", "Курьер.")
    chosen = {"_selected_action": [str(article.pk)]}

    office.post("/admin/knowledge/article/", {"action": "withdraw", **chosen})
    assert search("курьер") == []

    office.post("/admin/knowledge/article/", {"action": "publish", **chosen})
    indexing.sweep(now=timezone.now())
    assert [hit.article for hit in search("курьер")] == [article]


def test_the_search_can_be_tried_with_reasons(office, write):
    write("a", "Доставка", "Привезём <b>курьером</b>.", questions=("Когда?",))

    page = office.get("/admin/knowledge/article/try/", {"q": "<i>дастафка</i> курером"}).content.decode()

    assert "Доставка" in page
    assert "<b>курьером" not in page and "<i>дастафка" not in page
    assert "курер" in page


def test_the_search_can_only_be_tried_by_those_who_may_read(client, django_user_model):
    staff = django_user_model.objects.create_user(username="s", password="a long pass phrase", is_staff=True)
    client.force_login(staff)

    assert client.get("/admin/knowledge/article/try/").status_code == 403


def test_a_megabyte_goes_through_the_form(office, catalogue):
    answer = office.post("/admin/knowledge/article/add/", form(body="Слово. " * 90_000))

    assert answer.status_code == 302
    assert len(Article.objects.get().body) > 600_000
