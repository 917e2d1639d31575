"""Keys for data at rest: a ring of AES-256 keys with numbers, the newest first, the old ones kept for reading.

A token is ``version (1 byte) | key number (2) | nonce (12) | ciphertext and tag``. Version and key number are bound
into the authenticated data together with whatever the caller binds (column and row), so a token can't be moved,
downgraded or relabelled. A key's random nonces are safe far below 2**32 values; rotation starts the count again.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

VERSION = 1
KEY_BYTES = 32
NONCE_BYTES = 12
HEADER_BYTES = 3
OVERHEAD = HEADER_BYTES + NONCE_BYTES + 16


class BadKeyRing(ImproperlyConfigured):
    """The keys can't be used; the message says why and never holds a key."""


class BadToken(Exception):
    """A token that this ring can't open; the message gives the reason and nothing of the content."""


class KeyRing:
    """AES-256-GCM under the newest of some numbered keys; opens tokens of any of them.

    ``keys`` maps numbers from 1 to 65535 to 32 bytes each, newest first.
    """

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        if not keys:
            raise BadKeyRing("The key ring is empty: it needs at least one key of 32 bytes.")
        for number, key in keys.items():
            if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 0xFFFF:
                raise BadKeyRing("A key's number must be a whole number from 1 to 65535.")
            if not isinstance(key, bytes) or len(key) != KEY_BYTES:
                raise BadKeyRing(f"Key {number} must be exactly {KEY_BYTES} bytes.")
        if len(set(keys.values())) != len(keys):
            raise BadKeyRing("Two numbers of the key ring hold the same key.")
        self._ciphers = {_header(number): AESGCM(key) for number, key in keys.items()}
        self.newest = next(iter(keys))
        #: the first bytes of every token made now
        self.header = _header(self.newest)

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """A ring from ``2:base64,1:base64``, newest first."""
        keys: dict[int, bytes] = {}
        for each in filter(None, (part.strip() for part in text.split(","))):
            number, colon, encoded = each.partition(":")
            if not colon or not (number.isascii() and number.isdigit()):
                raise BadKeyRing("Keys must look like 2:BASE64,1:BASE64, newest first.")
            if int(number) in keys:
                raise BadKeyRing(f"Key {int(number)} is there twice.")
            try:
                keys[int(number)] = base64.b64decode(encoded, validate=True)
            except ValueError:
                raise BadKeyRing(f"Key {int(number)} is not base64.") from None
        return cls(keys)

    def seal(self, plain: bytes, bound: bytes = b"") -> bytes:
        """Encrypt under the newest key; only the same ``bound`` bytes open it again."""
        nonce = os.urandom(NONCE_BYTES)
        return self.header + nonce + self._ciphers[self.header].encrypt(nonce, plain, self.header + bound)

    def open(self, token: bytes, bound: bytes = b"") -> bytes:
        """What was sealed; raises ``BadToken`` for anything that isn't a whole token of a known key and this place."""
        if len(token) < OVERHEAD:
            raise BadToken("too short to be a token")
        header = token[:HEADER_BYTES]
        cipher = self._ciphers.get(header)
        if cipher is None:
            if header[0] != VERSION:
                raise BadToken("not a token of a known version")
            raise BadToken(f"key {int.from_bytes(header[1:], 'big')} is not in the ring")
        try:
            nonce_ends = HEADER_BYTES + NONCE_BYTES
            return cipher.decrypt(token[HEADER_BYTES:nonce_ends], token[nonce_ends:], header + bound)
        except InvalidTag:
            raise BadToken("damaged, or written for another place") from None

    def is_current(self, token: bytes) -> bool:
        """Whether the token was made with the newest key."""
        return token[:HEADER_BYTES] == self.header


def _header(number: int) -> bytes:
    return bytes([VERSION]) + number.to_bytes(2, "big")


@cache
def ring() -> KeyRing:
    """The ring of ``settings.FIELD_ENCRYPTION_KEYS`` (a mapping, or its text form)."""
    keys = settings.FIELD_ENCRYPTION_KEYS
    return KeyRing.parse(keys) if isinstance(keys, str) else KeyRing(keys)


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "FIELD_ENCRYPTION_KEYS":
        ring.cache_clear()


setting_changed.connect(_forget)
