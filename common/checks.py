"""System checks of the shelf."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core import checks

from common.fields import encrypted_fields
from common.keyring import BadKeyRing, ring


@checks.register(checks.Tags.models)
def labels_are_unique(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Two columns with one label could take each other's tokens."""
    holders: dict[str, list[str]] = defaultdict(list)
    for model in apps.get_models(include_auto_created=True):
        for field in encrypted_fields(model):
            holders[field.label].append(str(field))
    return [
        checks.Error(
            f"The label {label!r} of encrypted fields is used by {', '.join(sorted(fields))}.",
            hint="Give each its own, such as app.model.field. A history table must exclude encrypted fields.",
            id="common.E004",
        )
        for label, fields in holders.items()
        if len(fields) > 1
    ]


@checks.register(checks.Tags.security)
def keys_are_usable(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """The key ring opens, and no key is used for two purposes."""
    try:
        ring()
    except BadKeyRing as problem:
        return [checks.Error(f"FIELD_ENCRYPTION_KEYS: {problem}", id="common.E005")]
    keys = settings.FIELD_ENCRYPTION_KEYS
    if isinstance(keys, dict) and settings.BLIND_INDEX_KEY in keys.values():
        return [checks.Error("BLIND_INDEX_KEY must not be one of FIELD_ENCRYPTION_KEYS.", id="common.E006")]
    return []
