"""Any answer can be taken apart, and asked for again beside the first: nothing is sent, and the cost counts."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.utils import timezone

from common import locks
from knowledge.llm import profiles as chains
from knowledge.llm.inspector.again import CannotAskAgain, ask_again
from knowledge.llm.inspector.differing import differences
from knowledge.llm.inspector.reading import inspect, waterfall
from knowledge.llm.models import ModelCall, ModelDay, ModelProfile
from pricing.models import Quote
from sales import operations
from sales.models import Conversation, Lead, LeadFact, Message, ToolCall, Turn, User
from sales.qualification import facts
from sales.qualification.enums import FactKind
from sales.stuck import stuck_rows
from tests.llm.talking import Talk
from tests.standins.anthropic_messages import AnthropicMessages
from tests.standins.openai_chat import OpenAIChat

pytestmark = pytest.mark.django_db
WRONG, RIGHT = "Это стоит 77 700 ₽ в месяц.", "Точную цену посчитаю по вашему объёму."
AGAIN = "Посчитаю точную цену по вашему объёму диалогов."
TABLES = (Lead, Conversation, Message, Turn, ToolCall, LeadFact, Quote)


@pytest.fixture(autouse=True)
def _time_enough(openai: OpenAIChat, settings: Any) -> None:
    """The first to ask loads a vendor's SDK, which is none of what is tested here."""
    settings.MODEL_CALL_SECONDS, settings.MODEL_TURN_SECONDS = 5, 20


@pytest.fixture
def second_model(openai: OpenAIChat) -> Any:
    """Another model of the same vendor, which staff have taken out of the chain."""
    first = ModelProfile.objects.get(slug="openai")
    return ModelProfile.objects.create(
        slug="another",
        title="Другая",
        is_active=False,
        dialect=first.dialect,
        model="demo-other",
        base_url=openai.url,
        key_variable=first.key_variable,
        price_in=100,
        price_out=1000,
    )


@pytest.fixture
def office(operator: Any) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def counts() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in TABLES}


# --- taking apart ---


def test_page_shows_who_answered_what_failed_what_was_stopped_and_what_it_cost(
    talk: Talk, openai: OpenAIChat, anthropic: AnthropicMessages, office: Client
) -> None:
    ModelProfile.objects.filter(slug="anthropic").update(price_in=100, price_cached=10, price_out=1000)
    openai.mode = "broken"
    anthropic.say(WRONG, prompt_tokens=1000, answer_tokens=100)
    anthropic.say(RIGHT, prompt_tokens=2000, answer_tokens=50)
    turn = talk.say("Сколько стоит AI-менеджер?").turn

    found = inspect(turn)
    page = office.get(f"/admin/knowledge/inspectedturn/{turn.pk}/change/").content.decode()

    assert (found.text, found.model, found.failures) == (RIGHT, "anthropic", 1)
    assert [(call.slug, call.good) for call in found.asked] == [
        ("openai", False),
        ("anthropic", True),
        ("anthropic", True),
    ]
    assert [(each.passed, each.draft) for each in found.judged] == [(False, WRONG), (True, "")]
    assert (found.read, found.written) == (3000, 150)
    assert found.roubles == sum(call.roubles for call in ModelCall.objects.all()) > 0
    assert {"model", "call", "tool", "guard"} <= {bar.kind for bar in found.bars}
    assert found.prompt_version
    for words in (WRONG, RIGHT, "сервер", "demo-second", "knowledge__search", "77 700"):
        assert words in page


def test_words_of_customers_and_models_stay_text(talk: Talk, openai: OpenAIChat, office: Client) -> None:
    attack = "<script>alert(1)</script>"
    openai.say(f"Это 99 999 ₽ {attack}")
    openai.say(f"Здравствуйте! {attack}")
    turn = talk.say(f"Привет {attack}").turn

    page = office.get(f"/admin/knowledge/inspectedturn/{turn.pk}/change/").content.decode()

    assert attack not in page and "&lt;script&gt;" in page


def test_stretches_of_time_follow_one_another_and_calls_lie_within_their_step(talk: Talk, openai: OpenAIChat) -> None:
    turn = talk.say("Здравствуйте!").turn

    bars = [bar for bar in inspect(turn).bars if bar.kind != "stream"]

    steps = [bar for bar in bars if bar.kind != "call"]
    assert all(later.start == pytest.approx(bar.start + bar.ms) for bar, later in itertools.pairwise(steps))
    (call,) = [bar for bar in bars if bar.kind == "call"]
    (step,) = [bar for bar in steps if bar.kind == "model" and bar.start <= call.start < bar.start + bar.ms]
    assert call.start + call.ms <= step.start + step.ms + 1
    assert all(0 <= bar.left <= 100 and bar.left + bar.width <= 101 for bar in bars)
    assert waterfall([], []) == ()


