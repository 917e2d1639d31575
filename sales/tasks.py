"""The doorbell of the ground floor: an id in, one call out."""

from celery import shared_task

from sales.assistant import turn
from sales.qualification import scoring


@shared_task
def answer(conversation_id: str) -> None:
    """Answer what is owed to a conversation."""
    turn.answer(conversation_id)


@shared_task
def rescore() -> None:
    """Reckon the scores that changed rules have left owed."""
    scoring.rescore_due()
