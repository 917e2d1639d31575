"""A reply as Avito can show it: plain text, one message, never longer than the channel allows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

#: as Avito counts we don't know; by code units of UTF-16 no other way of counting gives more
MOST = 900
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_CUTS = re.compile(r"(?<=[.!?…])\s|\n")


def length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def plain(markdown: str) -> str:
    """Markdown without its marks: links with their address behind, lists with dashes, rows of tables as lines."""
    lines: list[str] = []
    lists: list[int] = []
    mark, in_row = "", False
    for token in _MARKDOWN.parse(markdown):
        match token.type:
            case "bullet_list_open":
                lists.append(0)
            case "ordered_list_open":
                lists.append(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
                if not lists:
                    lines.append("")
            case "list_item_open":
                mark = f"{lists[-1]}. " if lists[-1] else "– "
                lists[-1] += 1 if lists[-1] else 0
            case "tr_open":
                lines.append("")
                in_row = True
            case "tr_close":
                in_row = False
            case "inline":
                said = _inline(token.children or [])
                if in_row:
                    lines[-1] = f"{lines[-1]} | {said}".strip(" |")
                else:
                    lines.append(mark + said)
                    mark = ""
            case "fence" | "code_block":
                lines += [token.content.rstrip(), ""]
            case "paragraph_close" | "heading_close" if not lists:
                lines.append("")
            case "table_close":
                lines.append("")
            case _:
                pass
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _inline(tokens: Sequence[Token]) -> str:
    said: list[str] = []
    links: list[tuple[str, int]] = []
    for token in tokens:
        match token.type:
            case "text" | "code_inline":
                said.append(token.content)
            case "softbreak" | "hardbreak":
                said.append("\n")
            case "link_open":
                links.append((str(token.attrGet("href") or ""), len(said)))
            case "link_close":
                address, begins = links.pop()
                label = "".join(said[begins:])
                if address and address != label:
                    said.append(f" ({address})" if label else address)
            case "image":
                said.append(token.content)
            case _:
                pass
    return "".join(said)


def compose(text: str, *, cards: Sequence[Mapping[str, Any]] = (), notice: str = "") -> str:
    """One message: the reply, what cards say beside it, and the notice. Too long, the reply is cut at a sentence.

    Addresses of documents and the notice are never cut; choices go first.
    """
    body = plain(text)
    kept = [_document(card) for card in cards if card.get("kind") == "document" and card.get("url")]
    also: list[str] = []
    hints: list[str] = []
    for card in cards:
        said = plain(str(card.get("text") or ""))
        if card.get("kind") == "choices":
            options = card.get("options")
            texts = [str(each.get("text") or "") for each in options] if isinstance(options, list) else []
            hints += [f"Можно спросить: {'; '.join(filter(None, texts))}"] if any(texts) else []
        elif said and card.get("kind") != "document" and _bare(said) not in _bare(body):
            also.append(said)
    tail = [*(each for each in kept if each.rpartition(" ")[2] not in body), *([notice] if notice else [])]
    whole = _joined([body, *also, *hints, *tail])
    for parts in ([body, *also, *tail], [body, *tail]):
        if length(whole) <= MOST:
            return whole
        whole = _joined(parts)
    if length(whole) <= MOST:
        return whole
    room = MOST - length(_joined(["", *tail])) - (2 if tail else 0)
    return _joined([cut(body, most=max(room, 0)), *tail])[: MOST * 2]


def cut(text: str, *, most: int) -> str:
    """The beginning of a text up to a whole sentence, or a whole word where the first sentence is longer."""
    if length(text) <= most:
        return text
    kept = text[:most]
    while length(kept) > most - 2:
        kept = kept[:-1]
    ends = [found.start() for found in _CUTS.finditer(kept)]
    if ends and ends[-1] > most // 2:
        return kept[: ends[-1]].rstrip()
    head, space, _word = kept.rpartition(" ")
    return (head if space else kept).rstrip(" ,;:–") + "…"


def _document(card: Mapping[str, Any]) -> str:
    url = str(card["url"])
    address = url if "://" in url else settings.PUBLIC_URL.rstrip("/") + url
    return f"{card.get('title') or card.get('text') or 'Документ'}: {address}"


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _bare(text: str) -> str:
    return " ".join(text.split()).casefold()
