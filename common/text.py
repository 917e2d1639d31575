"""Text from outside, made fit to be stored."""

from __future__ import annotations

import re
import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# PostgreSQL refuses NUL and UTF-8 knows no lone surrogates: something was there, so something stays to be seen
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# other controls mean nothing in a message and confuse terminals and logs; tab and newline are kept
_CONTROLS = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# U+0085 is a newline of old mainframes, U+2028 and U+2029 those of word processors
_NEWLINES = re.compile("\r\n?|\x85|\u2028|\u2029")


def clean(text: str) -> str:
    """The text as we store it: NFC, plain newlines, no control characters, what can't be stored as U+FFFD.

    Emoji, right-to-left marks and zero-width characters stay: they are part of what was said. Stable: cleaning
    twice is cleaning once.
    """
    if not isinstance(text, str):
        raise TypeError(f"text is expected, not {type(text).__name__}")
    if text.isascii() and text.isprintable():
        return text
    text = _UNSTORABLE.sub(REPLACEMENT, text)
    text = _CONTROLS.sub("", _NEWLINES.sub("\n", text))
    return unicodedata.normalize("NFC", text)
