"""Logs, errors, metrics."""

from __future__ import annotations

import os

from common import env
from common.logging import configure

from .core import ENVIRONMENT, PROCESS, STATE_DIR

LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
    raise env.BadEnvironment("LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR.")
LOG_FORMAT = env.text("LOG_FORMAT", "json")
if LOG_FORMAT not in {"json", "console"}:
    raise env.BadEnvironment("LOG_FORMAT must be json or console.")
LOGGING = configure(LOG_LEVEL, style=LOG_FORMAT)

# the library gives requests and tasks their ids; its own lines hold paths and addresses and are off
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_USER_ID_FIELD = None
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = 10

SENTRY_DSN = env.text("SENTRY_DSN")
SENTRY_ENVIRONMENT = env.text("SENTRY_ENVIRONMENT", ENVIRONMENT)
RELEASE = env.text("RELEASE")
if SENTRY_DSN:
    from common import sentry

    sentry.start(SENTRY_DSN, environment=SENTRY_ENVIRONMENT, release=RELEASE)

# The processes that live long count into one folder, which /metrics adds up. A command counts for itself.
# It has to be set before prometheus_client is imported for the first time.
METRICS_DIR = STATE_DIR / "metrics"
if PROCESS in {"web", "worker", "beat", "sweep"} and not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    METRICS_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS_DIR)
