"""Drafts are checked before they are published: a worse case holds them up, and so does a change of theirs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from common.promise import State
from config.groups import make_groups
from knowledge import reconcile, tasks
from knowledge.enums import Status
from knowledge.evaluation.models import EvaluationCase, EvaluationTurn
from knowledge.evaluation.running import run_all as run_all_cases
from knowledge.models import Article, Indexing, Passage
from knowledge.operations import Draft, save_article
from knowledge.releases import trying
from knowledge.releases.models import ReleaseCase, ReleaseCheck, Verdict
from knowledge.search import index
from pricing.models import Quote
from sales.models import Conversation, Lead, Message, Turn, User
from sales.stuck import stuck_rows

ATTACK = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def _only_cases_of_staff(settings: Any) -> None:
    settings.CHECK_SHIPPED_CASES = 0


def article(external_id: str, title: str, body: str, *questions: str, status: str = Status.DRAFT) -> Article:
    draft = Draft(title, body, questions=questions, external_id=external_id, status=status)
    made = save_article(draft=draft, by=None)
    index.write([made.pk])
    return made


def case(name: str, say: str, **expected: str) -> EvaluationCase:
    made = EvaluationCase.objects.create(name=name)
    EvaluationTurn.objects.create(case=made, say=say, **expected)
    return made


@pytest.fixture
def parrots(shop: None) -> Article:
    """A draft that answers what nobody has answered yet, with a case that waits for it."""
    case("parrots", f"Есть ли у вас попугаи? {ATTACK}", must="жёлтые попугаи")
    return article("parrots", "Попугаи", "Да, у нас есть жёлтые попугаи.", "Есть ли у вас попугаи?")


@pytest.fixture
def zoo(shop: None) -> Article:
    """A draft that answers what staff don't want to be answered."""
    asked = "Во сколько открывается ваш зоопарк по субботам?"
    case("zoo", asked, outcome="refuse")
    return article("zoo", "Зоопарк", "Зоопарк по субботам закрыт.", asked)


def member(group: str, *permissions: str) -> tuple[User, Client]:
    make_groups()
    user = User.objects.create_user(username=f"member-{User.objects.count()}", is_staff=True)
    user.groups.set(Group.objects.filter(name=group))
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return user, client


@pytest.fixture
def editor(shop: None) -> Client:
    return member("Продажи")[1]


def ask(browser: Client, *drafts: Article) -> Any:
    chosen = {"action": "check_before_publishing", "_selected_action": [str(each.pk) for each in drafts]}
    return browser.post(reverse("admin:knowledge_article_changelist"), chosen, follow=True)


def checked(browser: Client, *drafts: Article) -> ReleaseCheck:
    """A check that was asked for by click and kept by a worker."""
    ask(browser, *drafts)
    check = ReleaseCheck.objects.latest("created_at")
    tasks.check_release(str(check.pk))
    check.refresh_from_db()
    return check


def page(browser: Client, check: ReleaseCheck) -> str:
    return browser.get(reverse("admin:knowledge_releasecheck_change", args=[check.pk])).content.decode()


def press(browser: Client, check: ReleaseCheck, **data: str) -> Any:
    return browser.post(reverse("admin:knowledge_releasecheck_publish", args=[check.pk]), data, follow=True)


def statuses() -> set[str]:
    return set(Article.objects.values_list("status", flat=True))


def test_a_clean_check_publishes_all_its_drafts(parrots: Article, editor: Client) -> None:
    other = article("snakes", "Змеи", "Змей у нас нет.", "Есть ли у вас змеи?")

    check = checked(editor, parrots, other)

    assert (check.state, check.total, check.done, check.worse, check.better) == (State.KEPT, 1, 1, 0, 1)
    shown = page(editor, check)
    assert "Ничего не стало хуже" in shown and "Стало лучше (1)" in shown
    assert "Да, у нас есть жёлтые попугаи." in shown
    assert ATTACK not in shown
    assert statuses() == {Status.DRAFT}
    assert "Опубликовано: 2" in press(editor, check).content.decode()
    check.refresh_from_db()
    assert (statuses(), check.overridden) == ({Status.PUBLISHED}, False)
    assert check.published_by is not None and check.published_by.username.startswith("member")
    assert "не закончена или её черновики уже опубликованы" in press(editor, check).content.decode()


