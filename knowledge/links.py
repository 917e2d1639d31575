"""Links in an article: to pages outside, and to other articles as ``[words](article:discounts)``.

A visitor has no page of ours to open an article on, so of a link to one the words are shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils.translation import gettext as _

#: what an address of another article begins with
OURS = "article:"

_WORDS = r"(?P<words>(?:[^\[\]\\\n]|\\.|\n(?![ \t]*\n)){0,500}?)"
_ADDRESS = r"(?P<address><[^<>\n]{0,2000}>|(?:[^()<>\n]|\([^()\n]{0,500}\)){0,2000}?)"
_TITLE = r"""(?:[ \t]+(?:"[^"\n]{0,500}"|'[^'\n]{0,500}'))?"""
_LINK = re.compile(rf"(?P<picture>!?)(?<!\\)\[{_WORDS}\]\([ \t]*{_ADDRESS}{_TITLE}[ \t]*\)")
# «[Клиент]: здравствуйте» is no address
_BY_NAME = re.compile(r"^ {0,3}\[(?P<words>[^\[\]\n]{1,500})\]:[ \t]*(?P<address>(?=\S*[:/])\S{1,2000})", re.MULTILINE)
_BARE = re.compile(r"(?<!\()<(?P<address>[A-Za-z][A-Za-z0-9+.-]{1,30}:[^<>\s]{0,2000})>")
_CODE = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}(?P=fence)[^\n]*$|\Z)"
    r"|(?<!`)(?P<ticks>`{1,3})(?!`)[^`\n]{1,500}(?P=ticks)(?!`)",
    re.MULTILINE | re.DOTALL,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)")
_PHONE = re.compile(r"\+?[0-9][0-9().-]{2,30}")
_is_address = URLValidator(schemes=["http", "https"])


@dataclass(frozen=True)
class Link:
    """A link as it is written, and the line it begins in, from 1."""

    line: int
    words: str
    address: str

    @property
    def article(self) -> str:
        """The id of the article it leads to, empty when it leads elsewhere."""
        return unquote(self.address.removeprefix(OURS)) if self.address.startswith(OURS) else ""


def links(text: str) -> Iterator[Link]:
    """The links of a Markdown text; what stands in code is text, and pictures are never fetched."""
    if "](" not in text and "]:" not in text and "<" not in text:
        return
    text = _CODE.sub(_blanked, text)
    for pattern in (_LINK, _BY_NAME, _BARE):
        for found in pattern.finditer(text):
            parts = found.groupdict()
            if not parts.get("picture"):
                line = text.count("\n", 0, found.start()) + 1
                yield Link(line, parts.get("words") or "", parts["address"].strip().strip("<>"))


def articles(text: str) -> list[str]:
    """The ids of the articles that the text leads to, each once, in order."""
    return list(dict.fromkeys(link.article for link in links(text) if link.article))


def problems(text: str, *, known: Callable[[Collection[str]], Collection[str]]) -> list[str]:
    """What is wrong with the text's links, in words for staff. ``known`` says which of these articles there are."""
    found = list(links(text))
    named = {link.article for link in found if link.article}
    there = known(named) if named else ()
    return list(dict.fromkeys(words for link in found if (words := _problem(link, there))))


def shown(text: str) -> str:
    """The text as a visitor reads it: of a link to another article stay the words."""
    return _LINK.sub(_its_words, text) if OURS in text else text


def _its_words(found: re.Match[str]) -> str:
    ours = found["address"].strip("<>").startswith(OURS) and not found["picture"]
    return found["words"] if ours else found.group()


def _problem(link: Link, there: Collection[str]) -> str:
    said = {"line": link.line, "link": f"[{link.words}]({link.address})"[:200]}
    if link.address.startswith(OURS):
        if not link.words.strip():
            return _("Line %(line)d: the link %(link)s has no words to show.") % said
        if link.article not in there:
            return _("Line %(line)d: %(link)s leads to an article that doesn't exist.") % said
        return ""
    scheme = _SCHEME.match(link.address)
    if scheme is None or (scheme.group().lower() not in _CHECKS and _looks_like_host(link.address)):
        return (
            _("Line %(line)d: the address in %(link)s must begin with https://, or with article: and an article's id.")
            % said
        )
    sound = _CHECKS.get(scheme.group().lower())
    if sound is None:
        return _("Line %(line)d: links like %(link)s aren't allowed, only https://, mailto: and tel:.") % said
    if not sound(link.address):
        return _("Line %(line)d: the address in %(link)s is broken.") % said
    return ""


def _looks_like_host(address: str) -> bool:
    """``example.com:8000/page`` has no scheme, though it has a colon."""
    return "." in address.partition(":")[0]


def _sound_web(address: str) -> bool:
    try:
        _is_address(address)
    except ValidationError:
        return False
    return True


def _sound_mail(address: str) -> bool:
    try:
        validate_email(unquote(address.partition(":")[2].partition("?")[0]))
    except ValidationError:
        return False
    return True


def _sound_phone(address: str) -> bool:
    return bool(_PHONE.fullmatch(address.partition(":")[2]))


#: what a visitor's page lets through; see ``common.markdown.SCHEMES``
_CHECKS: dict[str, Callable[[str], bool]] = {
    "http": _sound_web,
    "https": _sound_web,
    "mailto": _sound_mail,
    "tel": _sound_phone,
}


def _blanked(found: re.Match[str]) -> str:
    """As many lines of nothing."""
    return re.sub(r"[^\n]", " ", found.group())
