"""Tokens for the staff's programs, the API's description, and answers to what can't be read."""

from __future__ import annotations

import json
import uuid

import pytest
from django.test import Client
from openapi_spec_validator import validate
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, NotFound

from common import ratelimits
from common.api import ReadableField, exception_handler
from common.fields import unreadable_words
from sales.models import Lead, User

pytestmark = pytest.mark.django_db

PASSWORD = "a long pass phrase"
TOKEN, REFRESH = "/api/v1/auth/token", "/api/v1/auth/token/refresh"


@pytest.fixture
def person() -> User:
    return User.objects.create_superuser(username=f"u-{uuid.uuid4().hex[:8]}", password=PASSWORD)


def post(client: Client, path: str, body, **headers: str):
    body = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(path, body, content_type="application/json", headers=headers)


# --- tokens ---


def test_name_and_password_give_two_tokens_and_the_first_opens_the_api(client, person):
    answer = post(client, TOKEN, {"username": person.username, "password": PASSWORD})

    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "refresh"}
    opened = client.get("/api/v1/leads", headers={"Authorization": f"Bearer {answer.json()['access']}"})
    assert opened.status_code == 200
    assert client.get("/api/v1/leads").status_code == 401


@pytest.mark.parametrize("path", [REFRESH, "/api/v1/auth/refresh"])
def test_a_refresh_token_gives_a_new_access_token(client, person, path):
    pair = post(client, TOKEN, {"username": person.username, "password": PASSWORD}).json()

    answer = post(client, path, {"refresh": pair["refresh"]})

    assert answer.status_code == 200
    assert (
        client.get("/api/v1/leads", headers={"Authorization": f"Bearer {answer.json()['access']}"}).status_code == 200
    )


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoxfQ."])
def test_a_wrong_token_opens_nothing(client, token):
    assert client.get("/api/v1/leads", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert post(client, REFRESH, {"refresh": token}).status_code in {400, 401}


def test_a_wrong_password_is_401(client, person):
    answer = post(client, TOKEN, {"username": person.username, "password": "wrong"})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, "no_active_account")


@pytest.mark.parametrize("language, words", [("en", "This field is required."), ("ru", "Обязательное поле.")])
def test_what_is_wrong_is_told_in_the_language_asked_for(client, language, words):
    answer = post(client, TOKEN, {}, **{"Accept-Language": language})

    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {"field": "username", "code": "required", "message": words},
        {"field": "password", "code": "required", "message": words},
    ]


def test_a_guesser_is_locked_out_and_the_right_password_does_not_help_him(client, person, settings):
    settings.AXES_ENABLED, settings.AXES_FAILURE_LIMIT = True, 3

    answers = [post(client, TOKEN, {"username": person.username, "password": "wrong"}).status_code for _ in range(4)]
    late = post(client, TOKEN, {"username": person.username, "password": PASSWORD})

    assert answers[:2] == [401, 401]
    assert answers[3] == 429
    assert late.status_code == 429
    assert "access" not in late.content.decode()


def test_twin_without_the_guard_the_guesser_gets_in(client, person, settings):
    settings.AXES_ENABLED = False
    for _ in range(4):
        post(client, TOKEN, {"username": person.username, "password": "wrong"})

    assert post(client, TOKEN, {"username": person.username, "password": PASSWORD}).status_code == 200


def test_asking_for_tokens_is_limited_by_address(client, person, settings, monkeypatch):
    settings.RATE_LIMITS = True
    monkeypatch.setitem(ratelimits.LIMITS, "auth", (2, 60))
    address = f"198.51.100.{uuid.uuid4().int % 250}"
    ratelimits.forgive("auth", address)

    answers = [client.post(TOKEN, "{}", content_type="application/json", REMOTE_ADDR=address) for _ in range(3)]

    assert [each.status_code for each in answers] == [400, 400, 429]
    assert int(answers[2].headers["Retry-After"]) > 0


