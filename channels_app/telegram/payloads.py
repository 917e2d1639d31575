"""What Telegram sends, read strictly, and turned into events. Foreign words stop here; nothing is looked up.

Shapes that we don't know are none of our business and make no event: Telegram adds kinds and fields all the time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from channels_app.contract import By, Event, Kind

#: the kinds of update that we ask for
KINDS = (
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
)
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{3,40}))?(?:\s+(.*))?\Z", re.DOTALL)
#: what a deep link may carry
ARGUMENT_MOST = 64

Id = Annotated[int, Field(ge=-(2**53), le=2**53)]
Name = Annotated[str, Field(max_length=300)]


class _Read(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", populate_by_name=True)


class User(_Read):
    id: Id
    is_bot: bool = False
    first_name: Name = ""
    last_name: Name | None = None

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.first_name, self.last_name)))


class Chat(_Read):
    id: Id
    type: str


class Entity(_Read):
    type: str
    offset: int
    length: int
    user: User | None = None


class Contact(_Read):
    phone_number: Annotated[str, Field(max_length=40)]
    user_id: Id | None = None


class Replied(_Read):
    sender: User | None = Field(None, alias="from")


class Message(_Read):
    message_id: Id
    chat: Chat
    sender: User | None = Field(None, alias="from")
    date: int | None = None
    edit_date: int | None = None
    text: str | None = None
    caption: str | None = None
    entities: list[Entity] | None = None
    caption_entities: list[Entity] | None = None
    contact: Contact | None = None
    reply_to_message: Replied | None = None
    media_group_id: Annotated[str, Field(max_length=100)] | None = None
    business_connection_id: Annotated[str, Field(max_length=150)] | None = None
    sender_business_bot: User | None = None
    migrate_to_chat_id: Id | None = None

    @property
    def said(self) -> str:
        return self.text or self.caption or ""


class PressedOn(_Read):
    message_id: Id
    chat: Chat
    business_connection_id: Annotated[str, Field(max_length=150)] | None = None


class Press(_Read):
    id: Annotated[str, Field(max_length=100)]
    sender: User = Field(alias="from")
    message: PressedOn | None = None
    data: Annotated[str, Field(max_length=64)] = ""


class Member(_Read):
    status: str
    user: User


class Membership(_Read):
    chat: Chat
    new_chat_member: Member


class Deleted(_Read):
    business_connection_id: Annotated[str, Field(max_length=150)]
    chat: Chat
    message_ids: list[Id]


class Update(_Read):
    update_id: Annotated[int, Field(ge=0, lt=2**63)]


@dataclass(frozen=True)
class Self:
    """Who we are there: by this a group's message is known to be meant for us. The name may be unknown yet."""

    id: int
    username: str = ""


@dataclass(frozen=True)
class Read:
    """An update: its number, what it tells, and the press that waits for an answer."""

    update_id: int
    events: tuple[Event, ...] = ()
    callback: str = ""


def read(update: Any, *, me: Self) -> Read | None:
    """What an update tells; None where it isn't one."""
    try:
        number = Update.model_validate(update).update_id
    except ValidationError:
        return None
    for kind, reader in _READERS.items():
        if kind not in update:
            continue
        try:
            return reader(number, update[kind], me)
        except (ValidationError, RecursionError):
            return Read(number)
    return Read(number)


def _message(number: int, said: Any, me: Self) -> Read:
    message = Message.model_validate(said)
    event = _event(message, said, me)
    return Read(number, (event,) if event else ())


def _event(message: Message, raw: Mapping[str, Any], me: Self) -> Event | None:
    if message.chat.type == "channel":
        return None
    chat = _chat(message.chat, message.business_connection_id)
    if message.migrate_to_chat_id is not None:
        data = {"moved_to": str(message.migrate_to_chat_id)}
        return Event(chat, str(message.message_id), Kind.SYSTEM, By.VENDOR, data=data)
    by = _by(message, me)
    if by is None:
        return None
    text = message.said
    if message.chat.type != "private":
        if not _meant_for_us(message, me):
            return None
        text = _without_us(text, me)
    kind, data = _kind(message, raw)
    if kind is None:
        return None
    if by == By.CUSTOMER and message.text and (command := _COMMAND.match(text)):
        name, whose, argument = command.groups()
        if whose and me.username and whose.lower() != me.username.lower():
            return None
        kind, text, data = Kind.COMMAND, name.lower(), {"argument": (argument or "").strip()[:ARGUMENT_MOST]}
    if message.contact and kind == Kind.CONTACT:
        phone = message.contact.phone_number
        text = phone if phone.startswith("+") else f"+{phone}"
        data = {"phone": text}
    if message.media_group_id:
        data = {**data, "album": message.media_group_id}
    return Event(
        chat,
        str(message.message_id),
        kind,
        by,
        text=text,
        name=message.sender.name if message.sender and by == By.CUSTOMER else "",
        at=_time(message.date),
        data=data,
    )


