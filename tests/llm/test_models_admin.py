"""Staff see how the models are, change their order, try one, and know what is spent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from knowledge.llm import breaker, budget
from knowledge.llm.chat import Failure, ModelFailed
from knowledge.llm.models import ModelBreaker, ModelBudget, ModelCall, ModelDay, ModelProfile
from tests.llm.conftest import KEY
from tests.standins.openai_chat import OpenAIChat

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(operator: Any) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(operator)
    return client


def page_of(slug: str) -> str:
    return reverse("admin:knowledge_modelprofile_change", args=[ModelProfile.objects.get(slug=slug).pk])


def check(office: Client, slug: str) -> str:
    row = ModelProfile.objects.get(slug=slug)
    answer = office.post(reverse("admin:knowledge_model_check", args=[row.pk]), follow=True)
    return answer.content.decode()


def test_list_shows_the_chain_with_what_each_is_worth(office: Client, openai: OpenAIChat) -> None:
    breaker.failed("openai", ModelFailed(Failure.NO_MODEL, "openai answers 404"), now=timezone.now())

    page = office.get(reverse("admin:knowledge_modelprofile_changelist")).content.decode()

    assert "there is no such model" in page and "demo-first" in page
    assert "its key isn&#x27;t set" in page
    assert KEY not in page


def test_list_needs_as_many_queries_for_many_models_as_for_few(
    office: Client, profiles: Any, django_assert_max_num_queries: Any
) -> None:
    address = reverse("admin:knowledge_modelprofile_changelist")
    office.get(address)
    for number in range(5):
        profiles.create(slug=f"own-{number}", title=str(number), dialect="openai", model="m", base_url="http://x/v1")

    with django_assert_max_num_queries(12):
        office.get(address)


def test_order_is_changed_in_the_list(office: Client, profiles: Any, settings: Any) -> None:
    from knowledge.llm import profiles as chains

    settings.OPENAI_API_KEY = settings.ANTHROPIC_API_KEY = KEY
    rows = list(profiles.order_by("position", "id"))
    form = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows), "_save": "1"}
    for number, row in enumerate(rows):
        place = 1 if row.slug == "anthropic" else row.position
        form |= {f"form-{number}-id": row.pk, f"form-{number}-position": place, f"form-{number}-is_active": "on"}

    answer = office.post(reverse("admin:knowledge_modelprofile_changelist"), form)

    assert answer.status_code == 302
    assert [each.slug for each in chains.chain()] == ["anthropic", "openai"]


def test_model_is_tried_at_the_press_of_a_button(office: Client, openai: OpenAIChat) -> None:
    breaker.failed("openai", ModelFailed(Failure.KEY, "openai answers 401"), now=timezone.now())
    openai.say("готов")

    page = check(office, "openai")

    assert "OpenAI has answered in" in page and "It is asked" in page
    assert ModelBreaker.objects.get(slug="openai").open_until is None
    assert ModelCall.objects.get().purpose == "check"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("bad_key", "Put a valid key into the variable"),
        ("retired", "choose another id"),
        ("country", "give the address of a reseller"),
        ("no_money", "Top up the account"),
        ("busy", "limit of requests is reached"),
        ("bad_request", "see the options"),
        ("garbage", "check the dialect and the address"),
    ],
)
def test_what_is_wrong_is_said_in_words(office: Client, openai: OpenAIChat, trouble: str, words: str) -> None:
    openai.fail(trouble)

    page = check(office, "openai")

    assert words in page
    assert KEY not in page


def test_model_without_its_key_says_which_is_missing(office: Client, profiles: Any, settings: Any) -> None:
    assert "its key isn&#x27;t set" in check(office, "gigachat")


def test_trying_needs_the_right_to_change(openai: OpenAIChat, db: Any) -> None:
    from sales.models import User

    client = Client()
    client.force_login(User.objects.create_user("reader", password="a long pass phrase", is_staff=True))
    row = ModelProfile.objects.get(slug="openai")

    assert client.post(reverse("admin:knowledge_model_check", args=[row.pk])).status_code == 403
    assert openai.asked == []


def test_personal_data_can_not_be_allowed_to_a_model_abroad(office: Client, profiles: Any) -> None:
    for region in ("abroad", "ru"):  # a slip in one field isn't enough
        answer = office.post(page_of("openai"), _form("openai", personal_data="on", region=region))
        assert "A model abroad may not see personal data." in answer.content.decode()

    assert not profiles.filter(personal_data=True).exists()


def test_options_that_are_wrong_are_named(office: Client, profiles: Any) -> None:
    answer = office.post(page_of("openai"), _form("openai", options='{"stream": "yes", "headers": {"x-api-key": "s"}}'))

    page = answer.content.decode()
    assert "stream: true or false." in page
    assert "write ${KEY} in its place" in page


def test_variable_of_another_kind_can_not_be_named(office: Client, profiles: Any) -> None:
    answer = office.post(page_of("openai"), _form("openai", key_variable="SECRET_KEY"))

    assert "There is no variable of this name." in answer.content.decode()


def test_saving_a_mended_model_has_it_asked_again(office: Client, profiles: Any) -> None:
    breaker.failed("openai", ModelFailed(Failure.NO_MODEL, "openai answers 404"), now=timezone.now())

    answer = office.post(page_of("openai"), _form("openai", model="newer"))

    assert answer.status_code == 302
    assert breaker.may_ask("openai", now=timezone.now())


def test_overview_names_models_that_need_a_person_and_a_limit(office: Client, openai: OpenAIChat) -> None:
    before = office.get(reverse("admin:index")).content.decode()
    breaker.failed("openai", ModelFailed(Failure.NO_MODEL, "openai answers 404"), now=timezone.now())
    ModelBudget(day_roubles=Decimal(10)).save()
    ModelDay.objects.create(day=budget.local_day(timezone.now()), slug="openai", roubles=Decimal(11))

    page = office.get(reverse("admin:index")).content.decode()

    assert 'id="models"' not in before
    assert "OpenAI: there is no such model" in page
    assert "budget is used up" in page


def test_budget_stands_beside_what_is_spent(office: Client, profiles: Any) -> None:
    today = budget.local_day(timezone.now())
    ModelDay.objects.create(day=today, slug="openai", roubles=Decimal("12.5"))
    ModelDay.objects.create(day=today.replace(day=1) - timedelta(days=1), slug="openai", roubles=Decimal(70))

    page = office.get(reverse("admin:knowledge_modelbudget_change", args=[1])).content.decode()

    assert "12.50" in page or "12,50" in page
    assert office.post(reverse("admin:knowledge_modelbudget_delete", args=[1])).status_code == 403


def test_calls_are_read_with_their_sums(office: Client, profiles: Any) -> None:
    for outcome, cost in (("ok", "1.25"), ("timeout", "0"), ("ok", "2.50")):
        ModelCall.objects.create(
            slug="openai", model="m", outcome=outcome, roubles=Decimal(cost), prompt_tokens=100, cached_tokens=50, ms=10
        )
    ModelDay.objects.create(day=budget.local_day(timezone.now()), slug="openai", calls=3, roubles=Decimal("3.75"))

    every = office.get(reverse("admin:knowledge_modelcall_changelist"))
    good = office.get(reverse("admin:knowledge_modelcall_changelist"), {"outcome__exact": "ok"})
    days = office.get(reverse("admin:knowledge_modelday_changelist"))

    assert every.context_data["sums"]["roubles"] == Decimal("3.75")
    assert every.context_data["sums"]["failures"] == 1
    assert good.context_data["sums"] | {"calls": 2, "cached_share": 50} == good.context_data["sums"]
    assert days.context_data["sums"]["calls"] == 3
    one = ModelCall.objects.first()
    assert office.get(reverse("admin:knowledge_modelcall_change", args=[one.pk])).status_code == 200
    assert office.post(reverse("admin:knowledge_modelcall_delete", args=[one.pk])).status_code == 403


def _form(slug: str, **changed: Any) -> dict[str, Any]:
    import json

    row = ModelProfile.objects.get(slug=slug)
    fields = [field.name for field in ModelProfile._meta.fields if field.name not in {"id", "slug"}]
    form = {name: getattr(row, name) for name in fields} | {"options": json.dumps(row.options)}
    return {name: value for name, value in (form | changed).items() if value is not False}
