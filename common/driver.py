"""Statements past Django, on its connection: the driver sends and fetches arrays and bytes in binary."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connection


def cursor() -> psycopg.Cursor[Any]:
    """A cursor of the driver itself, within the transaction that Django has open. Use it in a ``with``."""
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection)
