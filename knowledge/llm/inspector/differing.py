"""Two texts word by word: what the second leaves out, adds, and keeps."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["same", "gone", "new"]


def differences(before: str, after: str) -> list[tuple[Kind, str]]:
    """Stretches of the two texts in reading order; those that are gone or the same make up the first again."""
    old, new = _pieces(before), _pieces(after)
    found: list[tuple[Kind, str]] = []
    for what, first, last, begins, ends in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            found.append(("same", "".join(old[first:last])))
            continue
        found += [("gone", "".join(old[first:last]))] * (last > first)
        found += [("new", "".join(new[begins:ends]))] * (ends > begins)
    return found


def _pieces(text: str) -> list[str]:
    """Words with the space after them, so that a changed word is one change."""
    return re.findall(r"\s+|\w+\s*|[^\w\s]\s*", text)
