"""Log lines: JSON on stderr, one a line, with ids to follow a request or a conversation, and no content.

Loggers say a constant sentence and put ids and measures in ``extra``; only keys of ``ALLOWED`` pass, so a new key
has to be thought of. Of a sentence with arguments, ours or a library's, the template is kept, and arguments pass
only where they are numbers or plain identifiers.
"""

from __future__ import annotations

import logging
import re
import uuid
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from common.scrubbing import exception_shape, scrub

#: binds keys to every line of a block: ``with bound(conversation_id=...)``
bound = structlog.contextvars.bound_contextvars

#: what a line may hold besides event, level, logger and time. No key here may ever carry what a person wrote.
_ALLOWED = """
    request_id conversation_id turn_id lead_id message_id document_id article_id quote_id seller_id user_id task_id
    parent_task_id child_task_id
    route method status ms code close_code channel author seq outcome kind room mode state model tool scope
    task child_task_name duration_ms attempt attempts promise problem label row reason
    count total done left skipped broken bytes pages seconds every limit key_number version field line
    vendor operation exception routing_key queue signal process
"""
ALLOWED = frozenset(_ALLOWED.split())
#: what Django adds to its own records; named nowhere, it is no oversight of ours
_DJANGOS = frozenset({"request", "status_code"})
_IDENTIFIER = re.compile(r"[A-Za-z_][\w.:-]{0,99}|[0-9a-f-]{36}")


class LineFormatter(structlog.stdlib.ProcessorFormatter):
    """Takes from records the arguments that might be content, before anything formats them."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(_without_content(record))


def _without_content(record: logging.LogRecord) -> logging.LogRecord:
    if record.name == "django.request" and hasattr(record, "status_code"):
        record = logging.makeLogRecord(record.__dict__)
        record.msg, record.args = f"answered {record.status_code}", None  # type: ignore[attr-defined]  # not the path
    if not record.args:
        return record
    record = logging.makeLogRecord(record.__dict__)  # others may have handlers of their own on it
    if isinstance(record.args, dict):
        record.args = {key: _plain(value) for key, value in record.args.items()}
    else:
        record.args = tuple(_plain(value) for value in record.args or ())
    try:
        record.getMessage()
    except (TypeError, ValueError, KeyError):  # else logging itself would print the arguments
        record.msg, record.args = re.sub(r"%(\(\w+\))?[-#0-9 +.]*[a-zA-Z]", "…", str(record.msg)), None
    return record


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, BaseException):
        return type(value).__name__
    text = str(value)
    return text if _IDENTIFIER.fullmatch(text) and scrub(text) == text else "…"


def shape_exception(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Exceptions as type and places; see ``common.scrubbing``."""
    raised = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if raised is True:
        import sys  # only here: the exception being handled

        raised = sys.exc_info()
    problem = raised[1] if isinstance(raised, tuple) else raised
    if isinstance(problem, BaseException):
        event["exception"] = exception_shape(problem)
    else:
        event.pop("exception", None)
    return event


def keep_allowed(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Only allowed keys, in plain short values; the event's text scrubbed."""
    words = str(event.pop("event", ""))
    if event.get("logger") == "asyncio":
        words = words.partition("\n")[0]  # the lines below are reprs of whatever a task held
    if str(event.get("logger")).startswith(("django.request", "django.security")):
        words = words.partition(": ")[0]  # the rest is a path or a header
    kept: EventDict = {
        "timestamp": event.pop("timestamp", None),
        "level": event.pop("level", method),
        "logger": event.pop("logger", ""),
        "event": scrub(words),
    }
    dropped = []
    for key, value in event.items():
        if key == "exception" and isinstance(value, dict):
            kept[key] = value
        elif key in ALLOWED:
            kept[key] = _short(value)
        elif not key.startswith("_") and key not in _DJANGOS:
            dropped.append(key)
    if dropped:
        kept["dropped"] = sorted(dropped)
    return kept


def _short(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_short(each) for each in list(value)[:20]]
    return scrub(str(value))[:200]


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def configure(level: str = "INFO", *, style: str = "json") -> dict[str, Any]:
    """Django's ``LOGGING`` for these rules; also sets structlog up. ``style`` is ``json`` or ``console``."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *[each for each in _shared() if not isinstance(each, structlog.stdlib.ExtraAdder)],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": line_formatter, "style": style}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
            "none": {"class": "logging.NullHandler"},
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # our own line has the route's name; theirs have paths, queries and browsers
            "django_structlog.middlewares": {"level": "CRITICAL"},
            "django.server": {"handlers": ["none"], "propagate": False},
            "django": {"level": level, "propagate": True, "handlers": []},
            "django.request": {"level": "ERROR"},  # a 404 has our own line already
            "django.db.backends": {"level": "INFO"},  # DEBUG would be every query with its values
            "daphne": {"level": "WARNING"},
            "daphne.http_protocol": {"level": "WARNING"},
            "daphne.ws_protocol": {"level": "WARNING"},
            # whole addresses at INFO, and a bot's token is part of one
            "httpx": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "httpcore2": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
            "telegram": {"level": "WARNING"},  # addresses at DEBUG, as above
            "pymorphy3": {"level": "WARNING"},  # it tells of its dictionaries in every process
            "openai": {"level": "WARNING"},
            "anthropic": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
            "amqp": {"level": "WARNING"},
            "asyncio": {"level": "WARNING"},
            "weasyprint": {"level": "ERROR"},
            "fontTools": {"level": "ERROR"},
            "axes": {"level": "CRITICAL"},  # its lines name the person
        },
    }


def line_formatter(style: str = "json") -> LineFormatter:
    """The formatter of one line, for structlog's and everybody else's records alike."""
    render: Processor = (
        structlog.dev.ConsoleRenderer(colors=False)
        if style == "console"
        else structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    )
    return LineFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            shape_exception,
            keep_allowed,
            render,
        ],
    )
