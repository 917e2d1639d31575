"""A person takes over, answers, gives back and closes, decides what is uncertain; nobody is left without an owner."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from channels_app import troubles
from channels_app.contract import By, Event, Kind
from channels_app.intake import take
from channels_app.models import Delivery
from common.promise import State
from config.groups import make_groups
from sales import abandoned, operations
from sales.assistant.context import set_scene
from sales.enums import Author, Mode, NoticeKind
from sales.models import Conversation, Message, Notice, Turn, User

pytestmark = pytest.mark.django_db


def write(chat: Conversation, text: str, *, ago: timedelta = timedelta(0)) -> None:
    event = Event(chat.external_id, f"m{Message.objects.count()}", Kind.TEXT, By.CUSTOMER, text)
    take("post", event, now=timezone.now() - ago)


def mode(chat: Conversation) -> str:
    return Conversation.objects.get(pk=chat.pk).mode


def own(chat: Conversation, *, state: str, operator: User) -> Delivery:
    operations.send_as_operator(conversation_id=chat.pk, text="Это я", by=operator, now=timezone.now())
    Delivery.objects.update(state=state)
    return Delivery.objects.get()


def page(chat: Conversation) -> str:
    return f"/admin/sales/conversation/{chat.pk}/change/"


def do(client: Client, chat: Conversation, verb: str, **data: str) -> int:
    return client.post(f"/admin/sales/conversation/{chat.pk}/do/{verb}/", data).status_code


def test_closed_conversation_opens_again_when_the_customer_writes(chat: Conversation, operator: User) -> None:
    write(chat, "Добрый день")
    operations.close(conversation_id=chat.pk, by=operator, now=timezone.now())
    closed = mode(chat)
    waiting = Turn.objects.filter(conversation=chat, state=State.DUE).exists()

    write(chat, "Я вернулся")

    assert (closed, waiting, mode(chat)) == (Mode.CLOSED, False, Mode.ASSISTANT)
    turn = Turn.objects.get(conversation=chat, state=State.DUE)
    scene = set_scene(conversation=Conversation.objects.get(pk=chat.pk), turn=turn, now=timezone.now())
    assert [heard.text for heard in scene.log] == ["Я вернулся"]


def test_a_web_chat_stays_closed(conversation: Conversation, operator: User) -> None:
    operations.close(conversation_id=conversation.pk, by=operator, now=timezone.now())

    with pytest.raises(operations.ConversationClosed):
        operations.receive(conversation_id=conversation.pk, external_id="1", text="Ещё?", now=timezone.now())


def test_closing_twice_says_so_once(chat: Conversation, operator: User) -> None:
    for _ in range(2):
        operations.close(conversation_id=chat.pk, by=operator, now=timezone.now())

    assert Message.objects.filter(conversation=chat, author=Author.SYSTEM).count() == 1


def test_staff_close_by_the_api(chat: Conversation, operator: User, client: Client) -> None:
    client.force_login(operator)

    answer = client.post(f"/api/v1/conversations/{chat.pk}/close")

    assert (answer.status_code, answer.json()["mode"], mode(chat)) == (200, "closed", Mode.CLOSED)


def test_page_takes_over_answers_gives_back_and_closes(chat: Conversation, operator: User, client: Client) -> None:
    write(chat, "Есть кто живой?")
    client.force_login(operator)
    modes = []

    for verb, data in (("take-over", {}), ("say", {"text": "Я здесь"}), ("give-back", {}), ("close", {})):
        do(client, chat, verb, **data)
        modes.append(mode(chat))

    assert modes == [Mode.OPERATOR, Mode.OPERATOR, Mode.ASSISTANT, Mode.CLOSED]


def test_the_same_form_twice_says_it_once(chat: Conversation, operator: User, client: Client) -> None:
    client.force_login(operator)

    for _ in range(2):
        do(client, chat, "say", text="Сейчас посмотрю", form="f1")

    assert Message.objects.filter(conversation=chat, author=Author.OPERATOR).count() == 1


@pytest.mark.parametrize("verb", ["take-over", "give-back", "say", "close"])
def test_who_may_only_read_does_nothing(chat: Conversation, client: Client, verb: str) -> None:
    make_groups()
    member = User.objects.create_user(username="buch", password="a long pass phrase", is_staff=True)
    member.groups.add(Group.objects.get(name="Бухгалтер"))
    client.force_login(member)

    assert (do(client, chat, verb, text="x"), mode(chat)) == (403, Mode.ASSISTANT)


def test_page_shows_what_became_of_each_message(chat: Conversation, operator: User, client: Client) -> None:
    own(chat, state=State.UNCERTAIN, operator=operator)
    client.force_login(operator)

    shown = client.get(page(chat)).content.decode()

    assert "/decide/again/" in shown
    assert "/decide/arrived/" in shown


@pytest.mark.parametrize(("verb", "state"), [("again", State.DUE), ("arrived", State.KEPT)])
@pytest.mark.parametrize("before", [State.BROKEN, State.UNCERTAIN])
def test_a_person_decides(
    chat: Conversation, operator: User, client: Client, verb: str, state: str, before: str
) -> None:
    delivery = own(chat, state=before, operator=operator)
    troubles.sweep(now=timezone.now())
    client.force_login(operator)

    client.post(f"/admin/channels_app/delivery/{delivery.pk}/decide/{verb}/")

    delivery.refresh_from_db()
    assert delivery.state == state
    assert Notice.objects.get(kind=NoticeKind.DELIVERY).seen_by == operator


def test_stranger_to_conversations_decides_nothing(chat: Conversation, operator: User, client: Client) -> None:
    delivery = own(chat, state=State.UNCERTAIN, operator=operator)
    client.force_login(User.objects.create_user(username="guest", password="a long pass phrase", is_staff=True))

    answer = client.post(f"/admin/channels_app/delivery/{delivery.pk}/decide/again/")

    delivery.refresh_from_db()
    assert (answer.status_code, delivery.state) == (403, State.UNCERTAIN)


def test_trouble_with_a_delivery_is_told_once_and_names_nobody(chat: Conversation, operator: User) -> None:
    own(chat, state=State.BROKEN, operator=operator)

    told = [troubles.sweep(now=timezone.now() + timedelta(days=each)) for each in range(3)]

    notice = Notice.objects.get(kind=NoticeKind.DELIVERY)
    assert (told, "Это я" in notice.text) == ([1, 0, 0], False)
    assert notice.address == f"/admin/sales/conversation/{chat.pk}/change/#m1"


def test_state_of_the_page_changes_with_what_it_shows(chat: Conversation, operator: User, client: Client) -> None:
    client.force_login(operator)
    address = f"/admin/sales/conversation/{chat.pk}/state/"

    def look() -> Any:
        return client.get(address).json()["state"]

    delivery = own(chat, state=State.DUE, operator=operator)
    first, again = look(), look()
    Delivery.objects.filter(pk=delivery.pk).update(state=State.UNCERTAIN)
    later = look()
    write(chat, "Ау")

    assert first == again
    assert len({first, later, look()}) == 3


def test_lists_of_deliveries_and_arrivals_open(chat: Conversation, operator: User, client: Client) -> None:
    delivery = own(chat, state=State.BROKEN, operator=operator)
    client.force_login(operator)
    names = ["delivery/", f"delivery/{delivery.pk}/change/", "arrival/"]

    assert [client.get(f"/admin/channels_app/{name}").status_code for name in names] == [200, 200, 200]


def led(chat: Conversation, operator: User, *, ago: timedelta) -> None:
    operations.take_over(conversation_id=chat.pk, by=operator, now=timezone.now() - ago)


def test_silent_operator_gives_back_while_the_customer_waits(chat: Conversation, operator: User, settings: Any) -> None:
    settings.OPERATOR_SILENCE = timedelta(minutes=30)
    led(chat, operator, ago=timedelta(minutes=50))
    write(chat, "Вы здесь?", ago=timedelta(minutes=40))
    write(chat, "Ау", ago=timedelta(minutes=1))

    count = abandoned.sweep(now=timezone.now())

    told = Message.objects.filter(conversation=chat, author=Author.SYSTEM)
    assert (count, mode(chat), told.get().text) == (1, Mode.ASSISTANT, abandoned.BACK["ru"])
    assert Turn.objects.filter(conversation=chat, state=State.DUE).exists()
    assert Delivery.objects.filter(message=told.get()).exists()
    assert abandoned.sweep(now=timezone.now()) == 0


def test_operator_has_time_after_taking_over(chat: Conversation, operator: User, settings: Any) -> None:
    settings.OPERATOR_SILENCE = timedelta(minutes=30)
    write(chat, "Позовите человека", ago=timedelta(hours=3))
    led(chat, operator, ago=timedelta(minutes=5))

    assert (abandoned.sweep(now=timezone.now()), mode(chat)) == (0, Mode.OPERATOR)


def test_operator_whose_word_was_the_last_keeps_the_conversation(
    chat: Conversation, operator: User, settings: Any
) -> None:
    settings.OPERATOR_SILENCE = timedelta(minutes=30)
    write(chat, "Вопрос", ago=timedelta(hours=3))
    operations.send_as_operator(
        conversation_id=chat.pk, text="Ответ", by=operator, now=timezone.now() - timedelta(hours=2)
    )

    assert (abandoned.sweep(now=timezone.now()), mode(chat)) == (0, Mode.OPERATOR)


def test_zero_means_never(chat: Conversation, operator: User, settings: Any) -> None:
    settings.OPERATOR_SILENCE = timedelta(0)
    led(chat, operator, ago=timedelta(days=2))
    write(chat, "Вы здесь?", ago=timedelta(days=1))

    assert abandoned.sweep(now=timezone.now()) == 0
