"""A finished file at rest: it names the customer, so it is encrypted like the texts are."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from common.fields import EncryptedField


class EncryptedBytesField(EncryptedField):
    """Bytes, encrypted at rest and bound to their row; not for forms."""

    description = _("Encrypted file")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "editable": False})

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, bytes):
            raise TypeError(f"{self} holds bytes, not {type(value).__name__}")
        return value

    def decode(self, plain: bytes) -> bytes:
        return plain