# --- what can't be read ---

BAD_BODIES = [
    b"",
    b"{",
    b"[1,2",
    b"null",
    b"[]",
    b'"text"',
    b"5",
    b"true",
    b"\xff\xfe",
    '{"username":"a"}'.encode("utf-16"),
    b'{"username": NaN}',
    b'{"username": Infinity}',
    b'{"username": {"a": 1}, "password": []}',
    b'{"username": "\\u0000", "password": "x"}',
    b'{"username": "\\ud800", "password": "x"}',
    b'{"username": ' + b"9" * 5000 + b"}",
    b"[" * 100_000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b"<xml/>",
    b'{"username": "a"} trailing',
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body[:24]))
def test_a_body_that_cannot_be_read_is_a_clear_400(client, body):
    answer = post(client, TOKEN, body)

    assert answer.status_code in {400, 401}
    assert answer.json()["errors"][0]["message"]


def test_a_byte_order_mark_is_forgiven(client, person):
    body = b"\xef\xbb\xbf" + json.dumps({"username": person.username, "password": PASSWORD}).encode()

    assert post(client, TOKEN, body).status_code == 200


def test_a_huge_body_is_refused(client):
    answer = post(client, TOKEN, b'{"username":"' + b"a" * 3_000_000 + b'"}')

    assert answer.status_code in {400, 413}


def test_another_content_type_is_refused_with_words(client):
    answer = client.post(TOKEN, "username=a", content_type="application/x-www-form-urlencoded")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (415, "unsupported_media_type")


def test_another_method_is_refused_with_words(client):
    assert client.get(TOKEN).status_code == 405


def test_errors_of_nested_rows_name_their_place():
    problem = serializers.ValidationError(
        {
            "products": [{}, {"volume": [ErrorDetail("Too small.", "min_value")]}],
            "non_field_errors": [ErrorDetail("Nothing chosen.", "empty")],
        }
    )

    assert exception_handler(problem, {}).data == {
        "detail": "Too small.",
        "errors": [
            {"field": "products.1.volume", "code": "min_value", "message": "Too small."},
            {"field": "", "code": "empty", "message": "Nothing chosen."},
        ],
    }


def test_a_plain_problem_has_the_same_shape():
    assert exception_handler(NotFound("No such lead."), {}).data == {
        "detail": "No such lead.",
        "errors": [{"field": "", "code": "not_found", "message": "No such lead."}],
    }


def test_a_bug_is_not_dressed_up_as_a_mistake_of_the_sender():
    assert exception_handler(KeyError("bug"), {}) is None


def test_a_broken_encrypted_value_does_not_break_the_answer():
    class Shown(serializers.ModelSerializer):
        name = ReadableField()

        class Meta:
            model = Lead
            fields = ["name", "channel"]

    from django.db import connection

    lead = Lead.objects.create(name="Анна", channel="x")
    assert Shown(Lead.objects.get(pk=lead.pk)).data == {"name": "Анна", "channel": "x"}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sales_lead SET name = set_byte(name, 25, 255 - get_byte(name, 25)) WHERE id = %s", [lead.pk]
        )

    assert Shown(Lead.objects.get(pk=lead.pk)).data == {"name": unreadable_words(), "channel": "x"}


# --- the description ---


def test_the_description_is_public_valid_and_names_the_tokens(client):
    answer = client.get("/api/schema?format=json")
    described = json.loads(answer.content)

    assert answer.status_code == 200
    validate(described)
    assert {TOKEN, REFRESH} <= set(described["paths"])
    assert "/api/v1/auth/refresh" not in described["paths"]
    properties = described["components"]["schemas"]["TokenPair"]["properties"]
    assert set(properties) == {"access", "refresh"}


def test_the_pages_are_public_and_load_nothing_from_elsewhere(client):
    answer = client.get("/api/docs")

    assert answer.status_code == 200
    assert b"https://" not in answer.content.replace(b"https://swagger.io", b"")