def test_a_worse_case_holds_the_drafts_up(zoo: Article, editor: Client) -> None:
    check = checked(editor, zoo)

    assert (check.state, check.worse) == (State.KEPT, 1)
    shown = page(editor, check)
    words = ("Стало хуже (1)", "Зоопарк по субботам закрыт.", "В базе знаний нет точного ответа", "(вышло: отвечает)")
    assert [each for each in words if each not in shown] == []
    assert "ожидалось: помощник – говорит, что не знает или не может" in shown
    assert 'type="submit" disabled>Опубликовать<' in shown
    assert "Опубликовать всё равно" not in shown
    assert "ничего не опубликовано" in press(editor, check).content.decode()
    assert press(editor, check, although_worse="yes").status_code == 403
    assert statuses() == {Status.DRAFT}


def test_whoever_may_override_is_on_record(zoo: Article, editor: Client) -> None:
    check = checked(editor, zoo)
    chief, browser = member("Продажи", "override_releasecheck")
    assert "Опубликовать всё равно" in page(browser, check)

    press(browser, check)  # the other button is as closed to them as to anyone
    assert statuses() == {Status.DRAFT}
    press(browser, check, although_worse="yes")

    check.refresh_from_db()
    assert (statuses(), check.overridden, check.published_by) == ({Status.PUBLISHED}, True, chief)
    assert f"Опубликовано всё равно</dt><dd>{chief.username}" in page(editor, check).replace("опубл", "Опубл")


def test_a_draft_that_changed_since_is_checked_anew(parrots: Article, editor: Client) -> None:
    check = checked(editor, parrots)
    save_article(article=parrots, draft=Draft("Попугаи", "Попугаев больше нет."), by=None)
    Article.objects.filter(pk=parrots.pk).update(status=Status.DRAFT)

    assert "disabled>Опубликовать<" in page(editor, check)
    assert "проверить заново" in press(editor, check).content.decode()
    assert statuses() == {Status.DRAFT}

    ask(editor, parrots)
    assert ReleaseCheck.objects.count() == 2


@pytest.mark.parametrize("end", ["change", "publish", "delete"])
def test_a_draft_that_changes_meanwhile_ends_the_check(parrots: Article, editor: Client, end: str) -> None:
    ask(editor, parrots)
    if end == "change":
        save_article(article=parrots, draft=Draft("Попугаи", "Другое", status=Status.DRAFT), by=None)
    elif end == "publish":
        save_article(article=parrots, draft=Draft("Попугаи", "Другое"), by=None)
    else:
        parrots.delete()

    reconcile.sweep(now=timezone.now())

    check = ReleaseCheck.objects.get()
    assert (check.state, check.done) == (State.DROPPED, 0)
    assert "проверить заново" in page(editor, check)


def test_nothing_of_the_rehearsal_is_left(parrots: Article, editor: Client) -> None:
    ask(editor, parrots)
    kept = (Lead, Conversation, Message, Turn, Quote, Passage, Indexing)
    before = [model.objects.count() for model in kept]

    reconcile.sweep(now=timezone.now())  # without a worker too

    assert ReleaseCheck.objects.get().state == State.KEPT
    assert [model.objects.count() for model in kept] == before
    parrots.refresh_from_db()
    assert (parrots.status, parrots.version) == (Status.DRAFT, 1)
    assert not Passage.objects.filter(article=parrots).exists()


class Killed(BaseException):
    """What no promise catches, as a kill isn't caught."""


