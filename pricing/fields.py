"""The name of a catalogue row: one JSON column, one input per language."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

#: what a name may be at most, in characters
LONGEST = 200


class NameWidget(forms.MultiWidget):
    """Two text inputs, Russian first."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        widgets = {
            code: UnfoldAdminTextInputWidget(
                attrs={"aria-label": name, "placeholder": name, "style": "margin-bottom: .375rem"}
            )
            for code, name in (("ru", "Русский"), ("en", "English"))
        }
        super().__init__(widgets, attrs)

    def decompress(self, value: Any) -> list[str]:
        value = value if isinstance(value, dict) else {}
        return [value.get("ru", ""), value.get("en", "")]


class NameFormField(forms.MultiValueField):
    """``{"ru": …, "en": …}`` from two inputs; the English one may stay empty."""

    widget = NameWidget

    def __init__(self, **kwargs: Any) -> None:
        fields = (
            forms.CharField(max_length=LONGEST, error_messages={"required": _("A Russian name is needed.")}),
            forms.CharField(max_length=LONGEST, required=False),
        )
        kwargs = {name: kwargs[name] for name in ("label", "help_text", "initial", "required") if name in kwargs}
        super().__init__(fields=fields, require_all_fields=False, **kwargs)

    def compress(self, data_list: list[str]) -> dict[str, str]:
        ru, en = data_list or ("", "")
        return {"ru": ru, "en": en}

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(NameWidget().decompress(initial), data)


class NameField(models.JSONField):
    """A name in Russian and English: ``{"ru": "Старт", "en": "Start"}``."""

    def validate(self, value: Any, model_instance: Any) -> None:
        super().validate(value, model_instance)
        if not isinstance(value, dict) or not value.get("ru") or set(value) - {"ru", "en"}:
            raise ValidationError(_("A Russian name is needed."))

    def formfield(self, **kwargs: Any) -> Any:
        kwargs.pop("widget", None)  # the admin would put its own JSON editor here
        return super().formfield(**{**kwargs, "form_class": NameFormField})
