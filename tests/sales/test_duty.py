"""Who is on duty is called, the next when nobody comes, each once; and customers learn when a person will answer."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from common.problems import TemporaryProblem
from common.promise import State
from sales import notices, operations
from sales.duty import calls, hours
from sales.duty.models import Duty, DutyCall
from sales.enums import HandoverReason, NoticeKind
from sales.models import Conversation, User
from sales.tools import call_person

pytestmark = pytest.mark.django_db

#: a Wednesday, 15:00 in Moscow
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 25, 20, tzinfo=UTC)


def duty(name: str, *, place: int = 1, address: str = "1", **fields: Any) -> Duty:
    member = User.objects.create_user(username=name, password="a long pass phrase", is_staff=True)
    return Duty.objects.create(member=member, place=place, address=address, **fields)


@pytest.fixture
def pager(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What reaches people: what it was asked to send, and what goes wrong next."""
    sent: list[tuple[str, str]] = []
    trouble: list[Exception] = []

    def page(address: str, text: str) -> None:
        if trouble:
            raise trouble.pop()
        sent.append((address, text))

    pager = SimpleNamespace(page=page, sent=sent, trouble=trouble)
    monkeypatch.setattr(calls, "of_apps", lambda name, without: (("test", pager),))
    return pager


def run(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    calls.sweep(now=now)


def tell(now: datetime = NOON) -> None:
    notices.tell(NoticeKind.HANDOVER, subject="1", text="Telegram 1234: просит человека", address="/admin/x/", now=now)


def addresses(pager: Any) -> list[str]:
    return [address for address, _text in pager.sent]


@pytest.mark.parametrize(
    ("now", "expected"),
    [(NOON, True), (NIGHT, False), (datetime(2026, 11, 28, 12, tzinfo=UTC), False)],
)
def test_hours_of_the_week(now: datetime, expected: bool) -> None:
    duty("a")

    assert bool(hours.on_duty(hours.active(), now)) is expected


def test_hours_over_midnight_and_another_time_zone() -> None:
    duty("night", begins=time(22), ends=time(6), weekdays=[2], time_zone="Asia/Novosibirsk")
    there = [datetime(2026, 11, 25, 16, tzinfo=UTC), datetime(2026, 11, 25, 22, tzinfo=UTC)]  # 23:00, and 5:00 next day

    assert [len(hours.on_duty(hours.active(), each)) for each in [*there, NOON]] == [1, 1, 0]


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (datetime(2026, 11, 25, 3, tzinfo=UTC), "сотрудник ответит сегодня с 9:00."),
        (NIGHT, "сотрудник ответит завтра с 9:00."),
        (datetime(2026, 11, 27, 20, tzinfo=UTC), "сотрудник ответит в понедельник с 9:00."),
    ],
)
def test_customer_learns_when_a_person_will_answer(now: datetime, words: str) -> None:
    duty("a")

    assert hours.later(now).endswith(words)


def test_nothing_is_said_of_hours_that_nobody_keeps_or_while_somebody_is_there() -> None:
    without = hours.later(NIGHT)
    duty("a")

    assert (without, hours.later(NOON)) == ("", "")


def test_call_for_a_person_at_night_says_when(conversation: Conversation) -> None:
    duty("a", address="")
    context: Any = SimpleNamespace(conversation_id=conversation.pk, now=NIGHT, language="ru")

    said = call_person(context=context, reason="asked_for_person")

    assert said.notice.split("\n\n")[-1] == "Сейчас нерабочее время: сотрудник ответит завтра с 9:00."


def test_first_is_called_at_once_the_next_later_and_all_at_last(pager: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    duty("b", place=2, address="2")
    duty("a", place=1, address="1")
    duty("resting", place=3, address="3", begins=time(0), ends=time(6))
    tell()
    seen = []

    for minutes in (0, 1, 11, 21, 31):
        run(NOON + timedelta(minutes=minutes), monkeypatch)
        seen.append(addresses(pager))

    assert seen == [["1"], ["1"], ["1", "2"], ["1", "2", "3"], ["1", "2", "3"]]


def test_nobody_is_called_for_what_somebody_has_taken(
    pager: Any, conversation: Conversation, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    duty("a")
    duty("b", place=2, address="2")
    operations.call_person(conversation_id=conversation.pk, now=NOON, reason=HandoverReason.ASKED)
    run(NOON, monkeypatch)

    operations.take_over(conversation_id=conversation.pk, by=operator, now=NOON + timedelta(minutes=5))
    run(NOON + timedelta(hours=1), monkeypatch)

    assert addresses(pager) == ["1"]
    assert set(DutyCall.objects.values_list("state", flat=True)) == {State.KEPT, State.DROPPED}


def test_at_night_the_call_waits_for_the_morning(pager: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    duty("a")
    tell(NIGHT)

    run(NIGHT + timedelta(hours=1), monkeypatch)
    early = addresses(pager)
    run(datetime(2026, 11, 26, 6, 1, tzinfo=UTC), monkeypatch)

    assert (early, addresses(pager)) == ([], ["1"])


def test_text_has_a_link_and_nobody_in_it(
    pager: Any, conversation: Conversation, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PUBLIC_URL = "https://chat.example.org"
    duty("a")

    operations.save_contact(lead_id=conversation.lead_id, now=NOON, by="t", name="Анна", phone="+79161234567")
    run(NOON, monkeypatch)

    ((_address, text),) = pager.sent
    assert text.endswith(f"https://chat.example.org/admin/sales/lead/{conversation.lead_id}/change/")
    assert not {"Анна", "79161234567"} & set(text.replace("+", " ").split())


def test_call_that_failed_for_now_is_made_again_and_once(pager: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    duty("a")
    pager.trouble.append(TemporaryProblem("busy"))
    tell()

    for minutes in (0, 1, 2, 3):
        run(NOON + timedelta(minutes=minutes), monkeypatch)

    assert addresses(pager) == ["1"]


def test_who_has_no_address_is_not_called() -> None:
    duty("a", address="")

    tell()

    assert not DutyCall.objects.exists()
