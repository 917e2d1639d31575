"""The Bot API through python-telegram-bot, called from workers that have no event loop.

``Bot`` is asynchronous only on its surface: all its waiting is in its request layer. Ours asks with a plain client, so
a method never suspends and is driven to its end by one ``send``. No loop, no thread, the same in every kind of worker.

The bot's token is a part of every address. So no exception that leaves here has an address, a request or a cause, and
the libraries' loggers are quiet (``common.logging``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import httpx
from django.conf import settings
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardMarkup,
    InputFile,
    LinkPreviewOptions,
    ReplyKeyboardMarkup,
    WebhookInfo,
)
from telegram import error as errors
from telegram.constants import ChatAction
from telegram.request import BaseRequest, RequestData

from channels_app.contract import Unreachable
from common import metrics
from common.parsers import loads
from common.problems import LastingProblem, TemporaryProblem, UnknownOutcome

T = TypeVar("T")

#: seconds until a connection stands, and for a whole call; long polling waits longer
CONNECT, WHOLE = 3.0, 9.0
#: the largest answer that is read
ANSWER_MOST = 4 * 1024 * 1024


class TokenRefused(LastingProblem):
    """The token is revoked or wrong: nothing works until it is replaced."""


class PollsElsewhere(TemporaryProblem):
    """A webhook is set, or somebody else polls: only one may fetch at a time."""


class Moved(Exception):
    """The group has another id now."""

    def __init__(self, chat: int) -> None:
        super().__init__("the chat has another id now")
        self.chat = chat


class MarkupRefused(LastingProblem):
    """It wasn't sent: Telegram can't parse the markup."""


class NotAccepted(errors.TelegramError):
    """The call never reached Telegram."""


class NoAnswer(errors.TelegramError):
    """The call may have reached Telegram."""


class Busy(errors.TelegramError):
    """Telegram asks to wait; the call was not carried out."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many requests")
        self.seconds = seconds


