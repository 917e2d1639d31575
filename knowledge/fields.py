"""Columns that Django has no field for."""

from __future__ import annotations

from typing import Any

from django.db import models


class RealField(models.FloatField):
    """Four bytes of floating point: a posting has millions of brothers, and seven digits are enough for a score."""

    def db_type(self, connection: Any) -> str:
        return "real"
