"""A model that fails is left alone by every process, and asked again by one of them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from common.health import Dependency
from knowledge.health import health
from knowledge.llm import breaker, router
from knowledge.llm.chat import Failure, ModelFailed
from knowledge.llm.models import ModelBreaker
from sales.models import Notice
from tests.llm.talking import Talk, counted
from tests.standins.anthropic_messages import AnthropicMessages
from tests.standins.openai_chat import OpenAIChat

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def fail(failure: Failure = Failure.SERVER, *, at: Any = NOW, retry_after: float | None = None, **more: Any) -> None:
    breaker.failed("openai", ModelFailed(failure, f"openai: {failure}", retry_after=retry_after), now=at, **more)


def test_three_failures_in_a_row_open_it_for_a_while() -> None:
    for _ in range(2):
        fail()
    assert breaker.may_ask("openai", now=NOW)

    fail()

    assert not breaker.may_ask("openai", now=NOW)
    assert not breaker.may_ask("openai", now=NOW + breaker.REST - timedelta(seconds=1))
    assert breaker.may_ask("openai", now=NOW + breaker.REST)


def test_answer_between_failures_forgives_them() -> None:
    for _ in range(2):
        fail()
    breaker.answered("openai", now=NOW)
    fail()

    assert breaker.may_ask("openai", now=NOW)


@pytest.mark.parametrize("failure", sorted(breaker.LASTING))
def test_what_waiting_will_not_mend_opens_it_at_once_and_is_told(failure: Failure) -> None:
    alarms = counted("model_alarms_total", profile="openai", outcome=failure)

    fail(failure)

    assert not breaker.may_ask("openai", now=NOW + breaker.LASTING_REST - timedelta(seconds=1))
    assert counted("model_alarms_total", profile="openai", outcome=failure) == alarms + 1
    assert counted("model_breaker_open", profile="openai") == 1
    assert Notice.objects.get().subject == "openai"


@pytest.mark.parametrize("failure", sorted(breaker.OF_THE_TALK))
def test_what_one_conversation_does_is_not_held_against_it(failure: Failure) -> None:
    for _ in range(5):
        fail(failure)

    assert breaker.may_ask("openai", now=NOW)


def test_model_that_was_given_no_time_is_not_blamed() -> None:
    for _ in range(5):
        fail(Failure.TIMEOUT, fault=False)

    assert breaker.may_ask("openai", now=NOW)


def test_vendor_is_not_asked_before_it_wanted_to_be() -> None:
    fail(Failure.LIMITED, retry_after=77)

    assert not breaker.may_ask("openai", now=NOW + timedelta(seconds=76))
    assert breaker.may_ask("openai", now=NOW + timedelta(seconds=77))


def test_absurd_wish_of_a_vendor_is_not_believed() -> None:
    fail(Failure.LIMITED, retry_after=10**9)

    assert breaker.may_ask("openai", now=NOW + breaker.ASKED_MOST)


def test_one_asker_alone_is_the_probe() -> None:
    fail(Failure.KEY)
    after = NOW + breaker.LASTING_REST

    assert [breaker.may_ask("openai", now=after) for _ in range(4)] == [True, False, False, False]
    assert breaker.may_ask("openai", now=after + breaker.PROBE), "a probe whose process died is anybody's again"


def test_probe_that_fails_opens_it_for_longer_and_one_that_answers_closes_it() -> None:
    at, rests = NOW, []
    fail(Failure.NO_MODEL, at=at)
    for _ in range(8):
        row = ModelBreaker.objects.get()
        assert row.open_until is not None
        rests.append(row.open_until - at)
        at = row.open_until
        assert breaker.may_ask("openai", now=at)
        fail(Failure.NO_MODEL, at=at)

    assert rests[:3] == [breaker.LASTING_REST * factor for factor in (1, 2, 4)]
    assert rests[-1] == breaker.LASTING_REST_MOST

    breaker.answered("openai", now=at)

    assert breaker.may_ask("openai", now=at)
    assert counted("model_breaker_open", profile="openai") == 0


def test_late_failures_of_calls_under_way_do_not_open_it_for_longer() -> None:
    for _ in range(6):
        fail()

    assert breaker.may_ask("openai", now=NOW + breaker.REST)


def test_open_model_is_passed_over_without_asking(talk: Talk, openai: OpenAIChat, anthropic: AnthropicMessages) -> None:
    fail(Failure.KEY, at=timezone.now())
    anthropic.say("Отвечает вторая модель.")

    said = talk.say("Здравствуйте!")

    assert said.turn.model == "anthropic"
    assert openai.asked == []


def test_model_is_asked_again_by_the_first_turn_after_its_rest(talk: Talk, openai: OpenAIChat) -> None:
    fail(Failure.KEY, at=timezone.now() - breaker.LASTING_REST)
    openai.say("Снова отвечает первая модель.")

    said = talk.say("Здравствуйте!")

    assert said.turn.model == "openai"
    assert ModelBreaker.objects.get().open_until is None


def test_with_all_of_them_open_the_model_without_a_key_is_the_chain(openai: OpenAIChat) -> None:
    assert router.model().name == "openai"

    fail(Failure.KEY, at=timezone.now())

    assert router.model().name == "keyless"


def test_readiness_says_of_each_model_how_it_is_and_why(openai: OpenAIChat, anthropic: AnthropicMessages) -> None:
    fail(Failure.NO_MODEL, at=timezone.now())

    found = {each.name: each for each in health()}

    assert found["model openai"].state == "down"
    assert found["model openai"].detail.startswith("openai: no_model; asked again in")
    assert found["model anthropic"] == Dependency("model anthropic", "ok")
    assert found["model gigachat"] == Dependency("model gigachat", "off", "no key")


_OTHER = """
    import os, django
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.utils import timezone
    from knowledge.llm import breaker
    from knowledge.llm.chat import Failure, ModelFailed
    now = timezone.now()
    print(breaker.may_ask("openai", now=now))
    breaker.failed("openai", ModelFailed(Failure.SERVER, "openai answers 500"), now=now)
"""


def elsewhere() -> str:
    """Ask and fail once in a process of its own."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    address = urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_OTHER)],
        env={**os.environ, "DATABASE_URL": address},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout.strip()


@pytest.mark.django_db(transaction=True)
def test_it_is_one_breaker_for_two_processes() -> None:
    now = timezone.now()
    for _ in range(2):
        fail(at=now)

    first = elsewhere()  # the third failure, seen by another process

    assert first == "True"
    assert not breaker.may_ask("openai", now=timezone.now())
    assert elsewhere() == "False"
