"""Error reports to Sentry when a DSN is set: what went wrong and where, never what was said or by whom."""

from __future__ import annotations

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.logging import ignore_logger
from sentry_sdk.types import Event, Hint

from common.logging import ALLOWED
from common.scrubbing import safe_words, scrub

_KEPT = (
    *("event_id", "timestamp", "start_timestamp", "platform", "level", "logger", "release", "environment", "type"),
    *("transaction_info", "fingerprint", "sdk", "exception", "measurements", "spans"),
)


def start(dsn: str, *, environment: str, release: str = "") -> bool:
    """Begin to report if there is a DSN; returns whether there is."""
    if not dsn:
        return False
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=release or None,
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=20,
        traces_sample_rate=0.0,
        auto_session_tracking=False,
        send_client_reports=False,
        before_send=before_send,
        before_send_transaction=before_send_transaction,
        before_breadcrumb=before_breadcrumb,
        server_name="",
    )
    # exceptions of requests are reported by themselves; an answered 503 of a probe is no event
    ignore_logger("django.request")
    return True


def before_send(event: Event, hint: Hint) -> Event | None:
    """The event, built anew from what is allowed in one."""
    kept: dict[str, Any] = {key: event[key] for key in _KEPT if key in event}  # type: ignore[literal-required]
    kept["transaction"] = _route(event)
    raised = _raised(hint)
    for value in kept.get("exception", {}).get("values", ()):
        problem = raised.get(value.get("type"))
        value["value"] = safe_words(type(problem), problem) if problem is not None else ""
        value.pop("mechanism", None)
        for frame in (value.get("stacktrace") or {}).get("frames", ()):
            for key in ("vars", "pre_context", "context_line", "post_context", "abs_path"):
                frame.pop(key, None)
    if entry := event.get("logentry"):
        # the template is ours or a library's; its parameters are data
        kept["logentry"] = {"message": scrub(str(entry.get("message", "")))}
    elif message := event.get("message"):
        kept["message"] = scrub(str(message))
    extra: Any = event.get("extra") or {}
    kept["extra"] = {key: scrub(str(value)) for key, value in extra.items() if key in ALLOWED}
    kept["breadcrumbs"] = {"values": [_crumb(each) for each in _values(event.get("breadcrumbs"))]}
    request: Any = event.get("request") or {}
    if request.get("method"):
        kept["request"] = {"method": request["method"]}
    return kept  # type: ignore[return-value]


def before_send_transaction(event: Event, hint: Hint) -> Event | None:
    """A timing, with routes for addresses and without what queries and requests said."""
    kept: Any = before_send(event, hint)
    kept["spans"] = [
        {
            key: span[key]
            for key in ("span_id", "parent_span_id", "trace_id", "op", "start_timestamp", "timestamp")
            if key in span
        }
        for span in kept.get("spans") or ()
    ]
    trace = (event.get("contexts") or {}).get("trace", {})
    kept["contexts"] = {"trace": {key: trace[key] for key in ("trace_id", "span_id", "op", "status") if key in trace}}
    return kept


def before_breadcrumb(crumb: dict[str, Any], hint: Hint) -> dict[str, Any] | None:
    return _crumb(crumb)


def _crumb(crumb: dict[str, Any]) -> dict[str, Any]:
    return {key: crumb[key] for key in ("type", "category", "level", "timestamp") if key in crumb}


def _values(crumbs: Any) -> list[dict[str, Any]]:
    return list(crumbs.get("values", ())) if isinstance(crumbs, dict) else list(crumbs or ())


def _route(event: Any) -> str:
    """The name of the view; never a path, which may hold a secret."""
    named = str(event.get("transaction") or "")
    source = (event.get("transaction_info") or {}).get("source")
    return "unmatched" if source == "url" or named.startswith("/") else scrub(named)


def _raised(hint: Hint) -> dict[str, BaseException]:
    """The exceptions of the chain by the name of their type."""
    found: dict[str, BaseException] = {}
    problem = (hint.get("exc_info") or (None, None, None))[1]
    while problem is not None and type(problem).__name__ not in found:
        found[type(problem).__name__] = problem
        problem = problem.__cause__ or problem.__context__
    return found
