"""Addresses in a draft: ours, or such as a passage, a tool or the conversation itself has shown."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from django.conf import settings

from sales.assistant.guard.evidence import Known
from sales.assistant.guard.verdict import Finding, Kind

_WHY = "no passage and no tool has shown this address; leave it out"
_WHY_PHONE = "nobody has named this number; leave it out, or ask for the number that is meant"

_SCHEME = re.compile(r"(?<![\w+.-])([a-z][a-z0-9+.-]{1,15}):(?://|(?=[^\s:/]))[^\s<>\"'»”|`]*", re.IGNORECASE)
#: what opens something when it is clicked, and what hides an address
_SCHEMES = re.compile(
    r"https?|hxxps?|ftps?|sftp|javascript|data|vbscript|file|mailto|tel|sms|callto|tg|whatsapp|viber|skype|vk"
    r"|intent|blob|ws|wss"
    r"|article",
    re.IGNORECASE,
)
_TOP = (
    r"ru|su|рф|com|net|org|io|ai|me|info|biz|pro|online|site|shop|store|app|dev|xyz|link|top|club|by|kz|ua|uk|de"
    r"|cc|ly|gl|co|tv"
    r"|eu|us|fr|cn|in|to|gg|so|sh|page|cloud|digital|tech|space|website|live|icu|vip|win|buzz|click|москва|онлайн"
    r"|сайт|дети|рус"
    r"|орг|xn--[a-z0-9-]+"
)
_BARE = re.compile(
    rf"(?<![\w@.%+-])((?:[^\W_](?:[\w-]{{0,62}}[^\W_])?\.)+(?:{_TOP}))(?![\w-]"
    rf"|\.\w)((?::\d{{1,5}})?(?:[/?#][^\s<>\"'»”|`]*)?)",
    re.IGNORECASE,
)
_HIDDEN = re.compile(
    rf"[\w-]{{2,63}}\s?(?:\[\.\]|\(\.\)|\{{\.\}}|\[dot\]|\(dot\)|\[точка\]|\(точка\)|\s(?:точка|dot)\s)\s?(?:{_TOP})\b"
    rf"|\b[a-z0-9-]{{2,63}}(?:\s+\.|\s\.\s+)(?:ru|com|net|org|рф|io|me|su|info|site|online)\b",
    re.IGNORECASE,
)
_IN_MARKDOWN = re.compile(
    r"!?\[[^\]\n]{0,300}\]\(\s*<?([^\s)>]{1,1000})|^\s{0,3}\[[^\]\n]{1,100}\]:\s*(\S+)", re.MULTILINE
)
_MADE_PATH = re.compile(r"(?<![\w/.:)\]])/(?:documents|pay|payments?|invoices?)/[^\s<>\"'»”|`)]+", re.IGNORECASE)
_MAIL = re.compile(r"(?<![\w.+-])[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w./@])@[a-z]\w{3,31}\b", re.IGNORECASE)
_PHONE = re.compile(
    r"(?<![\d+])(?:\+\d{1,3}|8)[ \u00a0(–-]{0,3}\d{3}[ \u00a0)–-]{0,3}\d{2,3}[ \u00a0–-]?\d{2}[ \u00a0–-]?\d{2}(?!\d)"
)
_MONEY_AFTER = re.compile(r"\s*(?:₽|руб|р\.|%|тыс|\$)", re.IGNORECASE)
#: of our own pages these lead to something that is made for one customer: a tool must have made it
_MADE_BY_TOOLS = re.compile(r"/(?:documents|pay|payments?|invoices?|admin|api)(?:/|$)", re.IGNORECASE)
#: where browsers stop to read an address as we do
_TRICKS = re.compile(r"[\\@\u0000-\u0020]|%(?:00|2f|5c|40)", re.IGNORECASE)


def check(sentence: str, known: Known) -> Iterator[Finding]:
    """Findings on one sentence: addresses, e-mail addresses, phone numbers, names in messengers."""
    seen = _seen(sentence)
    shown = known.everything
    for address in dict.fromkeys(_addresses(seen)):
        if not _address_allowed(address, shown):
            yield Finding(Kind.LINK, address[:200], _WHY)
    for found in _HIDDEN.finditer(seen):
        if found[0] not in shown:
            yield Finding(Kind.LINK, found[0], _WHY)
    for found in _MADE_PATH.finditer(seen):
        if not _stands_in(found[0].lower(), shown):
            yield Finding(Kind.LINK, found[0], _WHY)
    lower = shown.lower()
    for pattern in (_MAIL, _HANDLE):
        for found in pattern.finditer(seen):
            if not re.search(rf"(?<![\w.+-]){re.escape(found[0].lower())}(?![\w@])", lower):
                yield Finding(Kind.LINK, found[0], _WHY)
    for found in _PHONE.finditer(seen):
        if not _MONEY_AFTER.match(seen, found.end()) and not _phone_allowed(found[0], shown):
            yield Finding(Kind.LINK, found[0], _WHY_PHONE)


def _seen(text: str) -> str:
    """What a renderer makes of it: entities read, no characters without width, one form of each letter."""
    text = html.unescape(text)
    text = "".join(each for each in text if unicodedata.category(each) != "Cf")
    return re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", unicodedata.normalize("NFKC", text))


def _addresses(text: str) -> Iterator[str]:
    """Every address, as it is written."""
    for found in _SCHEME.finditer(text):
        if _SCHEMES.fullmatch(found[1]) or "://" in found[0]:
            yield _trimmed(found[0])
    for found in _IN_MARKDOWN.finditer(text):
        yield _trimmed(found[1] or found[2])
    without = _MAIL.sub(" ", _SCHEME.sub(_blank_if_address, text))
    for found in _BARE.finditer(without):
        yield _trimmed(found[0])


def _blank_if_address(found: re.Match[str]) -> str:
    return " " if _SCHEMES.fullmatch(found[1]) or "://" in found[0] else found[0]


def _trimmed(address: str) -> str:
    address = address.rstrip(".,;:!?*_~…»”'\"]")
    while address.endswith(")") and address.count("(") < address.count(")"):
        address = address[:-1].rstrip(".,;:!?*_~")
    return address


def _address_allowed(address: str, shown: str) -> bool:
    low = address.lower()
    scheme = low.partition(":")[0] if re.match(r"[a-z][a-z0-9+.-]*:", low) and "." not in low.partition(":")[0] else ""
    if scheme in {"javascript", "vbscript", "data", "file", "blob", "intent"}:
        return False
    if scheme in {"tel", "sms", "callto"}:
        return _phone_allowed(address, shown)
    if scheme == "mailto":
        return unquote(low[7:].partition("?")[0]) in shown.lower() and "?" not in low
    if scheme == "article":
        return bool(re.search(rf"{re.escape(low)}(?![\w-])", shown.lower()))
    if low.startswith(("#", "?")):
        return True
    if low.startswith("/") and not low.startswith("//"):
        return not _TRICKS.search(low) and (not _MADE_BY_TOOLS.match(low) or _stands_in(low, shown))
    host, path = _parts(address)
    if not host or _TRICKS.search(address.partition("?")[0].partition("#")[0]):
        return False
    if host in _our_hosts():
        return not _MADE_BY_TOOLS.match(path) or _stands_in(path.lower(), shown)
    return any(host == other and _same(path, shown_path) for other, shown_path in _shown_addresses(shown))


def _parts(address: str) -> tuple[str, str]:
    """Host in small letters, as a browser would ask for it, and the path with what follows it."""
    if "://" not in address:
        address = "https://" + address.lstrip("/")
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").rstrip(".")
        host = host.encode("idna").decode() if not host.isascii() else host
    except (ValueError, UnicodeError):
        return "", ""
    return host, parts.path + (f"?{parts.query}" if parts.query else "")


def _same(path: str, shown: str) -> bool:
    """A page that was shown, or any page of a host that was shown whole."""
    return path.rstrip("/") == shown.rstrip("/") or not shown.rstrip("/")


def _shown_addresses(shown: str) -> Iterator[tuple[str, str]]:
    for address in _addresses(shown):
        host, path = _parts(address)
        if host:
            yield host, path


def _our_hosts() -> set[str]:
    hosts = {urlsplit(settings.PUBLIC_URL).hostname or ""}
    hosts |= {host.lstrip(".").strip("[]").lower() for host in settings.ALLOWED_HOSTS if host != "*"}
    return hosts - {""}


def _stands_in(path: str, shown: str) -> bool:
    return bool(re.search(rf"{re.escape(path.rstrip('/'))}(?![\w-])", shown.lower()))


def _phone_allowed(phone: str, shown: str) -> bool:
    """Whether somebody has named a number with these last ten digits."""
    digits = re.sub(r"\D", "", phone)[-10:]
    return len(digits) >= 5 and digits in re.sub(r"[^\d\n]", "", re.sub(r"[^\d\n() \u00a0+–.-]", "\n", shown))
