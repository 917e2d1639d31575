"""The staff's API for articles."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from rest_framework.test import APIClient

from knowledge import indexing
from knowledge.models import Article
from knowledge.search import search
from sales.models import User


@pytest.fixture
def api(operator):
    client = APIClient()
    client.force_authenticate(operator)
    return client


def test_an_article_is_made_changed_listed_and_found(api, operator):
    made = api.post(
        "/api/v1/articles",
        {"title": "Доставка", "body": "Курьер.", "questions": ["Привезёте?"], "status": "published"},
        format="json",
    )
    assert made.status_code == 201, made.content
    assert made.json()["index_state"] == "waiting"
    assert (made.json()["questions"], made.json()["version"]) == (["Привезёте?"], 1)
    address = f"/api/v1/articles/{made.json()['id']}"

    changed = api.patch(address, {"body": "Дрон."}, format="json")
    indexing.sweep(now=timezone.now())

    assert (changed.status_code, changed.json()["version"], changed.json()["questions"]) == (200, 2, ["Привезёте?"])
    assert api.get(address).json()["index_state"] == "indexed"
    listed = api.get("/api/v1/articles?status=published&index_state=indexed").json()
    assert (listed["count"], listed["results"][0]["title"]) == (1, "Доставка")
    assert [hit.article.external_id for hit in search("дрон")] == [made.json()["external_id"]]
    assert Article.objects.get().updated_by == operator


def test_what_is_wrong_is_said_for_each_field(api, catalogue):
    api.post("/api/v1/articles", {"title": "T", "body": "x", "external_id": "taken"}, format="json")

    answer = api.post(
        "/api/v1/articles",
        {"title": "я" * 501, "body": "x", "status": "hidden", "external_id": "taken", "questions": "one"},
        format="json",
    )
    dead = api.post("/api/v1/articles", {"title": "T", "body": "{{ price:no.no }}"}, format="json")

    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == {"title", "status", "external_id", "questions"}
    assert (dead.status_code, dead.json()["errors"][0]["field"]) == (400, "body")
    assert Article.objects.count() == 1


def test_fields_that_are_ours_cannot_be_set(api):
    made = api.post(
        "/api/v1/articles",
        {"title": "T", "body": "x", "id": 7, "version": 9, "digest": "x", "updated_by": 1, "index_state": "indexed"},
        format="json",
    ).json()

    assert (made["version"], made["index_state"]) == (1, "waiting")
    assert "digest" not in made and made["id"] != 7


@pytest.mark.parametrize(
    "page", ["page=-1", "page=x", "page=10000", "page_size=1000000000", "status=x", "ordering=password"]
)
def test_no_parameter_of_the_list_breaks_it(api, page):
    assert api.get(f"/api/v1/articles?{page}").status_code in {200, 400, 404}


def test_who_may_only_read_cannot_write_and_strangers_see_nothing(db):
    reader = User.objects.create_user(username="reader", password="a long pass phrase", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_article"))
    client = APIClient()
    assert client.get("/api/v1/articles").status_code == 401

    client.force_authenticate(reader)

    assert client.get("/api/v1/articles").status_code == 200
    assert client.post("/api/v1/articles", {"title": "T", "body": "x"}, format="json").status_code == 403


def test_a_list_of_three_asks_the_database_as_often_as_a_list_of_one(api, write, django_assert_num_queries):
    write("a", "A", "x", questions=("1", "2"))
    with django_assert_num_queries(3):
        api.get("/api/v1/articles")
    write("b", "B", "x", questions=("1", "2"))
    write("c", "C", "x")

    with django_assert_num_queries(3):
        assert api.get("/api/v1/articles").json()["count"] == 3
