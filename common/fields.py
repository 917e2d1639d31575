"""Model fields that are encrypted at rest, each value bound to its column and its row.

The token's authenticated data holds the field's fixed ``label`` (never the table's name, which may change) and the
row's UUID, so a ciphertext copied to another row or column doesn't open. The field encrypts in ``pre_save``, where
the row is known, and a descriptor decrypts on the first read; what was never read is written back as it is, unless
its key is no longer the newest. So every write leaves the newest key behind, and rotation can't be undone by a
worker that read a row before it.

What can't work is refused loudly: lookups other than ``isnull``, ``order_by``, ``values``, ``F``, ``update`` with a
value, ``bulk_update``, an upsert that would leave another row's token, serialisation. The empty string is a value
like any other and is encrypted; ``None`` is NULL.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from django import forms
from django.core import checks
from django.core.exceptions import FieldError, ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.expressions import Col
from django.db.models.lookups import IsNull
from django.db.models.query_utils import DeferredAttribute
from django.db.models.sql.compiler import (
    SQLAggregateCompiler,
    SQLCompiler,
    SQLDeleteCompiler,
    SQLInsertCompiler,
    SQLUpdateCompiler,
)
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.keyring import BadToken, ring


class EncryptedFieldError(FieldError):
    """Something was asked of an encrypted column that ciphertext can't give."""


class Undecryptable(ValueError):
    """A stored value that can't be read; ``label``, ``row`` and ``reason`` say which, never what it held."""

    # a page with one broken value shows a gap there and the rest of itself
    silent_variable_failure = True

    def __init__(self, label: str, row: Any, reason: str) -> None:
        super().__init__(f"{label} of row {row} can't be read: {reason}")
        self.label, self.row, self.reason = label, row, reason


class Sealed:
    """A token as it lies in the database, with the row it was read from where that is known."""

    __slots__ = ("row", "token")

    def __init__(self, token: bytes, row: Any = None) -> None:
        self.token = token
        self.row = row

    def __repr__(self) -> str:
        return "<sealed>"


class Unreadable(str):
    """The words a form shows for a broken value; saving it again leaves the stored token as it is."""

    sealed: Sealed


class EncryptedAttribute(DeferredAttribute):
    """Decrypts on the first read and keeps the plain value on the instance."""

    field: EncryptedField

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed):
            value = self.field.unseal(value, instance)
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        if isinstance(value, Sealed) and value.row is None:
            # the key as it was read: a later change of the instance's key (a copy) must not lose the value
            value.row = instance.__dict__.get(instance._meta.pk.attname)
        instance.__dict__[self.field.attname] = value


class EncryptedCol(Col):
    """The column inside a query: may be fetched with its whole row, and nothing else."""

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> Any:
        # While the list of columns is being made, `select` is not set yet: only then may the token be fetched.
        reads_rows = not isinstance(compiler, SQLAggregateCompiler | SQLUpdateCompiler | SQLDeleteCompiler)
        if (
            not reads_rows
            or compiler.select is not None
            or not compiler.query.default_cols
            or self._is_annotated(compiler)
        ):
            raise EncryptedFieldError(
                f"{self.target} is encrypted: it can be read from model instances only, not in values(), F(),"
                " order_by(), annotations or aggregates."
            )
        return super().as_sql(compiler, connection)

    def _is_annotated(self, compiler: SQLCompiler) -> bool:
        annotations = compiler.query.annotation_select.values()
        return any(
            isinstance(part, EncryptedCol) and part.target == self.target
            for each in annotations
            if hasattr(each, "flatten")
            for part in each.flatten()
        )


class EncryptedIsNull(IsNull):
    def process_lhs(self, compiler: SQLCompiler, connection: Any, lhs: Any = None) -> Any:
        lhs = lhs or self.lhs
        return (
            Col.as_sql(lhs, compiler, connection) if isinstance(lhs, Col) else super().process_lhs(compiler, connection)
        )


