"""What models cost is kept whatever becomes of the turn, and a limit holds from the next call on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from common.promise import State
from knowledge.llm import budget, profiles, records, router
from knowledge.llm import models as rows
from knowledge.llm.chat import Answer, Failure, ModelFailed, Profile, Usage
from knowledge.llm.models import ModelBudget, ModelCall, ModelDay, ModelProfile
from sales.models import Notice, Turn
from sales.rehearsal import rehearsed
from tests.llm.conftest import KEY
from tests.llm.talking import Talk, counted
from tests.standins.anthropic_messages import AnthropicMessages
from tests.standins.openai_chat import OpenAIChat

pytestmark = pytest.mark.django_db
PRICED = Profile(
    slug="openai", dialect="openai", model="m", price_in=Decimal(300), price_cached=Decimal(30), price_out=Decimal(1500)
)
QUESTION = "Здравствуйте! Чем вы можете помочь?"


def keep(came: Any = None, **more: Any) -> Decimal:
    came = came or Answer("да", usage=Usage(prompt=1_000_000))
    return records.keep(came, profile=PRICED, seconds=0.1, now=more.pop("now", timezone.now()), **more)


def test_cost_counts_what_came_from_the_cache_by_its_own_price() -> None:
    usage = Usage(prompt=10_000, cached=8_000, answer=1_000)

    assert records.roubles(usage, PRICED) == Decimal("2.3400")  # 0.6 + 0.24 + 1.5


@pytest.mark.parametrize(("kept_for", "roubles"), [("", "3.9000"), ("5m", "3.9000"), ("1h", "6.1500")])
def test_cost_counts_what_was_put_into_the_cache_dearer(kept_for: str, roubles: str) -> None:
    usage = Usage(prompt=10_000, written=10_000, answer=100)
    profile = replace(PRICED, options={"cache_ttl": kept_for})

    assert records.roubles(usage, profile) == Decimal(roubles)  # 3.0 by the price of tokens, 0.15 for the answer


def test_calls_add_up_to_their_day() -> None:
    keep(Answer("да", usage=Usage(prompt=1000, cached=400, answer=50), first_piece=0.25, request_id="req-1"))
    keep(ModelFailed(Failure.BROKEN, "broke off", usage=Usage(prompt=1000, answer=10, estimated=True)))

    day = ModelDay.objects.get()
    assert (day.calls, day.failures, day.prompt_tokens, day.cached_tokens, day.answer_tokens) == (2, 1, 2000, 400, 60)
    assert day.roubles == sum(ModelCall.objects.values_list("roubles", flat=True))
    first = ModelCall.objects.earliest("id")
    assert (first.first_piece_ms, first.request_id, first.outcome) == (250, "req-1", "ok")


def test_day_and_month_begin_at_midnight_of_our_time_zone() -> None:
    moscow = ZoneInfo("Europe/Moscow")
    midnight = datetime(2026, 12, 1, tzinfo=moscow)
    keep(now=midnight - timedelta(minutes=1))
    keep(now=midnight + timedelta(minutes=1))
    keep(now=midnight + timedelta(days=1, minutes=1))

    spent = budget.spent(now=midnight + timedelta(days=1, hours=1))

    assert (spent.day, spent.month) == (Decimal(300), Decimal(600))


def test_limit_leaves_paid_models_out_from_the_next_call_on(
    talk: Talk, openai: OpenAIChat, anthropic: AnthropicMessages
) -> None:
    ModelBudget(day_roubles=Decimal("0.01")).save()
    openai.say("Отвечает модель.", prompt_tokens=5_000)

    first, second = talk.say(QUESTION), talk.say("А ещё?")

    assert (first.turn.model, second.turn.model) == ("openai", "keyless")
    assert second.calls == [] and second.text
    assert Notice.objects.get().kind == "budget"


def test_limit_that_is_reached_within_a_turn_holds_for_its_next_call(talk: Talk, openai: OpenAIChat) -> None:
    ModelBudget(month_roubles=Decimal("0.01")).save()
    openai.say(calls=[("pricing__price_list", {})], prompt_tokens=5_000)
    openai.say("Этого никто не услышит.")
    before = counted("model_budget_left_out_total", limit="month")

    said = talk.say(QUESTION)

    assert said.turn.model == "keyless" and said.text
    assert said.calls == [("openai", "ok")]
    assert counted("model_budget_left_out_total", limit="month") == before + 1


def test_model_that_costs_nothing_goes_on_over_the_limit(talk: Talk, openai: OpenAIChat, profiles: Any) -> None:
    ModelBudget(day_roubles=Decimal(0)).save()
    profiles.filter(slug="openai").update(price_in=0, price_cached=0, price_out=0)
    openai.say("Отвечает своя модель.")

    assert talk.say(QUESTION).turn.model == "openai"


def test_without_limits_nothing_is_left_out(openai: OpenAIChat) -> None:
    keep()

    assert budget.reached(now=timezone.now()) == ""
    assert router.model().name == "openai"


def test_staff_are_told_once_however_often_a_limit_is_met(profiles: Any) -> None:
    ModelBudget(day_roubles=Decimal(1)).save()
    keep()

    for _ in range(3):
        assert budget.reached(now=timezone.now()) == "day"

    assert Notice.objects.count() == 1
    assert "300.00" in Notice.objects.get().text


def test_turn_that_fails_keeps_what_its_calls_have_cost(
    talk: Talk, openai: OpenAIChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sales.assistant import turn as turns

    openai.say("Ответ, который не удалось сохранить.")

    def broken(*args: Any, **rest: Any) -> None:
        with transaction.atomic():
            raise RuntimeError("the disk is full")

    monkeypatch.setattr(turns, "say", broken)
    talk.say(QUESTION)

    turn = Turn.objects.get()
    assert turn.state == State.DUE
    call = ModelCall.objects.filter(turn=turn).earliest("id")
    assert (call.slug, call.attempt, call.prompt_tokens > 0) == ("openai", 1, True)


def test_rehearsal_takes_back_its_calls_and_holds_nobody_up(profiles: Any) -> None:
    keep()
    before = ModelDay.objects.get().calls

    with rehearsed():
        keep()
        assert ModelDay.objects.get().calls == before + 1
        assert budget.spent(now=timezone.now()).day == Decimal(600)

    assert ModelDay.objects.get().calls == before
    assert ModelCall.objects.count() == before


def test_old_calls_go_and_their_days_stay() -> None:
    keep(now=timezone.now() - records.KEPT - timedelta(days=1))
    keep()

    assert records.tidy(now=timezone.now()) == 1
    assert ModelDay.objects.count() == 2


# --- profiles ---------------------------------------------------------------------------------------------------


def test_key_in_the_environment_is_the_switch(profiles: Any, settings: Any) -> None:
    from knowledge.llm import profiles as chains

    settings.ANTHROPIC_API_KEY = settings.OPENAI_API_KEY = settings.GIGACHAT_CREDENTIALS = KEY
    settings.YANDEXGPT_API_KEY, settings.YANDEXGPT_FOLDER_ID = KEY, "b1gfolder"

    found = chains.chain()

    assert [each.slug for each in found] == ["openai", "anthropic", "yandexgpt", "gigachat"]
    yandex = found[2]
    assert yandex.model == "gpt://b1gfolder/yandexgpt/latest"
    assert yandex.options["project"] == "b1gfolder"
    assert found[3].options["auth_url"] == settings.GIGACHAT_AUTH_URL
    assert KEY not in repr(found)


def test_server_of_our_own_needs_no_key(profiles: Any) -> None:
    from knowledge.llm import profiles as chains

    ours = ModelProfile(
        slug="ollama",
        title="Ollama",
        position=1,
        dialect="openai",
        model="qwen3:8b",
        base_url="http://127.0.0.1:11434/v1",
        options={"answer_limit": "max_tokens"},
        region="ru",
        personal_data=True,
    )
    ours.full_clean()
    ours.save()

    (found,) = chains.chain()

    assert found.personal_data and not chains.is_paid(found)


def test_key_of_another_server_is_named_by_its_own_variable(profiles: Any, settings: Any) -> None:
    from knowledge.llm import profiles as chains

    settings.MODEL_KEYS = {"MODEL_KEY_RESELLER": KEY}
    reseller = ModelProfile(
        slug="reseller",
        title="Reseller",
        dialect="anthropic",
        model="m",
        base_url="https://api.example.ru/anthropic",
        key_variable="MODEL_KEY_RESELLER",
        options={"headers": {"x-api-key": "${KEY}"}},
    )
    reseller.full_clean()
    reseller.save()

    (found,) = chains.chain()

    assert found.options["headers"]["x-api-key"] == KEY
    assert KEY not in str(reseller.options)


@pytest.mark.parametrize(
    "changed",
    [
        {"base_url": "https://api.openai.com/v1"},
        {"base_url": "https://eu.api.openai.com/v1"},
        {"base_url": "https://company.openai.azure.com/v1"},
        {"dialect": "anthropic"},
        {"region": "abroad"},
    ],
)
def test_vendor_abroad_never_sees_personal_data_whatever_its_row_says(changed: dict[str, Any]) -> None:
    from knowledge.llm import profiles as chains

    fields = {"dialect": "openai", "region": "ru", "base_url": "http://127.0.0.1/v1"} | changed
    row = ModelProfile(slug="own", title="Own", model="m", personal_data=True, **fields)

    with pytest.raises(ValidationError, match="personal_data"):
        row.full_clean()
    assert not chains.profile_of(row).personal_data


def test_database_refuses_it_too(profiles: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        profiles.filter(slug="openai").update(personal_data=True)


def test_variable_that_moves_a_model_abroad_takes_personal_data_from_it(profiles: Any, settings: Any) -> None:
    from knowledge.llm import profiles as chains

    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = KEY, "http://10.0.0.7/v1"
    profiles.filter(slug="openai").update(personal_data=True, region="ru")
    assert chains.chain()[0].personal_data

    settings.OPENAI_BASE_URL = "https://api.openai.com/v1"

    assert not chains.chain()[0].personal_data


def test_key_of_a_vendor_abroad_is_warned_of(settings: Any) -> None:
    settings.OPENAI_API_KEY = settings.ANTHROPIC_API_KEY = ""
    before = [each.id for each in run_checks() if each.id == "knowledge.W001"]
    settings.ANTHROPIC_API_KEY = KEY

    (found,) = [each for each in run_checks() if each.id == "knowledge.W001"]

    assert before == []
    assert "ANTHROPIC_API_KEY" in found.msg and KEY not in str(found)


def test_chosen_models_speak_whatever_breaker_and_budget_say(
    talk: Talk, openai: OpenAIChat, anthropic: AnthropicMessages
) -> None:
    from knowledge.llm import profiles as chains

    ModelBudget(day_roubles=Decimal(0)).save()
    anthropic.say("Отвечает выбранная модель.")
    chosen = chains.by_slug("anthropic")
    assert chosen is not None

    with router.using(profiles=[chosen], prompt_version="1"):
        said = talk.say(QUESTION)
    with router.using(profiles=[]):
        plain = talk.say("Спасибо")

    assert (said.turn.model, plain.turn.model) == ("anthropic", "keyless")
    assert ModelCall.objects.get().prompt_version == "1"


def test_outcomes_of_calls_are_all_failures_there_are() -> None:
    assert {each.value for each in Failure} | {"ok"} == set(rows.CallOutcome.values)
    assert profiles.chain() == []
