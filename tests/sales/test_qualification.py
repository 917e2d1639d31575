"""What a conversation tells about the lead: facts that quote it, and the score that staff's rules make of them."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any, get_args

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from sales import operations, tasks
from sales.assistant import turn as turns
from sales.assistant.protocol import Reply, ToolRequest
from sales.enums import Stage
from sales.models import Conversation, Lead, LeadFact, Message, ScoreRule, ToolCall, Turn, User
from sales.qualification import facts, scoring
from sales.qualification.enums import Condition, FactKind
from sales.qualification.facts import Told
from sales.qualification.quoting import exact_words
from sales.qualification.tools import ToldFact
from tests import fakes

pytestmark = pytest.mark.django_db
NOTE = "sales__note_facts"


def write(conversation: Conversation, text: str) -> Message:
    return operations.receive(
        conversation_id=conversation.pk, external_id=uuid.uuid4().hex, text=text, now=timezone.now()
    ).message


def note(conversation: Conversation, *told: tuple[str, str, str], by: str = "a-model") -> facts.Noted:
    return facts.note(
        conversation_id=conversation.pk,
        lead_id=conversation.lead_id,
        told=[Told(FactKind(kind), value, quote) for kind, value, quote in told],
        by=by,
        now=timezone.now(),
    )


def held(conversation: Conversation) -> list[tuple[str, str]]:
    return sorted((fact.kind, fact.value) for fact in LeadFact.objects.filter(lead=conversation.lead).holding())


def score_of(conversation: Conversation) -> int:
    return Lead.objects.get(pk=conversation.lead_id).score


def answer(conversation: Conversation, monkeypatch: Any, settings: Any, *replies: Reply) -> fakes.ScriptedModel:
    model = fakes.ScriptedModel(*replies)
    monkeypatch.setattr(fakes, "scripted_model", model, raising=False)
    settings.ASSISTANT_MODEL = "tests.fakes.scripted_model"
    Turn.objects.filter(conversation=conversation).exclude(state="kept").update(due_at=timezone.now())
    turns.answer(conversation.pk, wait=lambda seconds: None)
    return model


# --- quotes ---


@pytest.mark.parametrize(
    ("quote", "stands"),
    [
        ("бюджет 50 тысяч", "бюджет 50  тысяч"),
        ("БЮДЖЕТ 50 ТЫСЯЧ", "бюджет 50  тысяч"),
        ("«бюджет 50 тысяч»", "бюджет 50  тысяч"),
        ('у нас ооо "Ромашка"', "У нас ООО «Ромашка"),
        ("все решает директор", "всё решает директор"),
        ("CRM-система", "CRM – система"),
    ],
)
def test_quote_is_found_however_it_is_typed(quote: str, stands: str) -> None:
    text = "У нас ООО «Ромашка», бюджет 50  тысяч, всё решает директор; есть CRM–система"

    assert exact_words(quote, text) == stands.replace(" – ", "–")


@pytest.mark.parametrize(
    "quote", ["бюджет 60 тысяч", "бюджет до 50 тысяч", "50 тыс", "", "…", "?", "50" * 300, "машка"]
)
def test_what_was_not_said_is_no_quote(quote: str) -> None:
    assert exact_words(quote, "У нас ООО «Ромашка», бюджет 50 тысяч?") == ""


# --- facts ---


def test_fact_is_kept_with_the_words_and_the_message_it_comes_from(conversation: Conversation) -> None:
    message = write(conversation, "Нас 120 человек, нужен бот в Telegram")

    note(conversation, ("company_size", "120", "нас 120 человек"), ("need", "бот в Telegram", "нужен бот"))

    size = LeadFact.objects.get(kind="company_size")
    assert (size.value, size.quote, size.message, size.noted_by) == ("120", "Нас 120 человек", message, "a-model")
    assert held(conversation) == [("company_size", "120"), ("need", "бот в Telegram")]


def test_fact_without_a_quote_in_this_conversation_is_none(conversation: Conversation) -> None:
    other = operations.open_conversation(channel="webchat", external_id="other", now=timezone.now())
    write(other, "Бюджет миллион")
    write(conversation, "Сколько стоит?")

    noted = note(conversation, ("budget", "1 000 000 ₽", "Бюджет миллион"))

    assert (noted.facts, noted.unquoted, held(conversation)) == ((), (FactKind.BUDGET,), [])


def test_words_of_the_assistant_are_no_quote(conversation: Conversation) -> None:
    write(conversation, "Сколько стоит?")
    operations.append(
        Conversation.objects.get(pk=conversation.pk),
        now=timezone.now(),
        direction="out",
        author="assistant",
        text="Ваш бюджет миллион?",
    )

    assert note(conversation, ("budget", "1 000 000 ₽", "бюджет миллион")).facts == ()


def test_what_is_said_anew_takes_the_place_of_what_was_said(conversation: Conversation) -> None:
    write(conversation, "Бюджет 50 тысяч")
    note(conversation, ("budget", "50 000 ₽", "Бюджет 50 тысяч"))
    write(conversation, "Нет, бюджет 80 тысяч")

    note(conversation, ("budget", "80 000 ₽", "бюджет 80 тысяч"), ("budget", "50 тыс", "Бюджет 50 тысяч"))

    old = LeadFact.objects.exclude(ended_at=None).get()
    assert held(conversation) == [("budget", "80 000 ₽")]
    assert (old.value, old.replaced_by and old.replaced_by.value) == ("50 000 ₽", "80 000 ₽")


def test_needs_and_products_add_up_and_volumes_of_two_products_stay_apart(conversation: Conversation) -> None:
    write(conversation, "Менеджер на 500 диалогов и юрист на 60 документов")
    quote = "Менеджер на 500 диалогов и юрист на 60 документов"
    note(conversation, ("product", "AI-менеджер", quote), ("product", "AI-юрист", quote))
    note(conversation, ("volume", "500 диалогов", quote), ("volume", "60 документов", quote))
    write(conversation, "Пусть будет 900 диалогов")

    note(conversation, ("volume", "900 диалогов", "900 диалогов"), ("product", "ai-менеджер", quote))

    assert held(conversation) == [
        ("product", "AI-менеджер"),
        ("product", "AI-юрист"),
        ("volume", "60 документов"),
        ("volume", "900 диалогов"),
    ]


def test_what_staff_have_put_right_stands_until_the_customer_says_more(
    conversation: Conversation, operator: User
) -> None:
    write(conversation, "Нас человек сто двадцать")
    (fact,) = note(conversation, ("company_size", "100", "человек сто двадцать")).facts
    facts.put_right(fact_id=fact.pk, value="120", by=operator, now=timezone.now())

    note(conversation, ("company_size", "100", "человек сто"), ("company_size", "около ста", "Нас человек сто"))
    assert held(conversation) == [("company_size", "120")]
    assert LeadFact.objects.holding().get().member == operator

    write(conversation, "Уже 200 человек")
    note(conversation, ("company_size", "200", "200 человек"))
    assert held(conversation) == [("company_size", "200")]


def test_what_staff_have_withdrawn_is_not_noted_from_the_same_words_again(
    conversation: Conversation, operator: User
) -> None:
    write(conversation, "Шучу: бюджет миллион")
    (fact,) = note(conversation, ("budget", "1 000 000 ₽", "бюджет миллион")).facts
    facts.withdraw(fact_id=fact.pk, by=operator, now=timezone.now())

    note(conversation, ("budget", "1 000 000 ₽", "бюджет миллион"))

    assert held(conversation) == []
    with pytest.raises(facts.FactEnded):
        facts.withdraw(fact_id=fact.pk, by=operator, now=timezone.now())


def test_a_model_that_never_stops_notes_so_many_facts_and_no_more(conversation: Conversation) -> None:
    write(conversation, "Нужен бот")

    for number in range(4):
        note(conversation, *[("need", f"бот {number}-{each}", "Нужен бот") for each in range(20)])

    assert len(held(conversation)) == facts.FACTS_MOST


# --- the tool ---


def test_tool_knows_every_kind() -> None:
    assert set(get_args(ToldFact.model_fields["kind"].annotation)) == set(FactKind)


def test_model_notes_facts_by_a_tool_and_is_shown_them_in_the_next_turn(
    conversation: Conversation, monkeypatch: Any, settings: Any
) -> None:
    write(conversation, "Бюджет 50 тысяч, мой телефон +7 916 123-45-67")
    told = {"kind": "budget", "value": "50 000 ₽, звонить [ТЕЛЕФОН_1]", "quote": "мой телефон [ТЕЛЕФОН_1]"}
    answer(
        conversation,
        monkeypatch,
        settings,
        Reply(calls=(ToolRequest("1", NOTE, {"facts": [told]}),), model="openai-main"),
        Reply(text="Понял."),
    )
    write(conversation, "И что?")

    model = answer(conversation, monkeypatch, settings, Reply(text="Вот что."))

    fact = LeadFact.objects.get()
    assert (fact.quote, fact.noted_by) == ("мой телефон +7 916 123-45-67", "openai-main")
    assert model.contexts[0].facts == ("budget: 50 000 ₽, звонить [ТЕЛЕФОН_1]",)


def test_refusal_names_the_kind_and_never_what_was_told(
    conversation: Conversation, monkeypatch: Any, settings: Any
) -> None:
    write(conversation, "Сколько стоит? Нам к январю")
    lie = {"kind": "budget", "value": "77 000 ₽", "quote": "бюджет 77 000 ₽"}
    true = {"kind": "term", "value": "к январю", "quote": "Нам к январю"}
    answer(
        conversation,
        monkeypatch,
        settings,
        Reply(calls=(ToolRequest("1", NOTE, {"facts": [lie]}), ToolRequest("2", NOTE, {"facts": [lie, true]}))),
        Reply(text="Это стоит 77 000 ₽."),
    )

    first, second = ToolCall.objects.order_by("position")
    assert (first.failed, second.failed) == (True, False)
    assert "(budget)" in first.result["text"] and "(budget)" in second.result["text"]
    assert held(conversation) == [("term", "к январю")]
    said = Message.objects.get(conversation=conversation, author="assistant").text
    assert "77" not in f"{first.result}{second.result}{said}"  # an amount noted is no amount proven


def test_keyless_model_notes_what_it_understands(conversation: Conversation, settings: Any) -> None:
    settings.ASSISTANT_MODEL = "knowledge.llm.router.model"
    write(
        conversation,
        "Здравствуйте! Мы ООО «Ромашка». Нужен AI-менеджер на 1800 диалогов в месяц, срочно. Бюджет 90 тысяч рублей.",
    )
    Turn.objects.update(due_at=timezone.now())

    turns.answer(conversation.pk, wait=lambda seconds: None)

    noted = {fact.kind: (fact.value, fact.quote, fact.noted_by) for fact in LeadFact.objects.all()}
    wanted = "Нужен AI-менеджер на 1800 диалогов в месяц, срочно."
    assert noted["company"] == ("ООО «Ромашка»", "Мы ООО «Ромашка».", "keyless")
    assert noted["term"] == ("срочно", wanted, "keyless")
    assert noted["budget"] == ("90000 ₽", "Бюджет 90 тысяч рублей.", "keyless")


# --- the score ---


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1 800 диалогов в месяц", 1800),
        ("от 10 до 20 тыс. ₽", 20_000),
        ("50к", 50_000),
        ("1,5 млн", 1_500_000),
        ("12,50", Decimal("12.50")),
        ("AI-менеджер: 1800 диалогов", 1800),
        ("много", None),
    ],
)
def test_largest_number_of_a_fact_is_read(value: str, number: Any) -> None:
    assert scoring.number_in(value) == number


def test_shipped_rules_score_contacts_and_stages_as_before(conversation: Conversation) -> None:
    def before(lead: Lead) -> int:
        stages = {Stage.QUALIFIED: 10, Stage.PROPOSAL: 30, Stage.WON: 40}
        known = 35 * bool(lead.phone) + 15 * bool(lead.email) + 5 * bool(lead.name) + 5 * bool(lead.company)
        return min(100, known + stages.get(Stage(lead.stage), 0))

    lead = conversation.lead
    for number in range(16):
        for stage in Stage:
            lead.name, lead.phone = "Анна" * (number & 1), "+79161234567" * (number >> 1 & 1)
            lead.email, lead.company, lead.stage = "a@b.ru" * (number >> 2 & 1), "Ромашка" * (number >> 3 & 1), stage
            assert scoring.score(lead) == before(lead)


def test_score_follows_facts_contacts_and_stage_and_says_why(conversation: Conversation, operator: User) -> None:
    write(conversation, "Нужно 1800 диалогов, бюджет 90 тысяч")
    (volume, _budget) = note(
        conversation, ("volume", "1800 диалогов", "1800 диалогов"), ("budget", "90 000 ₽", "бюджет 90 тысяч")
    ).facts
    assert score_of(conversation) == 20  # a volume, a large one, a budget

    operations.save_contact(lead_id=conversation.lead_id, now=timezone.now(), by="t", phone="89161234567")
    assert score_of(conversation) == 65  # a phone, and so qualified
    operations.move_lead(lead_id=conversation.lead_id, to=Stage.PROPOSAL, by="t")
    assert score_of(conversation) == 85
    facts.withdraw(fact_id=volume.pk, by=operator, now=timezone.now())

    assert score_of(conversation) == 75
    assert {(reason.rule.title, reason.points) for reason in scoring.explained(Lead.objects.get())} == {
        ("Известен телефон", 35),
        ("Отправлено предложение", 30),
        ("Назван бюджет", 10),
    }


def test_score_stays_between_nothing_and_a_hundred(conversation: Conversation) -> None:
    write(conversation, "Нужен юрист")
    rule = ScoreRule.objects.create(title="Юрист", condition=Condition.PRODUCT, product="юрист", points=-50)

    note(conversation, ("product", "AI-юрист", "Нужен юрист"))
    assert score_of(conversation) == 0
    ScoreRule.objects.filter(pk=rule.pk).update(points=100)
    note(conversation, ("need", "юрист", "Нужен юрист"))

    assert score_of(conversation) == 100


def test_changed_rules_owe_open_leads_a_new_score_and_the_sweep_pays(conversation: Conversation) -> None:
    closed = operations.open_conversation(channel="webchat", external_id="closed", now=timezone.now(), name="Иван")
    Lead.objects.filter(pk=closed.lead_id).update(stage=Stage.WON, score=77)
    operations.save_contact(lead_id=conversation.lead_id, now=timezone.now(), by="t", name="Анна")
    rule = ScoreRule.objects.get(contact="name")

    rule.points = 40
    rule.save()
    owed = (score_of(conversation), Lead.objects.filter(score_due=True).count())
    tasks.rescore()

    assert owed == (5, 1)
    assert (score_of(conversation), score_of(closed), Lead.objects.filter(score_due=True).count()) == (40, 77, 0)
    rule.delete()
    scoring.rescore_due()
    assert score_of(conversation) == 0


def test_many_leads_are_scored_in_as_many_queries_as_few(
    conversation: Conversation, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        operations.open_conversation(channel="webchat", external_id=f"n{number}", now=timezone.now())
    scoring.rules_changed()

    with django_assert_max_num_queries(10):
        assert scoring.rescore_due() == 31


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"condition": "fact"}, {"fact"}),
        ({"condition": "number", "fact": "budget"}, {"at_least"}),
        ({"condition": "product", "contact": "phone"}, {"product"}),
        ({"condition": "contact"}, {"contact"}),
        ({"condition": "stage"}, {"stage"}),
    ],
)
def test_rule_asks_for_what_its_condition_needs(given: dict[str, Any], missing: set[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        ScoreRule(title="Правило", points=5, **given).full_clean()

    assert set(refused.value.error_dict) == missing


# --- the back office ---


@pytest.fixture
def office(operator: Any) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def test_lead_page_shows_facts_with_quotes_a_way_to_the_message_and_the_reasons(
    office: Client, conversation: Conversation
) -> None:
    message = write(conversation, "Бюджет <b>90</b> тысяч")
    note(conversation, ("budget", "<i>90</i> 000 ₽", "Бюджет <b>90</b> тысяч"))

    page = office.get(f"/admin/sales/lead/{conversation.lead_id}/change/").content.decode()

    assert "&lt;i&gt;90&lt;/i&gt; 000 ₽" in page
    assert "<q>Бюджет &lt;b&gt;90&lt;/b&gt; тысяч</q>" in page
    assert f"/admin/sales/conversation/{conversation.pk}/change/#m{message.seq}" in page
    assert "+10 · " in page and "Назван бюджет" in page


def test_staff_put_a_fact_right_and_withdraw_it(office: Client, conversation: Conversation, operator: User) -> None:
    write(conversation, "Бюджет 90 тысяч")
    (fact,) = note(conversation, ("budget", "9 000 ₽", "Бюджет 90 тысяч")).facts

    answered = office.post(f"/admin/sales/leadfact/{fact.pk}/change/", {"value": "90 000 ₽"})
    assert (answered.status_code, held(conversation)) == (302, [("budget", "90 000 ₽")])
    right = LeadFact.objects.holding().get()
    assert office.get(f"/admin/sales/leadfact/{right.pk}/withdraw/").status_code == 403
    office.post(f"/admin/sales/leadfact/{right.pk}/withdraw/")

    assert (held(conversation), score_of(conversation)) == ([], 0)
    assert LeadFact.objects.get(pk=right.pk).withdrawn_by == operator
    assert office.get(f"/admin/sales/leadfact/{right.pk}/change/").status_code == 200


def test_contact_that_staff_write_changes_the_score(office: Client, conversation: Conversation) -> None:
    form = {"name": "", "phone": "+79161234567", "email": "", "company": "", "stage": "qualified", "manager": ""}

    office.post(f"/admin/sales/lead/{conversation.lead_id}/change/", form)

    assert score_of(conversation) == 45


def test_rules_are_edited_in_the_list(office: Client, conversation: Conversation) -> None:
    assert office.get("/admin/sales/scorerule/").status_code == 200
    form = {"title": "Пишет по делу", "condition": "fact", "fact": "need", "contact": "phone", "points": "7"}

    answered = office.post("/admin/sales/scorerule/add/", {**form, "position": "1", "is_active": "on"})

    rule = ScoreRule.objects.get(title="Пишет по делу")
    assert (answered.status_code, rule.fact, rule.contact, rule.points) == (302, "need", "", 7)


def test_who_may_not_read_facts_sees_none_on_the_lead_page(conversation: Conversation) -> None:
    from django.contrib.auth.models import Permission

    write(conversation, "Бюджет 90 тысяч")
    note(conversation, ("budget", "90 000 ₽", "Бюджет 90 тысяч"))
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_lead"))
    client = Client()
    client.force_login(clerk)

    page = client.get(f"/admin/sales/lead/{conversation.lead_id}/change/").content.decode()

    assert "90 тысяч" not in page
    assert client.post(f"/admin/sales/leadfact/{LeadFact.objects.get().pk}/withdraw/").status_code == 403
