"""Finding what is encrypted: keyed digests of normalised values.

HMAC-SHA256 under a key of its own (``BLIND_INDEX_KEY``, not rotated with the others: an index is rebuilt, not
re-encrypted) of a fixed label and the value. Equal values have equal digests, so only what must be found is indexed.
"""

from __future__ import annotations

import hmac
import re
import unicodedata

import phonenumbers
from django.conf import settings

REGION = "RU"

#: how companies are set up; nobody searches by it, and one customer writes it where the next doesn't
_LEGAL_FORMS = """
    ооо оао зао пао ао нао ип тоо чп гуп муп фгуп мку мбу гбу фгбу ано нко нп одо тк кфх
    llc ltd inc corp gmbh plc co llp sa ag company
"""
LEGAL_FORMS = frozenset(_LEGAL_FORMS.split())
_LONG_FORMS = re.compile(
    r"\b(?:общество с ограниченной ответственностью|индивидуальный предприниматель"
    r"|(?:публичное |открытое |закрытое |непубличное )?акционерное общество)\b"
)
_WORD = re.compile(r"\w+")
_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")


def normalize_phone(text: str) -> str:
    """The number as ``+79161234567``, Russian unless it says otherwise; empty where there is no valid one."""
    text = unicodedata.normalize("NFKC", text or "").strip()
    if not 5 <= len(text) <= 60:
        return ""
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    number.extension = None  # the line, not the desk behind it
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normalize_email(text: str) -> str:
    """The address in lower case with its domain in ASCII form; empty where there is none."""
    text = unicodedata.normalize("NFKC", text or "").strip().strip("<>").strip()
    local, at, domain = text.rpartition("@")
    if not at or not _EMAIL.fullmatch(text) or len(text) > 320:
        return ""
    domain = domain.rstrip(".").casefold()
    try:
        domain = domain.encode("idna").decode("ascii") if not domain.isascii() else domain
    except UnicodeError:
        return ""
    return f"{unicodedata.normalize('NFKC', local.casefold())}@{domain}" if local and domain else ""


def normalize_words(text: str) -> list[str]:
    """The words of a name or a company, each once and sorted: no case, no ё, no quotes, no legal form."""
    text = unicodedata.normalize("NFKC", text or "").casefold().replace("ё", "е")
    words = set(_WORD.findall(_LONG_FORMS.sub(" ", text))) - {"_"}
    return sorted(words - LEGAL_FORMS or words)[:40]


def phone_digest(text: str) -> str:
    """The digest of a phone number, 64 hexadecimal digits; empty where ``text`` is none."""
    number = normalize_phone(text)
    return _digest("phone", number) if number else ""


def email_digest(text: str) -> str:
    """The digest of an e-mail address, 64 hexadecimal digits; empty where ``text`` is none."""
    address = normalize_email(text)
    return _digest("email", address) if address else ""


def word_digests(text: str) -> list[str]:
    """The digests of the words of a name or a company, sorted; at most forty."""
    return sorted(_digest("word", word) for word in normalize_words(text))


def _digest(label: str, value: str) -> str:
    return hmac.digest(settings.BLIND_INDEX_KEY, f"{label}\0{value}".encode(), "sha256").hex()
