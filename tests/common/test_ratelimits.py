"""Limits: exact, by the right asker, and never in the way when their store is away."""

from __future__ import annotations

import threading
import time
import uuid

import pytest
import redis
from django.conf import settings as django_settings
from django.test import RequestFactory
from rest_framework.response import Response
from rest_framework.views import APIView

from common import metrics, ratelimits
from common.ratelimits import AddressThrottle, allow, client_address, count, network_of, scope_address


@pytest.fixture(autouse=True)
def _on(settings):
    settings.RATE_LIMITS = True
    ratelimits._quiet_until = 0.0
    yield
    ratelimits._quiet_until = 0.0


def key() -> str:
    return uuid.uuid4().hex


def test_limit_is_reached_exactly():
    asker = key()

    assert [allow("test", asker, 3, 60) for _ in range(5)] == [True, True, True, False, False]


def test_askers_and_scopes_are_counted_apart():
    asker = key()
    allow("test", asker, 1, 60)

    assert allow("test", key(), 1, 60)
    assert allow("other", asker, 1, 60)
    assert not allow("test", asker, 1, 60)


def test_the_wait_is_told_and_after_it_there_is_a_new_window():
    asker = key()
    count("test", asker, 1, 1)
    refused = count("test", asker, 1, 1)

    assert (refused.allowed, refused.retry_after) == (False, 1)
    time.sleep(1.1)
    assert allow("test", asker, 1, 1)


def test_parallel_askers_get_no_more_than_the_limit():
    asker, allowed = key(), []

    def ask() -> None:
        allowed.extend(allow("test", asker, 20, 60) for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(allowed), sum(allowed)) == (80, 20)


def test_a_counter_without_an_end_gets_one():
    asker = key()
    client = redis.Redis.from_url(django_settings.REDIS_URL)
    client.set(ratelimits._key("test", asker), 5)

    assert count("test", asker, 1, 60).retry_after == 60


def test_lifted_limits_count_nothing(settings):
    settings.RATE_LIMITS = False
    asker = key()

    assert all(allow("test", asker, 1, 60) for _ in range(5))
    assert redis.Redis.from_url(settings.REDIS_URL).exists(ratelimits._key("test", asker)) == 0


def test_valkey_keeps_no_address():
    allow("test", "203.0.113.77", 5, 60)

    keys = redis.Redis.from_url(django_settings.REDIS_URL).keys("limit:*")

    assert keys and not [each for each in keys if b"203.0.113" in each]


def test_with_valkey_away_everything_passes_at_once_and_is_counted(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    before = metrics.limits_unchecked_total.labels(scope="away")._value.get()
    started = time.monotonic()

    assert all(allow("away", "x", 1, 60) for _ in range(50))
    assert time.monotonic() - started < 1
    assert metrics.limits_unchecked_total.labels(scope="away")._value.get() == before + 50


class Limited(APIView):
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (AddressThrottle,)
    throttle_scope = "tiny"

    def get(self, request):
        return Response({"fine": True})


def test_a_view_answers_429_with_when_to_come_back(monkeypatch):
    monkeypatch.setitem(ratelimits.LIMITS, "tiny", (2, 60))
    view, factory = Limited.as_view(), RequestFactory()

    def ask(address: str):
        return view(factory.get("/", REMOTE_ADDR=address))

    answers = [ask("198.51.100.7") for _ in range(3)]
    answers[-1].accepted_media_type = "application/json"

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert 58 <= int(answers[2].headers["Retry-After"]) <= 60
    assert answers[2].data["errors"][0]["code"] == "throttled"
    assert ask("198.51.100.8").status_code == 200


@pytest.mark.parametrize(
    "proxies, peer, forwarded, address",
    [
        (0, "203.0.113.5", "", "203.0.113.5"),
        (0, "203.0.113.5", "10.0.0.1", "203.0.113.5"),
        (1, "127.0.0.1", "203.0.113.5", "203.0.113.5"),
        (1, "127.0.0.1", "1.2.3.4, 203.0.113.5", "203.0.113.5"),
        (2, "127.0.0.1", "1.2.3.4, 203.0.113.5, 10.0.0.1", "203.0.113.5"),
        (2, "127.0.0.1", "203.0.113.5", "203.0.113.5"),
        (1, "127.0.0.1", "", "127.0.0.1"),
        (1, "127.0.0.1", "nonsense", ""),
        (0, "", "", ""),
        (0, "::ffff:203.0.113.5", "", "203.0.113.5"),
        (0, "2001:db8::1", "", "2001:db8::1"),
    ],
)
def test_the_address_is_the_one_our_proxies_vouch_for(settings, proxies, peer, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR=peer, **headers)
    scope = {"client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded.encode())] if forwarded else []}

    assert client_address(request) == address
    assert scope_address(scope) == address


def test_a_customer_of_ipv6_is_one_asker():
    assert network_of("2001:db8:1:2::7") == network_of("2001:db8:1:2:ffff::1") != network_of("2001:db8:1:3::7")
    assert network_of("203.0.113.5") == "203.0.113.5"
