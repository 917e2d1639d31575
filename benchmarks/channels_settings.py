"""The product's settings with an assistant that answers at once, and a bare view on the same server."""

from __future__ import annotations

from datetime import timedelta

from config.settings import *  # noqa: F403

ASSISTANT_MODEL = "benchmarks.channels_site.model"
ROOT_URLCONF = "benchmarks.channels_site"
# the wait for a customer who is still writing is a choice, not a cost
GATHER_QUIET = GATHER_MOST = timedelta(0)
