"""Setting Telegram up, and polling where nobody can call us."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from channels_app.models import TelegramBot
from sales.enums import Author
from sales.models import Message

pytestmark = pytest.mark.django_db

GOOD = "a" * 32


def telegram(*args: str) -> str:
    out = io.StringIO()
    call_command("telegram", *args, stdout=out)
    return out.getvalue()


def checked() -> tuple[int, str]:
    out = io.StringIO()
    try:
        with translation.override("ru"):
            call_command("telegram", "check", stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def test_set_webhook_sets_it_with_the_secret_and_the_menu(api, settings):
    settings.TELEGRAM_WEBHOOK_SECRETS = [GOOD, "b" * 32]

    telegram("set_webhook")

    (call,) = api.called("setWebhook")
    assert (call["url"], call["secret_token"]) == ("https://shop.example.ru/api/v1/webhooks/telegram", GOOD)
    assert {"message", "callback_query", "my_chat_member"} <= set(call["allowed_updates"])
    assert [each["command"] for each in api.commands][:3] == ["start", "services", "price"]
    assert TelegramBot.objects.get().username == "shop_helper_bot"
    assert checked()[0] == 0

    telegram("delete_webhook")
    assert api.webhook == {"url": ""}


def test_set_webhook_refuses_an_address_that_telegram_cannot_call(api, settings):
    for url in ("http://shop.example.ru", "https://127.0.0.1:8000", "https://10.0.0.5", "https://localhost"):
        settings.PUBLIC_URL = url
        with pytest.raises(CommandError):
            telegram("set_webhook")
    assert api.called("setWebhook") == []


def test_check_says_in_russian_what_is_wrong(api, settings):
    settings.TELEGRAM_WEBHOOK_SECRETS = ["short"]
    api.webhook = {"url": "https://other.example.ru/secret-path", "allowed_updates": ["message"]}

    code, said = checked()

    assert code == 1
    assert "@shop_helper_bot" in said and "secret-path" not in said
    assert "слишком короткий" in said and "callback_query" in said


@pytest.mark.parametrize(
    ("token", "word"), [("", "Токена нет"), ("abc", "не токен"), ("700700700:" + "B" * 35, "не принимает")]
)
def test_check_says_what_is_wrong_with_the_token(api, settings, token, word):
    settings.TELEGRAM_BOT_TOKEN = token

    code, said = checked()

    assert (code, word in said) == (1, True), said
    assert not token or len(token) < 5 or token not in said


def test_check_says_that_telegram_cannot_be_reached(api, settings):
    settings.TELEGRAM_API_URL = "http://127.0.0.1:9"

    assert "недоступен" in checked()[1]


def test_a_poll_stores_before_it_moves_on_and_takes_nothing_twice(api, private):
    first, second = private("раз"), private("два")
    for update in (first, first, second, {"update_id": 999999999, "new_kind": {}}):
        api.push(update)

    telegram("poll", "--once")

    assert [each.text for each in Message.objects.filter(author=Author.CUSTOMER).order_by("seq")] == ["раз", "два"]
    assert api.updates == []
    offsets: list[Any] = [call.get("offset") for call in api.called("getUpdates")]
    assert offsets == [None, 1000000000]


def test_an_update_that_came_by_the_webhook_is_not_taken_from_a_poll(api, deliver_update, private):
    update = private("раз")
    deliver_update(update)
    api.push(update)

    telegram("poll", "--once")

    assert Message.objects.filter(author=Author.CUSTOMER).count() == 1


def test_a_poll_answers_presses(api, private):
    user = {"id": 5, "is_bot": False, "first_name": "И"}
    api.push({"update_id": 7, "callback_query": {"id": "77", "from": user, "chat_instance": "1", "data": "x"}})

    telegram("poll", "--once")

    assert api.called("answerCallbackQuery") == [{"callback_query_id": "77"}]


def test_a_poll_gives_way_to_a_webhook(api):
    api.webhook = {"url": "https://shop.example.ru/api/v1/webhooks/telegram"}

    with pytest.raises(CommandError):
        telegram("poll", "--once")
    assert api.called("getUpdates") == []

    telegram("poll", "--once", "--take-over")
    assert api.webhook == {"url": ""}
