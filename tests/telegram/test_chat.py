"""What customers do in Telegram, and what comes of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.utils import timezone

from channels_app.models import Delivery, TelegramBot, Thread
from sales import operations
from sales.assistant.tools import TOOLS
from sales.enums import Author, Direction, Mode
from sales.models import Conversation, Lead, Message, Turn

CHAT = 700100200


def said(author: str = Author.ASSISTANT) -> list[str]:
    return [each.text for each in Message.objects.filter(author=author).order_by("seq")]


def command(private: Any, text: str, **more: Any) -> dict[str, Any]:
    length = len(text.split()[0])
    return private(text, entities=[{"type": "bot_command", "offset": 0, "length": length}], **more)


def test_start_greets_at_once_and_notes_whence_the_customer_came(deliver_update, private):
    update = command(private, "/start lead_9f3a")
    for _ in range(2):
        assert deliver_update(update).status_code == 200

    (greeting,) = said()
    assert greeting.startswith("Здравствуйте! Отвечаю на вопросы")
    assert Thread.objects.get().data == {"source": "lead_9f3a"}
    assert Delivery.objects.count() == 1
    assert [turn.state for turn in Turn.objects.all()] == ["kept"]


def test_help_lists_the_commands(deliver_update, private):
    deliver_update(command(private, "/help"))

    assert "/price_list – Прайс-лист (PDF)" in said()[0]


def test_operator_calls_a_person_and_says_so_once(deliver_update, private):
    deliver_update(command(private, "/operator"))

    assert Conversation.objects.get().mode == Mode.WAITING
    assert len(said()) == 1 and "Сотрудник приглашён" in said()[0]


def test_operator_asked_for_again_hears_that_one_is_coming(deliver_update, private):
    deliver_update(command(private, "/operator"))
    deliver_update(command(private, "/operator"))

    assert said()[1] == "Сотрудник уже приглашён и ответит здесь. Пока его нет, спрашивайте меня."


def test_contact_asks_for_the_phone_by_a_button(deliver_update, private):
    deliver_update(command(private, "/contact"))

    message = Message.objects.get(author=Author.ASSISTANT)
    assert [card["kind"] for card in message.cards] == ["contact"]


def test_a_command_that_the_assistant_answers_is_said_in_words(deliver_update, private):
    deliver_update(command(private, "/cases"))

    assert said(Author.CUSTOMER) == ["Расскажите, кто с вами уже работает: примеры и результаты."]
    assert (said(), Turn.objects.get().state) == ([], "due")


def test_while_an_answer_is_being_made_a_command_is_a_message_like_any_other(deliver_update, private):
    deliver_update(private("Сколько стоит?"))
    deliver_update(command(private, "/help"))

    assert (said(), Turn.objects.count()) == ([], 1)


def test_while_a_person_leads_nothing_answers_a_command(deliver_update, private, operator):
    deliver_update(private("Здравствуйте"))
    conversation = Conversation.objects.get()
    operations.take_over(conversation_id=conversation.pk, by=operator, now=timezone.now())

    deliver_update(command(private, "/help"))

    assert (said(), said(Author.CUSTOMER)[-1]) == ([], "Что вы умеете?")


def test_a_tool_that_refuses_leaves_the_answer_to_the_assistant(deliver_update, private, monkeypatch):
    monkeypatch.delitem(TOOLS, "pricing__price_list")

    deliver_update(command(private, "/price"))

    assert (said(), [turn.state for turn in Turn.objects.all()]) == ([], ["due"])


@pytest.fixture
def choices(deliver_update: Any, private: Any) -> Message:
    """A conversation in which the assistant has offered something to choose."""
    deliver_update(command(private, "/start"))
    return Message.objects.get(author=Author.ASSISTANT)


def press(data: str, *, number: int = 1, chat: int = CHAT) -> dict[str, Any]:
    user = {"id": chat, "is_bot": False, "first_name": "Ирина"}
    message = {"message_id": 50, "date": 1770000000, "chat": {"id": chat, "type": "private"}, "text": "…"}
    callback = {"id": f"43{number}", "from": user, "message": message, "chat_instance": "1", "data": data}
    return {"update_id": 200000000 + number, "callback_query": callback}


def test_a_press_is_the_customers_message_and_is_answered_at_once(deliver_update, choices):
    answer = deliver_update(press(f"c:{choices.seq}:1"))

    assert answer.json() == {"method": "answerCallbackQuery", "callback_query_id": "431"}
    assert said(Author.CUSTOMER)[-1] == "Сколько это стоит?"


def test_a_press_twice_is_said_once(deliver_update, choices):
    deliver_update(press(f"c:{choices.seq}:1", number=1))
    deliver_update(press(f"c:{choices.seq}:1", number=2))

    assert said(Author.CUSTOMER).count("Сколько это стоит?") == 1


@pytest.mark.parametrize(
    "data",
    ["", "c", "c:", "c:1", "c:1:0", "c:2:99", "c:9999999999:0", "c:-2:0", "c:2:-1", "c:²:0", "p:2", "q:2", "c:2:0:0"],
)
def test_a_press_of_what_is_no_button_of_ours_says_nothing(deliver_update, choices, data):
    before = Message.objects.count()

    assert deliver_update(press(data)).status_code == 200
    assert Message.objects.count() == before


def test_a_press_from_another_chat_says_nothing_there(deliver_update, choices):
    deliver_update(press(f"c:{choices.seq}:1", chat=5))

    assert not Conversation.objects.filter(external_id="5").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]}, "Вижу картинку"),
        ({"voice": {"file_id": "a", "file_unique_id": "b", "duration": 3}}, "Голосовые и аудио я пока не слушаю"),
        ({"document": {"file_id": "a", "file_unique_id": "b"}}, "Файл получил"),
        ({"location": {"latitude": 55.7, "longitude": 37.6}}, "Место на карте вижу"),
        ({"poll": {"id": "1"}}, "Такие сообщения я пока не читаю"),
    ],
    ids=["photo", "voice", "document", "location", "poll"],
)
def test_what_we_cannot_read_is_acknowledged_with_what_we_can_do(deliver_update, private, content, words):
    deliver_update(private(**content))

    assert said()[0].startswith(words)
    assert said(Author.CUSTOMER)[0].startswith("[")


def test_a_photo_with_words_is_answered_by_its_words(deliver_update, private):
    deliver_update(private(caption="Сколько стоит такое?", photo=[{}]))

    assert said(Author.CUSTOMER) == ["[изображение] Сколько стоит такое?"]
    assert Turn.objects.get().state == "due"


def test_an_album_is_acknowledged_once(deliver_update, private):
    for _ in range(4):
        deliver_update(private(photo=[{}], media_group_id="13579"))

    assert (len(said(Author.CUSTOMER)), len(said())) == (4, 1)


def test_a_message_of_the_chat_itself_says_nothing(deliver_update, private):
    deliver_update(private(pinned_message={"message_id": 5}))

    assert not Message.objects.exists()


def test_an_edit_that_says_something_else_is_read_and_one_that_does_not_is_not(deliver_update, private):
    first = private("Нужен тариф на 3000 договоров")
    deliver_update(first)
    same = {"update_id": 900, "edited_message": {**first["message"], "edit_date": 1770000100}}
    other = {"update_id": 901, "edited_message": {**same["edited_message"], "text": "Нужен тариф на 300 договоров"}}
    again = {"update_id": 902, "edited_message": {**other["edited_message"], "edit_date": 1770000200, "text": "На 30"}}

    for update in (same, other, other, again):
        assert deliver_update(update).status_code == 200

    assert said(Author.CUSTOMER) == ["Нужен тариф на 3000 договоров", "Нужен тариф на 300 договоров", "На 30"]


def test_the_customers_own_contact_is_said_and_anybody_elses_is_not_kept(deliver_update, private):
    deliver_update(private(contact={"phone_number": "79161234567", "first_name": "И", "user_id": CHAT}))
    deliver_update(private(contact={"phone_number": "79990000000", "first_name": "Друг", "user_id": 5}))

    assert said(Author.CUSTOMER)[0] == "+79161234567"
    assert not any("79990000000" in text for text in said(Author.CUSTOMER))
    assert Lead.objects.get().phone == ""


def member(status: str, number: int) -> dict[str, Any]:
    user = {"id": 700700700, "is_bot": True, "first_name": "Помощник"}
    changed = {"status": status, "user": user}
    chat = {"id": CHAT, "type": "private"}
    return {
        "update_id": number,
        "my_chat_member": {"chat": chat, "from": {"id": CHAT}, "date": 1, "new_chat_member": changed},
    }


def test_blocking_and_coming_back_are_noted(deliver_update, private):
    deliver_update(private("Здравствуйте"))

    deliver_update(member("kicked", 300))
    assert Thread.objects.get().unreachable_since is not None
    deliver_update(member("member", 301))
    assert Thread.objects.get().unreachable_since is None


# --- groups ---


@pytest.fixture
def group(private: Any, db: None) -> Any:
    TelegramBot.objects.create(bot_id=700700700, username="shop_helper_bot")

    def message(text: str, **more: Any) -> dict[str, Any]:
        return private(text, chat=CHAT, **more) | {}

    def in_group(text: str, **more: Any) -> dict[str, Any]:
        update = message(text, **more)
        update["message"]["chat"] = {"id": -100500, "type": "supergroup", "title": "Закупки"}
        return update

    return in_group


def test_a_group_is_read_only_where_we_are_meant(deliver_update, group):
    ours = {"message_id": 1, "from": {"id": 700700700, "is_bot": True, "first_name": "Помощник"}}
    theirs = {"message_id": 1, "from": {"id": 5, "first_name": "Пётр"}}
    for update in (
        group("Всем привет"),
        group("И вам", reply_to_message=theirs),
        group("/start@another_bot"),
        group("@shop_helper_bottle, привет"),
    ):
        assert deliver_update(update).status_code == 200
    assert not Message.objects.exists()

    deliver_update(group("@shop_helper_bot, сколько стоит?"))
    deliver_update(group("А за год?", reply_to_message=ours))

    assert said(Author.CUSTOMER) == ["сколько стоит?", "А за год?"]
    assert Conversation.objects.get().external_id == "-100500"


def test_a_command_to_us_in_a_group_is_answered(deliver_update, group):
    deliver_update(group("/help@shop_helper_bot"))

    assert len(said()) == 1


def test_a_group_that_became_a_supergroup_goes_on(deliver_update, group):
    deliver_update(group("/help@shop_helper_bot"))
    moved = group("", migrate_to_chat_id=-100999)
    del moved["message"]["text"]

    deliver_update(moved)

    assert Conversation.objects.get().external_id == "-100999"


# --- a business account ---


def business(private: Any, text: str, *, sender: int = CHAT, **more: Any) -> dict[str, Any]:
    update = private(text, business_connection_id="biz1", **more)
    message = update.pop("message")
    message["from"] = {"id": sender, "is_bot": False, "first_name": "Кто-то"}
    return {**update, "business_message": message}


def test_a_business_chat_is_a_conversation_of_its_own_and_a_colleague_takes_it_over(deliver_update, private):
    deliver_update(private("Здравствуйте, бот"))
    deliver_update(business(private, "Здравствуйте, магазин"))
    conversation = Conversation.objects.get(external_id=f"business:biz1:{CHAT}")
    assert conversation.mode == Mode.ASSISTANT

    deliver_update(business(private, "Добрый день, это менеджер", sender=42))

    conversation.refresh_from_db()
    assert conversation.mode == Mode.OPERATOR
    assert said(Author.OPERATOR) == ["Добрый день, это менеджер"]


# --- at the same time ---


@pytest.mark.django_db(transaction=True)
def test_one_update_ten_times_at_once_has_one_effect(api, deliver_update, private):
    from django.db import connection

    update = command(private, "/start")

    def post(_number: int) -> int:
        try:
            return deliver_update(update).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(post, range(10))) == [200] * 10

    assert Message.objects.filter(direction=Direction.IN).count() == 1
    assert len(said()) == 1


def test_a_phone_given_by_the_button_waits_for_the_customers_word(deliver_update, private):
    """The stored message is what the assistant reads; the lead has nothing until «Согласен» was pressed."""
    from channels_app import consents
    from sales.models import Consent

    deliver_update(private(contact={"phone_number": "79161234567", "first_name": "И", "user_id": CHAT}))
    conversation = Conversation.objects.get()
    Turn.objects.update(state="kept")
    asked = operations.append(
        conversation,
        now=timezone.now(),
        direction=Direction.OUT,
        author=Author.ASSISTANT,
        text=consents.asking("telegram", "ru"),
    )
    assert (Lead.objects.get().phone, Consent.objects.count()) == ("", 0)

    deliver_update(press(f"a:{asked.seq}"))

    assert said(Author.CUSTOMER)[-1] == "Согласен"
    assert Consent.objects.count() == 1
