"""Citations in a model's words: ``[#id]`` after what an article says, taken out before a customer reads it.

Only articles that a search of this turn has shown count, and none behind words that say there is no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from knowledge.reading import label
from sales.assistant.protocol import ToolResult

#: a marker as models write it: ours, with blanks, several ids in one, in the brackets that some prefer
_IDS = r"#[^\[\]【】\n]{1,700}"
_MARKER = re.compile(rf"\[[ \t]*{_IDS}\]|【[ \t]*{_IDS}】")
_OPENINGS = "[【"
#: the longest text that is held back until it is known whether it is a marker
_MARKER_MOST = 720
_BETWEEN = re.compile(r"[,;]\s*|\s+(?=#)")
#: what no blank stands before
_CLOSING = frozenset(".,;:!?…)»”")

#: words that say that something isn't known: what is cited for them proves nothing
_UNKNOWN = re.compile(
    r"\bне (?:знаю|нашл(?:а|и|ось|ась|ись|ся)|наш[её]лс?я?|располага\w+|владею|подскажу|сказано)\b"
    r"|\bнет (?:\w+ ){0,2}(?:ответа|информации|сведений|данных об?)\b"
    r"|\b(?:ответа|информации|сведений)\b[^.!?\n]{0,60}\bнет\b"
    r"|\b(?:в базе знаний|в статьях|у меня|об этом|про это)\b[^.!?\n]{0,40}\b(?:ничего|нет)\b"
    r"|\bне (?:могу|можем|смогу) (?:точно )?(?:ответить|подтвердить|подсказать|сказать)\b"
    r"|\b(?:i|we) (?:do not|don['’]t) (?:know|have (?:an? |any |the |exact )*(?:answer|information))\b"
    r"|\b(?:i|we) (?:can ?not|can['’]t|could not|couldn['’]t|am not able to|was not able to)"
    r" (?:find|confirm|answer|tell|say)\b"
    r"|\b(?:i|we) (?:found|have) no (?:\w+ )?(?:answer|information)\b|\bnot sure\b"
    r"|\b(?:there is|has|found) (?:nothing|no (?:\w+ )?(?:answer|information)) (?:about|on|to|in|for)\b",
    re.IGNORECASE,
)
#: how far back a sentence is looked for
_SENTENCE_MOST = 1000
_SENTENCE_END = re.compile(r"[.!?…]+[»”\")\]]*(?:\s+|$)|\n+")


@dataclass(frozen=True)
class Cited:
    """A text without its markers, and what they said: ``sources`` are ids of articles, in the order of their naming.

    ``unknown`` counts markers of what this turn hasn't shown, ``unproved`` those behind words that know no answer.
    """

    text: str
    sources: tuple[str, ...] = ()
    unknown: int = 0
    unproved: int = 0

    @property
    def notes(self) -> dict[str, int]:
        """For a trace: numbers only, for a model may have written anything into a marker."""
        return {"cited": len(self.sources), "cited_unknown": self.unknown, "cited_for_nothing": self.unproved}


def read(text: str, results: Iterable[ToolResult]) -> tuple[str, tuple[str, ...]]:
    """The words for the customer, and the ids of the articles they rest on: none unless a model has named them."""
    cited = look(text, results)
    return cited.text, cited.sources


def look(text: str, results: Iterable[ToolResult]) -> Cited:
    """The same with what was wrong with the markers."""
    known = shown(results)
    sources: dict[str, None] = {}
    unknown = unproved = 0
    for match in _MARKER.finditer(text):
        doubtful = says_unknown(_sentence_before(text, match.start()))
        for name in _BETWEEN.split(match[0][1:-1].strip()):
            article = known.get(name.strip().removeprefix("#").strip())
            if article is None:
                unknown += 1
            elif doubtful:
                unproved += 1
            else:
                sources[article] = None
    return Cited(without(text), tuple(sources), unknown, unproved)


def shown(results: Iterable[ToolResult]) -> dict[str, str]:
    """The articles that this turn's searches have brought, by the id that a model sees."""
    articles: dict[str, str] = {}
    for result in results:
        hits = () if result.failed else result.data.get("hits", ())
        for hit in hits if isinstance(hits, list | tuple) else ():
            if isinstance(hit, Mapping) and (article := str(hit.get("article", ""))):
                articles[label(article)] = article
    return articles


def says_unknown(text: str) -> bool:
    """Whether words say that something isn't known."""
    return _UNKNOWN.search(text) is not None


def without(text: str) -> str:
    """A text without markers."""
    unmarked = Unmarked()
    return (unmarked.feed(text) + unmarked.finish()).strip()


def _sentence_before(text: str, at: int) -> str:
    """The sentence that ends where a marker stands, whether its full stop is before or after the marker."""
    before = _MARKER.sub("", text[max(0, at - _SENTENCE_MOST) : at]).rstrip()
    start = 0
    for end in _SENTENCE_END.finditer(before):
        if end.end() < len(before):
            start = end.end()
    return before[start:]


class Unmarked:
    """Takes a text in pieces and gives it back without markers, wherever the pieces were cut.

    The pieces given back come to ``without`` of the whole, but for blanks at its ends.
    """

    def __init__(self) -> None:
        #: what may be the beginning of a marker
        self._held = ""
        #: blanks that wait for what follows; a marker among them stands as a break
        self._blanks = [""]
        self._begun = False

    def feed(self, piece: str) -> str:
        """What can be said now."""
        return "".join(self._through(self._held + piece, last=False))

    def finish(self) -> str:
        """What was held back until the end."""
        rest = "".join(self._through(self._held, last=True))
        return rest if len(self._blanks) > 1 else rest + self._blanks[0]

    def _through(self, text: str, *, last: bool) -> Iterable[str]:
        self._held = ""
        at = 0
        while at < len(text):
            character = text[at]
            if character in _OPENINGS:
                if match := _MARKER.match(text, at):
                    self._blanks.append("")
                    at = match.end()
                    continue
                if not last and _may_become(text[at:]):
                    self._held = text[at:]
                    return
            if character.isspace():
                self._blanks[-1] += character
                at += 1
                continue
            end = at + 1
            while end < len(text) and text[end] not in _OPENINGS and not text[end].isspace():
                end += 1
            yield self._gap(before=character) + text[at:end]
            self._begun = True
            at = end

    def _gap(self, *, before: str) -> str:
        """The blanks that stand before the next word, as they are where no marker was among them."""
        blanks, self._blanks = self._blanks, [""]
        if len(blanks) == 1:
            return blanks[0]
        lines = max(each.count("\n") for each in blanks)
        if not self._begun:
            return ""
        if lines:
            return "\n" * lines + blanks[-1].rpartition("\n")[2] * ("\n" in blanks[-1])
        if before in _CLOSING or not any(blanks):
            return ""
        # what follows the marker at once belonged to the words before it: «**важно [#id]**»
        return " " if blanks[-1] or before.isalnum() else ""


def _may_become(text: str) -> bool:
    """Whether a text that begins with a bracket may yet turn out to begin with a marker."""
    if len(text) > _MARKER_MOST or not text[1:].strip(" \t"):
        return len(text) <= _MARKER_MOST
    inside = text[1:].lstrip(" \t")
    return inside.startswith("#") and not re.search(r"[\[\]【】\n]", inside)
