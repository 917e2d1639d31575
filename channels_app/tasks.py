"""The doorbell of channels: an id in, one call out."""

from celery import shared_task

from channels_app import arrivals, deliveries


@shared_task
def deliver(conversation_id: str) -> None:
    """Send what is owed in a conversation."""
    deliveries.deliver(conversation_id)


@shared_task
def look(arrival_id: str) -> None:
    """Read a chat back in which something has happened."""
    arrivals.keep(arrival_id)