def _by(message: Message, me: Self) -> By | None:
    """Who wrote; None for another bot, whom nobody answers, and for what nobody wrote."""
    sender = message.sender
    if message.business_connection_id:
        # in a customer's chat with a business account whoever isn't the customer is of our side, its bot included
        if sender and sender.id == message.chat.id and not message.sender_business_bot:
            return By.CUSTOMER
        return By.OUR_SIDE
    if sender is None:
        return None
    if sender.id == me.id:
        return By.OUR_SIDE
    return None if sender.is_bot else By.CUSTOMER


def _meant_for_us(message: Message, me: Self) -> bool:
    """In a group: a command with our name, an answer to us, a mention of us."""
    replied = message.reply_to_message
    if replied and replied.sender and replied.sender.id == me.id:
        return True
    entities = [*(message.entities or ()), *(message.caption_entities or ())]
    if any(each.type == "text_mention" and each.user and each.user.id == me.id for each in entities):
        return True
    return bool(me.username) and re.search(rf"@{re.escape(me.username)}\b", message.said, re.IGNORECASE) is not None


def _without_us(text: str, me: Self) -> str:
    if text.startswith("/") or not me.username:
        return text
    return re.sub(rf"\s*@{re.escape(me.username)}\b[,:]?\s*", " ", text, flags=re.IGNORECASE).strip()


#: what a message may hold beside text, and what that is for us
_CONTENT: Mapping[str, Kind] = {
    "photo": Kind.IMAGE,
    "sticker": Kind.IMAGE,
    "animation": Kind.IMAGE,
    "voice": Kind.VOICE,
    "audio": Kind.VOICE,
    "video_note": Kind.VOICE,
    "video": Kind.FILE,
    "document": Kind.FILE,
    "venue": Kind.PLACE,
    "location": Kind.PLACE,
    **dict.fromkeys(("poll", "dice", "story", "game", "rich_message", "checklist", "paid_media"), Kind.UNKNOWN),
}


def _kind(message: Message, raw: Mapping[str, Any]) -> tuple[Kind | None, dict[str, Any]]:
    if message.text is not None:
        return Kind.TEXT, {}
    if message.contact is not None:
        own = message.sender is not None and message.contact.user_id == message.sender.id
        return (Kind.CONTACT if own else Kind.UNKNOWN), {}
    for name, kind in _CONTENT.items():
        if raw.get(name) is not None:
            return kind, {}
    return None, {}  # of the chat itself: a pinned message, a new title


def _edited(number: int, said: Any, me: Self) -> Read:
    message = Message.model_validate(said)
    event = _event(message, said, me)
    # places that move and polls that are voted in come as edits too
    if event is None or event.by != By.CUSTOMER or not event.text or event.kind == Kind.COMMAND:
        return Read(number)
    edited = Event(
        event.chat,
        f"{message.message_id}:{message.edit_date or 0}",
        Kind.EDITED,
        event.by,
        text=event.text,
        name=event.name,
        at=_time(message.edit_date),
        data={"original": str(message.message_id)},
    )
    return Read(number, (edited,))


def _press(number: int, said: Any, me: Self) -> Read:
    press = Press.model_validate(said)
    if press.message is None or not press.data:
        return Read(number, callback=press.id)
    event = Event(
        _chat(press.message.chat, press.message.business_connection_id),
        f"press:{press.id}",
        Kind.PRESS,
        By.CUSTOMER,
        name=press.sender.name,
        data={"button": press.data},
    )
    return Read(number, (event,), callback=press.id)


def _membership(number: int, said: Any, me: Self) -> Read:
    membership = Membership.model_validate(said)
    gone = membership.new_chat_member.status in {"kicked", "left"}
    kind = Kind.BLOCKED if gone else Kind.UNBLOCKED
    return Read(number, (Event(_chat(membership.chat, None), f"member:{number}", kind, By.CUSTOMER),))


def _deleted(number: int, said: Any, me: Self) -> Read:
    deleted = Deleted.model_validate(said)
    chat = _chat(deleted.chat, deleted.business_connection_id)
    return Read(number, tuple(Event(chat, str(each), Kind.DELETED, By.CUSTOMER) for each in deleted.message_ids[:100]))


_READERS = {
    "message": _message,
    "business_message": _message,
    "edited_message": _edited,
    "edited_business_message": _edited,
    "callback_query": _press,
    "my_chat_member": _membership,
    "deleted_business_messages": _deleted,
}


def _chat(chat: Chat, connection: str | None) -> str:
    """What the conversation is called: writing to the bot and to a business account are two."""
    return f"business:{connection}:{chat.id}" if connection else str(chat.id)


def _time(seconds: int | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds and seconds > 0 else None
    except (OverflowError, ValueError, OSError):
        return None
