"""The doorbell of the ground floor: an id in, one call out."""

from celery import shared_task

from sales.assistant import turn


@shared_task
def answer(conversation_id: str) -> None:
    """Answer what is owed to a conversation."""
    turn.answer(conversation_id)
