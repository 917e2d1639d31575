"""The doorbell of the knowledge base: an id in, one call out."""

import threading
from typing import Any

from celery import shared_task
from celery.signals import worker_ready

from knowledge import indexing, words


@shared_task
def index_article(indexing_id: str) -> None:
    """Bring the index up to an article's version."""
    indexing.keep(int(indexing_id))


@worker_ready.connect
def warm_up(sender: Any = None, **kwargs: Any) -> None:
    """A worker that answers or indexes reads the dictionaries at once, beside its work: no customer waits for them."""
    if sender is not None and {"answers", "sync"} & set(sender.app.amqp.queues.consume_from):
        threading.Thread(target=words.analyzer, name="dictionaries", daemon=True).start()
