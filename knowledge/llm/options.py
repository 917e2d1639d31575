"""What a profile may say of its vendor beyond the address: the dialects' words, each with what it may hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

#: stands in an option for the profile's key or for a variable of ``VARIABLES``
PLACE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
#: no secrets: what an option may take from the settings
VARIABLES = ("YANDEXGPT_FOLDER_ID", "GIGACHAT_SCOPE", "GIGACHAT_AUTH_URL")
#: headers that hold the key: it is written by its place, never itself
_SECRET_HEADERS = {"authorization", "x-api-key", "api-key", "proxy-authorization", "cookie"}
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")


def problems(options: Any) -> list[str]:
    """What is wrong with a profile's options, in words for staff; nothing when they are fine."""
    if not isinstance(options, Mapping):
        return [_('Options are an object, as {"stream": true}.')]
    found = []
    for name, value in options.items():
        check = OPTIONS.get(name)
        if check is None:
            known = ", ".join(sorted(OPTIONS))
            found.append(_("There is no option “%(name)s”. There are: %(known)s.") % {"name": name, "known": known})
        elif words := check(value):
            found.append(f"{name}: {words}")
    for place in PLACE.findall(str(options)):
        if place != "KEY" and place not in VARIABLES:
            known = ", ".join(["KEY", *VARIABLES])
            found.append(_("${%(name)s} isn't known. There are: %(known)s.") % {"name": place, "known": known})
    return found


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else _("true or false.")


def _text(value: Any) -> str:
    return "" if isinstance(value, str) and 0 < len(value) <= 500 else _("a text of at most 500 characters.")


def _one_of(*allowed: str) -> Callable[[Any], str]:
    return lambda value: "" if value in allowed else _("one of: %(known)s.") % {"known": ", ".join(allowed)}


def _number(least: float, most: float) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
        return "" if fits else _("a number from %(least)s to %(most)s.") % {"least": least, "most": most}

    return check


def _pair(value: Any) -> str:
    """Letters of a token: Cyrillic, everything else."""
    fits = isinstance(value, list) and len(value) == 2 and not any(_number(0.5, 20)(each) for each in value)
    return "" if fits else _("two numbers, for Cyrillic letters and for others, as [2.4, 3.6].")


def _object(value: Any) -> str:
    return "" if isinstance(value, dict) else _("an object.")


def _headers(value: Any) -> str:
    if not isinstance(value, dict):
        return _("an object.")
    for name, text in value.items():
        if not _HEADER.fullmatch(name) or not isinstance(text, str) or not text.isascii() or not text.isprintable():
            return _("“%(name)s” is no header with a text.") % {"name": name[:60]}
        if name.lower() in _SECRET_HEADERS and "${KEY}" not in text:
            return _("“%(name)s” holds a key: write ${KEY} in its place.") % {"name": name}
    return ""


OPTIONS: Mapping[str, Callable[[Any], str]] = {
    "answer_limit": _one_of("max_tokens", "max_completion_tokens"),
    "system_role": _one_of("system", "developer"),
    "tool_ids": _flag,
    "parallel_tools": _flag,
    "strict_tools": _flag,
    "stream": _flag,
    "stream_usage": _flag,
    "cache_key": _flag,
    "prompt_cache": _flag,
    "cache_ttl": _one_of("5m", "1h"),
    "concurrent": _number(1, 1000),
    "at_home": _flag,
    "organization": _text,
    "temperature": _number(0, 2),
    "reasoning_effort": _text,
    "effort": _text,
    "headers": _headers,
    "project": _text,
    "scope": _text,
    "auth_url": _text,
    "characters_per_token": _pair,
    "ca_file": _text,
    "extra": _object,
}


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """Options with what stands for their places; an unknown place stays as it is written."""
    if isinstance(value, str):
        return PLACE.sub(lambda match: values.get(match[1], match[0]), value)
    if isinstance(value, Mapping):
        return {name: filled(each, values) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, values) for each in value]
    return value
