"""Embedders by their names. A name is ``vendor/model/dimensions``; vectors of two names are never compared."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from knowledge.embedding.protocol import Embedder


def configured() -> str:
    """The name of the embedder that new vectors come from; empty where the dense half is off."""
    name: str = settings.EMBEDDER
    return name


def by_name(name: str) -> Embedder | None:
    """The embedder of that name, or none where its vendor is off or not known any more."""
    vendor, _, rest = name.partition("/")
    path = settings.EMBEDDERS.get(vendor)
    return import_string(path)(rest) if path else None
