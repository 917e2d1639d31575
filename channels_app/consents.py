"""Personal data where customers come without having agreed to anything: they are told, and asked before we keep more.

An answer needs no consent: the notice stands inside the first reply. Contact data are kept after «Согласен».
"""

from __future__ import annotations

import re

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from channels_app import registry
from common.text import clean
from sales.enums import Direction
from sales.models import Conversation, Message
from sales.operations import ConsentGiven

#: changes with every change of the wording; kept with each consent that was given
VERSION = "2026-11-25"
#: what a customer writes, or a button says, to agree
WORD = {"ru": "Согласен", "en": "I agree"}

_NOTICE = {
    "ru": "Отвечает ИИ-помощник. Переписку храним, чтобы вам ответить, как – здесь: {address}",
    "en": "An AI assistant answers. We keep this chat in order to answer you; how, is told here: {address}",
}
_ASKING = {
    "ru": "Контакты сохраню только с вашего согласия на обработку персональных данных: условия по ссылке в начале "
    "разговора. Если согласны, напишите «Согласен».",
    "en": "I keep contact details only with your consent to the processing of personal data: the terms are at the "
    "link at the beginning of this chat. If you agree, write “I agree”.",
}
_AGREES = re.compile(
    r"\W*(?:да\W+)?(?:я\W+)?(?:согласен|согласна|соглашаюсь|даю\s+согласие)"
    r"(?:\W+на\s+обработку(?:\W+(?:моих|своих))?(?:\W+(?:персональных|личных)\W+данных)?)?\W*"
    r"|\W*(?:yes\W+)?(?:i\s+agree|agreed?|i\s+consent)\W*",
    re.IGNORECASE,
)
#: what may stand beside the word: an address or a number
_CONTACT = re.compile(r"\S+@\S+|\+?\d[\d\s()-]{5,}\d")
#: how many of the latest messages may lie between our asking and the customer's word
_BETWEEN = 10


def notice(language: str, channel: str = "") -> str:
    """What the first reply says about personal data, with the address of the whole text."""
    address = settings.PUBLIC_URL.rstrip("/") + reverse("legal-consent-chats")
    return _NOTICE["en" if language == "en" else "ru"].format(address=address)


def asking(channel: str, language: str) -> str:
    """The words that ask for consent; empty where it was given before the first word, or nobody carries the chat."""
    found = registry.by_name(channel)
    if found is None or found.capabilities.agreed_before:
        return ""
    return _ASKING["en" if language == "en" else "ru"]


def agreed(conversation: Conversation, text: str) -> bool:
    """Whether a customer's message says yes to our asking. Nothing but the word and a contact: no terms, no «но»."""
    if not _AGREES.fullmatch(_CONTACT.sub(" ", clean(text))):
        return False
    latest = Message.objects.filter(conversation=conversation).order_by("-seq")[:_BETWEEN]
    ours = [str(message.text) for message in latest if message.direction == Direction.OUT]
    return any(f"«{WORD['ru']}»" in text or f"“{WORD['en']}”" in text for text in ours)


def text() -> str:
    """The wording in force, plain text in Russian: paragraphs apart by an empty line."""
    return render_to_string("site/consent_text_chats.txt").strip()


def given() -> ConsentGiven:
    """The consent as it is given in a chat: nothing is known of the network there."""
    return ConsentGiven(version=VERSION, text=text())
