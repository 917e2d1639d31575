"""Rules of staff speak once, in their time, and never after a person."""

from __future__ import annotations

import threading
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from channels_app import deliveries
from channels_app.auto_replies import speaking
from channels_app.auto_replies.models import AutoReply, AutoReplySent, Situation
from channels_app.models import Delivery, Thread
from common import locks
from common.promise import State
from sales import operations
from sales.enums import Author, Direction
from sales.models import Conversation, Message, User
from tests.channels.post import Post


def rule(situation: str, text: str = "Мы на связи с 9 до 18", **fields: Any) -> AutoReply:
    made = AutoReply.objects.create(title=text[:20], situation=situation, text=text, is_active=True, **fields)
    AutoReply.objects.filter(pk=made.pk).update(active_since=timezone.now() - timedelta(days=30))
    made.refresh_from_db()
    return made


def never_working(now: datetime) -> dict[str, Any]:
    """Working hours of another day of the week."""
    return {"weekdays": [(timezone.localtime(now).weekday() + 3) % 7]}


def write(chat: Conversation, text: str = "Добрый день", *, at: datetime | None = None) -> None:
    number = chat.messages.count() + 1
    operations.receive(conversation_id=chat.pk, external_id=f"in{number}", text=text, now=at or timezone.now())


def answer(chat: Conversation, author: Author = Author.ASSISTANT, *, at: datetime | None = None) -> Message:
    with transaction.atomic():
        locked = Conversation.objects.select_for_update(of=("self",)).get(pk=chat.pk)
        return operations.append(
            locked,
            now=at or timezone.now(),
            direction=Direction.OUT,
            author=author,
            external_id=f"out{locked.last_seq}",
            text="Слушаю",
        )


def said(chat: Conversation) -> list[str]:
    rows = Message.objects.filter(conversation=chat, external_id__startswith="auto:").order_by("seq")
    return [each.text for each in rows]


def sweep(at: datetime | None = None) -> int:
    return speaking.sweep(now=at or timezone.now())


def test_out_of_hours_is_spoken_to_once_and_arrives(post: Post, chat: Conversation, now: datetime):
    rule(Situation.OUT_OF_HOURS, **never_working(now))
    write(chat)

    assert (sweep(), sweep()) == (1, 0)
    write(chat, "Вы тут?")
    assert sweep() == 0

    assert said(chat) == ["Мы на связи с 9 до 18"]
    deliveries.sweep(now=timezone.now())
    assert [each.text for each in post.chats["chat-1"]] == ["Мы на связи с 9 до 18"]
    assert Delivery.objects.get().state == State.KEPT


def test_in_working_hours_nothing_is_said(chat: Conversation):
    rule(Situation.OUT_OF_HOURS)
    write(chat)

    assert sweep() == 0


def test_first_contact_is_spoken_to_and_a_later_one_is_not(post: Post, chat: Conversation):
    rule(Situation.FIRST_CONTACT, "Здравствуйте!")
    write(chat, at=timezone.now() - timedelta(days=2))
    write(chat)
    other = operations.open_conversation(channel="post", external_id="chat-2", now=timezone.now())
    write(other)

    assert sweep() == 1
    assert (said(chat), said(other)) == ([], ["Здравствуйте!"])


