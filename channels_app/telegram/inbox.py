"""What came from Telegram, by a webhook or by polling, taken once each: one transaction, one number.

An update that fails by a fault of ours doesn't hold up those after it: it is kept and tried again.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from channels_app import intake
from channels_app.contract import By, Event, Kind
from channels_app.models import TelegramBot, TelegramUpdate
from channels_app.telegram import channel, client, commands, payloads, words
from common import metrics
from common import promise as promises
from common.fields import readable
from common.problems import TemporaryProblem
from sales import operations
from sales.assistant.at_once import Desk, Said, answer_at_once
from sales.enums import Direction
from sales.models import Conversation, Message

logger = logging.getLogger(__name__)

#: how long the number of an update is remembered: Telegram repeats none for longer than a day
REMEMBERED = timedelta(days=7)
#: pictures that come together are acknowledged once
TOGETHER = timedelta(seconds=60)


def myself() -> payloads.Self:
    """Who we are in Telegram, as far as it has told."""
    number = bot_id()
    row = TelegramBot.objects.filter(pk=number).values_list("username", flat=True).first()
    return payloads.Self(number, row or "")


def bot_id() -> int:
    """The bot's own number: it begins its token."""
    head = settings.TELEGRAM_BOT_TOKEN.partition(":")[0]
    return int(head) if head.isascii() and head.isdigit() and len(head) < 18 else 0


def keep_name(me: client.Me, *, now: datetime) -> None:
    TelegramBot.objects.update_or_create(pk=me.id, defaults={"username": me.username, "told_at": now})


def take(update: Any, *, now: datetime) -> str:
    """Take an update once; returns the press that waits for an answer, whether or not it was new, else nothing."""
    read = payloads.read(update, me=myself())
    if read is None:
        metrics.telegram_updates_total.labels(outcome="unknown").inc()
        return ""
    with transaction.atomic():
        row = _first(read.update_id, now=now)
        if row is None:
            metrics.telegram_updates_total.labels(outcome="repeated").inc()
            return read.callback
        try:
            with transaction.atomic():
                for event in read.events:
                    apply(event, now=now)
        except (OperationalError, InterfaceError):
            raise  # the database is away: nothing was stored, and Telegram comes again
        except Exception:
            logger.exception("an update could not be taken: kept", extra={"channel": channel.NAME})
            row.state, row.due_at, row.content = promises.State.DUE, now, dict(update)
            row.save(update_fields={"state", "due_at", "content"})
            metrics.telegram_updates_total.labels(outcome="kept").inc()
        else:
            metrics.telegram_updates_total.labels(outcome="taken" if read.events else "ignored").inc()
    return read.callback


def _first(number: int, *, now: datetime) -> TelegramUpdate | None:
    """Note that the update came; None where it had come before. Who comes second waits for the first to end."""
    row = TelegramUpdate(
        id=uuid.uuid4(),
        bot_id=bot_id(),
        update_id=number,
        state=promises.State.KEPT,
        created_at=now,
        due_at=now,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO channels_app_telegramupdate"
            " (id, bot_id, update_id, state, due_at, attempts, problem, created_at)"
            " VALUES (%s, %s, %s, 'kept', %s, 0, '', %s) ON CONFLICT (bot_id, update_id) DO NOTHING",
            [row.pk, row.bot_id, row.update_id, now, now],
        )
        if not cursor.rowcount:
            return None
    row._state.adding = False
    row._state.db = "default"
    return row


def fulfil(row: TelegramUpdate) -> None:
    """Try again what could not be taken."""
    read = payloads.read(readable(row, "content"), me=myself())
    if read is None:
        return
    with transaction.atomic():
        for event in read.events:
            apply(event, now=timezone.now())
        with row.fenced():
            TelegramUpdate.objects.filter(pk=row.pk).update(content=None)


def sweep(*, now: datetime) -> int:
    return promises.sweep(TelegramUpdate.objects.all(), fulfil, now=now)


def tidy(*, now: datetime) -> int:
    """Forget numbers that Telegram will not repeat any more."""
    return TelegramUpdate.objects.filter(state=promises.State.KEPT, created_at__lt=now - REMEMBERED).delete()[0]


# --- what becomes of an event -------------------------------------------------------------------------------------