class EncryptedField(models.Field):  # type: ignore[type-arg]
    """What text and JSON have in common. ``label`` is written into every token: choose it once, never change it."""

    descriptor_class = EncryptedAttribute

    def __init__(self, *args: Any, label: str = "", **kwargs: Any) -> None:
        self.label = label
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "label": self.label}

    def get_internal_type(self) -> str:
        return "BinaryField"

    # --- between value and token ---

    def encode(self, value: Any) -> bytes:
        raise NotImplementedError

    def decode(self, plain: bytes) -> Any:
        raise NotImplementedError

    def bound(self, row: Any) -> bytes:
        """What a token is bound to: the label, with its length so that no two pairs run together, and the row."""
        if not isinstance(row, uuid.UUID):
            raise EncryptedFieldError(f"{self} needs a row with a UUID key, set before the value is encrypted.")
        label = self.label.encode()
        return len(label).to_bytes(2, "big") + label + row.bytes

    def seal(self, value: Any, row: Any) -> bytes:
        """The token of ``value`` for the row with the UUID ``row``."""
        return ring().seal(self.encode(value), self.bound(row))

    def unseal(self, sealed: Sealed, instance: models.Model) -> Any:
        row = sealed.row or instance.pk
        try:
            return self.decode(ring().open(sealed.token, self.bound(row)))
        except BadToken as problem:
            raise Undecryptable(self.label, row, str(problem)) from None

    # --- on the way in ---

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname)
        row = model_instance.pk
        if isinstance(value, Unreadable):
            value = value.sealed
        if isinstance(value, Sealed):
            same_row = value.row in (None, row)
            if same_row and ring().is_current(value.token):
                return value
            try:
                value = self.unseal(value, model_instance)
            except Undecryptable:
                if not same_row:
                    raise  # a copy of what can't be read can't be made
                return value  # never destroy what a lost key may still open
        if value is None:
            return None
        if hasattr(value, "resolve_expression"):
            raise EncryptedFieldError(f"{self} is encrypted: it takes values, not expressions.")
        return Sealed(self.seal(value, row), row)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, Sealed):
            raise EncryptedFieldError(
                f"{self} is encrypted together with its row: save() instances; update() and bulk_update() can't do it."
            )
        return connection.Database.Binary(value.token)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return self.get_db_prep_save(value, connection)

    def get_placeholder(self, value: Any, compiler: SQLCompiler, connection: Any) -> str:
        query = compiler.query
        if isinstance(compiler, SQLInsertCompiler) and getattr(query, "on_conflict", None):
            changed = {getattr(each, "name", each) for each in getattr(query, "update_fields", None) or ()}
            if self.name in changed or self.column in changed:
                raise EncryptedFieldError(f"{self} is encrypted: an upsert would leave another row's token in it.")
        return "%s"

    # --- on the way out ---

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else Sealed(bytes(value))

    def get_col(self, alias: Any, output_field: Any = None) -> Any:
        return EncryptedCol(alias, self, output_field or self)

    @property
    def cached_col(self) -> Any:  # type: ignore[override]
        return EncryptedCol(self.model._meta.db_table, self)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return EncryptedIsNull
        raise EncryptedFieldError(f"{self} is encrypted: it can't be searched ({lookup_name}); use its blind index.")

    def get_transform(self, lookup_name: str) -> Any:
        raise EncryptedFieldError(f"{self} is encrypted: it can't be searched ({lookup_name}); use its blind index.")

    def value_to_string(self, obj: Any) -> str:
        raise EncryptedFieldError(f"{self} is encrypted and is not written into fixtures.")

    # --- forms ---

    def value_from_object(self, obj: Any) -> Any:
        return readable(obj, self.name)

    def save_form_data(self, instance: Any, data: Any) -> None:
        kept = instance.__dict__.get(self.attname)
        if isinstance(kept, Sealed) and data == unreadable_words():
            data = Unreadable(data)
            data.sealed = kept
        super().save_form_data(instance, data)

    # --- checks ---

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        problems = super().check(**kwargs)
        model = getattr(self, "model", None)
        if not self.label:
            problems.append(checks.Error("An encrypted field needs label=.", obj=self, id="common.E001"))
        if self.unique or getattr(self, "db_index", False) or self.primary_key:
            problems.append(
                checks.Error(
                    "An encrypted field can't be unique, indexed or a key: equal values have different tokens.",
                    obj=self,
                    id="common.E002",
                )
            )
        if model is not None and not model._meta.abstract:
            key = model._meta.pk
            if not isinstance(key, models.UUIDField) or not key.has_default():
                problems.append(
                    checks.Error(
                        "A model with encrypted fields needs a UUID primary key with a default made in Python.",
                        hint="id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)",
                        obj=self,
                        id="common.E003",
                    )
                )
        return problems


class EncryptedTextField(EncryptedField):
    """A string, encrypted at rest. ``max_length`` limits forms and validation, not the column."""

    description = _("Encrypted text")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.max_length is not None:
            self.validators.append(MaxLengthValidator(self.max_length))

    def to_python(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else str(value)

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, str):
            raise TypeError(f"{self} holds text, not {type(value).__name__}")
        return value.encode("utf-8", "surrogatepass")  # what is stored comes back, whatever it is

    def decode(self, plain: bytes) -> str:
        return plain.decode("utf-8", "surrogatepass")

    def formfield(self, **kwargs: Any) -> Any:  # type: ignore[override]
        widget = forms.TextInput if self.max_length is not None and self.max_length <= 500 else forms.Textarea
        return super().formfield(
            **{"form_class": forms.CharField, "max_length": self.max_length, "widget": widget, **kwargs}
        )


class EncryptedJSONField(EncryptedField):
    """A JSON value, encrypted at rest. Python's None is NULL; nothing queries inside it."""

    description = _("Encrypted JSON")
    empty_strings_allowed = False

    def __init__(self, *args: Any, encoder: Any = None, **kwargs: Any) -> None:
        self.encoder = encoder
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, **({"encoder": self.encoder} if self.encoder else {})}

    def encode(self, value: Any) -> bytes:
        # NaN is no JSON; ASCII keeps lone surrogates as escapes, so that they come back too
        return json.dumps(value, cls=self.encoder, allow_nan=False, separators=(",", ":")).encode("ascii")

    def decode(self, plain: bytes) -> Any:
        return json.loads(plain)

    def validate(self, value: Any, model_instance: Any) -> None:
        super().validate(value, model_instance)
        try:
            self.encode(value)
        except (TypeError, ValueError):
            raise ValidationError(_("Value must be valid JSON."), code="invalid") from None

    def formfield(self, **kwargs: Any) -> Any:  # type: ignore[override]
        return super().formfield(**{"form_class": forms.JSONField, **kwargs})


def unreadable_words() -> str:
    """What pages show in place of a value that can't be decrypted."""
    return gettext("⚠ can't be decrypted")


def readable(instance: models.Model, field: str) -> Any:
    """The value for a page: the plain one, or words that say it can't be read. Never raises for a broken token."""
    try:
        return getattr(instance, field)
    except Undecryptable:
        return unreadable_words()


def encrypted_fields(model: type[models.Model]) -> list[EncryptedField]:
    """The model's own encrypted columns."""
    return [each for each in model._meta.local_concrete_fields if isinstance(each, EncryptedField)]
