"""The one place through which everything that is sent to a language model passes.

A profile that may not see personal data gets a prompt with marks in place of it, whoever wrote the texts; one that may
gets the values that stand behind the marks. ``fit`` is called by the chain right before the dialect, and nobody else
calls a dialect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from knowledge.llm.chat import Call, Called, Part, Profile, Prompt, Returned, Said
from sales.assistant.protocol import Privacy

#: what only the vendor can read of its own words: letters at random, in which any number may stand by chance
_SEALED = frozenset({"signature", "encrypted_content"})


def fit(prompt: Prompt, *, profile: Profile, privacy: Privacy) -> Prompt:
    """The prompt as ``profile`` may see it."""
    if profile.personal_data:
        return _through(prompt, privacy.reveal)
    return _through(prompt, lambda value: _each_text(value, privacy.hide))


def _through(prompt: Prompt, change: Callable[[Any], Any]) -> Prompt:
    """The prompt with ``change`` made to all that it says. Tools are our own words, equal for everybody."""
    parts = tuple(_part(each, change) for each in prompt.parts)
    return replace(prompt, system=change(prompt.system), parts=parts)


def _part(part: Part, change: Callable[[Any], Any]) -> Part:
    if isinstance(part, Said):
        return replace(part, text=change(part.text))
    if isinstance(part, Returned):
        return replace(part, text=change(part.text), call=_call(part.call, change))
    raw = part.raw
    if raw is not None and change(raw) != raw:
        raw = None  # a vendor may have signed it: better told in our own words than altered
    return Called(change(part.text), tuple(_call(each, change) for each in part.calls), raw)


def _call(call: Call, change: Callable[[Any], Any]) -> Call:
    return replace(call, arguments=change(dict(call.arguments)), problem=change(call.problem))


def _each_text(value: Any, hide: Callable[[str], str]) -> Any:
    """A text, or JSON with texts in it, keys among them, hidden; what can't be read isn't sent as it is."""
    if isinstance(value, str):
        return hide(value)
    if value is None or isinstance(value, bool | int | float):
        return _number(value, hide)
    if isinstance(value, dict):
        return {
            _each_text(key, hide): each if key in _SEALED else _each_text(each, hide) for key, each in value.items()
        }
    if isinstance(value, list):
        return [_each_text(each, hide) for each in value]
    if isinstance(value, tuple):
        return tuple(_each_text(each, hide) for each in value)
    return hide(str(value))


def _number(value: Any, hide: Callable[[str], str]) -> Any:
    """A number, unless its digits are somebody's: a phone may be an argument without quotes."""
    if value is None or isinstance(value, bool):
        return value
    written = str(value)
    hidden = hide(written)
    return value if hidden == written else hidden
