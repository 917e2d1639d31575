"""What our endpoints have in common: one shape for what went wrong, and fields that survive a broken value.

An error is ``{"detail": …, "errors": [{"field", "code", "message"}]}``: ``field`` is a dotted path into what was sent
and empty for the whole, ``code`` is for programs, ``message`` for people, in the language of the request.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from common.fields import readable
from common.parsers import TooLarge


class ReadableField(serializers.CharField):
    """An encrypted column, read only: a value that can't be decrypted shows as words, and the answer stays whole."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def get_attribute(self, instance: Any) -> Any:
        *way, name = self.source_attrs
        for step in way:
            instance = getattr(instance, step)
        return readable(instance, name)


def exception_handler(problem: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler with our shape; what text can't hold is the sender's mistake, not ours."""
    if isinstance(problem, UnicodeEncodeError):
        problem = exceptions.ParseError(_("The request holds text that isn't valid Unicode."))
    elif isinstance(problem, RequestDataTooBig):
        problem = TooLarge(_("The request is too large."))
    elif isinstance(problem, ValueError) and "NUL" in str(problem):
        problem = exceptions.ParseError(_("The request holds a NUL character."))
    response = drf_exception_handler(problem, context)
    if response is None:
        return None
    if isinstance(problem, Http404):
        problem = exceptions.NotFound(_("Not found."))
    elif isinstance(problem, PermissionDenied):
        problem = exceptions.PermissionDenied()
    errors = list(_flat(problem.get_full_details(), "")) if isinstance(problem, exceptions.APIException) else []
    response.data = {"detail": errors[0]["message"] if errors else "", "errors": errors}
    return response


def _flat(details: Any, field: str) -> Any:
    """DRF's nested details as a list of rows."""
    if (
        isinstance(details, dict)
        and set(details) == {"message", "code"}
        and not isinstance(details["message"], dict | list)
    ):
        yield {"field": field, "code": str(details["code"]), "message": str(details["message"])}
    elif isinstance(details, dict):
        for name, each in details.items():
            yield from _flat(each, field if name == "non_field_errors" else f"{field}.{name}".lstrip("."))
    elif isinstance(details, list):
        nested = not all(isinstance(each, dict) and set(each) == {"message", "code"} for each in details)
        for number, each in enumerate(details):
            if each:  # DRF leaves an empty one for each row without errors
                yield from _flat(each, f"{field}.{number}".lstrip(".") if nested else field)
