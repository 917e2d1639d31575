"""What Telegram brings is stored once, and a stranger brings nothing."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from channels_app.models import TelegramUpdate
from sales.enums import Author
from sales.models import Conversation, Message, Turn

PATH = "/api/v1/webhooks/telegram"


def texts() -> list[str]:
    return [each.text for each in Message.objects.filter(author=Author.CUSTOMER).order_by("created_at", "seq")]


def test_a_customers_words_are_stored_and_an_answer_is_owed(deliver_update, private):
    answer = deliver_update(private("Сколько стоит ИИ-юрист?"))

    assert answer.status_code == 200
    assert texts() == ["Сколько стоит ИИ-юрист?"]
    assert Conversation.objects.get().external_id == "700100200"
    assert Conversation.objects.get().lead.name == "Ирина Петрова"
    assert Turn.objects.count() == 1


@pytest.mark.parametrize("secret", ["", "s3cret_-9", "S3cret_-", "S3cret_-99", "секрет", "S3cret_-9 "])
def test_without_the_secret_nothing_is_taken(deliver_update, private, secret):
    if secret == "S3cret_-9 ":
        secret = "x" * 5000
    answer = deliver_update(private("Здравствуйте"), secret=secret.encode("utf-8").decode("latin-1"))

    assert answer.status_code == 403
    assert not Message.objects.exists() and not TelegramUpdate.objects.exists()


def test_two_secrets_hold_while_one_is_changed_for_the_other(deliver_update, private, settings):
    settings.TELEGRAM_WEBHOOK_SECRETS = ["new_one", "S3cret_-9"]

    assert [deliver_update(private("а"), secret=each).status_code for each in ("new_one", "S3cret_-9")] == [200, 200]


def test_an_update_brought_again_changes_nothing(deliver_update, private):
    update = private("Здравствуйте")

    assert [deliver_update(update).status_code for _ in range(3)] == [200, 200, 200]
    assert texts() == ["Здравствуйте"]


def test_a_message_under_another_number_of_update_is_the_same_message(deliver_update, private):
    update = private("Здравствуйте")
    deliver_update(update)

    deliver_update({**update, "update_id": 5})

    assert texts() == ["Здравствуйте"]


NOT_JSON = [
    b"",
    b"no json",
    b'{"update_id": 1',
    b'{"update_id": NaN}',
    b'{"update_id": Infinity}',
    b"\xff\xfe{",
    "{}".encode("utf-16"),
    b"[" * 100_000,
    b'{"a":' * 5000,
    b"update_id=1&message=x",
    b"\x1f\x8b\x08\x00aaaa",
    b'{"update_id": ' + b"9" * 5000 + b"}",
]


@pytest.mark.parametrize("raw", NOT_JSON, ids=range(len(NOT_JSON)))
def test_what_is_no_json_is_400(deliver_update, raw):
    assert deliver_update(None, raw=raw).status_code == 400


def _with(private, **fields):
    update = private("Здравствуйте")
    update["message"].update(fields)
    return update


UNKNOWN = [
    [],
    None,
    5,
    "text",
    {},
    {"update_id": "abc"},
    {"update_id": 1.5},
    {"update_id": True},
    {"update_id": -1},
    {"update_id": 2**63},
    {"update_id": 1},
    {"update_id": 2, "message": None},
    {"update_id": 3, "message": 5},
    {"update_id": 4, "message": {"message_id": "x"}},
    {"update_id": 5, "some_new_kind": {"a": 1}},
    {"update_id": 6, "__proto__": {"a": 1}, "$ne": 1, "a.b": 2},
    {"update_id": 7, "message": {"message_id": 1, "chat": 5, "date": 1, "text": "x"}},
    {"update_id": 8, "message": {"message_id": 1, "chat": {"type": "private"}, "date": 1, "text": "x"}},
    {"update_id": 9, "callback_query": {"id": "1", "from": {"id": 1}, "data": 5}},
    {"update_id": 10, "my_chat_member": {"chat": {"id": 1, "type": "private"}}},
]


@pytest.mark.parametrize("update", UNKNOWN, ids=range(len(UNKNOWN)))
def test_what_we_do_not_know_is_200_and_nothing_else(deliver_update, update):
    assert deliver_update(update).status_code == 200
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"text": None},
        {"text": {"a": 1}},
        {"text": 5},
        {"message_id": "11"},
        {"message_id": 2**60},
        {"chat": {"id": "700", "type": "private"}},
        {"from": {"id": 1.5, "first_name": "x"}},
        {"from": None},
        {"from": {"id": 5, "is_bot": True, "first_name": "Другой"}},
        {"chat": {"id": -5, "type": "channel"}},
    ],
    ids=str,
)
def test_a_message_of_another_shape_is_passed_over(deliver_update, private, fields):
    assert deliver_update(_with(private, **fields)).status_code == 200
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        ({"text": "а\x00б"}, "а\ufffdб"),
        ({"text": "а\ud800б"}, "а\ufffdб"),
        ({"text": "я" * 4097}, "я" * 4000),
        ({"date": 10**18}, "Здравствуйте"),
        ({"date": -5}, "Здравствуйте"),
        ({"text": "\u202eсволсу"}, "\u202eсволсу"),
        ({"text": "{{7*7}} %s {0} <script>"}, "{{7*7}} %s {0} <script>"),
        ({"entities": [{"type": "bold", "offset": 900, "length": 5}]}, "Здравствуйте"),
        ({"text": "👨‍👩‍👧" * 800}, ("👨‍👩‍👧" * 800)[:4000]),
    ],
    ids=range(9),
)
def test_odd_words_are_stored_as_they_can_be(deliver_update, private, fields, stored):
    assert deliver_update(_with(private, **fields)).status_code == 200
    assert texts() == [stored]


def test_only_spaces_say_nothing(deliver_update, private):
    assert deliver_update(private(" \n\t ")).status_code == 200
    assert texts() == []


def test_a_mark_at_the_beginning_and_keys_with_nul_do_no_harm(deliver_update, private):
    update = private("Здравствуйте")
    update["\x00key"] = 1

    assert deliver_update(None, raw=b"\xef\xbb\xbf" + json.dumps(update).encode()).status_code == 200
    assert texts() == ["Здравствуйте"]


def test_a_body_of_ten_megabytes_is_refused(deliver_update):
    assert deliver_update(None, raw=b'{"a": "' + b"a" * 10_000_000 + b'"}').status_code == 413


@pytest.mark.parametrize("method", ["get", "put", "head", "delete", "patch", "options", "trace"])
def test_other_methods_are_405(api, method):
    assert getattr(Client(), method)(PATH).status_code == 405


def test_a_fault_of_ours_holds_up_nobody_and_is_tried_again(deliver_update, private, monkeypatch):
    from django.utils import timezone

    from channels_app.telegram import inbox

    def fails(*args, **kwargs):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(inbox, "apply", fails)
    assert deliver_update(private("Первое")).status_code == 200
    monkeypatch.undo()
    assert TelegramUpdate.objects.get().state == "due"

    inbox.sweep(now=timezone.now())

    row = TelegramUpdate.objects.get()
    assert (texts(), row.state, row.content) == (["Первое"], "kept", None)
