"""What we have to say arrives in Telegram once, in its own look, or a person is asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels_app import deliveries
from channels_app.models import Delivery, Thread
from common.promise import State
from sales import operations
from sales.enums import Author, Direction, Mode
from sales.models import Conversation, Message, Notice
from tests.ground.support import until
from tests.standins.telegram_api import TelegramAPI

CHAT = 700100200


@pytest.fixture
def chat(api: TelegramAPI, db: None) -> Conversation:
    conversation = operations.open_conversation(channel="telegram", external_id=str(CHAT), now=timezone.now())
    Thread.objects.create(conversation=conversation)
    return conversation


@pytest.fixture
def say(chat: Conversation) -> Any:
    def say(text: str, cards: Any = (), *, author: str = Author.ASSISTANT) -> Delivery:
        now = timezone.now()
        message = operations.append(
            Conversation.objects.get(pk=chat.pk),
            now=now,
            direction=Direction.OUT,
            author=author,
            external_id=f"turn:{text[:50]}",
            text=text,
            cards=list(cards),
        )
        delivery = deliveries.owe(message, conversation=Conversation.objects.get(pk=chat.pk), now=now)
        assert delivery is not None
        return delivery

    return say


@pytest.fixture
def old(chat: Conversation) -> None:
    """The conversation has begun: no notice any more."""
    operations.append(
        Conversation.objects.get(pk=chat.pk),
        now=timezone.now(),
        direction=Direction.OUT,
        author=Author.ASSISTANT,
        text="Здравствуйте",
    )


def run() -> None:
    for _ in range(4):
        Delivery.objects.filter(state=State.DUE).update(due_at=timezone.now() - timedelta(seconds=1))
        deliveries.sweep(now=timezone.now())


def test_a_reply_is_one_message_in_telegrams_markup(api, say, old):
    say("**Старт** стоит 30 000 ₽ & <больше>:\n\n- раз\n- [два](https://ex.ru/?a=1&b=2)")

    run()

    (sent,) = api.sent(CHAT)
    assert sent.text == "Старт стоит 30 000 ₽ & <больше>:\n\n• раз\n• два"
    assert sent.fields["text"].startswith("<b>Старт</b> стоит 30 000 ₽ &amp; &lt;больше&gt;")
    assert Delivery.objects.get().sent == [str(sent.message_id)]


def test_the_first_reply_carries_the_notice(api, say):
    say("Здравствуйте!")

    run()

    (sent,) = api.sent(CHAT)
    assert sent.text.startswith("Здравствуйте!\n\nОтвечает ИИ-помощник")
    assert "https://shop.example.ru/legal/consent/chats" in sent.text


def test_a_long_reply_is_cut_where_a_reader_would_and_stays_whole(api, say, old):
    words = "**Жирно:** " + " ".join(f"слово{number}" for number in range(1200)) + " 😀"
    say(words)

    run()

    sent = api.sent(CHAT)
    assert len(sent) > 1
    assert " ".join(each.text for each in sent) == words.replace("**", "")
    assert api.faults == []


def test_choices_and_the_proposal_of_a_quote_are_buttons(api, say, old):
    choices = {"kind": "choices", "text": "Да · Нет", "options": [{"label": "Да", "text": "Да, подходит"}]}
    quote = {"kind": "quote", "text": "Расчёт Q-1: 657 600 ₽.", "number": "Q-1"}
    delivery = say("Итого 657 600 ₽.", [quote, choices])

    run()

    (sent,) = api.sent(CHAT)
    seq = delivery.message.seq
    assert sent.text == "Итого 657 600 ₽.\n\nРасчёт Q-1: 657 600 ₽."
    assert [(button["text"], button["callback_data"]) for button in sent.buttons] == [
        ("Получить КП (PDF)", f"p:{seq}"),
        ("Да", f"c:{seq}:0"),
    ]


def test_a_phone_is_asked_for_by_telegrams_own_button(api, say, old):
    say("Оставьте телефон", [{"kind": "contact", "text": "Оставьте телефон"}])

    run()

    assert api.sent(CHAT)[0].buttons == [{"text": "Отправить мой телефон", "request_contact": True}]


def test_markup_that_telegram_refuses_is_left_out(api, say, old):
    api.fail("parse")
    say("**Важно**")

    api.queue.append(api.queue.popleft())
    run()

    assert [(each.text, "parse_mode" in each.fields) for each in api.sent(CHAT)] == [("Важно", False)]


def test_telegram_asks_to_wait_and_is_obeyed(api, say, old):
    api.fail("busy", retry_after=7)
    delivery = say("раз")

    deliveries.deliver(delivery.conversation_id)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.sending_since) == (State.DUE, None)
    assert (delivery.due_at - timezone.now()).total_seconds() > 5


@pytest.mark.parametrize("kind", ["broken", "bad_gateway", "cut", "lost", "cut_body", "garbage", "empty", "html"])
def test_where_nobody_can_know_a_person_decides(api, say, old, kind):
    api.fail(kind)
    delivery = say("раз")

    run()

    delivery.refresh_from_db()
    assert delivery.state == State.UNCERTAIN
    assert len(api.called("sendMessage")) == 1


def test_a_server_that_is_not_there_is_asked_again(api, say, old, settings):
    settings.TELEGRAM_API_URL = "http://127.0.0.1:9"
    delivery = say("раз")
    deliveries.deliver(delivery.conversation_id)
    delivery.refresh_from_db()
    assert delivery.state == State.DUE

    settings.TELEGRAM_API_URL = api.root
    run()

    assert [each.text for each in api.sent(CHAT)] == ["раз"]


@pytest.mark.parametrize("kind", ["blocked", "deactivated", "no_chat"])
def test_a_customer_who_has_left_makes_no_noise(api, say, old, kind):
    api.fail(kind)
    say("раз")
    say("два")

    run()

    assert set(Delivery.objects.values_list("state", flat=True)) == {State.DROPPED}
    assert Thread.objects.get().unreachable_since is not None
    assert not Notice.objects.exists()


def test_a_revoked_token_fails_the_delivery_and_tells_staff_once(api, say, old):
    api.fail("revoked")
    api.fail("revoked")
    say("раз")
    say("два")

    run()

    assert set(Delivery.objects.values_list("state", flat=True)) == {State.BROKEN}
    (notice,) = Notice.objects.all()
    assert (notice.kind, notice.subject) == ("key_refused", "telegram")


def test_a_group_that_has_moved_is_followed(api, say, old, chat):
    api.fail("migrated", moved_to=-1001)
    say("раз")

    run()

    chat.refresh_from_db()
    assert chat.external_id == "-1001"
    assert [each.text for each in api.sent(-1001)] == ["раз"]


def test_the_token_is_in_no_problem_and_no_log_line(api, say, old, caplog):
    import logging

    caplog.set_level(logging.DEBUG)
    for kind in ("revoked", "lost", "broken", "garbage", "no_chat"):
        api.fail(kind)
        say(kind)
    run()

    secret = "AAEhBOweik6ad6PsVGRCbqAABBCCDDEEFFG"
    assert not any(secret in str(problem) for problem in Delivery.objects.values_list("problem", flat=True))
    ours = [record for record in caplog.records if record.name.startswith(("channels_app", "common", "sales"))]
    assert not any(secret in record.getMessage() for record in ours)


def test_after_a_person_has_taken_over_only_the_person_is_heard(api, say, old, chat, operator):
    say("раз")
    operations.send_as_operator(conversation_id=chat.pk, text="Это я", by=operator, now=timezone.now())

    run()

    assert [each.text for each in api.sent(CHAT)] == ["Это я"]
    assert Conversation.objects.get().mode == Mode.OPERATOR


def test_a_document_is_a_file_with_the_reply_as_its_caption(api, say, old, settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "documents": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}},
    }
    card = {
        "kind": "document",
        "text": "Коммерческое предложение № 2026-0001.",
        "document": "1b1c0d0e-0000-4000-8000-000000000001",
        "title": "Коммерческое предложение № 2026-0001",
    }
    delivery = say("Готово.", [card])

    deliveries.deliver(delivery.conversation_id)
    delivery.refresh_from_db()
    assert (delivery.state, api.sent(CHAT)) == (State.DUE, [])

    (tmp_path / card["document"]).write_bytes(b"%PDF-1.7 demo")
    run()

    (sent,) = api.sent(CHAT)
    assert (sent.text, sent.file, sent.file_name) == (
        "Готово.",
        b"%PDF-1.7 demo",
        "Коммерческое предложение № 2026-0001.pdf",
    )
    assert Message.objects.filter(author=Author.ASSISTANT).count() == 2


def test_where_consent_is_asked_for_a_button_gives_it(api, say, old):
    from channels_app import consents

    delivery = say("Позвоним вам.\n\n" + consents.asking("telegram", "ru"))

    run()

    assert [(button["text"], button["callback_data"]) for button in api.sent(CHAT)[0].buttons] == [
        ("Согласен", f"a:{delivery.message.seq}")
    ]


def test_typing_is_shown_while_the_answer_is_made_and_ends_with_it(api, chat, monkeypatch):
    from channels_app import typists
    from channels_app.telegram.channel import channel

    monkeypatch.setattr(typists, "AGAIN_AFTER", 0.01)
    typist = typists.begin(channel(), chat=str(CHAT), turn_id=chat.pk)
    until(lambda: len(api.called("sendChatAction")) >= 3, seconds=10, what="it is shown again and again")

    typists.end(chat.pk)
    typist.join(10)

    assert not typist.is_alive()
    assert {(call["chat_id"], call["action"]) for call in api.called("sendChatAction")} == {(CHAT, "typing")}


# --- staff ------------------------------------------------------------------------------------------------------------


def test_staff_are_reached_by_the_bot_and_no_sign_of_a_text_is_taken_for_markup(api):
    from channels_app import pagers

    pagers.page(str(CHAT), "Клиент ждёт: <b>разговор</b> & ссылка")

    assert [each.text for each in api.sent(CHAT)] == ["Клиент ждёт: <b>разговор</b> & ссылка"]
    assert "parse_mode" not in api.called("sendMessage")[0]


def test_without_a_bot_nobody_is_reached_and_that_lasts(api, settings):
    from channels_app import pagers
    from common.problems import LastingProblem

    settings.TELEGRAM_BOT_TOKEN = ""

    with pytest.raises(LastingProblem, match="off"):
        pagers.page(str(CHAT), "Клиент ждёт")


@pytest.mark.parametrize("kind", ["blocked", "no_chat"])
def test_a_colleague_who_cannot_be_written_to_is_told_of_and_not_tried_again(api, kind):
    from channels_app import pagers
    from common.problems import LastingProblem

    api.fail(kind)

    with pytest.raises(LastingProblem, match="write to the bot"):
        pagers.page(str(CHAT), "Клиент ждёт")


# --- buttons that would stand twice -----------------------------------------------------------------------------------


def test_what_a_button_of_our_own_asks_for_is_offered_once():
    from channels_app import consents
    from channels_app.contract import Outgoing
    from channels_app.telegram.channel import channel as telegram

    options = [{"label": each, "text": each} for each in ("Подготовить предложение", "Согласен", "Мы стартап")]
    cards = [{"kind": "quote", "text": "Итого", "number": "Q-1"}, {"kind": "choices", "options": options}]
    asking = consents.asking("telegram", "ru")

    (piece,) = telegram().plan(Outgoing(seq=3, author="assistant", text=f"Считаю.\n\n{asking}", cards=cards))

    assert [row[0]["data"] for row in piece.buttons] == ["a:3", "p:3", "c:3:2"]