def apply(event: Event, *, now: datetime) -> None:
    """Store what an event tells. Runs in the transaction that notes the update."""
    if moved := event.data.get("moved_to"):
        channel.follow(event.chat, int(moved))
        return
    if event.by != By.CUSTOMER:
        intake.take(channel.NAME, event, now=now)
        return
    match event.kind:
        case Kind.COMMAND:
            _command(event, now=now)
        case Kind.PRESS:
            _press(event, now=now)
        case Kind.EDITED if _says_the_same(event):
            return
        case Kind.IMAGE | Kind.VOICE | Kind.FILE | Kind.PLACE | Kind.UNKNOWN if not event.text:
            _unreadable(event, now=now)
        case _:
            intake.take(channel.NAME, event, now=now)


def _command(event: Event, *, now: datetime) -> None:
    conversation = intake.opened(channel.NAME, event, now=now)
    argument = str(event.data.get("argument") or "")
    if event.text == "start" and argument:
        intake.remember(conversation, {"source": argument})
    said = words.SAYS.get(event.text)
    if said is None:  # of a command that we don't know, what was written is what was said
        said = f"/{event.text} {argument}".strip()
    elif argument and event.text != "start":
        said = f"{said} {argument}"
    # with something to look at beside it, the assistant knows better
    fixed = event.text == "start" or not argument
    reply = commands.ANSWERS.get(event.text) if fixed else None
    _answer(conversation, event.id, said, reply or commands.left_to_the_assistant, now=now)


def _press(event: Event, *, now: datetime) -> None:
    """A button of ours stands for words in a message of ours; whatever else is sent means nothing."""
    conversation = intake.known(channel.NAME, event.chat)
    if conversation is None:
        return
    button = str(event.data.get("button") or "")
    number = channel.number_in(button)
    if number is None:
        return
    pressed = Message.objects.filter(conversation=conversation, direction=Direction.OUT, seq=number).first()
    if pressed is None:
        return
    cards = readable(pressed, "cards")
    meant = channel.meant_by(
        button, text=str(readable(pressed, "text")), shown=cards if isinstance(cards, list) else []
    )
    if meant is None:
        return
    text, quote = meant
    intake.opened(channel.NAME, event, now=now)
    # named by the button and not by the press: pressed twice it is said once
    reply = commands.proposal(quote) if quote else commands.left_to_the_assistant
    _answer(conversation, f"press:{button}", text, reply, now=now)


def _unreadable(event: Event, *, now: datetime) -> None:
    """What we can't read is kept as a note of what came, and answered at once with what can be done."""
    conversation = intake.opened(channel.NAME, event, now=now)
    kind = event.kind.value
    shown = intake.SHOWN_AS.get(event.kind) or intake.SHOWN_AS[Kind.UNKNOWN]

    def reply(desk: Desk) -> Said | None:
        before = (
            Message.objects.filter(conversation=desk.conversation, direction=Direction.OUT).order_by("-seq").first()
        )
        if before and before.created_at > now - TOGETHER and readable(before, "text") == words.CANT_READ[kind]:
            return Said("")
        return Said(words.CANT_READ[kind], name=f"album:{event.data['album']}" if event.data.get("album") else "")

    _answer(conversation, event.id, shown, reply, now=now)


def _answer(conversation: Conversation, external_id: str, text: str, reply: commands.Answer, *, now: datetime) -> None:
    try:
        answer_at_once(conversation_id=conversation.pk, external_id=external_id, text=text, reply=reply, now=now)
    except operations.ConversationClosed:
        return


def _says_the_same(event: Event) -> bool:
    """Telegram tells of edits that change no word: a preview that was made, a button that was taken away."""
    original = Message.objects.filter(
        conversation__channel=channel.NAME,
        conversation__external_id=event.chat,
        direction=Direction.IN,
        external_id=event.data["original"],
    ).first()
    return original is not None and str(readable(original, "text")).strip() == event.text.strip()


# --- polling ------------------------------------------------------------------------------------------------------


def fetch(*, offset: int | None, wait: int, now: datetime) -> int | None:
    """Fetch what is waiting and store it; the next offset, which tells Telegram that it is stored."""
    for update in client.updates(offset=offset, wait=wait, kinds=payloads.KINDS):
        callback = take(update, now=timezone.now())
        if callback:
            client.answer_press(callback)
        number = update.get("update_id") if isinstance(update, Mapping) else None
        if isinstance(number, int):
            offset = max(offset or 0, number + 1)
    return offset


def learn_name(*, now: datetime) -> client.Me:
    """Ask Telegram who we are, and keep it."""
    me = client.me()
    if me.id != bot_id():
        raise TemporaryProblem("the answer is of another bot")
    keep_name(me, now=now)
    return me
