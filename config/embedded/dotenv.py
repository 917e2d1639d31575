"""Read a `.env` file strictly: a line that cannot be read stops the program instead of being passed over.

Only the standard library is used: the set-up reads the file before anything is installed.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from pathlib import Path

NAME = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)", re.DOTALL)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


class BadLine(ValueError):
    """A line of the file is not `NAME=value`; the text says which line and why, never what stands in it."""


def parse(text: str, *, name: str = ".env") -> dict[str, str]:
    """Return the variables of a `.env` file's text; raise `BadLine` for the first line that can't be read."""
    found: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = NAME.fullmatch(line)
        if match is None:
            raise BadLine(f"{name}, line {number}: expected NAME=value.")
        found[match[1]] = _value(match[2], where=f"{name}, line {number} ({match[1]})")
    return found


def load(path: Path, env: MutableMapping[str, str]) -> None:
    """Add the variables of the file at `path` to `env`; what `env` already has wins, no file is no variables."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as problem:
        raise BadLine(f"{path} can't be read: {problem.strerror}.") from problem
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data[: problem.start].count(b"\n") + 1
        raise BadLine(f"{path}, line {line}: not UTF-8 text.") from problem
    if "\0" in text:
        raise BadLine(f"{path}, line {text[: text.index(chr(0))].count(chr(10)) + 1}: holds a NUL byte.")
    for key, value in parse(text, name=str(path)).items():
        env.setdefault(key, value)


def _value(raw: str, *, where: str) -> str:
    quote = raw[:1]
    if quote not in ("'", '"'):
        # a comment needs a space before it, so that a password may hold a hash sign
        return re.split(r"\s+#", raw, maxsplit=1)[0].strip() if not raw.startswith("#") else ""
    closing = _closing(raw, quote)
    if closing < 0:
        raise BadLine(f"{where}: the quote {quote} is never closed.")
    rest = raw[closing + 1 :].strip()
    if rest and not rest.startswith("#"):
        raise BadLine(f"{where}: something stands after the closing quote.")
    inner = raw[1:closing]
    if quote == "'":
        return inner
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[0]), inner)


def _closing(raw: str, quote: str) -> int:
    position = 1
    while position < len(raw):
        if raw[position] == "\\" and quote == '"':
            position += 2
            continue
        if raw[position] == quote:
            return position
        position += 1
    return -1
