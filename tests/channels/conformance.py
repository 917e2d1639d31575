"""What the conformance suite needs of a channel: a driver that plays its customer, its colleague and its vendor.

A driver makes *parcels* (what the vendor would hand us) and hands them in by the channel's own road; ``trouble`` says
what the next calls to the vendor meet; ``arrived`` is what the customer has before their eyes. ``can`` names what there
is to be tested: a case is run with each driver that can all it needs.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import uuid
from datetime import timedelta
from typing import Any, ClassVar

from django.test import Client
from django.utils import timezone

from channels_app import arrivals, deliveries, intake, registry
from channels_app.contract import By, Event, Kind
from channels_app.models import Arrival, Delivery
from common.promise import State
from sales import operations
from sales.enums import Author, Direction
from sales.models import Conversation, Message, Turn
from tests.channels.post import Office, Post

#: all troubles that a vendor can make
TROUBLES = ("busy", "busy_for_a_while", "broken", "refused", "revoked", "blocked", "cut", "lost", "unreached")


class Driver:
    """One channel as the suite sees it. Subclasses speak the vendor's language."""

    name: ClassVar[str]
    #: door, token, sends, looks_back, blind, colleague, echo, edits, deletes, pictures, blocks, system, unknown
    can: ClassVar[frozenset[str]]
    chat, other_chat = "chat-1", "chat-2"

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        self.numbers = itertools.count(1)
        self.start()

    def start(self) -> None:
        """Whatever has to stand before the first parcel."""

    def stop(self) -> None:
        """Put away what ``start`` has set up."""

    # --- the way in

    def text(self, words: str, *, id: str = "m1", chat: str = "") -> Any:
        raise NotImplementedError

    def of(self, kind: Kind, *, id: str = "m1", words: str = "") -> Any:
        raise NotImplementedError

    def colleague(self, words: str, *, id: str = "c1", chat: str = "") -> Any:
        raise NotImplementedError

    def hand(self, *parcels: Any) -> list[int]:
        """Give parcels to the channel as its vendor does; the status of each, 500 where it raised."""
        raise NotImplementedError

    def knock(self, body: bytes, *, secret: str | None = "right") -> int:
        """Bring any body at all to the channel's door; ``secret`` is right, wrong or None for missing."""
        raise NotImplementedError

    # --- the way out

    def trouble(self, *names: str) -> None:
        """What the next calls meet, in order."""
        raise NotImplementedError

    def trouble_looking(self, *names: str) -> None:
        """What the next looks back meet: ``busy`` or ``lost``."""
        raise NotImplementedError

    def arrived(self) -> list[str]:
        """The first line of each of our messages that the customer sees, in order."""
        raise NotImplementedError

    def echo(self, number: int = -1) -> Any:
        """The parcel by which the vendor tells us of our own message, once it has arrived."""
        raise NotImplementedError

    # --- common to all

    @property
    def conversation(self) -> Conversation:
        return Conversation.objects.get(channel=self.name, external_id=self.chat)

    def opened(self) -> Conversation:
        """The chat with a word of its customer, already answered for: nothing is owed there."""
        self.hand(self.text("Здравствуйте", id="m0"))
        return self.conversation

    def say(self, words: str, *, author: Author = Author.ASSISTANT) -> Delivery | None:
        """Store a message of ours as a turn would, and owe it."""
        now = timezone.now()
        conversation = self.conversation
        fields = {"direction": Direction.OUT, "author": author, "external_id": f"turn:{uuid.uuid4()}", "text": words}
        message = operations.append(conversation, now=now, **fields)
        return deliveries.owe(message, conversation=conversation, now=now)

    def settle(self, *, after: float = 0) -> None:
        """Let the sweep look several times, as if so many seconds had gone by."""
        for _ in range(5):
            self.pass_time(after)
            arrivals.sweep(now=timezone.now())
            deliveries.sweep(now=timezone.now())

    def pass_time(self, seconds: float) -> None:
        past = timezone.now() - timedelta(seconds=1)
        Delivery.objects.filter(state=State.DUE).update(due_at=past)
        Arrival.objects.filter(state=State.DUE).update(due_at=past)
        for row in Delivery.objects.exclude(sending_since=None):
            since = row.sending_since - timedelta(seconds=seconds)
            Delivery.objects.filter(pk=row.pk).update(sending_since=since)

    def heard(self) -> list[str]:
        """What is stored of the customer, in order."""
        return [str(each.text) for each in self.messages(Author.CUSTOMER)]

    def messages(self, author: Author) -> list[Message]:
        found = Message.objects.filter(conversation__channel=self.name, author=author)
        return list(found.order_by("conversation__created_at", "seq"))

    def states(self) -> list[str]:
        rows = Delivery.objects.filter(conversation__channel=self.name).order_by("seq")
        return list(rows.values_list("state", flat=True))

    @property
    def channel(self) -> Any:
        return registry.by_name(self.name)


