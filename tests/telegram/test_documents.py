"""Papers asked for in Telegram arrive as files, by the product's own tools, storage and deliveries."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.utils import timezone

from billing.models import Document
from billing.operations import make_pdf
from channels_app import deliveries
from channels_app.models import Delivery
from pricing.catalogue_file import load
from pricing.operations import make_quote
from sales import operations
from sales.enums import Author, Direction
from sales.models import Conversation, Message

CHAT = 700100200


@pytest.fixture
def shop(db: None) -> None:
    load(Path(django_settings.BASE_DIR) / "pricing" / "data" / "catalog.yaml")
    call_command("load_demo_seller")


def arrive() -> None:
    for document in Document.objects.filter(state="due"):
        document.keep(make_pdf, now=timezone.now())
    Delivery.objects.filter(state="due").update(due_at=timezone.now() - timedelta(seconds=1))
    deliveries.sweep(now=timezone.now())


def test_the_price_list_is_a_file_with_the_reply_as_its_caption(api, shop, deliver_update, private):
    update = private("/price_list")
    deliver_update(update)
    deliver_update(update)

    arrive()

    (sent,) = api.sent(CHAT)
    assert sent.method == "sendDocument"
    assert sent.file is not None and sent.file.startswith(b"%PDF")
    assert sent.file_name.startswith("Прайс-лист №")
    assert sent.text.startswith("Вот прайс-лист.")
    assert Document.objects.count() == 1


def test_prices_are_named_by_the_catalogue_at_once(api, shop, deliver_update, private):
    deliver_update(private("/price"))

    arrive()

    assert "34 900 ₽" in api.sent(CHAT)[0].text.replace("\xa0", " ")


def test_the_button_of_a_quote_brings_its_proposal_once(api, shop, deliver_update, private):
    now = timezone.now()
    talk = operations.open_conversation(channel="telegram", external_id=str(CHAT), now=now)
    wanted: dict[str, Any] = {
        "products": [{"product": "ai_manager", "volume": 1800}],
        "services": [],
        "billing_period": "month",
        "startup": False,
    }
    quote = make_quote(data=wanted, now=now, conversation_id=talk.pk)
    card = {"kind": "quote", "text": "Расчёт.", "number": quote.number}
    message = operations.append(
        Conversation.objects.get(pk=talk.pk),
        now=now,
        direction=Direction.OUT,
        author=Author.ASSISTANT,
        text="Итого.",
        cards=[card],
    )
    user = {"id": CHAT, "is_bot": False, "first_name": "Ирина"}
    under = {"message_id": 5, "date": 1, "chat": {"id": CHAT, "type": "private"}}
    for number in (1, 2):
        callback = {"id": str(number), "from": user, "message": under, "chat_instance": "1", "data": f"p:{message.seq}"}
        deliver_update({"update_id": number, "callback_query": callback})

    arrive()

    (sent,) = api.sent(CHAT)
    assert sent.file_name.startswith("Коммерческое предложение №")
    assert Document.objects.get().quote_id == quote.pk
    assert Message.objects.filter(author=Author.CUSTOMER).count() == 1
