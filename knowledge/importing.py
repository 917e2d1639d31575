"""Articles from files: a folder of Markdown, or lines of JSON. What can't be taken is named, the rest is in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import yaml
from django.utils import timezone
from django.utils.translation import gettext as _

from common.parsers import loads
from knowledge import figures, indexing, links
from knowledge.operations import BadArticle, Draft, check, existing, put_many
from pricing.queries import current_rules

#: articles stored in one transaction
AT_ONCE = 500
#: bytes of a line or file that are read at all: a body of the most characters in UTF-8, escaped, and something beside
BYTES_MOST = 16 * 1024 * 1024
#: doubtful articles that are told of one by one, and how much of each: a text from outside may be full of amounts
WARNINGS_MOST = 20
DOUBTS_MOST = 3


class Unreadable(Exception):
    """There is nothing to import there; the message says why."""


@dataclass
class Imported:
    """What an import did: how many it found, how many were new or changed, and what it couldn't take.

    ``warnings`` tells of articles that are in though something in them is doubtful, the first ``WARNINGS_MOST`` of
    ``doubtful``.
    """

    found: int = 0
    changed: int = 0
    problems: list[str] = field(default_factory=list)
    doubtful: int = 0
    warnings: list[str] = field(default_factory=list)

    def warn(self, place: str, doubts: Sequence[str]) -> None:
        self.doubtful += 1
        if len(self.warnings) < WARNINGS_MOST:
            self.warnings.append(
                f"{place}: {' '.join(doubts[:DOUBTS_MOST])}{' …' if len(doubts) > DOUBTS_MOST else ''}"
            )


@dataclass(frozen=True)
class _Found:
    """Where something stood and what was made of it: a draft, or words that say what is wrong."""

    place: str
    draft: Draft | None = None
    problem: str = ""


def import_articles(path: Path) -> Imported:
    """Take all articles of a folder or a JSONL file in, and return when all of them are indexed.

    Raises ``Unreadable``. Running it again updates, and finishes what an interrupted run has left.
    """
    outcome = Imported()
    ids: list[int] = []
    linking: dict[str, tuple[str, str]] = {}
    for some in _in_groups(_look(path), AT_ONCE):
        drafts = []
        rules = current_rules()
        for each in some:
            outcome.found += 1
            draft, problem = _checked(each)
            if draft is None:
                outcome.problems.append(f"{each.place}: {problem}")
            else:
                drafts.append(draft)
                doubts = figures.in_words(figures.typed(draft.body, rules, own=draft.own_figures))
                if links.OURS in draft.body:
                    linking[draft.external_id] = (each.place, draft.body)
                else:
                    doubts += links.problems(draft.body, known=set)
                if doubts:
                    outcome.warn(each.place, doubts)
        ids += put_many(drafts=drafts, by=None, now=timezone.now())
    outcome.changed = len(ids)
    # an article may lead to one that comes later
    there = existing({name for _place, body in linking.values() for name in links.articles(body)})
    for place, body in linking.values():
        if dead := links.problems(body, known=there.intersection):
            outcome.warn(place, dead)
    indexing.index_all_owed(ids, now=timezone.now())
    return outcome


def _checked(found: _Found) -> tuple[Draft | None, str]:
    if found.draft is None:
        return None, found.problem
    draft = found.draft.cleaned()
    if not draft.external_id:
        return None, _("The id is empty.")
    try:
        check(draft)
    except BadArticle as problem:
        return None, str(problem)
    return draft, ""


def _look(path: Path) -> Iterator[_Found]:
    if path.is_dir():
        files = sorted(each for each in path.rglob("*.md") if each.is_file())
        if not files:
            raise Unreadable(_("There are no Markdown files in %(path)s.") % {"path": path})
        return (_from_markdown(file, path) for file in files)
    try:
        file = path.open("rb")
    except OSError as problem:
        raise Unreadable(_("Can't read %(path)s: %(why)s") % {"path": path, "why": problem.strerror}) from None
    if path.suffix == ".md":
        file.close()
        return iter([_from_markdown(path, path.parent)])
    return _from_lines(file)


# --- lines of JSON ----------------------------------------------------------------------------------------------


def _from_lines(file: BinaryIO) -> Iterator[_Found]:
    with file:
        for number, (line, whole) in enumerate(_lines(file), 1):
            place = _("line %d") % number
            if not whole:
                yield _Found(place, problem=_("It is longer than %d MB.") % (BYTES_MOST // 1024 // 1024))
            elif line.strip():
                yield _from_line(line, place)


def _lines(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """The lines, and whether each was read whole; one that is too long is passed over without keeping it."""
    while line := file.readline(BYTES_MOST):
        whole = len(line) < BYTES_MOST or line.endswith(b"\n")
        rest = line
        while not whole and rest and not rest.endswith(b"\n"):
            rest = file.readline(BYTES_MOST)
        yield line, whole


def _from_line(line: bytes, place: str) -> _Found:
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _Found(place, problem=_("It isn't UTF-8."))
    try:
        data = loads(text)
    except (ValueError, RecursionError):
        return _Found(place, problem=_("It isn't JSON."))
    if not isinstance(data, dict):
        return _Found(place, problem=_("It isn't a JSON object."))
    external_id = data.get("id")
    if isinstance(external_id, int) and not isinstance(external_id, bool):
        external_id = str(external_id)
    if not isinstance(external_id, str):
        return _Found(place, problem=_("The id is not a string."))
    place = f"{place} ({external_id[:100]})"
    for name in ("title", "text"):
        if not isinstance(data.get(name, ""), str):
            return _Found(place, problem=_("The %s is not a string.") % name)
    if "text" not in data:
        return _Found(place, problem=_("There is no text."))
    questions = data.get("questions")
    if questions is None:
        questions = []
    if not isinstance(questions, list) or not all(isinstance(each, str) for each in questions):
        return _Found(place, problem=_("The questions are not a list of strings."))
    return _Found(
        place,
        Draft(external_id=external_id, title=data.get("title", ""), body=data["text"], questions=tuple(questions)),
    )


# --- Markdown files ---------------------------------------------------------------------------------------------

_FRONT = re.compile(r"\A---[ \t]*\n(?P<front>.*?)^---[ \t]*\n?", re.DOTALL | re.MULTILINE)
_TITLE = re.compile(r"\A\s*#[ \t]+(?P<title>[^\n]+)\n?")
_FIELDS = {"title": str, "product": str, "status": str, "language": str, "questions": list, "own_figures": list}


def _from_markdown(path: Path, folder: Path) -> _Found:
    """One file: front matter between lines of ``---``, then the body. Its id is its path without the ending."""
    place = str(path.relative_to(folder))
    external_id = path.relative_to(folder).with_suffix("").as_posix()
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES_MOST + 1)
    except OSError as problem:
        return _Found(place, problem=str(problem.strerror))
    if len(raw) > BYTES_MOST:
        return _Found(place, problem=_("It is longer than %d MB.") % (BYTES_MOST // 1024 // 1024))
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return _Found(place, problem=_("It isn't UTF-8."))
    front: Any = {}
    if found := _FRONT.match(text):
        text = text[found.end() :]
        try:
            front = yaml.safe_load(found["front"]) or {}
        except (yaml.YAMLError, ValueError, RecursionError):
            return _Found(place, problem=_("What stands between the lines of --- isn't YAML."))
    if wrong := _front_problem(front):
        return _Found(place, problem=wrong)
    title = front.get("title", "")
    if not title and (heading := _TITLE.match(text)):
        title, text = heading["title"], text[heading.end() :]
    return _Found(
        place,
        Draft(
            external_id=external_id,
            title=title or path.stem,
            body=text,
            questions=tuple(front.get("questions", ())),
            product=front.get("product", ""),
            status=front.get("status", "published"),
            language=front.get("language", "ru"),
            own_figures=tuple(front.get("own_figures", ())),
        ),
    )


def _front_problem(front: Any) -> str:
    if not isinstance(front, dict):
        return _("What stands between the lines of --- isn't a list of names and values.")
    for name, value in front.items():
        wanted = _FIELDS.get(name)
        if wanted is None:
            return _("The field %s isn't known.") % json.dumps(str(name), ensure_ascii=False)
        if not isinstance(value, wanted) or (wanted is list and not all(isinstance(each, str) for each in value)):
            return _("The field %s has a value of another kind.") % name
    return ""


def _in_groups(found: Iterator[_Found], size: int) -> Iterator[Sequence[_Found]]:
    group: list[_Found] = []
    for each in found:
        group.append(each)
        if len(group) == size:
            yield group
            group = []
    yield group
