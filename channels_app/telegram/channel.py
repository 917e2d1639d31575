"""Telegram under the contract of a channel: what a message of ours looks like there, and sending it.

A reply is one message where it fits into one; with a document it is that document's caption. What a button says is kept
in our own message: the button itself has only the message's number and its place.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.utils import timezone
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton, ReplyKeyboardMarkup

from channels_app import consents
from channels_app.contract import Capabilities, Outgoing, Piece, Sent
from channels_app.models import Thread
from channels_app.telegram import client, flood, markup, words
from common.problems import LastingProblem, TemporaryProblem
from sales import notices
from sales.enums import NoticeKind
from sales.models import Conversation

logger = logging.getLogger(__name__)

NAME = "telegram"
TEXT_MOST, CAPTION_MOST = 4096, 1024
BUTTON_MOST = 60
#: where files lie, by the name of a storage
FILES = "documents"


class Telegram:
    """Sends by the Bot API. What it has sent can't be read back, so a doubt is a person's to settle."""

    name = NAME
    capabilities = Capabilities(
        text_most=TEXT_MOST, markup="html", buttons=100, files=True, typing=True, edits=True, looks_back=False
    )

    def is_on(self) -> bool:
        return bool(settings.TELEGRAM_BOT_TOKEN)

    def plan(self, message: Outgoing) -> list[Piece]:
        """The reply with its cards below it, then each document as a file; buttons under the last."""
        files = [file for card in message.cards if (file := _file(card))]
        buttons = _buttons(message)
        contact = any(card.get("kind") == "contact" for card in message.cards)
        said = _said(message)
        first_file = files.pop(0) if files else None
        pieces: list[Piece] = []
        parts = markup.parts(said, most=TEXT_MOST)
        if first_file and len(parts) == 1 and markup.length(parts[0].text) <= CAPTION_MOST:
            pieces.append(_piece(parts[0], file=first_file))
        else:
            pieces += [_piece(part) for part in parts]
            files = [*filter(None, [first_file]), *files]
        pieces += [Piece(text=file["name"], file=file) for file in files]
        if not pieces:
            return []
        last = pieces[-1]
        data = {**last.data, "contact": True} if contact else last.data
        pieces[-1] = Piece(text=last.text, buttons=buttons, file=last.file, data=data)
        return pieces

    def send(self, chat: str, piece: Piece) -> str:
        """Send a piece; a group that has moved is followed, and markup that is refused is left out."""
        to = client.Address.of(chat)
        content = _content_of(piece)
        flood.wait_for_place(to.chat)
        try:
            try:
                return self._sent(to, piece, content)
            except client.Moved as moved:
                follow(chat, moved.chat)
                return self._sent(client.Address(moved.chat, to.connection), piece, content)
        except client.Moved:
            raise LastingProblem("the group has moved more than once") from None
        except TemporaryProblem as problem:
            if problem.retry_after:
                flood.hold(to.chat, problem.retry_after)
            raise
        except client.TokenRefused:
            tell_of_token(now=timezone.now())
            raise

    def _sent(self, to: client.Address, piece: Piece, content: bytes | None) -> str:
        try:
            return str(self._call(to, piece, content, html=bool(piece.data.get("html"))))
        except client.MarkupRefused:
            logger.error("telegram can't parse our markup: sent without", extra={"channel": NAME})
            return str(self._call(to, piece, content, html=False))

    def _call(self, to: client.Address, piece: Piece, content: bytes | None, *, html: bool) -> int:
        keyboard = _keyboard(piece)
        text = str(piece.data["html"]) if html else piece.text
        if piece.file is None or content is None:
            return client.send_message(to, text, html=html, keyboard=keyboard)
        caption = "" if text == piece.file["name"] else text
        return client.send_document(to, content, name=piece.file["name"], caption=caption, html=html, keyboard=keyboard)

    def sent_after(self, chat: str, since: datetime) -> list[Sent]:
        raise NotImplementedError("telegram shows nobody what was sent")

    def show_typing(self, chat: str) -> None:
        with suppress(Exception):  # a nicety: it must not harm an answer
            client.show_typing(client.Address.of(chat))


def channel() -> Telegram:
    return Telegram()


def follow(chat: str, moved_to: int) -> None:
    """The group's conversation goes on under its new number, unless another has begun there already."""
    if not Conversation.objects.filter(channel=NAME, external_id=str(moved_to)).exists():
        Conversation.objects.filter(channel=NAME, external_id=chat).update(external_id=str(moved_to))


def tell_of_token(*, now: datetime) -> None:
    """Nothing is sent any more until somebody replaces the token."""
    logger.error("telegram refuses the bot's token", extra={"channel": NAME})
    notices.tell(
        NoticeKind.KEY_REFUSED,
        subject=NAME,
        text="TELEGRAM_BOT_TOKEN: Telegram refuses the token. Take a new one from @BotFather.",
        now=now,
    )


# --- how a message looks ------------------------------------------------------------------------------------------


def _said(message: Outgoing) -> str:
    """The reply, and below it what cards say that it doesn't say itself, and the notice of a first reply."""
    paragraphs = [message.text.strip()]
    for card in message.cards:
        if card.get("kind") in {"choices", "contact"}:
            continue
        said = str(card.get("text", "")).strip()
        if (said and said not in message.text and not _file(card)) or (
            said and _file(card) and not message.text.strip()
        ):
            paragraphs.append(said)
    if message.first:
        paragraphs.append(consents.notice(message.language, NAME))
    return "\n\n".join(filter(None, paragraphs))


