"""The page of numbers for Prometheus, for askers from loopback and the networks we name."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CollectorRegistry, GaugeMetricFamily, Metric

from common.health import promise_models
from common.metrics import registry
from common.ratelimits import client_address


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Everything counted, over all processes, and what the database owes now."""
    if not may_see(request):
        raise Http404
    owed = CollectorRegistry()
    owed.register(Owed())  # type: ignore[arg-type]
    return HttpResponse(generate_latest(registry()) + generate_latest(owed), content_type=CONTENT_TYPE_LATEST)


def may_see(request: HttpRequest) -> bool:
    """Whether the asker is this machine or in ``METRICS_ALLOWED_NETWORKS``.

    Behind a proxy everybody comes from the proxy's address. So a request that was forwarded by one we weren't told
    of (``TRUSTED_PROXIES``) has no address that counts.
    """
    if not settings.TRUSTED_PROXIES and ("X-Forwarded-For" in request.headers or "Forwarded" in request.headers):
        return False
    address = client_address(request)
    if not address:
        return False
    asker = ipaddress.ip_address(address)
    return asker.is_loopback or any(asker in network for network in settings.METRICS_ALLOWED_NETWORKS)


class Owed:
    """Promises by kind, read from the rows at the moment of asking."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("database_up", "Whether the database answered just now.")
        due = GaugeMetricFamily("promises_due", "What is owed and may be done now, or is being done.", labels=["kind"])
        stuck = GaugeMetricFamily("promises_stuck", "What a person has to look at.", labels=["kind"])
        oldest = GaugeMetricFamily("promises_oldest_seconds", "How long the oldest has been due.", labels=["kind"])
        now = timezone.now()
        try:
            for model in promise_models():
                kind = model._meta.label_lower
                rows = model._default_manager.order_by()
                owed = rows.filter(state__in=["due", "taken"], due_at__lte=now).aggregate(
                    n=Count("pk"), at=Min("due_at")
                )
                due.add_metric([kind], owed["n"])
                stuck.add_metric([kind], rows.filter(state__in=["broken", "uncertain"]).count())
                oldest.add_metric([kind], (now - owed["at"]).total_seconds() if owed["at"] else 0.0)
        except DatabaseError:
            up.add_metric([], 0)
        else:
            up.add_metric([], 1)
        yield from (up, due, stuck, oldest)
