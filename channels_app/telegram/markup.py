"""Our Markdown as the HTML that Telegram takes, cut below its limit, and never broken.

The Markdown becomes a list of runs, each a piece of text with the tags it stands in. A message is made of whole runs,
or parts of them, and every message opens and closes the tags of its own runs: a cut can't go through markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_LINKS = ("http://", "https://", "tel:", "mailto:", "tg://")


@dataclass(frozen=True)
class Run:
    """Text within tags, the outermost first, each as it is opened: ``b``, ``a href="…"``."""

    text: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What goes into one message: as it is read, and as it is sent."""

    text: str
    html: str


def length(text: str) -> int:
    """As Telegram counts: in units of UTF-16."""
    return len(text) + sum(1 for each in text if ord(each) > 0xFFFF)


def parts(markdown: str, *, most: int) -> list[Part]:
    """The Markdown in as few messages as it fits, cut between paragraphs, else lines, else words."""
    found: list[Part] = []
    rest = runs(markdown)
    while rest:
        now, rest = _cut(rest, most)
        if part := _part(now):
            found.append(part)
    return found


def runs(markdown: str) -> list[Run]:
    """The text of the Markdown with its tags."""
    writer = _Writer()
    writer.blocks(_parser().parse(markdown))
    return _trimmed(writer.runs)


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])


class _Writer:
    """Walks over the tokens and writes runs."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.tags: list[str] = []
        self.lists: list[int | None] = []
        self.cells = 0

    def write(self, text: str, *tags: str) -> None:
        if text:
            self.runs.append(Run(text, (*self.tags, *tags)))

    def line(self, count: int = 1) -> None:
        """Begin a new line, with so many ends of lines before it."""
        if not self.runs:
            return
        tail = "".join(run.text for run in self.runs[-3:])
        there = len(tail) - len(tail.rstrip("\n"))
        self.runs.append(Run("\n" * (count - there))) if there < count else None

    def blocks(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            self.block(token)

    def block(self, token: Token) -> None:
        kind = token.type
        match kind:
            case "inline":
                self.inline(token.children or [])
            case "paragraph_open":
                if not token.hidden and not (self.lists and self._fresh_item()):
                    self.line(2)
            case "heading_open":
                self.line(2)
                self.tags.append("b")
            case "heading_close":
                self.tags.remove("b")
            case "bullet_list_open":
                self.line(1 if self.lists else 2)
                self.lists.append(None)
            case "ordered_list_open":
                self.line(1 if self.lists else 2)
                self.lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
            case "list_item_open":
                self.line()
                self.write("   " * (len(self.lists) - 1) + self._mark())
            case "blockquote_open":
                self.line(2)
                if "blockquote" not in self.tags:  # it can't stand within itself
                    self.tags.append("blockquote")
            case "blockquote_close":
                if "blockquote" in self.tags:
                    self.tags.remove("blockquote")
            case "fence" | "code_block":
                self.line(2)
                self.write(token.content.rstrip("\n"), "pre")
            case "hr":
                self.line(2)
                self.write("———")
            case "table_open":
                self.line(2)
            case "tr_open":
                self.line()
                self.cells = 0
            case "th_open" | "td_open":
                if self.cells:
                    self.write(" — ")
                self.cells += 1

    def _mark(self) -> str:
        number = self.lists[-1]
        if number is None:
            return "• "
        self.lists[-1] = number + 1
        return f"{number}. "

    def _fresh_item(self) -> bool:
        tail = self.runs[-1].text if self.runs else ""
        return tail.endswith("• ") or re.search(r"\d+\. \Z", tail) is not None

    def inline(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            match token.type:
                case "text":
                    self.write(token.content)
                case "softbreak" | "hardbreak":
                    self.write("\n")
                case "code_inline":
                    self.write(token.content, "code")
                case "strong_open":
                    self.tags.append("b")
                case "em_open":
                    self.tags.append("i")
                case "s_open":
                    self.tags.append("s")
                case "strong_close" | "em_close" | "s_close":
                    self._close({"strong_close": "b", "em_close": "i", "s_close": "s"}[token.type])
                case "link_open":
                    address = str(token.attrs.get("href", ""))
                    known = address.startswith(_LINKS)
                    self.tags.append(f'a href="{html.escape(address)}"' if known else "")
                case "link_close":
                    self._close("a ")
                case "image":
                    self.write(token.content)

    def _close(self, name: str) -> None:
        for at in range(len(self.tags) - 1, -1, -1):
            if self.tags[at] == name or (name == "a " and self.tags[at][:2] in {"a ", ""}):
                del self.tags[at]
                return


def _trimmed(found: list[Run]) -> list[Run]:
    """Without white space at both ends, and with what code forbids inside it taken out."""
    left = [Run(run.text, _allowed(run.tags)) for run in found]
    while left and not left[0].text.strip():
        left.pop(0)
    while left and not left[-1].text.strip():
        left.pop()
    return left


def _allowed(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Each tag once, none of no name, and nothing around or within code."""
    for code in ("pre", "code"):
        if code in tags:
            return (code,)
    seen: dict[str, str] = {}
    for tag in tags:
        if tag:
            seen.setdefault(tag.partition(" ")[0], tag)
    return tuple(seen.values())


def _cut(rest: list[Run], most: int) -> tuple[list[Run], list[Run]]:
    """As many runs as fit, the last of them cut where a reader would."""
    whole = "".join(run.text for run in rest)
    if length(whole) <= most:
        return rest, []
    room, at = most, 0
    for each in whole:
        size = 2 if ord(each) > 0xFFFF else 1
        if size > room:
            break
        room -= size
        at += 1
    at = _place(whole, at)
    first: list[Run] = []
    for number, run in enumerate(rest):
        if len(run.text) <= at:
            first.append(run)
            at -= len(run.text)
            continue
        left = [Run(run.text[at:], run.tags), *rest[number + 1 :]]
        if at:
            first.append(Run(run.text[:at], run.tags))
        return first, _trimmed(left)
    return first, []


def _place(text: str, at: int) -> int:
    """Where to cut, at most at ``at``: after a paragraph, a line, a sentence, a word; not before half of it."""
    for mark in ("\n\n", "\n", ". ", " "):
        found = text.rfind(mark, at // 2, at)
        if found > 0:
            return found + len(mark)
    while at > 1 and text[at - 1] in "\u200d\ufe0f":  # not within an emoji of several characters
        at -= 1
    return max(at, 1)


def _part(found: list[Run]) -> Part | None:
    text = "".join(run.text for run in found).strip()
    if not text:
        return None
    return Part(text, _html(found).strip())


def _html(found: Sequence[Run]) -> str:
    said: list[str] = []
    open_tags: tuple[str, ...] = ()
    for run in found:
        same = 0
        while same < min(len(open_tags), len(run.tags)) and open_tags[same] == run.tags[same]:
            same += 1
        said += [f"</{tag.partition(' ')[0]}>" for tag in reversed(open_tags[same:])]
        said += [f"<{tag}>" for tag in run.tags[same:]]
        said.append(html.escape(run.text, quote=False))
        open_tags = run.tags
    said += [f"</{tag.partition(' ')[0]}>" for tag in reversed(open_tags)]
    return "".join(said)