def test_what_a_dead_worker_leaves_another_finishes(
    parrots: Article, editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    case("second", "Сколько стоит AI-юрист на 40 договоров?")
    ask(editor, parrots)
    held: list[str] = []
    really = run_all_cases

    def run_all(cases: Any, **options: Any) -> Any:
        if len(held) == 3:
            raise Killed
        held.append(cases[0].id)
        return really(cases, **options)

    monkeypatch.setattr(trying, "run_all", run_all)
    with pytest.raises(Killed):
        tasks.check_release(str(ReleaseCheck.objects.get().pk))
    check = ReleaseCheck.objects.get()
    assert (check.state, check.done, held) == (State.TAKEN, 1, ["parrots", "parrots", "second"])
    assert "1 / 2" in page(editor, check)

    held.append("the other one")
    reconcile.sweep(now=timezone.now())

    check.refresh_from_db()
    assert (check.state, check.done, check.better) == (State.KEPT, 2, 1)
    assert held[4:] == ["second", "second"]


def test_rounds_are_no_failures_and_a_problem_waits(
    parrots: Article, editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        case(f"more-{number}", "привет")
    ask(editor, parrots)
    monkeypatch.setattr(trying, "ROUND", 0.0)
    check = ReleaseCheck.objects.get()
    for _ in range(6):
        tasks.check_release(str(check.pk))
    check.refresh_from_db()
    assert (check.state, check.done, check.attempts, check.failures) == (State.DUE, 6, 6, 0)
    assert "Refresh" in editor.get(reverse("admin:knowledge_releasecheck_change", args=[check.pk]))

    monkeypatch.setattr(trying, "run_all", lambda *args, **options: 1 / 0)
    for _ in range(6):
        ReleaseCheck.objects.update(due_at=timezone.now())
        tasks.check_release(str(check.pk))

    check.refresh_from_db()
    assert (check.state, check.done) == (State.BROKEN, 6)
    assert [row.row for row in stuck_rows(now=timezone.now())] == [check]
    monkeypatch.undo()
    check.owe_anew(now=timezone.now())
    reconcile.sweep(now=timezone.now())
    check.refresh_from_db()
    assert (check.state, check.done) == (State.KEPT, 7)


def test_without_the_right_nothing(parrots: Article, editor: Client) -> None:
    check = checked(editor, parrots)
    _user, other = member("Бухгалтер", "view_article")
    _user, reader = member("", "view_article", "view_releasecheck", "override_releasecheck")

    ask(other, parrots)
    ask(reader, parrots)

    assert ReleaseCheck.objects.count() == 1
    address = reverse("admin:knowledge_releasecheck_change", args=[check.pk])
    assert [other.get(address).status_code, reader.get(address).status_code] == [403, 200]
    assert "disabled" not in page(reader, check) and ">Опубликовать<" not in page(reader, check)
    assert [press(each, check).status_code for each in (other, reader)] == [403, 403]
    assert press(reader, check, although_worse="yes").status_code == 403
    assert editor.get(reverse("admin:knowledge_releasecheck_publish", args=[check.pk])).status_code == 403
    assert statuses() == {Status.DRAFT}


def test_what_cannot_be_checked_is_said_at_once(parrots: Article, editor: Client) -> None:
    published = article("cats", "Кошки", "Кошки есть.", status=Status.PUBLISHED)
    assert "нет черновиков" in ask(editor, published).content.decode()
    EvaluationCase.objects.update(is_active=False)
    assert "Проверять не на чем" in ask(editor, parrots).content.decode()
    Article.objects.filter(pk=parrots.pk).update(body="{{ price:nothing.nowhere }}")
    assert "nothing.nowhere" in ask(editor, parrots).content.decode()
    assert not ReleaseCheck.objects.exists()


def test_a_second_click_meets_the_check_that_is_under_way(parrots: Article, editor: Client) -> None:
    ask(editor, parrots)

    assert "уже проверяются" in ask(editor, parrots).content.decode()
    assert ReleaseCheck.objects.count() == 1


def test_cases_that_come_with_the_product_are_a_sample_of_all_files(settings: Any, db: Any) -> None:
    settings.CHECK_SHIPPED_CASES = 60

    sample = [each.source.split(".")[0] for each in trying.chosen()]

    assert (len(sample), len(set(sample))) == (60, len(list(trying.SHIPPED.glob("*.jsonl"))))


def test_a_case_that_is_switched_off_meanwhile_counts_for_nothing(parrots: Article, editor: Client) -> None:
    case("second", "привет")
    ask(editor, parrots)
    check = ReleaseCheck.objects.get()
    check.take(now=timezone.now())
    trying._plan(check, [each.id for each in trying.chosen()])
    EvaluationCase.objects.filter(name="second").update(is_active=False)

    tasks.check_release(str(check.pk))

    assert set(check.cases.values_list("name", "verdict")) == {("parrots", Verdict.BETTER), ("second", Verdict.GONE)}


def test_answers_of_old_checks_are_forgotten_and_the_check_is_not(parrots: Article, editor: Client) -> None:
    check = checked(editor, parrots)

    trying.tidy(now=timezone.now() + trying.KEPT + timedelta(days=1))

    assert not ReleaseCase.objects.exists()
    assert "Ничего не стало хуже" in page(editor, check)
