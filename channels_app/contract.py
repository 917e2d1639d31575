"""What every channel can be asked for, and what it tells of itself.

A channel is an adapter over a client: the client speaks the vendor's API and knows nothing of ours; the adapter turns
what the vendor sends into ``Event``s and what we have to say into ``Piece``s that the vendor can show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol


@dataclass(frozen=True)
class Capabilities:
    """What a channel can do. Sizes are in characters as the vendor counts them."""

    #: the longest message
    text_most: int
    markup: Literal["markdown", "html", "plain"]
    #: buttons below a message; 0 where there are none
    buttons: int = 0
    #: files travel as files; else as links
    files: bool = False
    typing: bool = False
    #: customers may change and take back what they wrote, and we hear of it
    edits: bool = False
    #: what we have sent can be read back, so a doubt is settled by looking
    looks_back: bool = False
    #: the customer's side fetches what there is: nothing is sent to it, so no delivery is owed
    pulls: bool = False
    #: customers have agreed to the processing of personal data before their first word
    agreed_before: bool = False
    #: we may begin a conversation
    writes_first: bool = False
    #: what the channel tells of a message after it was sent
    tells: frozenset[Literal["delivered", "read"]] = frozenset()


class Kind(StrEnum):
    """What happened in a chat."""

    TEXT = "text"
    #: a command of the channel: ``text`` is its name without a slash, ``data["argument"]`` what stood behind it
    COMMAND = "command"
    #: a button was pressed; ``text`` is what the button stands for
    PRESS = "press"
    #: the customer's own phone number, given by the channel's own button, in ``data["phone"]``
    CONTACT = "contact"
    IMAGE = "image"
    VOICE = "voice"
    FILE = "file"
    PLACE = "place"
    EDITED = "edited"
    DELETED = "deleted"
    #: the customer doesn't want to hear from us any more, and does again
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    READ = "read"
    #: the vendor's own words, and whatever we don't know
    SYSTEM = "system"
    UNKNOWN = "unknown"


class By(StrEnum):
    """Who did it."""

    CUSTOMER = "customer"
    #: our side of the chat; whether it was us or a colleague in the vendor's own app, what we have sent tells
    OUR_SIDE = "our_side"
    VENDOR = "vendor"


@dataclass(frozen=True)
class Event:
    """Something that happened in a chat. ``chat`` and ``id`` are the vendor's; ``id`` is unique within the chat."""

    chat: str
    id: str
    kind: Kind
    by: By
    text: str = ""
    #: what the customer is called there
    name: str = ""
    #: when, by the vendor's clock
    at: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outgoing:
    """A message of ours as a channel gets it: ``text`` is Markdown, ``cards`` as the web chat shows them.

    ``first`` in the conversation: it carries the notice about personal data where the channel asks for no consent.
    """

    seq: int
    author: str
    text: str
    cards: Sequence[Mapping[str, Any]] = ()
    first: bool = False
    language: str = "ru"


@dataclass(frozen=True)
class Piece:
    """What is sent in one call. The same message gives the same pieces each time it is planned."""

    text: str = ""
    #: rows of buttons, each a label and what it says or opens: ``{"label", "text"}`` or ``{"label", "url"}``
    buttons: Sequence[Sequence[Mapping[str, str]]] = ()
    #: ``{"key", "name", "type"}`` of a file in storage
    file: Mapping[str, str] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sent:
    """Something of our side as the vendor has it."""

    id: str
    text: str
    at: datetime | None = None


class Channel(Protocol):
    """One way to customers. Sending raises what ``common.problems`` names:

    ``TemporaryProblem`` (it has not arrived; try again, after ``retry_after`` where given), ``LastingProblem`` (it
    never will), ``UnknownOutcome`` (it may have arrived), and ``Unreachable`` (this customer can't be written to).
    """

    name: str
    capabilities: Capabilities

    def is_on(self) -> bool:
        """Whether it has all that it needs of the environment."""
        ...

    def plan(self, message: Outgoing) -> list[Piece]:
        """The pieces of a message, in order. Pure: no call, no clock, no chance."""
        ...

    def send(self, chat: str, piece: Piece) -> str:
        """Send one piece within ten seconds; the vendor's id of it."""
        ...

    def sent_after(self, chat: str, since: datetime) -> list[Sent]:
        """What our side has sent since then, oldest first. Only where the channel ``looks_back``."""
        ...

    def show_typing(self, chat: str) -> None:
        """Show that an answer is being made. Never raises, never waits long."""
        ...


class Unreachable(Exception):
    """This customer doesn't want to, or can't, hear from us: no fault of anybody, nothing to repeat."""
