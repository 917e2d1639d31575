"""The web chat over HTTP: sessions, history, messages, and everything that may be wrong with a request."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from channels_app.models import Thread
from channels_app.webchat import consent, threads
from common import ratelimits
from sales.models import Consent, Conversation, Message

pytestmark = pytest.mark.django_db

SESSIONS = "/api/v1/chat/sessions"


def post(client: Client, path: str, body: Any, token: str = "", **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body)
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    return client.post(path, data=data, content_type="application/json", headers={**bearer, **headers})


def get(client: Client, path: str, token: str = "") -> Any:
    return client.get(path, headers={"Authorization": f"Bearer {token}"} if token else {})


@pytest.fixture
def chat(client: Client) -> tuple[str, str]:
    """The address of a conversation's messages and its token."""
    body = post(client, SESSIONS, {"consent": True}).json()
    return f"{SESSIONS}/{body['id']}/messages", body["token"]


def test_a_session_is_an_empty_conversation_with_a_proof_of_consent(client: Client) -> None:
    answer = post(
        client,
        SESSIONS,
        {"consent": True, "name": "Анна", "page_url": "https://user:pw@shop.ru:8443/tariffs/?utm=1&token=x#top"},
        **{"User-Agent": "Browser/1.0"},
    )

    body = answer.json()
    conversation = Conversation.objects.select_related("lead").get(pk=body["id"])
    thread = Thread.objects.get(conversation=conversation)
    given = Consent.objects.get(lead=conversation.lead)
    assert (answer.status_code, sorted(body)) == (201, ["id", "token"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert (conversation.channel, conversation.last_seq, conversation.lead.name) == ("webchat", 0, "Анна")
    assert thread.page_url == "https://shop.ru:8443/tariffs/"
    assert thread.token_digest == hashlib.sha256(body["token"].encode()).hexdigest()
    assert len(body["token"]) >= 43
    assert timedelta(days=179) < thread.expires_at - timezone.now() < timedelta(days=181)
    assert (given.version, given.address, given.user_agent) == (consent.VERSION, "127.0.0.1", "Browser/1.0")
    assert given.text_sha256 == hashlib.sha256(consent.text().encode()).hexdigest()
    assert answer.cookies == {}


@pytest.mark.parametrize("given", [None, False, "true", 1, [], "absent"])
def test_without_consent_nothing_is_opened(client: Client, given: Any) -> None:
    answer = post(client, SESSIONS, {} if given == "absent" else {"consent": given})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "consent"
    assert Conversation.objects.count() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"consent"',
        b"5",
        b"NaN",
        b'{"consent":NaN}',
        b"consent=true",
        b"\xff\xfe{",
        '{"consent":true}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"consent":true,"name":5}',
        b'{"consent":true,"name":{"a":1}}',
        b'{"consent":true,"page_url":["x"]}',
        b'{"consent":true,"name":"' + b"x" * 201 + b'"}',
    ],
)
def test_what_is_not_the_shape_asked_for_is_400(client: Client, body: bytes) -> None:
    answer = post(client, SESSIONS, body)

    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert Conversation.objects.count() == 0


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/xml"])
def test_forms_and_xml_are_400_and_json_is_taken_under_any_label(client: Client, kind: str) -> None:
    refused = client.post(SESSIONS, data=b"consent=true", content_type=kind)
    taken = client.post(SESSIONS, data=b'{"consent": true}', content_type=kind)

    assert (refused.status_code, taken.status_code) == (400, 201)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://shop.ru", "https://shop.ru"),
        ("http://[::1]:80/a?b", "http://[::1]:80/a"),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("https://", ""),
        ("http://[bad", ""),
        ("https://shop.ru:99999/", ""),
        ("https://магазин.рф/цены?x", "https://магазин.рф/цены"),
        ("https://shop.ru/" + "a" * 5000, ("https://shop.ru/" + "a" * 5000)[:2000]),
        ("\x00\ud800", ""),
    ],
)
def test_of_a_page_only_its_place_is_kept(given: str, kept: str) -> None:
    assert threads.page_without_secrets(given) == kept


def test_a_message_is_stored_once_and_shown_bare(client: Client, chat: tuple[str, str]) -> None:
    path, token = chat

    first = post(client, path, {"client_id": "a", "text": "Здравствуйте\x00!"}, token)
    again = post(client, path, {"client_id": "a", "text": "другое"}, token)

    body = first.json()
    assert (first.status_code, again.status_code) == (202, 202)
    assert body == again.json()
    assert sorted(body) == ["author", "cards", "citations", "created_at", "html", "seq", "text"]
    assert (body["seq"], body["author"], body["text"]) == (1, "customer", "Здравствуйте�!")
    assert get(client, path, token).json() == {"messages": [body]}
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"client_id": "a", "text": ""}, "text", "empty"),
        ({"client_id": "a", "text": " \n\u00a0"}, "text", "empty"),
        ({"client_id": "a", "text": "x" * 4001}, "text", "too_long"),
        ({"client_id": "a", "text": "x" * 20_000}, "text", "too_long"),
        ({"client_id": "a", "text": 5}, "text", "invalid"),
        ({"client_id": "a", "text": None}, "text", "null"),
        ({"client_id": "a"}, "text", "required"),
        ({"client_id": "", "text": "x"}, "client_id", "bad_client_id"),
        ({"client_id": "x" * 101, "text": "x"}, "client_id", "bad_client_id"),
        ({"client_id": 7, "text": "x"}, "client_id", "invalid"),
        ({"client_id": True, "text": "x"}, "client_id", "invalid"),
        ({"text": "x"}, "client_id", "required"),
    ],
)
def test_a_bad_message_is_400_and_says_what_is_wrong(
    client: Client, chat: tuple[str, str], body: Any, field: str, code: str
) -> None:
    path, token = chat

    answer = post(client, path, body, token)

    assert answer.status_code == 400
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [(field, code)]
    assert answer.json()["detail"]
    assert Message.objects.count() == 0