def test_answer_without_any_trace_is_shown_too(conversation: Conversation, office: Client) -> None:
    turn = Turn.objects.create(conversation=conversation)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sales_turn SET trace = '\\x01'::bytea")

    page = office.get(f"/admin/knowledge/inspectedturn/{turn.pk}/change/")

    assert (page.status_code, "Спросить ещё раз" in page.content.decode()) == (200, False)


def test_list_costs_the_same_queries_for_one_answer_and_for_three(
    talk: Talk, openai: OpenAIChat, office: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        talk.say("Здравствуйте!")
        with django_assert_max_num_queries(10):
            page = office.get("/admin/knowledge/inspectedturn/").content.decode()

    assert page.count("openai</") >= 3


def test_a_stuck_turn_stands_once_among_what_is_stuck(conversation: Conversation) -> None:
    Turn.objects.create(conversation=conversation, state="broken", problem="x")

    assert len(stuck_rows(now=timezone.now())) == 1


# --- asking again ---


def test_another_model_answers_beside_the_first_and_nothing_is_left_but_the_cost(
    talk: Talk, openai: OpenAIChat, second_model: ModelProfile
) -> None:
    openai.say(RIGHT)
    turn = talk.say("Мой телефон +7 916 123-45-67. Сколько стоит AI-менеджер?").turn
    openai.say("Ещё ответ.")
    talk.say("А юрист?")  # said later: the second answer may not know it
    before, spent = counts(), ModelCall.objects.count()
    openai.say(AGAIN, prompt_tokens=1000, answer_tokens=100)

    found = ask_again(turn, profile=chains.by_slug("another"), prompt_version="1")

    assert (found.text, found.model, found.problem) == (AGAIN, "another", "")
    assert [(call.slug, call.model, call.roubles) for call in found.asked] == [
        ("another", "demo-other", Decimal("0.2"))
    ]
    assert counts() == before
    kept = ModelCall.objects.get(slug="another")
    assert (ModelCall.objects.count(), kept.purpose, kept.turn, kept.roubles) == (
        spent + 1,
        "check",
        None,
        Decimal("0.2"),
    )
    assert ModelDay.objects.get(slug="another").roubles == Decimal("0.2")
    sent = str(openai.asked[-1])
    assert "Сколько стоит AI-менеджер?" in sent and "[ТЕЛЕФОН_1]" in sent
    assert all(words not in sent for words in ("123-45-67", "А юрист?", RIGHT, "Ещё ответ."))


def test_conversation_is_as_it_was_when_the_turn_began(talk: Talk, openai: OpenAIChat) -> None:
    wanted = {"products": [{"product": "ai_manager", "volume": 1800}], "billing_period": "month"}
    openai.say(calls=[("pricing__quote", wanted)])
    openai.say("Посчитал.")
    talk.say("AI-менеджер на 1800 диалогов")
    number = Quote.objects.get().number
    openai.say("Хорошо.")
    turn = talk.say("Спасибо").turn
    talk_id, lead_id = turn.conversation_id, turn.conversation.lead_id
    operations.save_contact(lead_id=lead_id, now=timezone.now(), by="t", phone="+79161234567")
    facts.note(
        conversation_id=talk_id,
        lead_id=lead_id,
        told=[facts.Told(FactKind.NEED, "особая примета", "Спасибо")],
        by="t",
        now=timezone.now(),
    )
    openai.say(calls=[("billing__prepare_proposal", {"quote_number": number})])
    openai.say("Готово.")

    found = ask_again(turn, profile=chains.by_slug("openai"))

    proposal = next(tool for tool in found.used if tool.name == "billing__prepare_proposal")
    assert not proposal.failed, proposal.result
    sent = str(openai.asked[-2])
    assert number in sent
    assert "особая примета" not in sent
    assert Quote.objects.get().conversation_id == talk_id
    assert "КП" in proposal.result or "document" in proposal.result


def test_model_without_a_key_can_be_asked_again(talk: Talk, openai: OpenAIChat) -> None:
    turn = talk.say("Сколько стоит AI-менеджер на 1800 диалогов?").turn
    asked = len(openai.asked)

    found = ask_again(turn, profile=None)

    assert (found.model, len(openai.asked)) == ("keyless", asked)
    assert "₽" in found.text and found.cards


def test_vendor_that_fails_again_is_seen(talk: Talk, openai: OpenAIChat) -> None:
    turn = talk.say("Здравствуйте!").turn
    openai.mode = "broken"

    found = ask_again(turn, profile=chains.by_slug("openai"))

    assert (found.model, found.failures) == ("keyless", 1)
    assert ModelCall.objects.filter(slug="openai", purpose="check", outcome="server").count() == 1


def test_a_turn_that_has_read_nothing_cannot_be_asked_again(conversation: Conversation, profiles: Any) -> None:
    with pytest.raises(CannotAskAgain):
        ask_again(Turn.objects.create(conversation=conversation), profile=None)


@pytest.mark.django_db(transaction=True)
def test_customer_who_writes_meanwhile_waits_for_nothing(talk: Talk, openai: OpenAIChat) -> None:
    import threading

    turn = talk.say("Здравствуйте!").turn
    began, done = threading.Event(), []

    def slow(body: dict[str, Any]) -> Any:
        began.set()
        writer.join(timeout=10)
        return openai.default

    def write() -> None:
        began.wait(timeout=10)
        done.append(
            operations.receive(
                conversation_id=turn.conversation_id, external_id="meanwhile", text="Вы тут?", now=timezone.now()
            ).created
        )
        connection.close()
        locks.close()

    writer = threading.Thread(target=write)
    writer.start()
    openai.reply = slow

    ask_again(turn, profile=chains.by_slug("openai"))

    assert done == [True]


def test_staff_ask_again_from_the_page_and_see_what_differs(
    talk: Talk, openai: OpenAIChat, second_model: ModelProfile, office: Client
) -> None:
    openai.say(RIGHT)
    turn = talk.say("Сколько стоит AI-менеджер?").turn
    openai.say(AGAIN)

    page = office.post(f"/admin/knowledge/inspectedturn/{turn.pk}/again/", {"model": "another", "prompt": "1"})

    text = page.content.decode()
    assert page.status_code == 200
    assert "<del>" in text and "<ins>" in text and AGAIN in text


@pytest.mark.parametrize("wrong", [{"model": "no-such", "prompt": "1"}, {"model": "keyless", "prompt": "../1"}, {}])
def test_what_is_not_there_is_not_asked(talk: Talk, openai: OpenAIChat, office: Client, wrong: dict[str, str]) -> None:
    turn = talk.say("Здравствуйте!").turn
    asked = len(openai.asked)

    answered = office.post(f"/admin/knowledge/inspectedturn/{turn.pk}/again/", wrong)

    assert (answered.status_code, len(openai.asked)) == (302, asked)


def test_who_asks_already_is_told_to_wait(talk: Talk, openai: OpenAIChat, office: Client, operator: User) -> None:
    import threading

    turn = talk.say("Здравствуйте!").turn
    holds, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with locks.session_lock(f"knowledge.again:{operator.pk}"):
            holds.set()
            may_end.wait(10)
        locks.close()

    other = threading.Thread(target=hold)
    other.start()
    holds.wait(10)

    answered = office.post(f"/admin/knowledge/inspectedturn/{turn.pk}/again/", {"model": "keyless", "prompt": "1"})

    may_end.set()
    other.join()
    assert answered.status_code == 302


@pytest.mark.parametrize(
    ("rights", "reads", "asks"),
    [
        ((), 403, 403),
        (("view_inspectedturn",), 403, 403),
        (("again_inspectedturn", "view_conversation"), 403, 403),
        (("view_inspectedturn", "view_conversation"), 200, 403),
        (("view_inspectedturn", "view_conversation", "again_inspectedturn"), 200, 200),
    ],
)
def test_rights_to_read_and_to_ask_are_two(
    talk: Talk, openai: OpenAIChat, rights: tuple[str, ...], reads: int, asks: int
) -> None:
    turn = talk.say("Здравствуйте!").turn
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(clerk)
    page = f"/admin/knowledge/inspectedturn/{turn.pk}"

    read = client.get(f"{page}/change/")
    asked = client.post(f"{page}/again/", {"model": "keyless", "prompt": "1"})

    assert (read.status_code, asked.status_code) == (reads, asks)
    assert ("Спросить ещё раз" in read.content.decode()) == (asks == 200)


def test_conversation_page_leads_to_the_inspector(talk: Talk, openai: OpenAIChat, office: Client) -> None:
    turn = talk.say("Здравствуйте!").turn

    talk_page = office.get(f"/admin/sales/conversation/{turn.conversation_id}/change/").content.decode()
    turn_page = office.get(f"/admin/sales/turn/{turn.pk}/change/").content.decode()

    address = f"/admin/knowledge/inspectedturn/{turn.pk}/change/"
    assert address in talk_page and address in turn_page


@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("", "Да."), ("Цена 5 000 ₽.", "Цена 6 000 ₽!"), ("а б в", "а в б")]
)
def test_differences_make_up_both_texts(before: str, after: str) -> None:
    found = differences(before, after)

    assert "".join(words for kind, words in found if kind != "new") == before
    assert sorted("".join(words for kind, words in found if kind != "gone")) == sorted(after)
    assert ([kind for kind, _words in found if kind != "same"] == []) == (before == after)
