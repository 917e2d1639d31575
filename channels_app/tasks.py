"""The doorbell of channels: an id in, one call out."""

from celery import shared_task
from django.utils import timezone

from channels_app import arrivals, deliveries
from channels_app.avito import items_sync, polling, subscription


@shared_task
def deliver(conversation_id: str) -> None:
    """Send what is owed in a conversation."""
    deliveries.deliver(conversation_id)


@shared_task
def look(arrival_id: str) -> None:
    """Read a chat back in which something has happened."""
    arrivals.keep(arrival_id)


@shared_task
def read_avito_listings() -> None:
    """Go on with the open reading of our listings on Avito, or begin one whose time has come."""
    items_sync.begin_if_due(now=timezone.now())
    items_sync.go_on()


@shared_task
def poll_avito() -> None:
    """Look for chats on Avito in which something has happened that no webhook told of."""
    polling.now_and_then()


@shared_task
def watch_avito_webhook() -> None:
    """See that Avito still rings here."""
    subscription.watch(now=timezone.now())
