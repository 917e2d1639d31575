"""A JSON reader that can't be choked. Apart from ``common.api``, because DRF's views import their parser by name."""

from __future__ import annotations

import json
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import exceptions, parsers, status


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class JSONParser(parsers.JSONParser):
    """DRF's parser with an end to the body's size and depth; what isn't JSON is always a ``ParseError``."""

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge(_("The request is too large."))
        try:
            # a byte order mark is no JSON, but some clients send one
            return loads(body.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            raise exceptions.ParseError(_("The request is not valid JSON.")) from None


def loads(text: str) -> Any:
    """JSON without NaN and Infinity. Raises ``ValueError``, and ``RecursionError`` for what is nested too deep."""
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
