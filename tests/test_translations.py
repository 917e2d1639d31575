"""Whoever works in Russian meets no English: every string of ours is translated, and the compiled file is current."""

from __future__ import annotations

import ast
import gettext
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "locale" / "ru" / "LC_MESSAGES" / "django.po"
CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
WITH_CONTEXT = {"pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"}
TAG = re.compile(r"""\{%\s*(?:translate|trans)\s+(?:"([^"]+)"|'([^']+)')""")


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(CATALOGUE))


def test_every_string_of_the_code_is_in_the_catalogue(catalogue: polib.POFile) -> None:
    known = {(entry.msgctxt or "", entry.msgid) for entry in catalogue if not entry.obsolete}

    missing = sorted({found for found in _strings() if found not in known})

    assert missing == [], "run manage.py makemessages -l ru and translate"


def test_every_entry_is_translated(catalogue: polib.POFile) -> None:
    def done(entry: polib.POEntry) -> bool:
        return all(entry.msgstr_plural.values()) if entry.msgid_plural else bool(entry.msgstr)

    assert [entry.msgid for entry in catalogue if not done(entry) or entry.fuzzy] == []


def test_placeholders_survive_translation(catalogue: polib.POFile) -> None:
    pattern = re.compile(r"%\(\w+\)[sd]|%[sd](?!\w)|\{\w*\}")

    def differs(entry: polib.POEntry) -> bool:
        wanted = set(pattern.findall(entry.msgid))
        translations = list(entry.msgstr_plural.values()) or [entry.msgstr]
        return any(set(pattern.findall(each)) != wanted for each in translations)

    assert [entry.msgid for entry in catalogue if differs(entry)] == []


def test_compiled_file_is_current(catalogue: polib.POFile) -> None:
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    stale = [
        entry.msgid
        for entry in catalogue
        if not entry.msgid_plural and not entry.msgctxt and compiled.gettext(entry.msgid) != entry.msgstr
    ]

    assert stale == [], "run manage.py compilemessages"


def _strings() -> Iterator[tuple[str, str]]:
    """Each literal that our code or a template asks to be translated, with its context."""
    names = ["git", "ls-files", "-co", "--exclude-standard", "*.py", "*.html"]
    for name in subprocess.run(names, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split():
        path = ROOT / name
        if name.startswith(("tests/", "benchmarks/", "deploy/")) or not path.exists():
            continue
        if path.suffix == ".html":
            for double, single in TAG.findall(path.read_text()):
                yield "", double or single
        elif "gettext" in path.read_text():
            yield from _of_code(path)


def _of_code(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        words = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if node.func.id in WITH_CONTEXT and len(words) > 1:
            yield words[0], words[1]
        elif node.func.id in CALLS and words:
            yield "", words[0]
