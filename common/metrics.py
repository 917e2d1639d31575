"""Numbers, counted where things happen and read at ``/metrics``.

With ``PROMETHEUS_MULTIPROC_DIR`` set before this module is imported (the settings do it for the long-lived
processes), each process counts into files of its own in that folder and whoever is asked adds them up; else the
numbers are this process's alone. Labels are words from short lists: never an id, an address or a text.
"""

from __future__ import annotations

import os
from pathlib import Path

import psutil
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_FAST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_TURNS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 45)

messages_total = Counter("messages_total", "Messages stored.", ["channel", "author"])
turns_total = Counter("turns_total", "Turns of the assistant that ended.", ["outcome"])
guard_verdicts_total = Counter("guard_verdicts_total", "Drafts read by the guard, by what was found.", ["kind"])
turn_seconds = Histogram("turn_seconds", "From the taking of a turn to its stored reply.", buckets=_TURNS)
first_words_seconds = Histogram(
    "first_words_seconds", "From the taking of a turn to the first words of its answer shown.", buckets=_TURNS
)
documents_total = Counter("documents_total", "Documents rendered or refused.", ["kind", "outcome"])
deliveries_total = Counter("deliveries_total", "Messages of ours handed to a channel.", ["channel", "outcome"])
vendor_calls_total = Counter("vendor_calls_total", "Calls of vendors' APIs.", ["vendor", "operation", "outcome"])
vendor_seconds = Histogram("vendor_seconds", "One call of a vendor's API.", ["vendor", "operation"], buckets=_FAST)
telegram_updates_total = Counter("telegram_updates_total", "Updates that came, by what became of them.", ["outcome"])
rings_failed_total = Counter("rings_failed_total", "Rings of the doorbell that no broker took.", ["task"])
sweep_seconds = Histogram("sweep_seconds", "One round of the sweep.", buckets=_FAST)
http_requests_total = Counter("http_requests_total", "HTTP requests answered.", ["route", "status"])
http_request_seconds = Histogram("http_request_seconds", "Time to answer a request.", ["route"], buckets=_FAST)
websockets_open = Gauge("websockets_open", "Open connections of the web chat.", multiprocess_mode="livesum")
websockets_closed_total = Counter("websockets_closed_total", "Connections of the web chat that we ended.", ["code"])
limited_total = Counter("limited_total", "Requests refused by a rate limit.", ["scope"])
limits_unchecked_total = Counter(
    "limits_unchecked_total", "Requests let through because the limits' store was away.", ["scope"]
)
_MODELS = (0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 8, 12, 20)
model_calls_total = Counter("model_calls_total", "Calls of language models.", ["profile", "outcome"])
model_seconds = Histogram("model_seconds", "One call of a language model.", ["profile"], buckets=_MODELS)
model_first_piece_seconds = Histogram(
    "model_first_piece_seconds", "From a call to the first words of its answer.", ["profile"], buckets=_MODELS
)
model_tokens_total = Counter(
    "model_tokens_total", "Tokens: read, of these from the vendor's cache, written.", ["profile", "kind"]
)
model_roubles_total = Counter("model_roubles_total", "What language models have cost.", ["profile"])
model_breaker_open = Gauge(
    "model_breaker_open", "1 while a language model is left alone.", ["profile"], multiprocess_mode="mostrecent"
)
model_alarms_total = Counter(
    "model_alarms_total", "Failures of language models that need a person.", ["profile", "outcome"]
)
model_failovers_total = Counter(
    "model_failovers_total", "Times that the next of the chain took over, and why.", ["profile", "outcome"]
)
model_budget_left_out_total = Counter(
    "model_budget_left_out_total", "Calls of paid language models that a limit has prevented.", ["limit"]
)


def registry() -> CollectorRegistry:
    """What ``/metrics`` shows: the sum over all processes where they share a folder, else this process."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return REGISTRY
    for file in Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not psutil.pid_exists(pid):  # killed: what it had open is closed
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared


def forget(folder: Path) -> None:
    """Drop the numbers of an earlier run; only before the first process of this one has started."""
    for file in folder.glob("*.db"):
        file.unlink(missing_ok=True)