@pytest.mark.parametrize("situation", Situation.values)
def test_those_to_whom_a_rule_must_not_speak_take_nobodys_place(
    post: Post, chat: Conversation, now: datetime, situation: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(speaking, "GO", 1)
    silent = {"silence_hours": 1} if situation == Situation.SILENCE else {}
    rule(situation, **silent, **(never_working(now) if situation == Situation.OUT_OF_HOURS else {}))
    ago = now - timedelta(hours=3) if silent else now
    for number in range(3):
        other = operations.open_conversation(channel="post", external_id=f"other-{number}", now=now)
        write(other, at=ago - timedelta(days=1))
        if not silent:
            answer(other, at=ago - timedelta(minutes=1))
    write(chat, at=ago)
    answer(chat, at=ago)

    assert (sweep(), len(said(chat))) == (1, 1)


def test_silence_is_spoken_to_after_its_hours_and_only_if_the_customer_had_written(post: Post, chat: Conversation):
    rule(Situation.SILENCE, "Остались вопросы?", silence_hours=3)
    now = timezone.now()
    write(chat, at=now - timedelta(hours=5))
    answer(chat, at=now - timedelta(hours=4))
    never_wrote = operations.open_conversation(channel="post", external_id="chat-2", now=now)
    answer(never_wrote, at=now - timedelta(hours=4))
    soon = operations.open_conversation(channel="post", external_id="chat-3", now=now)
    write(soon, at=now - timedelta(hours=3))
    answer(soon, at=now - timedelta(hours=2))
    waits = operations.open_conversation(channel="post", external_id="chat-4", now=now)
    write(waits, at=now - timedelta(hours=4))

    assert sweep() == 1
    assert said(chat) == ["Остались вопросы?"]
    assert sweep(now + timedelta(hours=4)) == 1
    assert (said(soon), said(waits), said(never_wrote)) == (["Остались вопросы?"], [], [])


def test_a_reminder_is_not_followed_by_another(chat: Conversation):
    rule(Situation.SILENCE, "Остались вопросы?", silence_hours=2)
    rule(Situation.SILENCE, "Всё в силе?", silence_hours=3)
    now = timezone.now()
    write(chat, at=now - timedelta(hours=5))
    answer(chat, at=now - timedelta(hours=4))

    for hours in range(12):
        sweep(now + timedelta(hours=hours))

    assert len(said(chat)) == 1


@pytest.mark.parametrize("situation", Situation.values)
def test_after_a_person_has_answered_no_rule_speaks(chat: Conversation, operator: User, situation: str):
    now = timezone.now()
    silent = {"silence_hours": 1} if situation == Situation.SILENCE else {}
    hours = never_working(now) if situation == Situation.OUT_OF_HOURS else {}
    rule(situation, **silent, **hours)
    ago = now - timedelta(hours=3) if silent else now
    write(chat, at=ago)
    operations.send_as_operator(conversation_id=chat.pk, text="Это я", by=operator, now=ago)
    operations.give_back(conversation_id=chat.pk, by=operator, now=ago)
    answer(chat, at=ago)

    assert sweep() == 0
    Message.objects.filter(author=Author.OPERATOR).delete()
    assert sweep() == 1, "the twin: without the person's word it speaks"


def test_while_a_person_leads_no_rule_speaks(chat: Conversation, operator: User, now: datetime):
    rule(Situation.OUT_OF_HOURS, **never_working(now))
    write(chat)
    operations.take_over(conversation_id=chat.pk, by=operator, now=now)

    assert sweep() == 0


def test_a_person_who_comes_between_looking_and_speaking_is_not_overtaken(
    chat: Conversation, operator: User, now: datetime
):
    made = rule(Situation.OUT_OF_HOURS, **never_working(now))
    write(chat)
    operations.send_as_operator(conversation_id=chat.pk, text="Это я", by=operator, now=timezone.now())

    assert not speaking.speak(rule_id=made.pk, conversation_id=chat.pk, now=timezone.now())
    assert said(chat) == []


def test_what_a_rule_has_said_is_dropped_when_a_person_comes_before_it_left(
    post: Post, chat: Conversation, operator: User, now: datetime
):
    rule(Situation.OUT_OF_HOURS, **never_working(now))
    write(chat)
    sweep()
    operations.take_over(conversation_id=chat.pk, by=operator, now=timezone.now())

    deliveries.sweep(now=timezone.now())

    assert (post.chats, Delivery.objects.get().state) == ({}, State.DROPPED)


def test_a_rule_speaks_only_on_its_channel_and_only_to_what_came_since_it_is_active(chat: Conversation, now: datetime):
    rule(Situation.OUT_OF_HOURS, channel="avito", **never_working(now))
    young = rule(Situation.FIRST_CONTACT)
    write(chat)
    AutoReply.objects.filter(pk=young.pk).update(active_since=timezone.now())

    assert sweep() == 0
    AutoReply.objects.filter(pk=young.pk).update(is_active=False)
    assert sweep() == 0


def test_a_customer_who_has_left_and_an_old_message_are_not_spoken_to(chat: Conversation, now: datetime):
    rule(Situation.OUT_OF_HOURS, **never_working(now))
    thread = Thread.objects.create(conversation=chat, unreachable_since=now)
    write(chat)
    assert sweep() == 0

    thread.delete()
    assert sweep(timezone.now() + timedelta(hours=1)) == 0


@pytest.mark.parametrize(
    ("days", "begins", "ends", "at", "is_in"),
    [
        ([0, 1, 2, 3, 4], time(9), time(18), datetime(2026, 2, 2, 9, 0), True),
        ([0, 1, 2, 3, 4], time(9), time(18), datetime(2026, 2, 2, 18, 0), False),
        ([0, 1, 2, 3, 4], time(9), time(18), datetime(2026, 2, 7, 12, 0), False),
        ([0], time(9), time(0), datetime(2026, 2, 2, 23, 59), True),
        ([0], time(0), time(0), datetime(2026, 2, 2, 0, 0), True),
        ([0], time(0), time(0), datetime(2026, 2, 3, 0, 0), False),
        ([4], time(18), time(9), datetime(2026, 2, 7, 8, 59), True),
        ([4], time(18), time(9), datetime(2026, 2, 6, 8, 59), False),
        ([4], time(18), time(9), datetime(2026, 2, 6, 18, 0), True),
    ],
)
def test_hours_of_a_rule(days: list[int], begins: time, ends: time, at: datetime, is_in: bool):
    made = AutoReply(weekdays=days, from_time=begins, until_time=ends)

    assert speaking.in_time(made, timezone.make_aware(at)) is is_in


def test_a_rule_without_its_hours_days_or_words_is_refused():
    for fields in (
        {"situation": Situation.SILENCE},
        {"situation": Situation.SILENCE, "silence_hours": 73},
        {"situation": Situation.FIRST_CONTACT, "weekdays": []},
        {"situation": Situation.FIRST_CONTACT, "text": "  "},
    ):
        with pytest.raises(ValidationError):
            AutoReply(**{"title": "т", "text": "т", **fields}).clean()


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_speak_once(post: Post, chat: Conversation, now: datetime):
    made = rule(Situation.OUT_OF_HOURS, **never_working(now))
    write(chat)
    ready = threading.Barrier(4)
    spoken: list[bool] = []

    def speak() -> None:
        try:
            ready.wait()
            spoken.append(speaking.speak(rule_id=made.pk, conversation_id=chat.pk, now=timezone.now()))
        finally:
            locks.close()
            connection.close()

    threads = [threading.Thread(target=speak) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(spoken) == [False, False, False, True]
    assert AutoReplySent.objects.count() == 1


def test_without_the_look_under_the_lock_the_rows_still_refuse_a_second_word(
    chat: Conversation, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    made = rule(Situation.OUT_OF_HOURS, **never_working(now))
    write(chat)
    monkeypatch.setattr(speaking, "may_speak", lambda *args, **kwargs: True)
    assert speaking.speak(rule_id=made.pk, conversation_id=chat.pk, now=now)

    with pytest.raises(IntegrityError), transaction.atomic():
        speaking.speak(rule_id=made.pk, conversation_id=chat.pk, now=now)
