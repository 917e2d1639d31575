"""What is owed to a customer arrives once and in order, or a person is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from channels_app import deliveries
from channels_app.models import Delivery, Thread
from common.promise import State
from sales import operations
from sales.enums import Author, Direction, Mode
from sales.models import Conversation, Message, User
from sales.stuck import stuck_rows
from tests.channels.post import Post


@pytest.fixture
def say(chat: Conversation):
    """Store a message of the assistant as a turn would, and owe it."""

    def say(text: str) -> Delivery:
        now = timezone.now()
        message = operations.append(
            Conversation.objects.get(pk=chat.pk),
            now=now,
            direction=Direction.OUT,
            author=Author.ASSISTANT,
            external_id=f"turn:{text}",
            text=text,
        )
        delivery = deliveries.owe(message, conversation=chat, now=now)
        assert delivery is not None
        return delivery

    return say


def run(*, after: float = 0) -> None:
    """Let the sweep look, as if so many seconds had gone by."""
    shift = timedelta(seconds=after)
    Delivery.objects.filter(state=State.DUE).update(due_at=timezone.now() - timedelta(seconds=1))
    for row in Delivery.objects.exclude(sending_since=None):
        Delivery.objects.filter(pk=row.pk).update(sending_since=row.sending_since - shift)
    for _ in range(5):
        deliveries.sweep(now=timezone.now())


def arrived(post: Post) -> list[str]:
    return [each.text for each in post.chats.get("chat-1", [])]


def states() -> list[str]:
    return list(Delivery.objects.order_by("seq").values_list("state", flat=True))


def test_messages_arrive_in_the_order_in_which_they_were_said(post, say):
    say("раз | два")
    say("три")

    run()

    assert arrived(post) == ["раз", "два", "три"]
    assert states() == [State.KEPT, State.KEPT]


def test_a_vendor_that_is_busy_is_asked_again_and_later_messages_wait(post, say):
    post.trouble = ["busy"]
    first = say("раз")
    say("два")

    deliveries.deliver(first.conversation_id)
    first.refresh_from_db()
    assert (first.state, arrived(post)) == (State.DUE, [])
    assert (first.due_at - timezone.now()).total_seconds() > 5

    run()
    assert arrived(post) == ["раз", "два"]


def test_an_answer_that_was_cut_is_settled_by_looking(post, say):
    post.trouble = ["cut"]
    say("раз | два")

    run()
    run(after=10)

    assert arrived(post) == ["раз", "два"]
    assert states() == [State.KEPT]


def test_a_call_that_was_lost_is_made_again_after_looking(post, say):
    post.trouble = ["lost"]
    say("раз")

    run()
    run(after=10)

    assert arrived(post) == ["раз"]


def test_where_nobody_can_look_a_person_decides(post, say):
    post.blind().trouble = ["cut"]
    delivery = say("раз")
    say("два")

    run()
    run(after=10)
    assert arrived(post) == ["раз", "два"]
    assert states() == [State.UNCERTAIN, State.KEPT]

    deliveries.decide(delivery, arrived=True, now=timezone.now())
    assert states() == [State.KEPT, State.KEPT]


def test_what_a_person_sends_again_is_sent(post, say):
    post.blind().trouble = ["lost"]
    delivery = say("раз")
    run()

    deliveries.decide(delivery, arrived=False, now=timezone.now())
    run()

    assert arrived(post) == ["раз"]


def test_a_worker_that_died_in_the_call_leaves_a_doubt_that_is_settled(post, say, monkeypatch):
    delivery = say("раз")

    class Died(BaseException):
        pass

    def dies(chat: str, piece: object) -> str:
        Post.send(post, chat, piece)  # type: ignore[arg-type]
        raise Died

    monkeypatch.setattr(post, "send", dies)
    with pytest.raises(Died):
        deliveries.deliver(delivery.conversation_id)
    monkeypatch.undo()
    assert states() == [State.TAKEN]

    run(after=10)
    run(after=10)

    assert arrived(post) == ["раз"]
    assert states() == [State.KEPT]


def test_what_never_can_arrive_is_broken_and_holds_up_nothing(post, say):
    post.trouble = ["refused"]
    say("раз")
    say("два")

    run()

    assert states() == [State.BROKEN, State.KEPT]
    assert arrived(post) == ["два"]


def test_a_customer_who_has_left_is_left_alone(post, say, chat):
    Thread.objects.create(conversation=chat)
    post.trouble = ["blocked"]
    say("раз")
    say("два")

    run()

    assert states() == [State.DROPPED, State.DROPPED]
    assert Thread.objects.get(conversation=chat).unreachable_since is not None


def test_after_a_person_has_taken_over_the_assistants_words_stay_here(post, say, chat):
    say("раз")
    operator = User.objects.create(username="operator")
    operations.take_over(conversation_id=chat.pk, by=operator, now=timezone.now())

    run()

    assert (arrived(post), states()) == ([], [State.DROPPED])
    operations.send_as_operator(conversation_id=chat.pk, text="Это я", by=operator, now=timezone.now())
    run()
    assert arrived(post) == ["Это я"]


def test_a_colleagues_word_in_the_vendors_app_takes_over(chat):
    operations.heard_from_colleague(conversation_id=chat.pk, external_id="x1", text="Добрый день", now=timezone.now())

    chat.refresh_from_db()
    assert chat.mode == Mode.OPERATOR
    assert Message.objects.get(conversation=chat).author == Author.OPERATOR


def test_what_stands_under_stuck_is_sent_again_from_there(post, say):
    post.blind().trouble = ["lost"]
    say("раз")
    run()
    assert states() == [State.UNCERTAIN]

    (row,) = stuck_rows(now=timezone.now())
    row.try_again(now=timezone.now())
    run()

    assert arrived(post) == ["раз"]
