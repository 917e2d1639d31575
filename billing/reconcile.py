"""What the sweep does for this app, without Celery or Valkey."""

from datetime import datetime

from billing.models import Document
from billing.operations import make_pdf
from common import promise

#: papers in one look: one that runs into its limits takes 20 s, and other rooms wait for the look to end
MOST = 20


def sweep(*, now: datetime) -> int:
    return promise.sweep(Document.objects.all(), make_pdf, now=now, limit=MOST)
