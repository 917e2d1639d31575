"""The doorbell of the knowledge base: an id in, one call out."""

from celery import shared_task

from knowledge import indexing


@shared_task
def index_article(indexing_id: str) -> None:
    """Bring the index up to an article's version."""
    indexing.keep(int(indexing_id))
