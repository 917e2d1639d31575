"""The doorbell of documents: an id in, one call out."""

from contextlib import suppress
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.utils import timezone

from billing.models import Document
from billing.operations import make_pdf
from billing.rendering.renderer import renderer
from common.problems import LastingProblem, TemporaryProblem


@shared_task
def render(document_id: str) -> None:
    """Make the PDF that is owed."""
    document = Document.objects.filter(pk=document_id).first()
    if document:
        document.keep(make_pdf, now=timezone.now())


@worker_ready.connect
def warm_up(sender: Any = None, **kwargs: Any) -> None:
    """A worker of this queue starts its renderer at once: the first customer needn't wait for the import."""
    if sender is not None and "documents" in sender.app.amqp.queues.consume_from:
        with suppress(LastingProblem, TemporaryProblem):  # each document will say so for itself
            renderer().warm()
