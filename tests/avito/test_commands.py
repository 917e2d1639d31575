"""``manage.py avito`` says in words what is right and what is wrong, and the watch sees that the webhook stands."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from channels_app.avito import subscription
from sales.models import Message, Notice
from tests.avito.conftest import SECRET
from tests.standins.avito_api import AvitoAPI

pytestmark = pytest.mark.django_db

OURS = f"https://bot.example.ru/api/v1/webhooks/avito/messages/{SECRET}"


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.PUBLIC_URL = "https://bot.example.ru"


def manage(*words: str) -> str:
    out = StringIO()
    call_command("avito", *words, stdout=out)
    return out.getvalue()


def refused(*words: str) -> str:
    with pytest.raises(CommandError) as problem:
        manage(*words)
    return str(problem.value)


def test_a_right_set_up_is_said_to_be_right(avito: AvitoAPI):
    manage("register")

    said = manage("check")

    assert "аккаунт 123456" in said
    assert "Вебхук зарегистрирован." in said
    assert "Всё в порядке" in said


def test_without_keys_it_says_where_they_are_given(avito: AvitoAPI, settings: Any):
    settings.AVITO_CLIENT_ID = ""
    assert "https://www.avito.ru/professionals/api" in refused("check")


def test_wrong_keys_and_a_lacking_tariff_and_a_silent_vendor_are_told_apart(avito: AvitoAPI, settings: Any):
    avito.trouble("chats", "no_subscription")
    assert "тариф" in refused("check")
    settings.AVITO_CLIENT_SECRET = "another secret of somebody"
    assert "не принимает ключи" in refused("check")
    settings.AVITO_API_URL = "http://127.0.0.1:9"
    assert "AVITO_API_URL" in refused("check")


def test_another_accounts_number_is_seen(avito: AvitoAPI, settings: Any, capsys: Any):
    manage("register")
    settings.AVITO_USER_ID = 1
    assert "Надо исправить: 1" in refused("check")


def test_the_webhook_is_registered_once_listed_and_taken_away(avito: AvitoAPI):
    avito.subscriptions.append({"url": "https://jivo.example/hook/secret", "version": "3"})

    said = manage("register") + manage("register")
    assert [each["url"] for each in avito.subscriptions] == ["https://jivo.example/hook/secret", OURS]
    assert "jivo.example" in said
    assert "hook/secret" not in said + manage("list")
    assert SECRET not in said + manage("list")
    manage("unregister")
    assert [each["url"] for each in avito.subscriptions] == ["https://jivo.example/hook/secret"]
    assert "не зарегистрирован" in manage("list")


def test_a_changed_secret_takes_the_place_of_the_earlier(avito: AvitoAPI, settings: Any):
    manage("register")
    settings.AVITO_WEBHOOK_SECRETS = ["n" * 43, SECRET]
    assert "Надо исправить: 1" in refused("check")

    manage("register")

    assert [each["url"] for each in avito.subscriptions] == [OURS.replace(SECRET, "n" * 43)]


def test_an_address_that_nobody_could_reach_isnt_registered(avito: AvitoAPI, settings: Any):
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    assert "PUBLIC_URL" in refused("register")
    assert "Всё в порядке" in manage("check")


def test_polling_once_takes_what_is_new(avito: AvitoAPI):
    avito.customer_writes(avito.begin_chat(), "Добрый день")

    assert "с новым: 1" in manage("poll")
    assert Message.objects.get().text == "Добрый день"


def test_the_watch_sets_the_webhook_again_and_tells_staff(avito: AvitoAPI):
    assert subscription.watch(now=timezone.now())
    assert [each["url"] for each in avito.subscriptions] == [OURS]
    assert Notice.objects.get().subject == "avito webhook"


def test_the_watch_lets_be_what_staff_have_taken_away(avito: AvitoAPI):
    manage("register")
    manage("unregister")

    assert subscription.watch(now=timezone.now())
    assert avito.subscriptions == []
    manage("register")


def test_without_deliveries_no_signature_is_guessed(avito: AvitoAPI):
    assert "Сравнивать пока нечего" in manage("signature") or "подходит" in manage("signature")
