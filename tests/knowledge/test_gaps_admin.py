"""The back office of unanswered questions."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.groups import make_groups
from knowledge import indexing
from knowledge.gaps import operations as gaps
from knowledge.gaps.enums import GapState
from knowledge.gaps.models import Gap
from knowledge.models import Article
from knowledge.operations import set_status
from sales.models import User
from tests.knowledge.asking import ask, someone, texts_of

pytestmark = pytest.mark.django_db

LIST = "/admin/knowledge/gap/"


@pytest.fixture
def office(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def gap(catalogue: None, write: Any) -> Gap:
    """Viber was asked for twice, and no article knows it."""
    write("crm", "Интеграция с CRM", "Подключаем amoCRM и Битрикс24: заявки попадают в карточку сделки.")
    write("channels", "Каналы", "Отвечает в чате на сайте, в Telegram и на Авито.")
    ask("Подключаете ли вы вайбер?")
    ask("<b>а вайбер</b> есть", by=someone("telegram"))
    return Gap.objects.get()


def page_of(gap: Gap) -> str:
    return reverse("admin:knowledge_gap_change", args=[gap.pk])


def do(office: Client, gap: Gap, verb: str, **data: Any) -> Any:
    return office.post(reverse("admin:knowledge_gap_act", args=[gap.pk, verb]), data, follow=True)


def settle() -> None:
    while indexing.sweep(now=timezone.now()):
        pass


def member_of(group: str) -> Client:
    make_groups()
    user = User.objects.create_user(username="member", password="a long pass phrase", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


def test_the_list_shows_what_waits_with_its_count_and_channels(office, gap):
    page = office.get(LIST).content.decode()

    assert "вайбер" in page
    assert "ответа нет" in page
    assert "Telegram" in page
    assert f"{timezone.localtime(gap.last_asked_at):%d.%m.%Y}" in page


def test_what_is_decided_is_in_the_list_when_asked_for(office, gap, operator):
    gaps.ignore(gap_id=gap.pk, by=operator, now=timezone.now())

    shown = [
        str(gap.pk) in office.get(LIST, asked).content.decode()
        for asked in ({}, {"state": "ignored"}, {"state": "all"})
    ]

    assert shown == [False, True, True]


def test_the_list_costs_the_same_for_one_group_and_for_three(office, gap, django_assert_max_num_queries):
    office.get(LIST)
    with django_assert_max_num_queries(20) as one:
        office.get(LIST)
    ask("Какие у вас открыты вакансии?")
    ask("Проводите экскурсии для студентов?")

    with django_assert_max_num_queries(20) as three:
        page = office.get(LIST).content.decode()

    assert Gap.objects.count() == 3
    assert page.count("/admin/knowledge/gap/") > 3
    assert len(three) == len(one)


def test_the_list_is_searched_by_likeness_with_slips_of_the_pen(office, gap):
    ask("Какие у вас открыты вакансии?")

    page = office.get(LIST, {"q": "вайберр"}).content.decode()

    assert ("вайбер</a>" in page.replace("?", "") or "вайбер" in page, "вакансии" in page) == (True, False)


def test_the_page_shows_examples_with_the_way_to_their_conversations(office, gap):
    page = office.get(page_of(gap)).content.decode()

    first = gap.questions.latest("asked_at")
    assert f"/admin/sales/conversation/{first.conversation_id}/change/#m{first.seq}" in page
    assert "Спросили раз: 2, сохранено разговоров: 2" in page
    assert "<b>а вайбер" not in page


def test_a_draft_is_made_of_the_questions_that_staff_have_left_in(office, gap):
    answer = do(office, gap, "draft", questions="Подключаете ли вы Viber?\n\nЕсть вайбер?\n")

    article = Article.objects.get(status="draft")
    gap.refresh_from_db()
    assert answer.redirect_chain[-1][0] == reverse("admin:knowledge_article_change", args=[article.pk])
    assert article.title == "Подключаете ли вы Viber?"
    assert [each.text for each in article.questions.all()] == ["Подключаете ли вы Viber?", "Есть вайбер?"]
    assert (gap.state, gap.article) == (GapState.DRAFTED, article)


def test_a_draft_of_nothing_is_refused_with_a_reason(office, gap):
    page = do(office, gap, "draft", questions="  \n ").content.decode()

    assert "Отметьте хотя бы один вопрос" in page
    assert Article.objects.filter(status="draft").count() == 0


def test_an_existing_article_is_chosen_and_the_page_says_that_it_answered(office, gap):
    article = Article.objects.get(external_id="channels")
    before = do(office, gap, "answer", article=article.pk, questions="\n".join(texts_of(gap))).content.decode()
    settle()
    ask("вы вайбер подключаете?")

    after = office.get(page_of(gap)).content.decode()

    assert "ещё не спрашивали" in before
    assert "ответила 1 раз, последний" in after
    assert "вы вайбер подключаете" in after
    assert article.questions.count() == 2


def test_without_a_chosen_article_nothing_changes(office, gap):
    page = do(office, gap, "answer", questions="Вайбер?").content.decode()

    assert "Выберите статью" in page
    assert Gap.objects.get().state == GapState.OPEN


def test_the_search_can_be_tried_before_and_after(office, gap, operator):
    before = office.get(page_of(gap), {"try": "1"}).content.decode()
    article = Article.objects.get(external_id="channels")
    gaps.answer_with(gap_id=gap.pk, article=article, questions=texts_of(gap), by=operator, now=timezone.now())
    settle()

    after = office.get(page_of(gap), {"try": "1"}).content.decode()

    assert ("<b>нет</b>" in before, "<b>выбранная</b>" in before) == (True, False)
    assert ("<b>нет</b>" in after, "<b>выбранная</b>" in after) == (False, True)


def test_another_article_is_found_by_its_title_drafts_too(office, gap, write):
    write("viber", "Мессенджер Viber", "Скоро.", status="draft")

    page = office.get(page_of(gap), {"find": "viber мессенджер"}).content.decode()

    assert "Мессенджер Viber" in page
    assert "черновик" in page


def test_asked_again_and_not_answered_the_page_says_so(office, gap, operator):
    article = Article.objects.get(external_id="crm")
    gaps.answer_with(gap_id=gap.pk, article=article, questions=[], by=operator, now=timezone.now())
    Gap.objects.update(decided_at=timezone.now() - 2 * gaps.SETTLING)
    ask("вайбер подключите?")

    page = office.get(page_of(gap)).content.decode()

    assert "спросили снова, и ответа опять не нашлось" in page
    assert "вайбер" in office.get(LIST).content.decode()


def test_a_published_draft_answers(office, gap, operator):
    article = gaps.make_draft(gap_id=gap.pk, questions=texts_of(gap), by=operator, now=timezone.now())
    set_status(articles=[article], status="published", by=operator)

    page = office.get(page_of(gap)).content.decode()

    assert "Отвечает статья" in page


def test_groups_are_joined_and_left_aside_from_the_list(office, gap):
    ask("Какие у вас открыты вакансии?")
    chosen = {"_selected_action": [str(each.pk) for each in Gap.objects.all()]}

    office.post(LIST, {"action": "join", **chosen})
    joined = Gap.objects.get()
    office.post(LIST, {"action": "leave_aside", "_selected_action": [str(joined.pk)]})

    joined.refresh_from_db()
    assert (joined.pk, joined.times, joined.state) == (gap.pk, 3, GapState.IGNORED)


@pytest.mark.parametrize(
    ("group", "reads", "decides"),
    [("Продажи", 200, 302), ("Администратор", 200, 302), ("Редактор цен", 403, 403), ("Бухгалтер", 403, 403)],
)
def test_who_may_read_and_who_may_decide(gap, group, reads, decides):
    client = member_of(group)

    seen = client.get(page_of(gap)).status_code
    done = client.post(reverse("admin:knowledge_gap_act", args=[gap.pk, "ignore"])).status_code
    menu = "Вопросы без ответа" in client.get("/admin/").content.decode()

    assert (seen, done, menu) == (reads, decides, reads == 200)


def test_a_decision_is_no_link(office, gap):
    address = reverse("admin:knowledge_gap_act", args=[gap.pk, "ignore"])

    assert office.get(address).status_code == 403
    assert office.post(address.replace("ignore", "explode")).status_code == 404
    assert Gap.objects.get().state == GapState.OPEN


def test_the_log_of_the_back_office_holds_no_words_of_customers(office, gap):
    from django.contrib.admin.models import LogEntry

    do(office, gap, "ignore")

    entry = LogEntry.objects.get()
    assert "вайбер" not in f"{entry.object_repr} {entry.change_message}"
    assert str(gap.pk)[:8] in entry.object_repr


def test_the_menu_and_the_first_page_count_what_waits(office, gap):
    ask("Какие у вас открыты вакансии?")

    page = office.get("/admin/").content.decode()

    card = page.split('href="/admin/knowledge/gap/"')[-1].split("</a>")[0]
    assert ">2</b>" in card
