"""How an article falls into passages: along its headings, and never longer than a reader takes in at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: characters of a passage; a section that is longer is cut between paragraphs, then sentences, then words
LONGEST = 2000
HEADING_MOST = 500

_HEADING = re.compile(r" {0,3}(?P<level>#{1,6})(?=[ \t]|$)(?P<words>.*)")
_FENCE = re.compile(r" {0,3}(?P<mark>`{3,}|~{3,})")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
_SENTENCES = re.compile(r"(?<=[.!?…])[)»\"]?\s+|\n")
# a placeholder has blanks inside and must stay whole
_PIECES = re.compile(r"\s*(?:\{\{[^{}\n]{0,100}\}\}\S*|\S+)")


@dataclass(frozen=True)
class Piece:
    """A passage to be: the headings it stands under, joined, and its Markdown."""

    heading: str
    text: str


def cut(body: str) -> list[Piece]:
    """The passages of a Markdown body in order. An empty body has none; broken Markdown is text."""
    return [
        Piece(heading, text) for heading, section in _sections(body) for text in _portions(section, LONGEST) if text
    ]


def _sections(body: str) -> Iterator[tuple[str, str]]:
    """Heading and text of each section. A heading with nothing below it is a text too."""
    trail: list[tuple[int, str]] = []
    lines: list[str] = []
    fence = ""
    for line in [*body.split("\n"), None]:
        heading = _heading(line) if line is not None and not fence else None
        if heading is None and line is not None:
            fence = _fence_after(line, fence)
            lines.append(line)
            continue
        text = "\n".join(lines).strip()
        if not text and trail and (heading is None or heading[0] <= trail[-1][0]):
            text = trail[-1][1]
        if text:
            yield _joined(trail), text
        lines = []
        if heading is not None:
            trail = [each for each in trail if each[0] < heading[0]] + [heading]


def _heading(line: str) -> tuple[int, str] | None:
    found = _HEADING.match(line)
    words = found["words"].strip().rstrip("#").strip() if found else ""
    return (len(found["level"]), words) if found and words else None


def _fence_after(line: str, fence: str) -> str:
    """The fence that is open after this line, empty for none: what looks like a heading in code is none."""
    found = _FENCE.match(line)
    if found is None:
        return fence
    if not fence:
        return found["mark"]
    return "" if found["mark"].startswith(fence) else fence


def _joined(trail: list[tuple[int, str]]) -> str:
    return " › ".join(words for _level, words in trail)[:HEADING_MOST]


def _portions(text: str, longest: int) -> Iterator[str]:
    """The text in pieces of at most ``longest`` characters, cut where it hurts least."""
    if len(text) <= longest:
        yield text.strip()
        return
    for separators in (_PARAGRAPHS, _SENTENCES):
        parts = _split_after(text, separators)
        if len(parts) > 1:
            break
    else:
        yield from _by_words(text, longest)
        return
    held = ""
    for part in parts:
        if len(held) + len(part) <= longest:
            held += part
            continue
        if held.strip():
            yield held.strip()
        held = ""
        if len(part) <= longest:
            held = part
        else:
            yield from _portions(part.strip(), longest)
    if held.strip():
        yield held.strip()


def _split_after(text: str, separators: re.Pattern[str]) -> list[str]:
    """The parts with their separators, so that joined they are the text again."""
    parts, start = [], 0
    for found in separators.finditer(text):
        parts.append(text[start : found.end()])
        start = found.end()
    parts.append(text[start:])
    return [part for part in parts if part]


def _by_words(text: str, longest: int) -> Iterator[str]:
    held = ""
    for piece in _PIECES.findall(text):
        for start in range(0, len(piece), longest):
            part = piece[start : start + longest]
            if len(held) + len(part) > longest:
                if held.strip():
                    yield held.strip()
                held = ""
            held += part
    if held.strip():
        yield held.strip()