def _piece(part: markup.Part, *, file: Mapping[str, str] | None = None) -> Piece:
    return Piece(text=part.text, file=file, data={"html": part.html})


def _file(card: Mapping[str, Any]) -> dict[str, str] | None:
    """The file of a document's card, by its key in storage."""
    if card.get("kind") != "document" or not card.get("document"):
        return None
    title = " ".join(str(card.get("title") or card["document"]).split())
    return {
        "key": str(card["document"]),
        "name": f"{title}.pdf",
        "type": str(card.get("media_type", "application/pdf")),
        "url": str(card.get("url") or ""),
    }


def _buttons(message: Outgoing) -> list[list[dict[str, str]]]:
    """A row for each choice, for the proposal of a quote, and for a card that leads somewhere."""
    rows: list[list[dict[str, str]]] = []
    if consents.asking(NAME, message.language) in message.text:
        word = consents.WORD["en" if message.language == "en" else "ru"]
        rows.append([{"label": word, "text": word, "data": f"a:{message.seq}"}])
    for card in message.cards:
        match card.get("kind"):
            case "quote" if card.get("number") and not card.get("on_request"):
                label = words.PROPOSAL_BUTTON
                rows.append([{"label": label, "text": proposal_text(card), "data": f"p:{message.seq}"}])
            case "choices":
                for place, option in enumerate(_options(card)):
                    label, text = str(option.get("label", "")), str(option.get("text", ""))
                    if _stands_already(label, rows):
                        continue
                    rows.append([{"label": label[:BUTTON_MOST], "text": text, "data": f"c:{message.seq}:{place}"}])
            case "link" if str(card.get("url", "")).startswith("https://"):
                rows.append([{"label": str(card.get("label", ""))[:BUTTON_MOST], "url": str(card["url"])}])
    return rows


def _stands_already(label: str, rows: Sequence[Sequence[Mapping[str, str]]]) -> bool:
    """Whether a button of our own asks for the same: consent, or the proposal of a quote."""
    for (button,) in rows:
        own = button.get("data", "")[:2]
        if own == "a:" and label in consents.WORD.values():
            return True
        if own == "p:" and any(word in label.casefold() for word in words.PROPOSAL_WORDS):
            return True
    return False


def _options(card: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    options = card.get("options") or ()
    return [each for each in options if isinstance(each, Mapping) and each.get("label") and each.get("text")][:20]


def proposal_text(card: Mapping[str, Any]) -> str:
    return words.PROPOSAL_SAYS.format(number=card["number"])


def number_in(button: str) -> int | None:
    """The number of the message that a button stands under; None for what is no button of ours."""
    number = button.split(":")[1] if button.count(":") in {1, 2} else ""
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None


def meant_by(button: str, *, text: str, shown: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
    """What a press says, and the number of the quote whose proposal it asks for; None for what is no button of ours.

    ``text`` and ``shown`` are the words and cards of our message that it stands under. What came is never said itself:
    anybody may send any data.
    """
    kind, _colon, rest = button.partition(":")
    _number, _colon, place = rest.partition(":")
    if kind == "a" and not place:
        for language, word in consents.WORD.items():
            if consents.asking(NAME, language) in text:
                return word, ""
        return None
    if kind == "p" and not place:
        quotes = [card for card in shown if card.get("kind") == "quote" and card.get("number")]
        return (proposal_text(quotes[0]), str(quotes[0]["number"])) if quotes else None
    if kind == "c" and place.isascii() and place.isdigit() and len(place) < 4:
        options = [option for card in shown if card.get("kind") == "choices" for option in _options(card)]
        return (str(options[int(place)]["text"]), "") if int(place) < len(options) else None
    return None


def _keyboard(piece: Piece) -> client.Keyboard | None:
    """Buttons under the message; where a phone is asked for, below the line of writing, since only there it can be."""
    if piece.data.get("contact"):
        rows = [[KeyboardButton(words.CONTACT_BUTTON, request_contact=True)]]
        rows += [[KeyboardButton(button["text"])] for row in piece.buttons for button in row if button.get("text")]
        return ReplyKeyboardMarkup(rows, resize_keyboard=True, one_time_keyboard=True)
    if not piece.buttons:
        return None
    return InlineKeyboardMarkup([[_button(button) for button in row] for row in piece.buttons])


def _button(button: Mapping[str, str]) -> InlineKeyboardButton:
    if url := button.get("url"):
        return InlineKeyboardButton(button["label"], url=url)
    return InlineKeyboardButton(button["label"], callback_data=button["data"])


def _content_of(piece: Piece) -> bytes | None:
    """The file; None where there won't be one, so that its link is sent. Raises while it is being made."""
    if piece.file is None:
        return None
    try:
        with storages[FILES].open(piece.file["key"]) as opened:
            return bytes(opened.read())
    except FileNotFoundError:
        raise TemporaryProblem("the file is still being made", retry_after=1) from None


def source_of(conversation: Conversation) -> str:
    """What the link said by which the customer came."""
    thread = Thread.objects.filter(conversation=conversation).first()
    return str((thread.data or {}).get("source", "")) if thread else ""
