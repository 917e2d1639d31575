"""The composition root. It knows every room, and nobody imports it."""

from .celery import app as celery_app

__all__ = ["celery_app"]
