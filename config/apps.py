"""The composition root as an app, for its commands and for what has to be there once Django is."""

from __future__ import annotations

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        # tasks are declared for whichever Celery app there is: without ours they would ring at a default address
        from config import celery  # noqa: F401  (app ready)