class PostDriver(Driver):
    """The channel that exists only in tests; its events are handed in as they are."""

    name = "post"
    can = frozenset(
        [
            "sends",
            "looks_back",
            "colleague",
            "echo",
            "edits",
            "deletes",
            "pictures",
            "blocks",
            "system",
            "unknown",
            "reopens",
            "tells_wait",
        ]
    )

    def start(self) -> None:
        self.settings.CHANNELS = {**self.settings.CHANNELS, "post": "tests.channels.post.channel"}
        Office.post = Post()
        self.post = Office.post

    def stop(self) -> None:
        Office.post = None

    def text(self, words: str, *, id: str = "m1", chat: str = "") -> Event:
        return Event(chat or self.chat, id, Kind.TEXT, By.CUSTOMER, words, name="Анна")

    def of(self, kind: Kind, *, id: str = "m1", words: str = "") -> Event:
        by = By.VENDOR if kind == Kind.SYSTEM else By.CUSTOMER
        return Event(self.chat, id, kind, by, words)

    def colleague(self, words: str, *, id: str = "c1", chat: str = "") -> Event:
        return Event(chat or self.chat, id, Kind.TEXT, By.OUR_SIDE, words)

    def hand(self, *parcels: Any) -> list[int]:
        return [self._take(each) for each in parcels]

    def _take(self, event: Event) -> int:
        try:
            intake.take(self.name, event, now=timezone.now())
        except Exception:
            return 500
        return 200

    def trouble(self, *names: str) -> None:
        self.post.trouble = list(names)

    def trouble_looking(self, *names: str) -> None:
        self.post.looks = list(names)

    def arrived(self) -> list[str]:
        return [each.text.split("\n")[0] for each in self.post.chats.get(self.chat, [])]

    def echo(self, number: int = -1) -> Event:
        sent = self.post.chats[self.chat][number]
        return Event(self.chat, sent.id, Kind.TEXT, By.OUR_SIDE, sent.text)


class BlindPostDriver(PostDriver):
    """The same without a way to look back: what nobody knows a person decides."""

    can = (PostDriver.can - {"looks_back", "echo"}) | {"blind"}

    def start(self) -> None:
        super().start()
        self.post.blind()


class WebChatDriver(Driver):
    """The web chat over its REST door: nothing is sent, the visitor fetches."""

    name = "webchat"
    can = frozenset({"door", "token", "pulls"})

    def start(self) -> None:
        self.client = Client()
        answer = self._post("/api/v1/chat/sessions", {"consent": True})
        self.id, self.token = answer.json()["id"], answer.json()["token"]

    @property
    def conversation(self) -> Conversation:
        return Conversation.objects.get(pk=self.id)

    def _post(self, path: str, body: Any, **headers: str) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(path, content, content_type="application/json", headers=headers)

    def text(self, words: str, *, id: str = "m1", chat: str = "") -> dict[str, str]:
        return {"client_id": id, "text": words}

    def hand(self, *parcels: Any) -> list[int]:
        return [self.knock(json.dumps(each).encode()) for each in parcels]

    def knock(self, body: bytes, *, secret: str | None = "right") -> int:
        headers = {"right": {"Authorization": f"Bearer {self.token}"}, "wrong": {"Authorization": "Bearer x"}}
        path = f"/api/v1/chat/sessions/{self.id}/messages"
        client, self.client = self.client, Client(raise_request_exception=False)
        try:
            return int(self._post(path, body, **headers.get(str(secret), {})).status_code)
        finally:
            self.client = client

    def arrived(self) -> list[str]:
        path = f"/api/v1/chat/sessions/{self.id}/messages"
        found = self.client.get(path, headers={"Authorization": f"Bearer {self.token}"}).json()["messages"]
        return [each["text"].split("\n")[0] for each in found if each["author"] != "customer"]


def free_port() -> int:
    """A port of this machine at which nobody is."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def arrives_once(driver: Driver, words: str) -> None:
    """Once it has all settled the customer has it once; or, where nobody can know, a person is asked."""
    driver.settle(after=20)
    if "looks_back" in driver.can:
        assert driver.arrived() == [words]
        assert driver.states() == [State.KEPT]
    else:
        assert driver.arrived() in ([words], [])
        assert driver.states() == [State.UNCERTAIN]


def owed_answers() -> int:
    return Turn.objects.filter(state=State.DUE).count()


class Speaker:
    """Who takes the turns of a case."""

    model: Any = None


def speaker() -> Any:
    """Where ``settings.ASSISTANT_MODEL`` points."""
    return Speaker.model


class Died(BaseException):
    """A worker that is gone at this very place."""


@contextlib.contextmanager
def dying() -> Any:
    """What follows is cut where the worker dies."""
    with contextlib.suppress(Died):
        yield
