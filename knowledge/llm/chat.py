"""What is said to a language model and what it says, in words that every vendor's dialect translates.

A ``Prompt`` is all that one call sends; an ``Answer`` is what came back; ``ModelFailed`` says why nothing good came and
what that means for the next call. ``Profile`` is the model that is asked: a row of data, never a class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Protocol


@dataclass(frozen=True)
class Profile:
    """A model and the way to it. Prices are roubles for a million tokens.

    ``slug`` names it in traces and metrics; ``id`` is its row, None for one that no row describes.
    """

    slug: str
    dialect: str
    model: str
    base_url: str = ""
    key: str = field(default="", repr=False)
    #: what a vendor knows or doesn't: the dialect's own words, see there
    options: Mapping[str, Any] = field(default_factory=dict)
    #: whether customers' personal data may be sent there as it is
    personal_data: bool = False
    #: tokens that question and answer may have together, and the answer alone
    context_tokens: int = 32_000
    answer_tokens: int = 1_000
    price_in: Decimal = Decimal(0)
    price_cached: Decimal = Decimal(0)
    price_out: Decimal = Decimal(0)
    id: int | None = None


@dataclass(frozen=True)
class ToolSpec:
    """A function as a model is told of it: ``schema`` is JSON Schema of an object."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Said:
    """Words of one side. ``user`` is everybody who isn't the model."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class Call:
    """A function that a model wants called. ``id`` is ours and unique within the turn; ``vendor_id`` is the vendor's.

    ``problem`` says in words for the model what is wrong with arguments that can't be read; then there are none.
    """

    id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    vendor_id: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Called:
    """The model's own step in which it asked for calls, as it has to be shown again. ``raw`` is its dialect's."""

    text: str
    calls: tuple[Call, ...]
    raw: Any = None


@dataclass(frozen=True)
class Returned:
    """What a call gave back."""

    call: Call
    text: str
    failed: bool = False


Part = Said | Called | Returned


@dataclass(frozen=True)
class Prompt:
    """All that one call sends. What stays the same from turn to turn stands first, so that vendors' caches hit.

    ``system`` is equal for all conversations; ``parts`` ends with what has to be answered. ``thread`` is an opaque
    name of the conversation, the same for all its turns and of no use to anybody else.
    """

    system: str
    parts: tuple[Part, ...]
    tools: tuple[ToolSpec, ...] = ()
    thread: str = ""
    temperature: float | None = None


@dataclass(frozen=True)
class Usage:
    """Tokens of one call; ``cached`` of the ``prompt`` ones were read from the vendor's cache.

    ``written`` of them were put there, which Anthropic charges a quarter more for (twice as much if kept for an hour).
    ``estimated`` where the vendor said nothing and we have counted ourselves.
    """

    prompt: int = 0
    cached: int = 0
    answer: int = 0
    estimated: bool = False
    written: int = 0


@dataclass(frozen=True)
class Answer:
    """Words, calls, or both. ``cut`` when the model ran out of tokens: its calls are dropped then, not run."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    usage: Usage = Usage()
    cut: bool = False
    #: the vendor's name of the request, for its support
    request_id: str = ""
    #: seconds to the first piece of text; None without a stream or without text
    first_piece: float | None = None
    #: what ``Called.raw`` must hold when the calls of this answer are shown to the same model again
    raw: Any = None


class Failure(StrEnum):
    """Why a model gave no good answer."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    LIMITED = "limited"
    NO_MONEY = "no_money"
    KEY = "key"
    COUNTRY = "country"
    NO_MODEL = "no_model"
    TOO_LONG = "too_long"
    BAD_REQUEST = "bad_request"
    SERVER = "server"
    BROKEN = "broken"
    MALFORMED = "malformed"
    FILTERED = "filtered"


class ModelFailed(Exception):
    """No good answer. ``words`` are ours, without a key, a text or personal data of anybody."""

    def __init__(
        self, failure: Failure, words: str, *, retry_after: float | None = None, usage: Usage | None = None
    ) -> None:
        super().__init__(words)
        self.failure = failure
        self.words = words
        #: seconds the vendor asked us to wait
        self.retry_after = retry_after
        #: what had been used before it failed, where that is known
        self.usage = usage or Usage()


class Dialect(Protocol):
    """How one kind of server is spoken to. Knows the vendor, nothing of our rows."""

    def ask(self, prompt: Prompt, *, profile: Profile, seconds: float, hear: Callable[[str], None] | None) -> Answer:
        """One call, at most ``seconds`` long from end to end, never repeated here. Raises ``ModelFailed`` only.

        With ``hear`` the answer is streamed where the profile's server can, and its text told piece by piece.
        """
        ...
