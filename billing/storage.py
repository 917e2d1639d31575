"""Papers as files of a storage: whoever sends them needn't know who makes them or where they lie.

A name is a document's id. Reading raises ``FileNotFoundError`` until the PDF is made. Nothing is written this way.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible

from billing.models import Pdf


@deconstructible
class Papers(Storage):
    """The PDFs of issued papers, read only."""

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        pdf = Pdf.objects.filter(document_id=_id(name)).first()
        if pdf is None or mode != "rb":
            raise FileNotFoundError(name)
        return ContentFile(bytes(pdf.content), name=f"{name}.pdf")

    def exists(self, name: str) -> bool:
        return Pdf.objects.filter(document_id=_id(name)).exists()

    def _save(self, name: str, content: Any) -> str:
        raise NotImplementedError("papers are issued, not uploaded")


def _id(name: str) -> uuid.UUID:
    try:
        return uuid.UUID(name)
    except ValueError:
        raise FileNotFoundError(name) from None
