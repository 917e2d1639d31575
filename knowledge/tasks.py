"""The doorbell of the knowledge base: an id in, one call out."""

import threading
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.db import DatabaseError, connection

from common.russian import analyzer
from knowledge import indexing
from knowledge.embedding import registry
from knowledge.gaps import operations as gaps
from knowledge.llm import asking, profiles
from knowledge.llm.keyless import lexicon
from knowledge.releases import trying
from pricing import queries


@shared_task
def index_article(indexing_id: str) -> None:
    """Bring the index up to an article's version."""
    indexing.keep(int(indexing_id))


@shared_task
def place_question(question_id: str) -> None:
    """Put an unanswered question among its like."""
    gaps.keep(question_id)


@shared_task
def check_release(check_id: str) -> None:
    """Run cases of a check before publishing."""
    trying.keep(check_id)


@worker_ready.connect
def warm_up(sender: Any = None, **kwargs: Any) -> None:
    """A worker that answers or indexes reads the dictionaries at once, beside its work: no customer waits for them."""
    if sender is not None and {"answers", "sync"} & set(sender.app.amqp.queues.consume_from):
        threading.Thread(target=_read_dictionaries, name="dictionaries", daemon=True).start()


def _read_dictionaries() -> None:
    analyzer()
    registry.by_name(registry.configured())  # an embedder's SDK is read too
    try:
        asking.warm_up(profiles.chain())
        lexicon.phrasebook(queries.catalogue())
    except (DatabaseError, queries.NoVatMode):
        pass  # the first turn will read it, or say what is wrong
    finally:
        connection.close()
