"""Give every encrypted value the newest key, while the system runs."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, models, transaction
from psycopg import sql

from common.fields import EncryptedField, encrypted_fields
from common.keyring import HEADER_BYTES, BadToken, ring

#: rows in one transaction: some ten milliseconds, so nobody waits for us
BATCH = 500


@dataclass
class Count:
    """What became of a table's rows."""

    done: int = 0
    broken: int = 0


class Command(BaseCommand):
    help = (
        "Re-encrypt all encrypted columns with the newest of FIELD_ENCRYPTION_KEYS. Safe while the system runs, and to"
        " be run again: it takes only rows that still have an older key. Before it, every process must know the new"
        " key; after it, the old one may go. The blind index has a key of its own and isn't touched."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, help=f"rows in one transaction (default {BATCH})")

    def handle(self, *args: Any, batch: int, **options: Any) -> None:
        if batch < 1:
            raise CommandError("--batch must be at least 1.")
        total = Count()
        for model in apps.get_models(include_auto_created=True):
            if fields := encrypted_fields(model):
                count = self._table(model, fields, batch)
                total.done += count.done
                total.broken += count.broken
        self.stdout.write(json.dumps({"reencrypted": total.done, "unreadable": total.broken, "key": ring().newest}))
        if total.broken:
            raise CommandError(
                f"{total.broken} values can't be read with any key of the ring and were left as they are. Add the key"
                " that they were written with, and run this again; until then don't remove any key."
            )

    def _table(self, model: type[models.Model], fields: list[EncryptedField], batch: int) -> Count:
        """Pass over the table until a pass finds nothing; a row that somebody holds waits for the next pass."""
        name = model._meta.label_lower
        count = Count()
        while True:
            before, count.broken, after = count.done, 0, None
            while (rows := _locked_batch(model, fields, after=after, batch=batch, count=count)) is not None:
                after = rows
                self.stderr.write(f"{name}: {count.done} done")
            if _left(model, fields) <= count.broken:
                return count
            if count.done == before:
                self.stderr.write(f"{name}: waiting for rows that others hold")
                time.sleep(0.5)


@transaction.atomic
def _locked_batch(
    model: type[models.Model], fields: list[EncryptedField], *, after: Any, batch: int, count: Count
) -> Any:
    """Re-encrypt the next rows that nobody holds; returns the last one's key, or None when there was none."""
    key = _column(model._meta.pk)
    table = sql.Identifier(model._meta.db_table)
    columns = [_column(field) for field in fields]
    # the row is locked before it is read, so what we rewrite is what is there
    find = sql.SQL(
        "SELECT {key}, {columns} FROM {table} WHERE ({old}) AND ({after}::uuid IS NULL OR {key} > {after}::uuid)"
        " ORDER BY {key} LIMIT {limit} FOR NO KEY UPDATE SKIP LOCKED"
    ).format(
        key=key,
        table=table,
        columns=sql.SQL(", ").join(columns),
        old=_is_old(fields),
        after=sql.Literal(str(after) if after else None),
        limit=sql.Literal(batch),
    )
    write = sql.SQL("UPDATE {table} SET {pairs} WHERE {key} = %s").format(
        table=table, key=key, pairs=sql.SQL(", ").join(sql.SQL("{} = %s").format(column) for column in columns)
    )
    with connection.cursor() as cursor:
        cursor.execute(_plain(find, cursor))
        rows = cursor.fetchall()
        if not rows:
            return None
        changed = []
        for row, *tokens in rows:
            new = [_renewed(field, token, row, count) for field, token in zip(fields, tokens, strict=True)]
            if new != tokens:
                changed.append([*new, row])
        if changed:
            cursor.executemany(_plain(write, cursor), changed)
        count.done += len(changed)
        return rows[-1][0]


def _renewed(field: EncryptedField, token: Any, row: Any, count: Count) -> Any:
    if token is None or ring().is_current(bytes(token)):
        return token
    bound = field.bound(row)
    try:
        return ring().seal(ring().open(bytes(token), bound), bound)
    except BadToken:
        count.broken += 1  # a key may still be found for it
        return token


def _left(model: type[models.Model], fields: list[EncryptedField]) -> int:
    """How many values, in all rows, don't have the newest key."""
    each = [sql.SQL("count(*) FILTER (WHERE {})").format(_is_old([field])) for field in fields]
    query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(" + ").join(each), sql.Identifier(model._meta.db_table))
    with connection.cursor() as cursor:
        cursor.execute(_plain(query, cursor))
        return int(cursor.fetchone()[0])


def _is_old(fields: list[EncryptedField]) -> sql.Composable:
    newest = sql.Literal(ring().header)
    conditions: list[sql.Composable] = [
        sql.SQL("substring({column} FROM 1 FOR {size}) <> {newest}").format(
            column=_column(field), size=sql.Literal(HEADER_BYTES), newest=newest
        )
        for field in fields
    ]
    return sql.SQL(" OR ").join(conditions)


def _column(field: models.Field[Any, Any]) -> sql.Identifier:
    return sql.Identifier(str(field.column))


def _plain(query: sql.Composable, cursor: Any) -> str:
    return query.as_string(cursor.connection)