def test_four_thousand_characters_are_taken_whole(client: Client, chat: tuple[str, str]) -> None:
    path, token = chat

    answer = post(client, path, {"client_id": "x" * 100, "text": "👩" * 4000}, token)

    assert (answer.status_code, answer.json()["text"]) == (202, "👩" * 4000)


def test_history_goes_on_after_a_number(client: Client, chat: tuple[str, str]) -> None:
    path, token = chat
    for number in range(3):
        post(client, path, {"client_id": str(number), "text": str(number)}, token)

    after = [get(client, f"{path}?after={each}", token).json()["messages"] for each in (0, 2, 3, 10**18)]

    assert [[each["seq"] for each in found] for found in after] == [[1, 2, 3], [3], [], []]


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "", "²", "9" * 30, "1e3", "%00"])
def test_an_after_that_is_no_number_is_400(client: Client, chat: tuple[str, str], after: str) -> None:
    path, token = chat

    assert get(client, f"{path}?after={after}", token).status_code == 400


@pytest.mark.parametrize("how", ["none", "wrong", "another's", "expired", "basic", "empty", "odd"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_find_nothing(client: Client, chat: tuple[str, str], how: str, method: str) -> None:
    path, token = chat
    post(client, path, {"client_id": "a", "text": "тайна"}, token)
    if how == "expired":
        Thread.objects.update(expires_at=timezone.now())
    header = {
        "none": None,
        "wrong": f"Bearer {token[:-1]}",
        "another's": f"Bearer {post(client, SESSIONS, {'consent': True}).json()['token']}",
        "expired": f"Bearer {token}",
        "basic": f"Basic {token}",
        "empty": "Bearer ",
        "odd": "Bearer \u00ff\u00d0",
    }[how]
    headers = {} if header is None else {"Authorization": header}

    answer = (
        client.get(path, headers=headers)
        if method == "get"
        else client.post(path, data=b'{"client_id":"b","text":"x"}', content_type="application/json", headers=headers)
    )

    assert answer.status_code == 404
    assert "тайна" not in answer.content.decode()
    assert Message.objects.count() == 1


@pytest.mark.parametrize("where", ["7f0c9a52-3a1e-4b7d-9d0e-5c7c0f5a1b11", "abc", "1", "%00", "null"])
def test_a_conversation_that_is_not_there_is_404(client: Client, chat: tuple[str, str], where: str) -> None:
    _path, token = chat

    assert get(client, f"{SESSIONS}/{where}/messages", token).status_code == 404


def test_a_conversation_of_another_channel_is_not_there(client: Client, chat: tuple[str, str]) -> None:
    path, token = chat
    Conversation.objects.update(channel="telegram")

    assert get(client, path, token).status_code == 404


def test_a_closed_conversation_can_be_read_and_takes_nothing_more(client: Client, chat: tuple[str, str]) -> None:
    path, token = chat
    post(client, path, {"client_id": "a", "text": "раз"}, token)
    Conversation.objects.update(mode="closed")

    answer = post(client, path, {"client_id": "b", "text": "два"}, token)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "closed")
    assert len(get(client, path, token).json()["messages"]) == 1


def test_any_site_may_ask_when_none_is_named(client: Client) -> None:
    headers = {
        "Origin": "https://any.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }

    preflight = client.options(SESSIONS, headers=headers)
    answer = post(client, SESSIONS, {"consent": True}, Origin="https://any.example")
    elsewhere = client.get("/api/v1/leads", headers={"Origin": "https://any.example"})

    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert {"authorization", "content-type"} <= set(preflight.headers["Access-Control-Allow-Headers"].split(", "))
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Access-Control-Allow-Origin" not in elsewhere.headers


def test_only_named_sites_may_ask_when_some_are(client: Client, settings: Any) -> None:
    settings.CORS_ALLOW_ALL_ORIGINS = False
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.ru"]

    allowed = post(client, SESSIONS, {"consent": True}, Origin="https://shop.ru")
    foreign = [
        post(client, SESSIONS, {"consent": True}, Origin=origin)
        for origin in ("https://evil.ru", "https://shop.ru.evil.ru", "https://shop.ru:444", "http://shop.ru", "null")
    ]

    assert allowed.headers["Access-Control-Allow-Origin"] == "https://shop.ru"
    assert ["Access-Control-Allow-Origin" in each.headers for each in foreign] == [False] * 5


def test_one_address_may_open_so_many_sessions_and_no_more(client: Client, settings: Any) -> None:
    settings.RATE_LIMITS = True
    most, _period = ratelimits.LIMITS["chat.session"]
    ratelimits.forgive("chat.session", "127.0.0.1")

    found = [post(client, SESSIONS, {"consent": True}).status_code for _ in range(most + 2)]

    ratelimits.forgive("chat.session", "127.0.0.1")
    assert found == [201] * most + [429] * 2


def test_messages_are_counted_by_conversation_and_not_by_address(client: Client, settings: Any) -> None:
    chats = [post(client, SESSIONS, {"consent": True}).json() for _ in range(2)]
    settings.RATE_LIMITS = True
    most, _period = ratelimits.LIMITS["chat.message"]

    found = [
        [
            post(
                client, f"{SESSIONS}/{chat['id']}/messages", {"client_id": str(n), "text": "x"}, chat["token"]
            ).status_code
            for n in range(count)
        ]
        for chat, count in zip(chats, (most + 1, 3), strict=True)
    ]

    assert found == [[202] * most + [429], [202] * 3]
