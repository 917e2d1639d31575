"""What may be said about data in logs and error reports: shapes and places, never content.

Three walls: keys are allowed one by one (``common.logging``); words of exceptions are kept only where we chose
them; and whatever text is left has secrets, addresses with secrets in them, and personal data cut out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from django.conf import settings

from common.masking import find_personal

MOST = 500
_SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIALS|DSN|DATABASE_URL|REDIS_URL|EMAIL_URL")
_HIDDEN = "[…]"

# parts of our own addresses that open something, a bot's token in Telegram's, userinfo and queries in any
_ADDRESSES = (
    (re.compile(r"(/(?:webhooks/[\w-]+(?:/messages)?|documents)/)[^\s\"'?]+"), rf"\1{_HIDDEN}"),
    (re.compile(r"(/bot)\d+:[\w-]+"), rf"\1{_HIDDEN}"),
    (re.compile(r"(?<=://)[^/\s@\"']+@"), f"{_HIDDEN}@"),
    (re.compile(r"(https?://[^\s\"'?]+)\?[^\s\"']*"), rf"\1?{_HIDDEN}"),
    (re.compile(r"\b(Bearer|Basic|Token)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {_HIDDEN}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), _HIDDEN),
    (re.compile(r"\b(sk|pk|live|test)[-_][\w-]{16,}"), _HIDDEN),
)
#: exceptions whose words come from the system and say where, not what
_PLAIN_WORDS = (ConnectionError, TimeoutError, FileNotFoundError, PermissionError, ModuleNotFoundError)
_OUR_PACKAGES = ("common", "sales", "pricing", "knowledge", "billing", "crm", "channels_app", "config")


def scrub(text: str) -> str:
    """The text without secrets, secret addresses and personal data, cut at 500 characters."""
    text = text[: MOST * 4]
    for secret in secrets():
        if secret in text:
            text = text.replace(secret, _HIDDEN)
    for pattern, instead in _ADDRESSES:
        text = pattern.sub(instead, text)
    spans = sorted(find_personal(text))
    parts, at = [], 0
    for each in spans:
        if each.start >= at:
            parts += [text[at : each.start], _HIDDEN]
        at = max(at, each.end)
    text = "".join([*parts, text[at:]])
    return text if len(text) <= MOST else text[:MOST] + "…"


@cache
def secrets() -> tuple[str, ...]:
    """The secret values of this process's settings and environment, longest first."""
    found: set[str] = set()
    for name in dir(settings):
        if name.isupper() and _SECRET_NAME.search(name):
            found.update(_texts(getattr(settings, name)))
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name):
            found.update([value, *re.split(r"[:,@/]", value)])
    return tuple(sorted((each for each in found if len(each) >= 12), key=len, reverse=True))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple | set):
        for each in value:
            yield from _texts(each)


def safe_words(kind: type[BaseException], problem: BaseException | str | None) -> str:
    """What of an exception's words may be shown: ours and the system's, scrubbed; of others nothing.

    Others quote what they were given: ``int()`` its argument, PostgreSQL the row, a parser the text.
    """
    if problem is None or not (kind.__module__.split(".")[0] in _OUR_PACKAGES or issubclass(kind, _PLAIN_WORDS)):
        return ""
    return scrub(str(problem))


def exception_shape(problem: BaseException, most_frames: int = 12) -> dict[str, Any]:
    """An exception as type, allowed words and places, with the same of what caused it."""
    shape: dict[str, Any] = {"type": type(problem).__qualname__}
    if words := safe_words(type(problem), problem):
        shape["words"] = words
    shape["where"] = _places(problem.__traceback__)[-most_frames:]
    cause = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)
    chain: list[dict[str, Any]] = []
    while cause is not None and len(chain) < 5:
        chain.append({"type": type(cause).__qualname__, "where": _places(cause.__traceback__)[-3:]})
        cause = cause.__cause__ or cause.__context__
    if chain:
        shape["because"] = chain
    return shape


def _places(traceback: TracebackType | None) -> list[str]:
    places = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        places.append(f"{_short(code.co_filename)}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places


def _short(filename: str) -> str:
    parts = Path(filename).parts
    if "site-packages" in parts:
        return "/".join(parts[parts.index("site-packages") + 1 :])
    return "/".join(parts[-3:])
