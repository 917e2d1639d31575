"""What Avito sends, as we understand it: a message of a chat becomes an event, whatever is odd about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from channels_app.contract import By, Event, Kind

#: who writes what Avito itself says
AVITO = 1

_KINDS = {
    "text": Kind.TEXT,
    "link": Kind.TEXT,
    "item": Kind.TEXT,
    "image": Kind.IMAGE,
    "voice": Kind.VOICE,
    "location": Kind.PLACE,
    "file": Kind.FILE,
    "video": Kind.FILE,
    "deleted": Kind.DELETED,
    "system": Kind.SYSTEM,
    # that somebody called is seen in Avito's own list of calls; there is nothing to answer
    "call": Kind.SYSTEM,
    "appCall": Kind.SYSTEM,
}


@dataclass(frozen=True)
class Item:
    """The listing that a chat is about."""

    id: str
    title: str
    price: str = ""
    url: str = ""

    @property
    def words(self) -> str:
        """In one line, for whoever answers."""
        return ", ".join(filter(None, [self.title, self.price, self.url]))


def event_of(chat: str, message: Mapping[str, Any], *, ours: int, name: str = "") -> Event | None:
    """A message as an event; None for what has no name of its own."""
    number = message.get("id")
    if not isinstance(number, str) or not number:
        return None
    kind = _KINDS.get(str(message.get("type")), Kind.UNKNOWN)
    found = message.get("content")
    content: Mapping[str, Any] = found if isinstance(found, dict) else {}
    data: dict[str, Any] = {}
    if kind == Kind.VOICE and (voice := _part(content, "voice").get("voice_id")):
        data["voice_id"] = str(voice)
    if kind == Kind.IMAGE and isinstance(sizes := _part(content, "image").get("sizes"), dict):
        data["sizes"] = {str(size): str(url) for size, url in sizes.items()}
    return Event(
        chat=chat,
        id=number[:100],
        kind=kind,
        by=_by(message, ours=ours),
        text=_text(str(message.get("type")), content),
        name=name,
        at=moment(message.get("created")),
        data=data,
    )


def _by(message: Mapping[str, Any], *, ours: int) -> By:
    if message.get("author_id") == AVITO or message.get("type") == "system":
        return By.VENDOR
    if message.get("direction") == "out" or message.get("author_id") == ours:
        return By.OUR_SIDE
    return By.CUSTOMER


def _text(kind: str, content: Mapping[str, Any]) -> str:
    if kind == "text":
        return _word(content.get("text"))
    if kind == "link":
        link = _part(content, "link")
        text, url = _word(link.get("text")), _word(link.get("url"))
        return text if url in text else f"{text} {url}".strip()
    if kind == "item":
        item = _part(content, "item")
        found = (_word(item.get(name)) for name in ("title", "price_string", "item_url"))
        return ", ".join(each for each in found if each)
    if kind == "location":
        place = _part(content, "location")
        return _word(place.get("title")) or _word(place.get("text"))
    return ""


def moment(created: object) -> datetime | None:
    """A time of the vendor; None for what is none."""
    if not isinstance(created, int | float) or isinstance(created, bool) or not 0 < created < 32_503_680_000:
        return None
    return datetime.fromtimestamp(created, UTC)


def item_of(chat: Mapping[str, Any]) -> Item | None:
    """The listing that a chat is about, where it is about one."""
    context = _part(chat, "context")
    value = _part(context, "value")
    if context.get("type") != "item" or not value.get("title"):
        return None
    return Item(
        id=str(value.get("id") or ""),
        title=_word(value.get("title"))[:300],
        price=_word(value.get("price_string"))[:60],
        url=_word(value.get("url"))[:500],
    )


def customer_of(chat: Mapping[str, Any], *, ours: int) -> str:
    """What the customer is called there: both sides stand in no fixed order."""
    users = chat.get("users")
    for user in users if isinstance(users, list) else []:
        if isinstance(user, dict) and user.get("id") not in {ours, AVITO}:
            return _word(user.get("name"))[:200]
    return ""


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _word(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
