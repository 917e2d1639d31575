"""System checks of the knowledge base: what the owner should know of the language models that are on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks

from knowledge.llm import profiles


@checks.register(checks.Tags.security)
def models_abroad(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """A key of a vendor abroad sends what customers write out of the country, with marks for personal data."""
    keys = profiles.foreign_keys_set()
    if not keys:
        return []
    return [
        checks.Warning(
            f"{' and '.join(keys)} set: what customers write goes to servers abroad, with marks in place of personal"
            " data that was recognised.",
            hint="Before it is used for people in Russia: notify Roskomnadzor of the transfer abroad (152-FZ, article"
            " 12) and name it in the privacy policy; or use models that run in Russia. See docs/models.md.",
            id="knowledge.W001",
        )
    ]