class Wire(BaseRequest):
    """python-telegram-bot's request layer on a plain client: never suspends, never logs."""

    __slots__ = ("_client",)

    def __init__(self) -> None:
        # an environment's proxies are honoured: from some networks there is no other way to Telegram
        limits = httpx.Limits(max_connections=40, max_keepalive_connections=10, keepalive_expiry=30)
        self._client = httpx.Client(limits=limits, follow_redirects=False)

    @property
    def read_timeout(self) -> float | None:
        return WHOLE

    async def initialize(self) -> None:
        """Nothing to do."""

    async def shutdown(self) -> None:
        self._client.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        whole = read_timeout if isinstance(read_timeout, int | float) else WHOLE
        until = time.monotonic() + whole
        files = request_data.multipart_data if request_data else None
        asked = self._client.stream(
            method,
            url,
            data=request_data.json_parameters if request_data else None,
            files=files or None,
            timeout=httpx.Timeout(whole, connect=CONNECT, pool=CONNECT),
        )
        try:
            with asked as answer:
                body = b""
                for piece in answer.iter_bytes():
                    body += piece
                    # a clock of single reads would let an answer drip for minutes
                    if time.monotonic() > until or len(body) > ANSWER_MOST:
                        raise NoAnswer("no whole answer came")
                status = answer.status_code
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError):
            raise NotAccepted("not reached") from None
        except httpx.HTTPError as problem:
            raise NoAnswer(type(problem).__name__) from None
        if status == 429:
            raise Busy(_wait_in(body))
        if status >= 500:
            raise NoAnswer(f"status {status}")
        if 300 <= status < 400:
            raise NotAccepted("somebody else answers in telegram's place")
        return status, body

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """As the base does it, without a log line that holds the payload."""
        try:
            found = loads(payload.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            raise errors.TelegramError("no JSON") from None
        if not isinstance(found, dict):
            raise errors.TelegramError("not the JSON of an answer")
        return found


@cache
def _wire() -> Wire:
    return Wire()


@cache
def _bot(token: str, root: str) -> Bot:
    return Bot(
        token, base_url=f"{root}/bot", base_file_url=f"{root}/file/bot", request=_wire(), get_updates_request=_wire()
    )


def bot() -> Bot:
    """The bot of the environment. Raises ``TemporaryProblem`` where there is none."""
    if not settings.TELEGRAM_BOT_TOKEN:
        raise TemporaryProblem("telegram is off: TELEGRAM_BOT_TOKEN is empty")
    return _bot(settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_API_URL)


def _driven(call: Coroutine[Any, Any, T]) -> T:
    try:
        call.send(None)
    except StopIteration as done:
        return done.value
    call.close()
    raise RuntimeError("the request layer must not wait")


def _asked(operation: str, call: Callable[[Bot], Coroutine[Any, Any, T]]) -> T:
    """Call a method, and say of a failure what to do next."""
    outcome = "ok"
    try:
        return _driven(call(bot()))
    except Exception as problem:
        translated = _translated(problem)
        outcome = type(translated).__name__
        raise translated from None
    finally:
        metrics.vendor_calls_total.labels(vendor="telegram", operation=operation, outcome=outcome).inc()


#: what Telegram says of a customer who can't be written to, beside every 403
_GONE = ("chat not found", "user not found", "peer_id_invalid", "user is deactivated", "have no rights to send")


def _translated(problem: Exception) -> Exception:
    """What a failure means for whoever called. Its words are ours or Telegram's description, never an address."""
    words = str(getattr(problem, "message", "") or type(problem).__name__)[:200]
    lowered = words.lower()
    match problem:
        case TemporaryProblem() | LastingProblem() | UnknownOutcome():
            return problem
        case Busy():
            return TemporaryProblem("telegram asks to wait", retry_after=problem.seconds)
        case errors.ChatMigrated():
            return Moved(problem.new_chat_id)
        case errors.Forbidden():
            return Unreachable(words)
        case errors.InvalidToken():
            return TokenRefused("the bot's token is refused: revoked or mistyped")
        case errors.Conflict():
            return PollsElsewhere(words)
        case NotAccepted():
            return TemporaryProblem(f"telegram can't be reached: {words}")
        case NoAnswer():
            return UnknownOutcome(f"no clear answer came: {words}")
        case errors.BadRequest() if "can't parse" in lowered:
            return MarkupRefused(words)
        case errors.BadRequest() if any(each in lowered for each in _GONE):
            return Unreachable(words)
        case errors.BadRequest():
            return LastingProblem(words)
        case errors.NetworkError():  # what is left of it are refusals by a status of their own: 413
            return LastingProblem(words)
    # an answer of 200 that makes no sense: it may have arrived
    return UnknownOutcome(f"an answer that makes no sense: {type(problem).__name__}")


def _wait_in(body: bytes) -> float:
    """How long to wait by the body of a 429; Telegram says it there and not in a header."""
    try:
        seconds = loads(body.decode("utf-8", "replace"))["parameters"]["retry_after"]
        return min(max(float(seconds), 1.0), 3600.0)
    except (ValueError, RecursionError, TypeError, KeyError):
        return 5.0


# --- what is sent -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Address:
    """Whom a message goes to: a chat, and for a business account the connection through which it is written."""

    chat: int
    connection: str | None = None

    @classmethod
    def of(cls, external_id: str) -> Address:
        """From what a conversation is called: ``<chat>`` or ``business:<connection>:<chat>``."""
        kind, _colon, rest = external_id.partition(":")
        try:
            if kind != "business":
                return cls(int(external_id))
            connection, _colon, chat = rest.rpartition(":")
            return cls(int(chat), connection)
        except ValueError:
            raise LastingProblem("no chat of telegram") from None


Keyboard = InlineKeyboardMarkup | ReplyKeyboardMarkup


def send_message(to: Address, text: str, *, html: bool, keyboard: Keyboard | None = None) -> int:
    """Send a text; its number in the chat."""
    sent = _asked(
        "sendMessage",
        lambda bot: bot.send_message(
            to.chat,
            text,
            parse_mode="HTML" if html else None,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            reply_markup=keyboard,
            business_connection_id=to.connection,
        ),
    )
    return sent.message_id


def send_document(
    to: Address, content: bytes, *, name: str, caption: str, html: bool, keyboard: Keyboard | None = None
) -> int:
    """Send a file with a caption; its number in the chat."""
    sent = _asked(
        "sendDocument",
        lambda bot: bot.send_document(
            to.chat,
            InputFile(content, filename=name),
            caption=caption or None,
            parse_mode="HTML" if html and caption else None,
            disable_content_type_detection=True,
            reply_markup=keyboard,
            business_connection_id=to.connection,
        ),
    )
    return sent.message_id


def show_typing(to: Address) -> None:
    _asked(
        "sendChatAction",
        lambda bot: bot.send_chat_action(
            to.chat, ChatAction.TYPING, business_connection_id=to.connection, read_timeout=3
        ),
    )


def answer_press(callback: str) -> None:
    """Stop the spinner on a button. One that is too old is nothing to tell of."""
    with suppress(TemporaryProblem, LastingProblem, UnknownOutcome, Unreachable):
        _asked("answerCallbackQuery", lambda bot: bot.answer_callback_query(callback, read_timeout=3))


# --- how the bot is set up ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Me:
    """The bot as Telegram knows it."""

    id: int
    username: str
    name: str
    reads_groups: bool


def me() -> Me:
    found = _asked("getMe", lambda bot: bot.get_me(read_timeout=5))
    return Me(found.id, found.username or "", found.first_name, bool(found.can_read_all_group_messages))


def set_webhook(url: str, *, secret: str, kinds: Sequence[str], drop_pending: bool = False) -> None:
    _asked(
        "setWebhook",
        lambda bot: bot.set_webhook(
            url, secret_token=secret, allowed_updates=kinds, max_connections=40, drop_pending_updates=drop_pending
        ),
    )


def delete_webhook(*, drop_pending: bool = False) -> None:
    _asked("deleteWebhook", lambda bot: bot.delete_webhook(drop_pending_updates=drop_pending))


def webhook() -> WebhookInfo:
    return _asked("getWebhookInfo", lambda bot: bot.get_webhook_info())


def updates(*, offset: int | None, wait: int, kinds: Sequence[str], limit: int = 100) -> list[Mapping[str, Any]]:
    """What is waiting, oldest first, as Telegram says it: kinds that this library doesn't know included."""
    asked = {"timeout": wait, "allowed_updates": list(kinds), "limit": limit}
    if offset is not None:
        asked["offset"] = offset
    # its own method would give types; these go through the same reader as a webhook's
    found = _asked("getUpdates", lambda bot: bot._post("getUpdates", asked, read_timeout=wait + WHOLE))
    if not isinstance(found, list):
        raise UnknownOutcome("no list of updates")
    return found


def set_commands(commands: Mapping[str, str]) -> None:
    listed = [BotCommand(name, words) for name, words in commands.items()]
    _asked("setMyCommands", lambda bot: bot.set_my_commands(listed))
