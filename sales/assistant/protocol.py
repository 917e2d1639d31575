"""What a turn and its model say to each other. The ground defines it; models stand above and are named in settings.

A model is given what was said (``log``), what is known (``TurnContext``) and what it may do (``tools``). It answers
with a ``Reply``: either calls, which the turn runs and appends to the log together with their results, or words.
Personal data in the log is masked: a phone number reads ``[ТЕЛЕФОН_1]``, and a call that names the mask gets the
real value when the tool runs.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from common.masking import Masker

if TYPE_CHECKING:
    from sales.assistant.tools import Tool

Author = Literal["customer", "assistant", "operator", "system"]


@dataclass(frozen=True)
class Heard:
    """A message of the conversation. ``pending`` marks those of the customer that this turn has to answer."""

    author: Author
    text: str
    seq: int
    pending: bool = False


@dataclass(frozen=True)
class ToolRequest:
    """A call that the model asks for. ``id`` is unique within the turn."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class ToolResult:
    """What a tool said: ``text`` is words for a model, ``data`` the same for a program.

    ``failed`` means that the tool refused and ``text`` says what to do about it.
    """

    id: str
    name: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    failed: bool = False


@dataclass(frozen=True)
class Reply:
    """Calls to run, or words for the customer. ``chips`` are short answers offered as buttons.

    ``text`` is Markdown. ``reason`` says for the trace why a model chose this, in a few words without personal data.
    """

    text: str = ""
    calls: tuple[ToolRequest, ...] = ()
    chips: tuple[str, ...] = ()
    reason: str = ""
    #: ids of the articles that the words rest on; None: all that the tools cited
    sources: tuple[str, ...] | None = None
    #: the customer's questions that it knew no answer to, in their words; None: it doesn't say, the searches may tell
    unanswered: tuple[str, ...] | None = None
    #: who of a chain spoke; empty: the model itself
    model: str = ""
    #: what the trace keeps of how it came about: numbers, words from short lists and ids, never what was said
    notes: Mapping[str, Any] = field(default_factory=dict)
    #: of its own answer what the model wants to see again in this turn, word for word; nobody else reads it
    raw: Any = None


Entry = Heard | Reply | ToolResult


class Privacy(Protocol):
    """What keeps personal data of one conversation at home."""

    @property
    def names(self) -> Sequence[str]:
        """The names of people that are known or were said: for whoever hides them in other texts."""
        ...

    def hide(self, text: str) -> str:
        """The text with marks in place of personal data; marks that stand there already stay."""
        ...

    def reveal(self, value: Any) -> Any:
        """A text, or JSON with texts in it, with the values that its marks stand for."""
        ...


@dataclass(frozen=True)
class TurnContext:
    """What is known besides the log. Shows no personal data, only whether we have it.

    ``privacy`` hides and reveals it: for whoever sends words out of the house.
    """

    now: datetime
    language: Literal["ru", "en"]
    channel: str
    #: which of name, phone, email, company are known of the lead
    contacts: frozenset[str] = frozenset()
    #: the latest quote of this conversation: the request it was made from, its number and its answer; or None
    quote: Mapping[str, Any] | None = None
    #: whether a person has been called and hasn't come yet
    waiting: bool = False
    #: kinds of document already prepared in this conversation
    documents: frozenset[str] = frozenset()
    #: what is known of the lead from earlier messages, masked, oldest first: «budget: 50 000 ₽»
    facts: tuple[str, ...] = ()
    #: words that ask for consent where contact data may not be kept yet; empty where they may
    asks_consent: str = ""
    #: how many characters an answer should have at most on this channel; 0: as many as it needs
    reply_most: int = 0
    #: an opaque name of the conversation, the same in all its turns, by which a vendor may know it again
    thread: str = ""
    #: what the customer asks about where a channel knows it, masked: the title of an item on sale
    item: str = ""
    #: which turn it is and which try of it, for whoever keeps records; None outside of one
    turn_id: uuid.UUID | None = None
    attempt: int = 1
    privacy: Privacy = field(default_factory=Masker, repr=False, compare=False)


#: gets the words of a draft piece by piece, as a model says them; ``None`` takes back all that came so far
Hear = Callable[[str | None], None]


class Model(Protocol):
    """Whoever takes the turn: a language model behind its dialect, or the model that needs no network.

    Made anew for each turn, so it may remember between the steps of one.
    """

    @property
    def name(self) -> str:
        """Who speaks, for the trace."""
        ...

    def reply(self, *, context: TurnContext, log: Sequence[Entry], tools: Mapping[str, Tool], hear: Hear) -> Reply:
        """The next step of this turn. Raises ``TemporaryProblem`` when it can't answer now.

        A model that says its words bit by bit tells ``hear``; one that has them all at once needn't.
        """
        ...
